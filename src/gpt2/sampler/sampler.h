#ifndef GPT2IC_GPT2_SAMPLER_SAMPLER_H_
#define GPT2IC_GPT2_SAMPLER_SAMPLER_H_

#include <cstdint>
#include <span>

#include "base/result.h"
#include "gpt2/token_id.h"

namespace gpt2 {

struct SamplingParams {
  double temperature = 0;  // 0: the most likely token
  uint64_t seed = 0;
  uint32_t top_k = 0;  // only the k most likely tokens; 0: all
  double top_p = 1;    // only the most likely tokens that together reach this probability
};

// Err unless the temperature is a finite number, not negative, and 0 < top_p <= 1.
base::Status CheckSampling(const SamplingParams& params);

// The id with the largest logit; the lower id wins a tie. NaN counts as below everything; if there
// is nothing else, id 0. Cost: 4 instructions a logit.
TokenId Argmax(std::span<const float> logits);

// Picks a token with probability softmax(logits / temperature), as a pure function of its
// arguments: the random number is Philox(seed, draw_index, 0). First the top_k largest logits are
// kept, then of those (their probabilities make 1) as many of the most likely as first reach top_p;
// the lower id wins a tie. At temperature 0, or when the largest logit is infinite: Argmax. A NaN
// logit is never picked unless all are.
// Requires CheckSampling and at least one logit. Probabilities are within 1e-5 of their size.
// Cost: for 50,257 logits 0.3 M instructions with a top_k below 700, else up to 2 M.
TokenId Sample(std::span<const float> logits, const SamplingParams& params, uint64_t draw_index);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_SAMPLER_SAMPLER_H_
