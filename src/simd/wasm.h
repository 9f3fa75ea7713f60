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

}  // namespace simd::wasm

#endif  // GPT2IC_SIMD_WASM_H_
