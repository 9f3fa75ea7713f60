// The definition of every vector operation, lane by lane. See simd.h.
#ifndef GPT2IC_SIMD_SCALAR_H_
#define GPT2IC_SIMD_SCALAR_H_

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace simd::scalar {

struct F32x4 {
  float lane[4];
};
struct I32x4 {
  int32_t lane[4];
};

template <class Out, class In, class Op>
inline Out Map(In a, Op op) {
  return {{op(a.lane[0]), op(a.lane[1]), op(a.lane[2]), op(a.lane[3])}};
}
template <class Out, class In, class Op>
inline Out Map(In a, In b, Op op) {
  return {{op(a.lane[0], b.lane[0]), op(a.lane[1], b.lane[1]), op(a.lane[2], b.lane[2]),
           op(a.lane[3], b.lane[3])}};
}

inline uint32_t Unsigned(int32_t value) { return static_cast<uint32_t>(value); }
inline int32_t Signed(uint32_t value) { return static_cast<int32_t>(value); }

inline F32x4 Load(const float* from) {  // any alignment
  F32x4 out;
  std::memcpy(&out, from, sizeof(out));
  return out;
}
inline I32x4 Load(const int32_t* from) {
  I32x4 out;
  std::memcpy(&out, from, sizeof(out));
  return out;
}
inline void Store(float* to, F32x4 a) { std::memcpy(to, &a, sizeof(a)); }
inline void Store(int32_t* to, I32x4 a) { std::memcpy(to, &a, sizeof(a)); }
inline F32x4 Splat(float value) { return {{value, value, value, value}}; }
inline I32x4 Splat(int32_t value) { return {{value, value, value, value}}; }
template <int i>
inline float Lane(F32x4 a) {
  return a.lane[i];
}

inline F32x4 Add(F32x4 a, F32x4 b) {
  return Map<F32x4>(a, b, [](float x, float y) { return x + y; });
}
inline F32x4 Sub(F32x4 a, F32x4 b) {
  return Map<F32x4>(a, b, [](float x, float y) { return x - y; });
}
inline F32x4 Mul(F32x4 a, F32x4 b) {
  return Map<F32x4>(a, b, [](float x, float y) { return x * y; });
}
inline F32x4 Div(F32x4 a, F32x4 b) {
  return Map<F32x4>(a, b, [](float x, float y) { return x / y; });
}
inline F32x4 Sqrt(F32x4 a) {
  return Map<F32x4>(a, [](float x) { return std::sqrt(x); });
}
// b < a ? b : a, and a < b ? b : a: a NaN or an equal zero yields the first operand.
inline F32x4 Pmin(F32x4 a, F32x4 b) {
  return Map<F32x4>(a, b, [](float x, float y) { return y < x ? y : x; });
}
inline F32x4 Pmax(F32x4 a, F32x4 b) {
  return Map<F32x4>(a, b, [](float x, float y) { return x < y ? y : x; });
}

// Comparisons: a lane of ones where true, else of zeros. Any comparison with NaN but Ne is false.
inline I32x4 Lt(F32x4 a, F32x4 b) {
  return Map<I32x4>(a, b, [](float x, float y) { return x < y ? -1 : 0; });
}
inline I32x4 Le(F32x4 a, F32x4 b) {
  return Map<I32x4>(a, b, [](float x, float y) { return x <= y ? -1 : 0; });
}
inline I32x4 Eq(F32x4 a, F32x4 b) {
  return Map<I32x4>(a, b, [](float x, float y) { return x == y ? -1 : 0; });
}
inline I32x4 Ne(F32x4 a, F32x4 b) {
  return Map<I32x4>(a, b, [](float x, float y) { return x != y ? -1 : 0; });
}

inline I32x4 Bits(F32x4 a) {
  return Map<I32x4>(a, [](float x) { return std::bit_cast<int32_t>(x); });
}
inline F32x4 FromBits(I32x4 a) {
  return Map<F32x4>(a, [](int32_t x) { return std::bit_cast<float>(x); });
}
// Bit by bit: mask ? a : b.
inline I32x4 Select(I32x4 mask, I32x4 a, I32x4 b) {
  I32x4 out;
  for (int i = 0; i < 4; ++i) {
    out.lane[i] = (mask.lane[i] & a.lane[i]) | (~mask.lane[i] & b.lane[i]);
  }
  return out;
}
inline F32x4 Select(I32x4 mask, F32x4 a, F32x4 b) {
  return FromBits(Select(mask, Bits(a), Bits(b)));
}

inline I32x4 Add(I32x4 a, I32x4 b) {  // wraps
  return Map<I32x4>(a, b, [](int32_t x, int32_t y) { return Signed(Unsigned(x) + Unsigned(y)); });
}
inline I32x4 Sub(I32x4 a, I32x4 b) {  // wraps
  return Map<I32x4>(a, b, [](int32_t x, int32_t y) { return Signed(Unsigned(x) - Unsigned(y)); });
}
inline I32x4 And(I32x4 a, I32x4 b) {
  return Map<I32x4>(a, b, [](int32_t x, int32_t y) { return x & y; });
}
inline I32x4 Or(I32x4 a, I32x4 b) {
  return Map<I32x4>(a, b, [](int32_t x, int32_t y) { return x | y; });
}
// Shifts: 0 <= count < 32.
template <int count>
inline I32x4 ShiftLeft(I32x4 a) {
  return Map<I32x4>(a, [](int32_t x) { return Signed(Unsigned(x) << count); });
}
template <int count>
inline I32x4 ShiftRight(I32x4 a) {  // copies the sign
  return Map<I32x4>(a, [](int32_t x) { return x >> count; });
}
template <int count>
inline I32x4 ShiftRightZero(I32x4 a) {  // fills with zeros
  return Map<I32x4>(a, [](int32_t x) { return Signed(Unsigned(x) >> count); });
}
inline F32x4 ToF32(I32x4 a) {  // rounds to nearest, ties to even
  return Map<F32x4>(a, [](int32_t x) { return static_cast<float>(x); });
}

}  // namespace simd::scalar

#endif  // GPT2IC_SIMD_SCALAR_H_
