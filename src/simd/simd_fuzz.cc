// The vector operations of this machine against their scalar definitions.
#include "base/check.h"
#include "simd/every_op.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < simd::kEveryOpInputBytes) return 0;
  alignas(16) uint8_t input[simd::kEveryOpInputBytes];
  std::memcpy(input, data, sizeof(input));
  const auto expected = simd::scalar::EveryOp::Run(input);
  const auto found = simd::EveryOp::Run(input);
  for (size_t i = 0; i < expected.size(); ++i) CHECK(expected[i].bytes == found[i].bytes);
  return 0;
}
