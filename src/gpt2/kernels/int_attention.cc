// Scores, softmax and blend of one head.
//
// The blend sums probability times value over up to 65,536 positions in an i32, so the integer
// probabilities must be few steps altogether: sum(parts) * 4095 < 2^31. The value's scale goes into
// the probability first (parts = e * value_scale), then parts are scaled so that the largest is at
// most 32,767 steps and all together at most 480,000; rounding adds at most half a step each,
// 32,768 in all, and the float sum is off by less than 1%: 518,000 * 4095 < 2^31.
#include "gpt2/kernels/int_attention.h"

#include <algorithm>

#include "gpt2/kernels/exp_near.h"
#include "gpt2/kernels/fused.h"
#include "simd/simd.h"

namespace gpt2 {
namespace {

using namespace simd;
using Piece = IntKvCache::Piece;

constexpr uint32_t kBlock = IntKvCache::kBlockPositions;
constexpr uint32_t kPairs = kBlock / 2;
constexpr uint32_t kUsualHeadDim = 64;  // of every GPT-2
constexpr uint32_t kGroupDots = 32;     // 64 channels: what an integer score can hold
constexpr float kPartsMax = 32767, kPartsSum = 480000;
constexpr float kNever = -1e30f;  // a score whose e^ is 0

// The query as integers, two channels to a vector.
struct Query {
  const int16_t* steps;  // [head_dim4]
  float factor;          // of an integer product with a key of scale 1
};

// Scores of 4 positions: one dot product for each 2 channels.
F32x4 Score4(const I16x8 (&q)[kUsualHeadDim / 2], const int16_t* keys) {
  I32x4 dots = Dot(q[0], Load(keys));
#pragma clang loop unroll(full)
  for (uint32_t d = 1; d < kUsualHeadDim / 2; ++d) dots = Add(Dot(q[d], Load(keys + d * 8)), dots);
  return ToF32(dots);
}

// A head of 64 channels: the query stays in locals over all blocks.
void ScoresUsual(const Query& query, const IntKvCache& kv, uint32_t layer, uint32_t head,
                 uint32_t blocks, float* scores) {
  I16x8 q[kUsualHeadDim / 2];
#pragma clang loop unroll(full)
  for (uint32_t d = 0; d < kUsualHeadDim / 2; ++d) q[d] = LoadPairSplat(query.steps + 2 * d);
  const F32x4 factor = Splat(query.factor);
  for (uint32_t b = 0; b < blocks; ++b) {
    const Piece piece = kv.At(layer, head, b);
    const int16_t* keys = piece.keys;
    const float* key_scale = piece.key_scale;
    for (const float* end = scores + kBlock; scores != end; scores += 4) {
      Store(scores, Mul(Score4(q, keys), Mul(Load(key_scale), factor)));
      keys += 4 * kUsualHeadDim;
      key_scale += 4;
    }
  }
}

void ScoresAny(const Query& query, const IntKvCache& kv, uint32_t layer, uint32_t head,
               uint32_t blocks, float* scores) {
  const uint32_t dots = kv.head_dim4() / 2;
  const F32x4 factor = Splat(query.factor);
  for (uint32_t b = 0; b < blocks; ++b) {
    const Piece piece = kv.At(layer, head, b);
    for (uint32_t i = 0; i < kBlock; i += 4) {
      const int16_t* keys = piece.keys + size_t{i} * kv.head_dim4();
      F32x4 sum = Splat(0.0f);
      for (uint32_t first = 0; first < dots; first += kGroupDots) {
        I32x4 group = Splat(int32_t{0});
        for (uint32_t d = first; d < std::min(first + kGroupDots, dots); ++d) {
          group = Add(Dot(LoadPairSplat(query.steps + 2 * d), Load(keys + 8 * d)), group);
        }
        sum = Add(ToF32(group), sum);
      }
      Store(scores + b * kBlock + i, Mul(sum, Mul(Load(piece.key_scale + i), factor)));
    }
  }
}

float MaxLane(F32x4 a) {
  return std::max(std::max(Lane<0>(a), Lane<1>(a)), std::max(Lane<2>(a), Lane<3>(a)));
}

struct Softmax {
  float total;       // of e^(score - max)
  float parts_step;  // value of one step of an integer part
};

// scores -> parts = e^(score - max) * value_scale, as integers. Positions after `pos` may hold a
// value already (of the same batch of tokens): theirs count as 0.
Softmax Parts(const IntKvCache& kv, uint32_t layer, uint32_t head, uint32_t pos, float* scores,
              int16_t* parts) {
  const uint32_t blocks = pos / kBlock + 1;
  const uint32_t count = blocks * kBlock;
  float last_scale[kBlock] = {};
  std::copy_n(kv.At(layer, head, blocks - 1).value_scale, pos % kBlock + 1, last_scale);
  F32x4 max4 = Splat(kNever);
  for (uint32_t i = 0; i < count; i += 4) max4 = Pmax(max4, Load(scores + i));
  const F32x4 max = Splat(MaxLane(max4)), lowest = Splat(-87.0f);
  F32x4 total = Splat(0.0f), parts_total = Splat(0.0f), parts_max = Splat(0.0f);
  for (uint32_t b = 0; b < blocks; ++b) {
    const float* value_scale = b + 1 < blocks ? kv.At(layer, head, b).value_scale : last_scale;
    for (const float* end = value_scale + kBlock; value_scale != end; value_scale += 4) {
      const F32x4 e = ExpNear(Pmax(lowest, Sub(Load(scores), max)));
      total = Add(total, e);
      const F32x4 part = Mul(e, Load(value_scale));
      parts_total = Add(parts_total, part);
      parts_max = Pmax(parts_max, part);
      Store(scores, part);
      scores += 4;
    }
  }
  scores -= count;
  const float largest = MaxLane(parts_max);
  if (!(largest > 1e-30f)) {
    std::fill_n(parts, count, int16_t{0});
    return {Sum(total), 0.0f};
  }
  const float factor = std::min(kPartsMax / largest, kPartsSum / Sum(parts_total));
  const F32x4 factor4 = Splat(factor), round = Splat(12582912.0f);
  for (uint32_t i = 0; i < count; i += 8) {
    Store(parts + i, Low16(Bits(Add(Mul(Load(scores + i), factor4), round)),
                           Bits(Add(Mul(Load(scores + i + 4), factor4), round))));
  }
  return {Sum(total), 1.0f / factor};
}

// sums[4*g..] += values times parts over one block.
void BlendBlock(const int16_t* values, const int16_t* parts, uint32_t groups, int32_t* sums) {
  I16x8 part[kPairs];
#pragma clang loop unroll(full)
  for (uint32_t p = 0; p < kPairs; ++p) part[p] = LoadPairSplat(parts + 2 * p);
  for (const int32_t* end = sums + 4 * groups; sums != end; sums += 4, values += kPairs * 8) {
    I32x4 sum = Load(sums);
#pragma clang loop unroll(full)
    for (uint32_t p = 0; p < kPairs; ++p) sum = Add(Dot(part[p], Load(values + p * 8)), sum);
    Store(sums, sum);
  }
}

}  // namespace

void IntAttention(const float* q, float scale, const IntKvCache& kv, uint32_t layer, uint32_t head,
                  uint32_t pos, AttentionScratch& scratch, float* out) {
  const uint32_t head_dim4 = kv.head_dim4();
  const uint32_t blocks = pos / kBlock + 1;
  const uint32_t count = blocks * kBlock;
  if (scratch.scores.size() < count) {
    scratch.scores.resize(count);
    scratch.parts.resize(std::max(count, head_dim4));
  }
  scratch.sums.resize(head_dim4);
  float* scores = scratch.scores.data();
  int16_t* parts = scratch.parts.data();  // holds the query until the scores are done

  const Scale query_scale = ScaleOf(AbsMax(q, head_dim4 / 4), kQuerySteps);
  const F32x4 inverse = Splat(query_scale.inverse), round = Splat(12582912.0f);
  for (uint32_t i = 0; i < head_dim4; i += 4) {
    const I32x4 rounded = Bits(Add(Mul(Load(q + i), inverse), round));
    StorePair<0>(parts + i, Low16(rounded, rounded));
    StorePair<1>(parts + i + 2, Low16(rounded, rounded));
  }
  const Query query{parts, query_scale.step * scale};
  const auto compute = head_dim4 == kUsualHeadDim ? ScoresUsual : ScoresAny;
  compute(query, kv, layer, head, blocks, scores);
  std::fill(scores + pos + 1, scores + count, kNever);
  const Softmax softmax = Parts(kv, layer, head, pos, scores, parts);

  int32_t* sums = scratch.sums.data();
  std::fill_n(sums, head_dim4, 0);
  for (uint32_t b = 0; b < blocks; ++b) {
    BlendBlock(kv.At(layer, head, b).values, parts + b * kBlock, head_dim4 / 4, sums);
  }
  const F32x4 factor = Splat(softmax.parts_step / softmax.total);
  for (uint32_t i = 0; i < head_dim4; i += 4) Store(out + i, Mul(ToF32(Load(sums + i)), factor));
}

}  // namespace gpt2
