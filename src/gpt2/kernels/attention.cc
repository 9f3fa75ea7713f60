#include "gpt2/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gpt2/kernels/exp.h"
#include "gpt2/kernels/kernels.h"
#include "simd/simd.h"

namespace gpt2 {
namespace {

using simd::F32x4;

// out = sum over t of p[t] * value[t] for up to 4 channels of one head, in the order of positions.
F32x4 Blend(std::span<const float> p, KvCache& kv, uint32_t layer, size_t channel, size_t count,
            size_t n_embd) {
  F32x4 sum = simd::Splat(0.0f);
  const auto size = static_cast<uint32_t>(p.size());
  for (uint32_t first = 0; first < size; first += KvCache::kChunkPositions) {
    const float* value = kv.Value(layer, first) + channel;
    const uint32_t end = std::min(size, first + KvCache::kChunkPositions);
    for (uint32_t t = first; t < end; ++t, value += n_embd) {
      const F32x4 v = count == 4 ? simd::Load(value) : simd::LoadPart(value, count);
      sum = simd::Add(sum, simd::Mul(simd::Splat(p[t]), v));
    }
  }
  return sum;
}

float Max(std::span<const float> scores) {
  F32x4 max = simd::Splat(-std::numeric_limits<float>::infinity());
  size_t i = 0;
  for (; i + 4 <= scores.size(); i += 4) max = simd::Pmax(max, simd::Load(&scores[i]));
  for (; i < scores.size(); ++i) max = simd::Pmax(max, simd::Splat(scores[i]));
  const float ab =
      simd::Lane<0>(max) < simd::Lane<1>(max) ? simd::Lane<1>(max) : simd::Lane<0>(max);
  const float cd =
      simd::Lane<2>(max) < simd::Lane<3>(max) ? simd::Lane<3>(max) : simd::Lane<2>(max);
  return ab < cd ? cd : ab;
}

}  // namespace

float ExpOverMax(std::span<float> scores) {
  const F32x4 max = simd::Splat(Max(scores));
  F32x4 sum = simd::Splat(0.0f);
  size_t i = 0;
  for (; i + 4 <= scores.size(); i += 4) {
    const F32x4 e = Exp(simd::Sub(simd::Load(&scores[i]), max));
    simd::Store(&scores[i], e);
    sum = simd::Add(sum, e);
  }
  const size_t rest = scores.size() - i;
  if (rest == 0) return simd::Sum(sum);
  const F32x4 e = Exp(simd::Sub(simd::LoadPart(&scores[i], rest), max));
  simd::StorePart(&scores[i], e, rest);
  return simd::Sum(simd::Add(sum, simd::LoadPart(&scores[i], rest)));
}

void Attention(std::span<const float> q, KvCache& kv, uint32_t layer, uint32_t pos, uint32_t n_head,
               std::span<float> scores, std::span<float> out) {
  DCHECK(q.size() % n_head == 0 && out.size() == q.size() && scores.size() > pos);
  const size_t n_embd = q.size();
  const size_t head_dim = n_embd / n_head;
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_dim));
  const std::span<float> p = scores.first(pos + 1);
  for (size_t first = 0; first < n_embd; first += head_dim) {  // one head
    for (uint32_t t = 0; t <= pos; ++t) {
      p[t] = Dot(&q[first], kv.Key(layer, t) + first, head_dim) * scale;
    }
    const F32x4 total = simd::Splat(ExpOverMax(p));
    for (size_t i = 0; i < head_dim; i += 4) {
      const size_t count = std::min(head_dim - i, size_t{4});
      const F32x4 sum = Blend(p, kv, layer, first + i, count, n_embd);
      simd::StorePart(&out[first + i], simd::Div(sum, total), count);
    }
  }
}

}  // namespace gpt2
