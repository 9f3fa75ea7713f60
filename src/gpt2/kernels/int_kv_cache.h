#ifndef GPT2IC_GPT2_KERNELS_INT_KV_CACHE_H_
#define GPT2IC_GPT2_KERNELS_INT_KV_CACHE_H_

#include <cstdint>
#include <vector>

#include "base/aligned_buffer.h"
#include "gpt2/hparams.h"

namespace gpt2 {

// Keys of 13 and values of 12 magnitude bits, one scale per token and head. A query has 12 bits:
// over 64 channels 64 * 8191 * 4095 < 2^31.
inline constexpr float kKeySteps = 8191;
inline constexpr float kValueSteps = 4095;
inline constexpr float kQuerySteps = 4095;

// Keys and values of every past position, in blocks of 32 positions that are allocated as the text
// grows. Within a block each (layer, head) has one piece of memory:
//   keys    for each 4 positions, for each 2 channels: 4 x 2 numbers (lanes are positions)
//   values  for each 4 channels, for each 2 positions: 4 x 2 numbers (lanes are channels)
//   scales  of the 32 keys, of the 32 values
// so that the dot products of scores and of blends need no sum across lanes.
class IntKvCache {
 public:
  static constexpr uint32_t kBlockPositions = 32;  // 1.2 MB a block for the 124M shape

  explicit IntKvCache(const Hparams& hparams)
      : n_layer_(hparams.n_layer),
        n_head_(hparams.n_head),
        head_dim4_((hparams.head_dim() + 3) / 4 * 4) {}

  // Channels of a head, padded to a multiple of 4.
  uint32_t head_dim4() const { return head_dim4_; }
  uint64_t block_bytes() const { return uint64_t{n_layer_} * n_head_ * HeadBytes(); }
  uint64_t bytes() const { return blocks_.size() * block_bytes(); }

  // Makes room for position `pos`; positions come in order.
  void Reserve(uint32_t pos);
  // Gives the space back: the next position is 0.
  void Clear() { blocks_.clear(); }

  // Quantises and stores one head's key and value, [head_dim4] each, padded with zeros.
  void StoreKey(uint32_t layer, uint32_t head, uint32_t pos, const float* key);
  void StoreValue(uint32_t layer, uint32_t head, uint32_t pos, const float* value);

  // One block's piece of a head.
  struct Piece {
    const int16_t* keys;     // [8][head_dim4/2][4][2]
    const int16_t* values;   // [head_dim4/4][16][4][2]
    const float* key_scale;  // [32]
    const float* value_scale;
  };
  Piece At(uint32_t layer, uint32_t head, uint32_t block) const;

 private:
  uint64_t HeadBytes() const { return 2 * KeyBytes() + 2 * kBlockPositions * sizeof(float); }
  uint64_t KeyBytes() const { return uint64_t{kBlockPositions} * head_dim4_ * sizeof(int16_t); }
  uint8_t* HeadAt(uint32_t layer, uint32_t head, uint32_t block) const;

  uint32_t n_layer_, n_head_, head_dim4_;
  std::vector<base::AlignedBuffer> blocks_;  // each [n_layer, n_head, HeadBytes]
};

}  // namespace gpt2

#endif  // GPT2IC_GPT2_KERNELS_INT_KV_CACHE_H_
