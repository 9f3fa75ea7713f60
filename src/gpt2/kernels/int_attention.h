#ifndef GPT2IC_GPT2_KERNELS_INT_ATTENTION_H_
#define GPT2IC_GPT2_KERNELS_INT_ATTENTION_H_

#include <vector>

#include "gpt2/kernels/int_kv_cache.h"

namespace gpt2 {

// Space for the scores of one head over all positions; grows as needed.
struct AttentionScratch {
  std::vector<float> scores;   // [positions, padded to 32]
  std::vector<int16_t> parts;  // the same; before that the query
  std::vector<int32_t> sums;   // [head_dim4]
};

// Causal attention of one head for the query at `pos`.
//   q    [head_dim4]  padded with zeros
//   out  [head_dim4]  the padded channels become 0
// Rows 0..pos of the cache must be stored. `scale` is 1/sqrt(head_dim).
// Cost: about 26 instructions for each 4 channels and position with head_dim 64: all products run
// on integers, and positions are taken 32 at a time.
void IntAttention(const float* q, float scale, const IntKvCache& kv, uint32_t layer, uint32_t head,
                  uint32_t pos, AttentionScratch& scratch, float* out);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_KERNELS_INT_ATTENTION_H_
