#include "gpt2/import/head_compare.h"

#include <algorithm>
#include <cstring>

namespace gpt2 {

base::Result<std::optional<bool>> HeadCompare::Step(ByteSource& source, const PlannedTensor& wte,
                                                    const PlannedTensor& head, uint64_t n_embd,
                                                    uint64_t floats_max) {
  const uint64_t rows = std::max<uint64_t>(1, floats_max / n_embd);
  const uint64_t count = std::min(rows * n_embd, wte.count - done_);
  std::vector<float> a(static_cast<size_t>(count)), b(static_cast<size_t>(count));
  TRY_STATUS(ReadTensor(source, wte, done_, a, scratch_));
  TRY_STATUS(ReadTensor(source, head, done_, b, scratch_));
  if (std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) != 0) return false;
  done_ += count;
  if (done_ == wte.count) return true;
  return std::nullopt;
}

}  // namespace gpt2
