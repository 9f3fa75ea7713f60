#include "kernels.h"

#include <vector>

#include "base/check.h"
#include "gpt2/kernels/int_matmul_inner.h"
#include "gpt2/kernels/strassen.h"

namespace bench {
namespace {

using gpt2::inner::Part;

constexpr uint32_t kDots = 96, kInputs = 2 * kDots, kChunk = 768;

struct Memory {
  std::vector<int8_t> weights = std::vector<int8_t>(3072 * 768);
  std::vector<int16_t> acts = std::vector<int16_t>(gpt2::kStrassenTokensMax * 3072, 1000);
  std::vector<int32_t> chunk = std::vector<int32_t>(3072 * 16);
  std::vector<float> sums = std::vector<float>(size_t{3072} * gpt2::kStrassenTokensMax);
  gpt2::MatmulScratch scratch;
};

// Without turning the sums of the chunks into floats.
template <uint32_t kTokens>
void Product(Memory& m, uint32_t n_in, uint32_t n_out) {
  for (uint32_t input = 0; input < n_in; input += kInputs) {
    const auto kernel = input % kChunk == 0
                            ? gpt2::inner::Tokens<kDots, kTokens, int8_t, Part::kFirst, int32_t>
                            : gpt2::inner::Tokens<kDots, kTokens, int8_t, Part::kNext, int32_t>;
    kernel(m.weights.data(), 4 * n_in, m.acts.data() + input, n_in, m.chunk.data(), n_out / 4);
  }
}

gpt2::IntMatrix MatrixOf(const Memory& m, uint32_t n_in, uint32_t n_out) {
  return {.weights8 = m.weights.data(), .n_in = n_in, .blocks = n_out / 4};
}

template <>
void Product<1>(Memory& m, uint32_t n_in, uint32_t n_out) {
  gpt2::Multiply(MatrixOf(m, n_in, n_out), 0, n_out / 4, m.acts.data(), m.sums.data());
}

template <>
void Product<8>(Memory& m, uint32_t n_in, uint32_t n_out) {
  gpt2::MultiplyTokens(MatrixOf(m, n_in, n_out), 0, n_out / 4, m.acts.data(), m.sums.data(),
                       m.scratch);
}

void Strassen(Memory& m, uint32_t tokens, uint32_t n_in, uint32_t n_out) {
  gpt2::MultiplyStrassen(MatrixOf(m, n_in, n_out), 0, n_out / 4, m.acts.data(), tokens,
                         m.sums.data(), m.scratch);
}
template <>
void Product<32>(Memory& m, uint32_t n_in, uint32_t n_out) {
  Strassen(m, 32, n_in, n_out);
}
template <>
void Product<64>(Memory& m, uint32_t n_in, uint32_t n_out) {
  Strassen(m, 64, n_in, n_out);
}
template <>
void Product<128>(Memory& m, uint32_t n_in, uint32_t n_out) {
  Strassen(m, 128, n_in, n_out);
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
    case 32:
      return Blocks<32>(*memory);
    case 64:
      return Blocks<64>(*memory);
    case 128:
      return Blocks<128>(*memory);
    default:
      CHECK(false);
  }
}

}  // namespace bench
