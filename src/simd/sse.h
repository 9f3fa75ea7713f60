// SSE4.1 backend. The operations are documented in scalar.h.
#ifndef GPT2IC_SIMD_SSE_H_
#define GPT2IC_SIMD_SSE_H_

#include <smmintrin.h>

#include <cstdint>
#include <cstring>

namespace simd::sse {

struct F32x4 {
  __m128 v;
};
struct I32x4 {
  __m128i v;
};
struct I16x8 {
  __m128i v;
};

inline F32x4 Load(const float* from) { return {_mm_loadu_ps(from)}; }
inline I32x4 Load(const int32_t* from) {
  return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))};
}
inline void Store(float* to, F32x4 a) { _mm_storeu_ps(to, a.v); }
inline void Store(int32_t* to, I32x4 a) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), a.v); }
inline F32x4 Splat(float value) { return {_mm_set1_ps(value)}; }
inline I32x4 Splat(int32_t value) { return {_mm_set1_epi32(value)}; }
template <int i>
inline float Lane(F32x4 a) {
  return _mm_cvtss_f32(_mm_shuffle_ps(a.v, a.v, i));
}

inline F32x4 Add(F32x4 a, F32x4 b) { return {_mm_add_ps(a.v, b.v)}; }
inline F32x4 Sub(F32x4 a, F32x4 b) { return {_mm_sub_ps(a.v, b.v)}; }
inline F32x4 Mul(F32x4 a, F32x4 b) { return {_mm_mul_ps(a.v, b.v)}; }
inline F32x4 Div(F32x4 a, F32x4 b) { return {_mm_div_ps(a.v, b.v)}; }
inline F32x4 Abs(F32x4 a) { return {_mm_andnot_ps(_mm_set1_ps(-0.0f), a.v)}; }
inline F32x4 Sqrt(F32x4 a) { return {_mm_sqrt_ps(a.v)}; }
// minps yields its *second* operand for NaN and for equal zeros, wasm's pmin its first.
inline F32x4 Pmin(F32x4 a, F32x4 b) { return {_mm_min_ps(b.v, a.v)}; }
inline F32x4 Pmax(F32x4 a, F32x4 b) { return {_mm_max_ps(b.v, a.v)}; }

inline I32x4 Lt(F32x4 a, F32x4 b) { return {_mm_castps_si128(_mm_cmplt_ps(a.v, b.v))}; }
inline I32x4 Le(F32x4 a, F32x4 b) { return {_mm_castps_si128(_mm_cmple_ps(a.v, b.v))}; }
inline I32x4 Eq(F32x4 a, F32x4 b) { return {_mm_castps_si128(_mm_cmpeq_ps(a.v, b.v))}; }
inline I32x4 Ne(F32x4 a, F32x4 b) { return {_mm_castps_si128(_mm_cmpneq_ps(a.v, b.v))}; }

inline I32x4 Bits(F32x4 a) { return {_mm_castps_si128(a.v)}; }
inline F32x4 FromBits(I32x4 a) { return {_mm_castsi128_ps(a.v)}; }
inline I32x4 Select(I32x4 mask, I32x4 a, I32x4 b) {
  return {_mm_or_si128(_mm_and_si128(mask.v, a.v), _mm_andnot_si128(mask.v, b.v))};
}
inline F32x4 Select(I32x4 mask, F32x4 a, F32x4 b) {
  return FromBits(Select(mask, Bits(a), Bits(b)));
}

inline I32x4 Add(I32x4 a, I32x4 b) { return {_mm_add_epi32(a.v, b.v)}; }
inline I32x4 Sub(I32x4 a, I32x4 b) { return {_mm_sub_epi32(a.v, b.v)}; }
inline I32x4 And(I32x4 a, I32x4 b) { return {_mm_and_si128(a.v, b.v)}; }
inline I32x4 Or(I32x4 a, I32x4 b) { return {_mm_or_si128(a.v, b.v)}; }
inline I32x4 Max(I32x4 a, I32x4 b) { return {_mm_max_epi32(a.v, b.v)}; }
inline bool AnyTrue(I32x4 a) { return _mm_testz_si128(a.v, a.v) == 0; }
template <int count>
inline I32x4 ShiftLeft(I32x4 a) {
  return {_mm_slli_epi32(a.v, count)};
}
template <int count>
inline I32x4 ShiftRight(I32x4 a) {
  return {_mm_srai_epi32(a.v, count)};
}
template <int count>
inline I32x4 ShiftRightZero(I32x4 a) {
  return {_mm_srli_epi32(a.v, count)};
}
inline F32x4 ToF32(I32x4 a) { return {_mm_cvtepi32_ps(a.v)}; }

inline I16x8 Load(const int16_t* from) {
  return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))};
}
inline void Store(int16_t* to, I16x8 a) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), a.v); }
inline I16x8 Add(I16x8 a, I16x8 b) { return {_mm_add_epi16(a.v, b.v)}; }
inline I16x8 Sub(I16x8 a, I16x8 b) { return {_mm_sub_epi16(a.v, b.v)}; }
inline I16x8 LoadWiden(const int8_t* from) { return {_mm_cvtepi8_epi16(_mm_loadu_si64(from))}; }
inline I16x8 LoadPairSplat(const int16_t* from) {
  int32_t pair;
  std::memcpy(&pair, from, sizeof(pair));
  return {_mm_set1_epi32(pair)};
}
inline I32x4 Dot(I16x8 a, I16x8 b) { return {_mm_madd_epi16(a.v, b.v)}; }
inline I16x8 Low16(I32x4 a, I32x4 b) {
  const __m128i low = _mm_set1_epi32(0xffff);
  return {_mm_packus_epi32(_mm_and_si128(a.v, low), _mm_and_si128(b.v, low))};
}
inline I16x8 Low16Pairs(I32x4 a, I32x4 b) {
  return {_mm_blend_epi16(a.v, _mm_slli_epi32(b.v, 16), 0xaa)};
}
inline void StoreLow8Pairs(int8_t* to, I32x4 a, I32x4 b) {
  const __m128i order = _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, -1, -1, -1, -1, -1, -1, -1, -1);
  _mm_storeu_si64(to, _mm_shuffle_epi8(Low16Pairs(a, b).v, order));
}
template <int i>
inline void StoreLane(int16_t* to, I16x8 a) {
  *to = static_cast<int16_t>(_mm_extract_epi16(a.v, i));
}
template <int i>
inline void StorePair(int16_t* to, I16x8 a) {
  const int pair = _mm_extract_epi32(a.v, i);
  std::memcpy(to, &pair, sizeof(pair));
}

inline void Transpose(F32x4& a, F32x4& b, F32x4& c, F32x4& d) {
  _MM_TRANSPOSE4_PS(a.v, b.v, c.v, d.v);
}

}  // namespace simd::sse

#endif  // GPT2IC_SIMD_SSE_H_
