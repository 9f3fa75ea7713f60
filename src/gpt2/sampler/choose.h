#ifndef GPT2IC_GPT2_SAMPLER_CHOOSE_H_
#define GPT2IC_GPT2_SAMPLER_CHOOSE_H_

#include <span>

#include "gpt2/sampler/sampler.h"

namespace gpt2 {

// What stands between the logits and the draw: see logits.h. These values change nothing.
struct Penalties {
  double repetition = 1, frequency = 0, presence = 0;

  bool none() const { return repetition == 1 && frequency == 0 && presence == 0; }
};

// The next token of a text: penalties, then Sample with output.size() as the number of the draw. So
// it is a pure function of its arguments, and any token of an answer can be drawn again alone.
//   logits  [n_vocab]; copied when there are penalties
//   prompt, output  what penalties look at: repetition at both, the others at the output
TokenId Choose(std::span<const float> logits, const SamplingParams& params,
               const Penalties& penalties, std::span<const TokenId> prompt,
               std::span<const TokenId> output);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_SAMPLER_CHOOSE_H_
