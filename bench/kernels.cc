#include "kernels.h"

#include <vector>

#include "base/check.h"
#include "gpt2/kernels/int_matmul_inner.h"

namespace bench {
namespace {

using gpt2::inner::Part;

constexpr uint32_t kDots = 96, kInputs = 2 * kDots;

struct Memory {
  std::vector<int8_t> weights = std::vector<int8_t>(3072 * 768);
  std::vector<int16_t> acts = std::vector<int16_t>(16 * 3072, 1000);
  std::vector<float> sums = std::vector<float>(size_t{50260} * 4);
};

template <uint32_t kTokens>
void Product(Memory& m, uint32_t n_in, uint32_t n_out) {
  for (uint32_t input = 0; input < n_in; input += kInputs) {
    const auto kernel = input == 0 ? gpt2::inner::Tokens<kDots, kTokens, int8_t, Part::kFirst>
                                   : gpt2::inner::Tokens<kDots, kTokens, int8_t, Part::kNext>;
    kernel(m.weights.data(), 4 * n_in, m.acts.data() + input, n_in, m.sums.data(), n_out / 4);
  }
}

template <>
void Product<1>(Memory& m, uint32_t n_in, uint32_t n_out) {
  for (uint32_t input = 0; input < n_in; input += 4 * kInputs) {
    const auto kernel = input == 0 ? gpt2::inner::Vector<kDots, 4, int8_t, Part::kFirst>
                                   : gpt2::inner::Vector<kDots, 4, int8_t, Part::kNext>;
    kernel(m.weights.data(), 4 * n_in, m.acts.data() + input, m.sums.data(), n_out / 4);
  }
}

template <uint32_t kTokens>
void Blocks(Memory& m) {
  for (int layer = 0; layer < 12; ++layer) {
    Product<kTokens>(m, 768, 2304);
    Product<kTokens>(m, 768, 768);
    Product<kTokens>(m, 768, 3072);
    Product<kTokens>(m, 3072, 768);
  }
}

}  // namespace

void RunKernels(uint32_t tokens) {
  static Memory* memory = new Memory;
  switch (tokens) {
    // The same weights again and again: a stride of 0 would be as good for a count.
    case kHead:
      for (int i = 0; i < 16; ++i) Product<1>(*memory, 768, 3072);
      return Product<1>(*memory, 768, 50260 - 16 * 3072);
    case 1:
      return Blocks<1>(*memory);
    case 2:
      return Blocks<2>(*memory);
    case 4:
      return Blocks<4>(*memory);
    case 8:
      return Blocks<8>(*memory);
    case 16:
      return Blocks<16>(*memory);
    default:
      CHECK(false);
  }
}

}  // namespace bench
