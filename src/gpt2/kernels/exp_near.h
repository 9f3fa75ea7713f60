#ifndef GPT2IC_GPT2_KERNELS_EXP_NEAR_H_
#define GPT2IC_GPT2_KERNELS_EXP_NEAR_H_

#include "simd/simd.h"

namespace gpt2 {

// e^x for -87 <= x <= 87, within 1e-5 of it: for numbers that are quantised to 15 bits afterwards.
// Half the cost of Exp (exp.h): a degree less, ln 2 in one part, 2^n in one addition to the
// exponent.
//
// e^x = 2^n * e^r with n = round(x / ln 2), so |r| <= ln(2)/2; e^r by its interpolation at the 5
// Chebyshev nodes of that interval (3.5e-6 off). n*ln2 rounded to a float is up to 3.5e-6 off, as
// much again.
inline simd::F32x4 ExpNear(simd::F32x4 x) {
  using namespace simd;
  const F32x4 round = Splat(12582912.0f);  // 1.5 * 2^23: adding it leaves the rounded integer below
  const F32x4 shifted = Add(Mul(x, Splat(1.44269502f)), round);
  const F32x4 r = Sub(x, Mul(Sub(shifted, round), Splat(0.693147182f)));
  F32x4 p = Add(Mul(r, Splat(0.0418760628f)), Splat(0.167923942f));
  p = Add(Mul(p, r), Splat(0.499993682f));
  p = Add(Mul(p, r), Splat(0.999962151f));
  p = Add(Mul(p, r), Splat(1.0f));
  return FromBits(Add(ShiftLeft<23>(Bits(shifted)), Bits(p)));
}

}  // namespace gpt2

#endif  // GPT2IC_GPT2_KERNELS_EXP_NEAR_H_
