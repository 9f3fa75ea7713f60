// What is built from the operations and so is the same on every backend. Included by simd.h.
#ifndef GPT2IC_SIMD_SUMS_H_
#define GPT2IC_SIMD_SUMS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace simd {

// The sum of the lanes, always in this order.
inline float Sum(F32x4 a) { return (Lane<0>(a) + Lane<1>(a)) + (Lane<2>(a) + Lane<3>(a)); }

// The first `count` (0 to 4) floats, zeros behind them.
inline F32x4 LoadPart(const float* from, size_t count) {
  float lanes[4] = {};
  std::memcpy(lanes, from, count * sizeof(float));
  return Load(lanes);
}
inline void StorePart(float* to, F32x4 a, size_t count) {
  float lanes[4];
  Store(lanes, a);
  std::memcpy(to, lanes, count * sizeof(float));
}

// Every NaN becomes 0x7fc00000; all else stays.
inline F32x4 CanonicalNan(F32x4 a) {
  return Select(Ne(a, a), FromBits(Splat(int32_t{0x7fc00000})), a);
}

}  // namespace simd

#endif  // GPT2IC_SIMD_SUMS_H_
