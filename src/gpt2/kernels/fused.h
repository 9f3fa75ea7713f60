// The float passes between the integer matrix products, each fused with what comes before and after
// it: scaling the sums of a product, adding biases, quantising for the next product.
//
// Vectors of floats are padded to a multiple of 4 (`n4` below counts vectors of 4); padded weights
// are 0. Every sum has one fixed order and nothing depends on how many tokens are at work, so the
// bits are the same natively and in wasm, alone and in a batch.
#ifndef GPT2IC_GPT2_KERNELS_FUSED_H_
#define GPT2IC_GPT2_KERNELS_FUSED_H_

#include <cstdint>

#include "gpt2/kernels/int_matmul.h"

namespace gpt2 {

// The sums of one token as a matrix product leaves them: those of block b at at[b*stride ..].
struct Sums {
  const float* at;
  uint32_t stride;  // 4 * tokens at work
};

// The value of one step, and how many steps one is, for numbers up to amax in magnitude. Both 0 if
// amax is below 1e-30: such numbers count as 0, so that no inverse overflows.
struct Scale {
  float step, inverse;
};
Scale ScaleOf(float amax, float steps);

// out = round(x / step) for x up to amax; gives the step. Cost: 3 instructions a number.
float Quantize(const float* x, uint32_t n4, float amax, int16_t* out);

// LayerNorm of x [n], quantised. `scratch` [4*n4]. Gives the step.
struct NormView {
  const float *w, *b;  // [4*n4]
};
float LayerNormQuantize(const float* x, uint32_t n, const NormView& norm, float epsilon,
                        float* scratch, int16_t* out);

// out[4*n4] = sums * scale * step + bias, of the blocks from first_block on.
void Dequantize(Sums sums, const IntMatrix& m, uint32_t first_block, uint32_t n4, float step,
                float* out);
// x += that, of all blocks.
void AddDequantized(Sums sums, const IntMatrix& m, float step, float* x);
// GELU of that (gelu_new, within 1e-5 of its size), quantised. `scratch` [4*blocks].
float GeluQuantize(Sums sums, const IntMatrix& m, float step, float* scratch, int16_t* out);

// The largest magnitude among 4*n4 numbers.
float AbsMax(const float* x, uint32_t n4);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_KERNELS_FUSED_H_
