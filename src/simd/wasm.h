// Wasm SIMD backend. The operations are documented in scalar.h.
#ifndef GPT2IC_SIMD_WASM_H_
#define GPT2IC_SIMD_WASM_H_

#include <wasm_simd128.h>

#include <cstdint>

namespace simd::wasm {

struct F32x4 {
  v128_t v;
};
struct I32x4 {
  v128_t v;
};
struct I16x8 {
  v128_t v;
};

inline F32x4 Load(const float* from) { return {wasm_v128_load(from)}; }
inline I32x4 Load(const int32_t* from) { return {wasm_v128_load(from)}; }
inline void Store(float* to, F32x4 a) { wasm_v128_store(to, a.v); }
inline void Store(int32_t* to, I32x4 a) { wasm_v128_store(to, a.v); }
inline F32x4 Splat(float value) { return {wasm_f32x4_splat(value)}; }
inline I32x4 Splat(int32_t value) { return {wasm_i32x4_splat(value)}; }
template <int i>
inline float Lane(F32x4 a) {
  return wasm_f32x4_extract_lane(a.v, i);
}

inline F32x4 Add(F32x4 a, F32x4 b) { return {wasm_f32x4_add(a.v, b.v)}; }
inline F32x4 Sub(F32x4 a, F32x4 b) { return {wasm_f32x4_sub(a.v, b.v)}; }
inline F32x4 Mul(F32x4 a, F32x4 b) { return {wasm_f32x4_mul(a.v, b.v)}; }
inline F32x4 Div(F32x4 a, F32x4 b) { return {wasm_f32x4_div(a.v, b.v)}; }
inline F32x4 Abs(F32x4 a) { return {wasm_f32x4_abs(a.v)}; }
inline F32x4 Sqrt(F32x4 a) { return {wasm_f32x4_sqrt(a.v)}; }
inline F32x4 Pmin(F32x4 a, F32x4 b) { return {wasm_f32x4_pmin(a.v, b.v)}; }
inline F32x4 Pmax(F32x4 a, F32x4 b) { return {wasm_f32x4_pmax(a.v, b.v)}; }

inline I32x4 Lt(F32x4 a, F32x4 b) { return {wasm_f32x4_lt(a.v, b.v)}; }
inline I32x4 Le(F32x4 a, F32x4 b) { return {wasm_f32x4_le(a.v, b.v)}; }
inline I32x4 Eq(F32x4 a, F32x4 b) { return {wasm_f32x4_eq(a.v, b.v)}; }
inline I32x4 Ne(F32x4 a, F32x4 b) { return {wasm_f32x4_ne(a.v, b.v)}; }

inline I32x4 Bits(F32x4 a) { return {a.v}; }
inline F32x4 FromBits(I32x4 a) { return {a.v}; }
inline I32x4 Select(I32x4 mask, I32x4 a, I32x4 b) {
  return {wasm_v128_bitselect(a.v, b.v, mask.v)};
}
inline F32x4 Select(I32x4 mask, F32x4 a, F32x4 b) {
  return {wasm_v128_bitselect(a.v, b.v, mask.v)};
}

inline I32x4 Add(I32x4 a, I32x4 b) { return {wasm_i32x4_add(a.v, b.v)}; }
inline I32x4 Sub(I32x4 a, I32x4 b) { return {wasm_i32x4_sub(a.v, b.v)}; }
inline I32x4 And(I32x4 a, I32x4 b) { return {wasm_v128_and(a.v, b.v)}; }
inline I32x4 Or(I32x4 a, I32x4 b) { return {wasm_v128_or(a.v, b.v)}; }
inline I32x4 Max(I32x4 a, I32x4 b) { return {wasm_i32x4_max(a.v, b.v)}; }
inline bool AnyTrue(I32x4 a) { return wasm_v128_any_true(a.v); }
template <int count>
inline I32x4 ShiftLeft(I32x4 a) {
  return {wasm_i32x4_shl(a.v, count)};
}
template <int count>
inline I32x4 ShiftRight(I32x4 a) {
  return {wasm_i32x4_shr(a.v, count)};
}
template <int count>
inline I32x4 ShiftRightZero(I32x4 a) {
  return {wasm_u32x4_shr(a.v, count)};
}
inline F32x4 ToF32(I32x4 a) { return {wasm_f32x4_convert_i32x4(a.v)}; }

inline I16x8 Load(const int16_t* from) { return {wasm_v128_load(from)}; }
inline void Store(int16_t* to, I16x8 a) { wasm_v128_store(to, a.v); }
inline I16x8 Add(I16x8 a, I16x8 b) { return {wasm_i16x8_add(a.v, b.v)}; }
inline I16x8 Sub(I16x8 a, I16x8 b) { return {wasm_i16x8_sub(a.v, b.v)}; }
inline I16x8 LoadWiden(const int8_t* from) { return {wasm_i16x8_load8x8(from)}; }
inline I16x8 LoadPairSplat(const int16_t* from) { return {wasm_v128_load32_splat(from)}; }
inline I32x4 Dot(I16x8 a, I16x8 b) { return {wasm_i32x4_dot_i16x8(a.v, b.v)}; }
// One shuffle (3 units) where a saturating narrow would need the lanes brought into range first.
inline I16x8 Low16(I32x4 a, I32x4 b) {
  return {wasm_i16x8_shuffle(a.v, b.v, 0, 2, 4, 6, 8, 10, 12, 14)};
}
inline I16x8 Low16Pairs(I32x4 a, I32x4 b) {
  return {wasm_i16x8_shuffle(a.v, b.v, 0, 8, 2, 10, 4, 12, 6, 14)};
}
inline void StoreLow8Pairs(int8_t* to, I32x4 a, I32x4 b) {
  const v128_t bytes =
      wasm_i8x16_shuffle(a.v, b.v, 0, 16, 4, 20, 8, 24, 12, 28, 0, 0, 0, 0, 0, 0, 0, 0);
  wasm_v128_store64_lane(to, bytes, 0);
}
template <int i>
inline void StoreLane(int16_t* to, I16x8 a) {
  wasm_v128_store16_lane(to, a.v, i);
}
template <int i>
inline void StorePair(int16_t* to, I16x8 a) {
  wasm_v128_store32_lane(to, a.v, i);
}

inline void Transpose(F32x4& a, F32x4& b, F32x4& c, F32x4& d) {
  const v128_t ab_low = wasm_i32x4_shuffle(a.v, b.v, 0, 4, 1, 5);
  const v128_t ab_high = wasm_i32x4_shuffle(a.v, b.v, 2, 6, 3, 7);
  const v128_t cd_low = wasm_i32x4_shuffle(c.v, d.v, 0, 4, 1, 5);
  const v128_t cd_high = wasm_i32x4_shuffle(c.v, d.v, 2, 6, 3, 7);
  a.v = wasm_i32x4_shuffle(ab_low, cd_low, 0, 1, 4, 5);
  b.v = wasm_i32x4_shuffle(ab_low, cd_low, 2, 3, 6, 7);
  c.v = wasm_i32x4_shuffle(ab_high, cd_high, 0, 1, 4, 5);
  d.v = wasm_i32x4_shuffle(ab_high, cd_high, 2, 3, 6, 7);
}

}  // namespace simd::wasm

#endif  // GPT2IC_SIMD_WASM_H_
