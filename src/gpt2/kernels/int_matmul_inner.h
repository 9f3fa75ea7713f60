// The inner loops of int_matmul.cc, apart so that the bench canister can make them for other
// numbers of tokens. Fully unrolled: every pointer increment becomes the offset of a load, and
// activations live in locals. Loop strength reduction would undo that: files that include this are
// compiled with -mllvm -disable-lsr.
#ifndef GPT2IC_GPT2_KERNELS_INT_MATMUL_INNER_H_
#define GPT2IC_GPT2_KERNELS_INT_MATMUL_INNER_H_

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "simd/simd.h"

namespace gpt2::inner {

using simd::F32x4;
using simd::I16x8;
using simd::I32x4;

inline I16x8 LoadWeights(const int8_t* from) { return simd::LoadWiden(from); }
inline I16x8 LoadWeights(const int16_t* from) { return simd::Load(from); }

// Dot products (of two inputs each) whose integer sum cannot overflow: 1024 * 128 * 16383 and
// 32 * 4095 * 16383 are less than 2^31.
template <class Weight>
inline constexpr uint32_t kGroupDots = sizeof(Weight) == 1 ? 512 : 16;

enum class Part : uint8_t { kFirst, kNext };  // does a kernel begin the sums or add to them?

template <uint32_t kDots, class Weights, class Acts>
[[gnu::always_inline]] inline I32x4 AddDots(I32x4 dots, uint32_t first, Weights weights,
                                            Acts acts) {
#pragma clang loop unroll(full)
  for (uint32_t d = first; d < first + kDots; ++d) {
    dots = simd::Add(dots, simd::Dot(acts(d), weights(d)));
  }
  return dots;
}

// In chains of kChain, in the order of memory: the compiler may compute the products of a chain
// before it adds them (384 at once would all spill), and weights that come from main memory in
// another order come at a third of the speed.
template <uint32_t kDots, class Weights, class Acts>
[[gnu::always_inline]] inline I32x4 SumDots(uint32_t first, Weights weights, Acts acts) {
  constexpr uint32_t kChain = 32;
  if constexpr (kDots <= kChain) {
    return AddDots<kDots - 1>(simd::Dot(acts(first), weights(first)), first + 1, weights, acts);
  } else {
    return simd::Add(SumDots<kChain>(first, weights, acts),
                     SumDots<kDots - kChain>(first + kChain, weights, acts));
  }
}

// Dot products of one block and token as floats: adds its groups to `sum` in order, or begins with
// them.
template <uint32_t kDots, class Weight, class Weights, class Acts>
[[gnu::always_inline]] inline F32x4 AddGroups(bool begin, F32x4 sum, Weights weights, Acts acts) {
  constexpr uint32_t kGroup = std::min(kGroupDots<Weight>, kDots);
  static_assert(kDots % kGroup == 0);
#pragma clang loop unroll(full)
  for (uint32_t g = 0; g < kDots; g += kGroup) {
    const I32x4 dots = SumDots<kGroup>(g, weights, acts);
    sum = begin && g == 0 ? simd::ToF32(dots) : simd::Add(simd::ToF32(dots), sum);
  }
  return sum;
}

// One chunk of every block, for one token. `stride`: weights from a block to the next.
template <uint32_t kDots, class Weight, Part part>
[[gnu::noinline]] void Vector(const Weight* w, uint32_t stride, const int16_t* __restrict acts,
                              float* __restrict sums, uint32_t blocks) {
  I16x8 act[kDots];
#pragma clang loop unroll(full)
  for (uint32_t i = 0; i < kDots; ++i) act[i] = simd::LoadPairSplat(acts + 2 * i);
  for (const float* end = sums + 4 * blocks; sums != end; sums += 4, w += stride) {
    const F32x4 sum = part == Part::kFirst ? simd::Splat(0.0f) : simd::Load(sums);
    simd::Store(sums,
                AddGroups<kDots, Weight>(
                    part == Part::kFirst, sum, [&](uint32_t d) { return LoadWeights(w + d * 8); },
                    [&](uint32_t d) { return act[d]; }));
  }
}

// A part of a chunk of every block, for kTokens tokens: each weight is loaded once. Sums of int32_t
// are those of a chunk, for which no group ends; sums of floats have the groups of Weight.
template <uint32_t kDots, uint32_t kTokens, class Weight, Part part, class Sum>
[[gnu::noinline]] void Tokens(const Weight* w, uint32_t stride, const int16_t* __restrict acts,
                              uint32_t acts_stride, Sum* __restrict sums, uint32_t blocks) {
  I16x8 act[kTokens][kDots];
#pragma clang loop unroll(full)
  for (uint32_t t = 0; t < kTokens; ++t) {
#pragma clang loop unroll(full)
    for (uint32_t i = 0; i < kDots; ++i) {
      act[t][i] = simd::LoadPairSplat(acts + t * acts_stride + 2 * i);
    }
  }
  for (const Sum* end = sums + 4 * kTokens * blocks; sums != end;
       sums += 4 * kTokens, w += stride) {
    I16x8 weight[kDots];
#pragma clang loop unroll(full)
    for (uint32_t d = 0; d < kDots; ++d) weight[d] = LoadWeights(w + d * 8);
#pragma clang loop unroll(full)
    for (uint32_t t = 0; t < kTokens; ++t) {
      const auto weights = [&](uint32_t d) { return weight[d]; };
      const auto token = [&](uint32_t d) { return act[t][d]; };
      Sum* to = sums + 4 * t;
      if constexpr (std::is_same_v<Sum, float>) {
        const F32x4 sum = part == Part::kFirst ? simd::Splat(0.0f) : simd::Load(to);
        simd::Store(to, AddGroups<kDots, Weight>(part == Part::kFirst, sum, weights, token));
      } else if constexpr (part == Part::kFirst) {
        simd::Store(to, SumDots<kDots>(0, weights, token));
      } else {
        simd::Store(to, AddDots<kDots>(simd::Load(to), 0, weights, token));
      }
    }
  }
}

}  // namespace gpt2::inner

#endif  // GPT2IC_GPT2_KERNELS_INT_MATMUL_INNER_H_
