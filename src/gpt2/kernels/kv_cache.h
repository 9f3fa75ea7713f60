#ifndef GPT2IC_GPT2_KERNELS_KV_CACHE_H_
#define GPT2IC_GPT2_KERNELS_KV_CACHE_H_

#include <vector>

#include "gpt2/hparams.h"
#include "gpt2/weights.h"

namespace gpt2 {

// Keys and values of every past position. Grows by chunks of positions: n_ctx rows at once would be
// 75 MB for the 124M shape, most of it never used.
class KvCache {
 public:
  static constexpr uint32_t kChunkPositions = 16;  // 1.2 MB a chunk for the 124M shape

  explicit KvCache(const Hparams& hparams) : n_layer_(hparams.n_layer), n_embd_(hparams.n_embd) {}

  // Makes room for position `pos`; positions come in order.
  void Reserve(uint32_t pos) {
    CHECK(pos / kChunkPositions <= chunks_.size());
    if (pos / kChunkPositions < chunks_.size()) return;
    chunks_.emplace_back(uint64_t{n_layer_} * 2 * kChunkPositions * n_embd_);
  }

  // [n_embd] of one layer and position. Within a chunk the row of the next position follows.
  float* Key(uint32_t layer, uint32_t pos) { return Row(layer * 2, pos); }
  float* Value(uint32_t layer, uint32_t pos) { return Row(layer * 2 + 1, pos); }

 private:
  float* Row(uint32_t plane, uint32_t pos) {
    Tensor& chunk = chunks_[pos / kChunkPositions];
    return chunk.data() + (size_t{plane} * kChunkPositions + pos % kChunkPositions) * n_embd_;
  }

  uint32_t n_layer_, n_embd_;
  std::vector<Tensor> chunks_;  // each [n_layer, 2, kChunkPositions, n_embd]
};

}  // namespace gpt2

#endif  // GPT2IC_GPT2_KERNELS_KV_CACHE_H_
