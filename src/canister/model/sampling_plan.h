#ifndef GPT2IC_CANISTER_MODEL_SAMPLING_PLAN_H_
#define GPT2IC_CANISTER_MODEL_SAMPLING_PLAN_H_

#include <span>
#include <string>
#include <vector>

#include "canister/model/api.h"
#include "gpt2/sampler/choose.h"

namespace model {

inline constexpr uint32_t kLogprobsMax = 20;

// Checks every parameter and fills in what was left out: temperature 0 (the most likely token),
// max_tokens 100, no penalties. `seed` is for callers who gave none. bad_input names the parameter,
// what was found and the range.
Answer<Sampling> CheckedSampling(Sampling sampling, uint64_t seed);

// The sampler's parameters of a checked Sampling.
gpt2::SamplingParams ParamsOf(const Sampling& sampling);
gpt2::Penalties PenaltiesOf(const Sampling& sampling);

// What ChooseToken costs at most for each logit, in instructions, beyond a plain draw.
uint64_t LogitCostMax(const Sampling& sampling);

struct Choice {
  gpt2::TokenId token;
  std::optional<TokenLogprob> logprob;
};

// The next token of a text.
//   logits  [n_vocab]; copied when there are penalties
//   prompt, output  what they look at: repetition_penalty at both, the others at the output
// Every draw is a pure function of the seed and of how many tokens there are already.
Choice ChooseToken(std::span<const float> logits, const Sampling& sampling,
                   std::span<const gpt2::TokenId> prompt, std::span<const gpt2::TokenId> output);

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_SAMPLING_PLAN_H_
