#include "gpt2/sampler/choose.h"

#include <vector>

#include "gpt2/sampler/logits.h"

namespace gpt2 {

TokenId Choose(std::span<const float> logits, const SamplingParams& params,
               const Penalties& penalties, std::span<const TokenId> prompt,
               std::span<const TokenId> output) {
  if (penalties.none()) return Sample(logits, params, output.size());
  std::vector<float> changed(logits.begin(), logits.end());
  if (penalties.repetition != 1) {
    RepetitionPenalty(changed, prompt, output, static_cast<float>(penalties.repetition));
  }
  FrequencyAndPresencePenalty(changed, output, static_cast<float>(penalties.frequency),
                              static_cast<float>(penalties.presence));
  return Sample(changed, params, output.size());
}

}  // namespace gpt2
