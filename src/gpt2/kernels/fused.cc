#include "gpt2/kernels/fused.h"

#include <algorithm>
#include <cmath>

#include "gpt2/kernels/exp_near.h"
#include "simd/simd.h"

namespace gpt2 {
namespace {

using namespace simd;

float MaxLane(F32x4 a) {
  return std::max(std::max(Lane<0>(a), Lane<1>(a)), std::max(Lane<2>(a), Lane<3>(a)));
}

F32x4 Scaled(const float* sums, const float* scale, F32x4 step) {
  return Mul(Mul(Load(sums), Load(scale)), step);
}

// gelu_new(x) = x / (1 + e^-2u) with u = sqrt(2/pi) * (x + 0.044715*x^3). Beyond +-80 the quotient
// has long reached x or 0. A cube that overflows to infinity is bounded like any other.
F32x4 GeluNear(F32x4 x) {
  const F32x4 square = Mul(x, x);
  const F32x4 factor = Add(Mul(square, Splat(-0.0713548128f)), Splat(-1.59576912f));
  const F32x4 exponent = Pmax(Splat(-80.0f), Pmin(Splat(80.0f), Mul(x, factor)));
  return Div(x, Add(Splat(1.0f), ExpNear(exponent)));
}

}  // namespace

Scale ScaleOf(float amax, float steps) {
  if (!(amax > 1e-30f)) return {0.0f, 0.0f};
  return {amax / steps, steps / amax};
}

float AbsMax(const float* x, uint32_t n4) {
  F32x4 max = Splat(0.0f);
  for (const float* end = x + 4 * n4; x != end; x += 4) max = Pmax(max, Abs(Load(x)));
  return MaxLane(max);
}

// Adding 1.5 * 2^23 rounds and leaves the integer in the low bits. |x| <= amax, so the product is
// at most 16383 * (1 + 2^-22) and rounds to 16383.
float Quantize(const float* x, uint32_t n4, float amax, int16_t* out) {
  const Scale scale = ScaleOf(amax, kActivationSteps);
  const F32x4 inverse = Splat(scale.inverse);
  const F32x4 round = Splat(12582912.0f);
  const float* end = x + 4 * (n4 & ~1u);
  for (; x != end; x += 8, out += 8) {
    Store(out, Low16(Bits(Add(Mul(Load(x), inverse), round)),
                     Bits(Add(Mul(Load(x + 4), inverse), round))));
  }
  if (n4 % 2 != 0) {
    const I16x8 last = Low16(Bits(Add(Mul(Load(x), inverse), round)), Splat(int32_t{0}));
    StorePair<0>(out, last);
    StorePair<1>(out + 2, last);
  }
  return scale.step;
}

float LayerNormQuantize(const float* x, uint32_t n, const NormView& norm, float epsilon,
                        float* scratch, int16_t* out) {
  const uint32_t n4 = (n + 3) / 4;
  const auto count = static_cast<float>(n);
  F32x4 sum = Splat(0.0f);
  for (uint32_t i = 0; i < 4 * n4; i += 4) sum = Add(sum, Load(x + i));  // padding is 0
  const F32x4 mean = Splat(Sum(sum) / count);
  F32x4 squares = Splat(0.0f);
  for (uint32_t i = 0; i < 4 * n4; i += 4) {
    const F32x4 centered = Sub(Load(x + i), mean);
    squares = Add(squares, Mul(centered, centered));
  }
  // Every padded number added the square of the mean.
  const float padding = static_cast<float>(4 * n4 - n) * Lane<0>(mean) * Lane<0>(mean);
  const float variance = std::max((Sum(squares) - padding) / count, 0.0f);
  const F32x4 inverse = Splat(1.0f / std::sqrt(variance + epsilon));
  F32x4 amax = Splat(0.0f);
  for (uint32_t i = 0; i < 4 * n4; i += 4) {
    const F32x4 normed = Mul(Sub(Load(x + i), mean), inverse);
    const F32x4 y = Add(Mul(normed, Load(norm.w + i)), Load(norm.b + i));
    Store(scratch + i, y);
    amax = Pmax(amax, Abs(y));
  }
  return Quantize(scratch, n4, MaxLane(amax), out);
}

void Dequantize(Sums sums, const IntMatrix& m, uint32_t first_block, uint32_t n4, float step,
                float* out) {
  const F32x4 step4 = Splat(step);
  const float* scale = m.scale + 4 * first_block;
  if (m.bias == nullptr) {
    for (const float* end = out + 4 * n4; out != end; out += 4, sums.at += sums.stride) {
      Store(out, Scaled(sums.at, scale, step4));
      scale += 4;
    }
    return;
  }
  const float* bias = m.bias + 4 * first_block;
  for (const float* end = out + 4 * n4; out != end; out += 4, sums.at += sums.stride) {
    Store(out, Add(Scaled(sums.at, scale, step4), Load(bias)));
    scale += 4;
    bias += 4;
  }
}

void AddDequantized(Sums sums, const IntMatrix& m, float step, float* x) {
  const F32x4 step4 = Splat(step);
  const float* scale = m.scale;
  const float* bias = m.bias;
  for (const float* end = x + 4 * m.blocks; x != end; x += 4, sums.at += sums.stride) {
    Store(x, Add(Load(x), Add(Scaled(sums.at, scale, step4), Load(bias))));
    scale += 4;
    bias += 4;
  }
}

float GeluQuantize(Sums sums, const IntMatrix& m, float step, float* scratch, int16_t* out) {
  const F32x4 step4 = Splat(step);
  const float* scale = m.scale;
  const float* bias = m.bias;
  F32x4 amax = Splat(0.0f);
  float* to = scratch;
  for (const float* end = scratch + 4 * m.blocks; to != end; to += 4, sums.at += sums.stride) {
    const F32x4 y = GeluNear(Add(Scaled(sums.at, scale, step4), Load(bias)));
    Store(to, y);
    amax = Pmax(amax, Abs(y));
    scale += 4;
    bias += 4;
  }
  return Quantize(scratch, m.blocks, MaxLane(amax), out);
}

}  // namespace gpt2
