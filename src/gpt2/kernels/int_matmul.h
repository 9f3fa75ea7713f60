// Matrix products on integers: weights of 8 (or 16) bits times activations of 16, the work that
// nearly all of a token's cost goes to. docs/kernels.md counts it and says why it has this form.
#ifndef GPT2IC_GPT2_KERNELS_INT_MATMUL_H_
#define GPT2IC_GPT2_KERNELS_INT_MATMUL_H_

#include <cstdint>

namespace gpt2 {

#ifndef GPT2IC_PREFILL_TOKENS
#define GPT2IC_PREFILL_TOKENS 8
#endif
// Tokens that the prefill kernel takes at once: more share the loads of the weights, but each needs
// its activations in locals (docs/kernels.md has 2, 4, 8 and 16 measured).
inline constexpr uint32_t kPrefillTokens = GPT2IC_PREFILL_TOKENS;

// The largest magnitude of a quantised activation.
inline constexpr float kActivationSteps = 16383;

// A matrix as it lies in a packed model (docs/packed-model.md): blocks of 4 rows, in a block for
// each pair of inputs the 4 rows' two weights.
struct IntMatrix {
  const int8_t* weights8 = nullptr;  // one of the two
  const int16_t* weights16 = nullptr;
  const float* scale = nullptr;  // [4*blocks] value of one step of a row's weights
  const float* bias = nullptr;   // [4*blocks], null: none
  uint32_t n_in = 0;             // padded: a multiple of 16
  uint32_t blocks = 0;           // of 4 rows
};

// The inputs that are summed as integers before the sum becomes a float, "a chunk". Fixed by n_in,
// so that every kernel adds the same floats in the same order.
constexpr uint32_t ChunkInputs(uint32_t n_in) {
  if (n_in % 192 == 0) return 192;  // 768, 3072; 192 of the demo model
  if (n_in % 200 == 0) return 200;  // 1600, 6400
  return 128;                       // 1024, 1280 and four times those; the last may be shorter
}

// sums[4*b .. 4*b+3] = the products of the rows of block first_block + b with the activations, in
// steps of both; b < block_count. acts [n_in], even the padded ones finite.
// Each chunk's sum is exact: 200 * 128 * 32767 < 2^31. For 16-bit weights a chunk is taken 16
// inputs at a time: 16 * 4095 * 32767 < 2^31.
// Cost: 4*n_in*block_count multiply-adds, 0.63 instructions each (0.66 in 16 bits).
void Multiply(const IntMatrix& m, uint32_t first_block, uint32_t block_count, const int16_t* acts,
              float* sums);

// The same for kPrefillTokens tokens: acts [kPrefillTokens, n_in], sums [block_count,
// kPrefillTokens, 4]. The same bits as Multiply. Cost: 0.54 (0.57) instructions per multiply-add.
void MultiplyTokens(const IntMatrix& m, uint32_t first_block, uint32_t block_count,
                    const int16_t* acts, float* sums);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_KERNELS_INT_MATMUL_H_
