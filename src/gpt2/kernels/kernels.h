// The float32 kernels. Spans never overlap unless it says so, sizes are DCHECKed, nothing allocates
// or fails, any size works (not only multiples of 4). Every sum has one fixed order, and no
// function of libm is used but sqrt, so native and wasm give the same bits. NaN and infinity go
// through as IEEE 754 has it; which NaN comes out is only defined for the logits (MatVecRows).
#ifndef GPT2IC_GPT2_KERNELS_KERNELS_H_
#define GPT2IC_GPT2_KERNELS_KERNELS_H_

#include <span>

#include "gpt2/weights.h"

namespace gpt2 {

// out[i] = (x[i] - mean) / sqrt(variance + epsilon) * w[i] + b[i].
void LayerNorm(std::span<const float> x, const Norm& norm, float epsilon, std::span<float> out);

// out = x * w + b.   x [n_in], w [n_in, n_out], b and out [n_out]
// Each output starts with its bias and adds its products in the order of the inputs.
// Cost: n_in*n_out multiply-adds.
void MatVec(std::span<const float> x, const Linear& linear, std::span<float> out);

// out[r] = dot(row r of w, x).   x [n_in], w [n_out, n_in], out [n_out]
// Input i goes to partial sum i % 4; the partial sums are added as (0+1) + (2+3). Every NaN comes
// out as 0x7fc00000, whatever made it, so that logits can be compared bit for bit.
void MatVecRows(std::span<const float> x, const Tensor& w, std::span<float> out);

// x += y.
void AddTo(std::span<float> x, std::span<const float> y);

// gelu_new in place: 0.5*x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3))).
void Gelu(std::span<float> x);

// The dot product of `count` numbers, summed as MatVecRows does.
float Dot(const float* a, const float* b, size_t count);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_KERNELS_KERNELS_H_
