#ifndef GPT2IC_GPT2_HPARAMS_H_
#define GPT2IC_GPT2_HPARAMS_H_

#include <cstdint>

#include "base/result.h"

namespace gpt2 {

// The hyperparameters, named as in openai/gpt-2 src/model.py.
struct Hparams {
  uint32_t n_vocab = 0;
  uint32_t n_ctx = 0;
  uint32_t n_embd = 0;
  uint32_t n_head = 0;
  uint32_t n_layer = 0;
  float layer_norm_epsilon = 1e-5f;

  uint32_t head_dim() const { return n_embd / n_head; }
};

// Far above every GPT-2, and low enough that no 64-bit product of these overflows: the bytes of one
// tensor are below 2^54, of all together below 2^64.
inline constexpr uint32_t kVocabMax = 1 << 24;
inline constexpr uint32_t kCtxMax = 1 << 20;
inline constexpr uint32_t kEmbdMax = 1 << 16;
inline constexpr uint32_t kLayerMax = 1 << 10;

// Err names the first hyperparameter out of its range, or n_head when it does not divide n_embd.
base::Status CheckHparams(const Hparams& hparams);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_HPARAMS_H_
