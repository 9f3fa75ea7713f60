// The definition of every vector operation, lane by lane. See simd.h.
#ifndef GPT2IC_SIMD_SCALAR_H_
#define GPT2IC_SIMD_SCALAR_H_

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

namespace simd::scalar {

struct F32x4 {
  float lane[4];
};
struct I32x4 {
  int32_t lane[4];
};
struct I16x8 {
  int16_t lane[8];
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
inline F32x4 Abs(F32x4 a) {  // of a NaN: its bits without the sign
  return Map<F32x4>(
      a, [](float x) { return std::bit_cast<float>(std::bit_cast<uint32_t>(x) & 0x7fffffff); });
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
inline I32x4 Max(I32x4 a, I32x4 b) {
  return Map<I32x4>(a, b, [](int32_t x, int32_t y) { return x < y ? y : x; });
}
// Is any bit of any lane set?
inline bool AnyTrue(I32x4 a) { return (a.lane[0] | a.lane[1] | a.lane[2] | a.lane[3]) != 0; }
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

// ---- 16-bit lanes ----

inline I16x8 Load(const int16_t* from) {
  I16x8 out;
  std::memcpy(&out, from, sizeof(out));
  return out;
}
inline void Store(int16_t* to, I16x8 a) { std::memcpy(to, &a, sizeof(a)); }
// Eight numbers of 8 bits, widened.
template <class Op>
inline I16x8 MapShorts(I16x8 a, I16x8 b, Op op) {
  I16x8 out;
  for (int i = 0; i < 8; ++i) out.lane[i] = static_cast<int16_t>(op(a.lane[i], b.lane[i]));
  return out;
}
// Wraps.
inline I16x8 Add(I16x8 a, I16x8 b) {
  return MapShorts(a, b, [](int x, int y) { return x + y; });
}
inline I16x8 Sub(I16x8 a, I16x8 b) {
  return MapShorts(a, b, [](int x, int y) { return x - y; });
}
inline I16x8 LoadWiden(const int8_t* from) {
  I16x8 out;
  for (int i = 0; i < 8; ++i) out.lane[i] = from[i];
  return out;
}
// Two numbers, four times: x y x y x y x y.
inline I16x8 LoadPairSplat(const int16_t* from) {
  I16x8 out;
  for (int i = 0; i < 8; ++i) out.lane[i] = from[i % 2];
  return out;
}
// Lane i: a[2i]*b[2i] + a[2i+1]*b[2i+1]. Wraps only where all four numbers are -32768.
inline I32x4 Dot(I16x8 a, I16x8 b) {
  I32x4 out;
  for (int i = 0; i < 4; ++i) {
    out.lane[i] = Signed(Unsigned(a.lane[2 * i] * b.lane[2 * i]) +
                         Unsigned(a.lane[2 * i + 1] * b.lane[2 * i + 1]));
  }
  return out;
}
// The low 16 bits of each lane: first those of a, then those of b.
inline I16x8 Low16(I32x4 a, I32x4 b) {
  I16x8 out;
  for (int i = 0; i < 4; ++i) {
    out.lane[i] = static_cast<int16_t>(a.lane[i]);
    out.lane[4 + i] = static_cast<int16_t>(b.lane[i]);
  }
  return out;
}
// The low 16 bits of each lane: a0 b0 a1 b1 a2 b2 a3 b3.
inline I16x8 Low16Pairs(I32x4 a, I32x4 b) {
  I16x8 out;
  for (int i = 0; i < 4; ++i) {
    out.lane[2 * i] = static_cast<int16_t>(a.lane[i]);
    out.lane[2 * i + 1] = static_cast<int16_t>(b.lane[i]);
  }
  return out;
}
// Stores the low 8 bits of each lane as 8 bytes: a0 b0 a1 b1 a2 b2 a3 b3.
inline void StoreLow8Pairs(int8_t* to, I32x4 a, I32x4 b) {
  for (int i = 0; i < 4; ++i) {
    to[2 * i] = static_cast<int8_t>(a.lane[i]);
    to[2 * i + 1] = static_cast<int8_t>(b.lane[i]);
  }
}
// Stores lane i, or lanes 2i and 2i + 1.
template <int i>
inline void StoreLane(int16_t* to, I16x8 a) {
  *to = a.lane[i];
}
template <int i>
inline void StorePair(int16_t* to, I16x8 a) {
  to[0] = a.lane[2 * i];
  to[1] = a.lane[2 * i + 1];
}

// Turns a 4x4 matrix of rows a, b, c, d over.
inline void Transpose(F32x4& a, F32x4& b, F32x4& c, F32x4& d) {
  F32x4* rows[4] = {&a, &b, &c, &d};
  for (int i = 0; i < 4; ++i) {
    for (int j = i + 1; j < 4; ++j) std::swap(rows[i]->lane[j], rows[j]->lane[i]);
  }
}

}  // namespace simd::scalar

#endif  // GPT2IC_SIMD_SCALAR_H_
