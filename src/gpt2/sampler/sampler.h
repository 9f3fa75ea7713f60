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
};

// Err unless the temperature is a finite number, not negative.
base::Status CheckSampling(const SamplingParams& params);

// The id with the largest logit; the lower id wins a tie. NaN counts as below everything; if there
// is nothing else, id 0.
TokenId Argmax(std::span<const float> logits);

// Picks a token with probability softmax(logits / temperature), as a pure function of its
// arguments: the random number is Philox(seed, draw_index, 0). At temperature 0, or when the
// largest logit is infinite: Argmax. A NaN logit is never picked unless all are. Requires
// CheckSampling and at least one logit. Cost: n_vocab exp. Allocates n_vocab floats.
TokenId Sample(std::span<const float> logits, const SamplingParams& params, uint64_t draw_index);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_SAMPLER_SAMPLER_H_
