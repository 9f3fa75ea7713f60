// Matrix products of many tokens by one level of Strassen's method: tokens, inputs and rows are
// halved, and 7 products of the halves do the work of 8. On integers, so exact: sums of two
// activations (15 bits) or two weights (9 bits) fit 16, products may wrap since what they add up to
// fits 32 bits (int_matmul.h), and the floats are added by chunks as ever: the same bits.
#ifndef GPT2IC_GPT2_KERNELS_STRASSEN_H_
#define GPT2IC_GPT2_KERNELS_STRASSEN_H_

#include "gpt2/kernels/int_matmul.h"

namespace gpt2 {

// Tokens come in groups of kStrassenTokens, at most kStrassenTokensMax at once: the more, the less
// the sums of the weights cost a token.
inline constexpr uint32_t kStrassenTokens = 32;
inline constexpr uint32_t kStrassenTokensMax = 128;

// Whether there is a kernel for this matrix: 8-bit weights, an even number of blocks, and a
// multiple of the chunks of GPT-2's four sizes (768, 1024, 640, 800).
bool StrassenTakes(const IntMatrix& m, uint32_t block_count);

// Makes space for products of up to `blocks` blocks with chunks of up to `chunk` inputs, so that
// none has to make more: (28 * tokens + 2 * chunk) * blocks bytes, and the halves of activations.
void ReserveStrassen(uint32_t blocks, uint32_t chunk, uint32_t tokens, MatmulScratch& scratch);

// As MultiplyTokens, for a multiple of kStrassenTokens: acts [tokens, n_in], sums [block_count,
// tokens, 4]. Cost: 0.508, 0.488, 0.478 instructions per multiply-add for 32, 64, 128 tokens.
void MultiplyStrassen(const IntMatrix& m, uint32_t first_block, uint32_t block_count,
                      const int16_t* acts, uint32_t tokens, float* sums, MatmulScratch& scratch);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_KERNELS_STRASSEN_H_
