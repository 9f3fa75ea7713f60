#ifndef GPT2IC_GPT2_KERNELS_EXP_H_
#define GPT2IC_GPT2_KERNELS_EXP_H_

#include "simd/simd.h"

namespace gpt2 {

// e^x per lane, at most 2 units in the last place off; +inf above 88.73, 0 below -104, NaN for NaN.
//
// e^x = 2^n * e^r with n = round(x / ln 2), so |r| <= ln(2)/2. n*ln2 is subtracted in two parts, of
// which the first has few enough bits that the product is exact. e^r = 1 + r + r^2*P(r), where P
// interpolates (e^r - 1 - r)/r^2 at the 5 Chebyshev nodes of that interval (relative error of e^r
// below 3e-9). 2^n is applied in two halves, since n reaches 128 and -150.
inline simd::F32x4 Exp(simd::F32x4 x) {
  using namespace simd;
  const F32x4 bounded = Pmax(Pmin(x, Splat(89.0f)), Splat(-104.0f));
  const F32x4 round = Splat(12582912.0f);  // 1.5 * 2^23: adding it leaves the rounded integer below
  const F32x4 shifted = Add(Mul(bounded, Splat(1.44269504f)), round);
  const F32x4 n = Sub(shifted, round);
  const I32x4 n_int = Sub(Bits(shifted), Bits(round));
  const F32x4 r = Sub(Sub(bounded, Mul(n, Splat(0.693115234375f))), Mul(n, Splat(3.19461845e-5f)));

  F32x4 p = Splat(0.00139261759f);
  p = Add(Mul(p, r), Splat(0.00836317334f));
  p = Add(Mul(p, r), Splat(0.0416665561f));
  p = Add(Mul(p, r), Splat(0.166665778f));
  p = Add(Mul(p, r), Splat(0.5f));
  const F32x4 e_r = Add(Splat(1.0f), Add(r, Mul(Mul(r, r), p)));

  const I32x4 half = ShiftRight<1>(n_int);
  const I32x4 bias = Splat(int32_t{127});
  const F32x4 scale_a = FromBits(ShiftLeft<23>(Add(half, bias)));
  const F32x4 scale_b = FromBits(ShiftLeft<23>(Add(Sub(n_int, half), bias)));
  return Mul(Mul(e_r, scale_a), scale_b);
}

// tanh(x) = 1 - 2/(e^2x + 1): at most 2e-7 off in absolute terms, +-1 at the ends, NaN for NaN.
inline simd::F32x4 Tanh(simd::F32x4 x) {
  using namespace simd;
  const F32x4 one = Splat(1.0f);
  return Sub(one, Div(Splat(2.0f), Add(Exp(Add(x, x)), one)));
}

}  // namespace gpt2

#endif  // GPT2IC_GPT2_KERNELS_EXP_H_
