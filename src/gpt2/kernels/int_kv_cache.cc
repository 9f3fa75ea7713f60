#include "gpt2/kernels/int_kv_cache.h"

#include <cstring>

#include "gpt2/kernels/fused.h"
#include "simd/simd.h"

namespace gpt2 {
namespace {

using namespace simd;

// Four channels as integers in lanes 0 to 3 (twice).
I16x8 Steps4(const float* x, F32x4 inverse) {
  const I32x4 rounded = Bits(Add(Mul(Load(x), inverse), Splat(12582912.0f)));
  return Low16(rounded, rounded);
}

}  // namespace

void IntKvCache::Reserve(uint32_t pos) {
  CHECK(pos / kBlockPositions <= blocks_.size());
  if (pos / kBlockPositions < blocks_.size()) return;
  base::AlignedBuffer& block = blocks_.emplace_back(block_bytes());
  // Scales of positions that are not there yet are read, and times a probability of 0.
  for (uint64_t end = HeadBytes(); end <= block.size(); end += HeadBytes()) {
    const size_t size = 2 * kBlockPositions * sizeof(float);
    std::memset(block.data() + end - size, 0, size);
  }
}

uint8_t* IntKvCache::HeadAt(uint32_t layer, uint32_t head, uint32_t block) const {
  const size_t index = size_t{layer} * n_head_ + head;
  return const_cast<uint8_t*>(blocks_[block].data()) + index * HeadBytes();
}

IntKvCache::Piece IntKvCache::At(uint32_t layer, uint32_t head, uint32_t block) const {
  const uint8_t* at = HeadAt(layer, head, block);
  const auto* keys = reinterpret_cast<const int16_t*>(at);
  const auto* values = reinterpret_cast<const int16_t*>(at + KeyBytes());
  const auto* scales = reinterpret_cast<const float*>(at + 2 * KeyBytes());
  return {keys, values, scales, scales + kBlockPositions};
}

void IntKvCache::StoreKey(uint32_t layer, uint32_t head, uint32_t pos, const float* key) {
  uint8_t* at = HeadAt(layer, head, pos / kBlockPositions);
  const uint32_t slot = pos % kBlockPositions;
  const Scale scale = ScaleOf(AbsMax(key, head_dim4_ / 4), kKeySteps);
  reinterpret_cast<float*>(at + 2 * KeyBytes())[slot] = scale.step;
  const F32x4 inverse = Splat(scale.inverse);
  auto* to = reinterpret_cast<int16_t*>(at) + slot / 4 * 4 * head_dim4_ + slot % 4 * 2;
  for (const float* end = key + head_dim4_; key != end; key += 4, to += 16) {
    const I16x8 steps = Steps4(key, inverse);
    StorePair<0>(to, steps);
    StorePair<1>(to + 8, steps);
  }
}

void IntKvCache::StoreValue(uint32_t layer, uint32_t head, uint32_t pos, const float* value) {
  uint8_t* at = HeadAt(layer, head, pos / kBlockPositions);
  const uint32_t slot = pos % kBlockPositions;
  const Scale scale = ScaleOf(AbsMax(value, head_dim4_ / 4), kValueSteps);
  reinterpret_cast<float*>(at + 2 * KeyBytes())[kBlockPositions + slot] = scale.step;
  const F32x4 inverse = Splat(scale.inverse);
  auto* to = reinterpret_cast<int16_t*>(at + KeyBytes()) + slot / 2 * 8 + slot % 2;
  for (const float* end = value + head_dim4_; value != end; value += 4, to += 4 * 32) {
    const I16x8 steps = Steps4(value, inverse);
    StoreLane<0>(to, steps);
    StoreLane<1>(to + 2, steps);
    StoreLane<2>(to + 4, steps);
    StoreLane<3>(to + 6, steps);
  }
}

}  // namespace gpt2
