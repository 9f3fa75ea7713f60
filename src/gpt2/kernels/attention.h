#ifndef GPT2IC_GPT2_KERNELS_ATTENTION_H_
#define GPT2IC_GPT2_KERNELS_ATTENTION_H_

#include <span>

#include "gpt2/kernels/kv_cache.h"

namespace gpt2 {

// Causal multi-head attention for one new position over the KV cache.
//   q       [n_embd]          query of position pos, heads concatenated
//   kv      rows 0..pos of `layer` valid
//   scores  [at least pos+1]  scratch
//   out     [n_embd]          must not overlap q
// Requires (DCHECKed): q.size() % n_head == 0.
// Cost: 2*n_embd*(pos+1) multiply-adds and n_head*(pos+1) exp. Does not allocate or fail.
void Attention(std::span<const float> q, KvCache& kv, uint32_t layer, uint32_t pos, uint32_t n_head,
               std::span<float> scores, std::span<float> out);

// scores[i] becomes e^(scores[i] - max). Returns their sum. A NaN among them makes the sum NaN.
float ExpOverMax(std::span<float> scores);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_KERNELS_ATTENTION_H_
