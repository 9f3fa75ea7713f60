#ifndef GPT2IC_GPT2_SAMPLER_LOGITS_H_
#define GPT2IC_GPT2_SAMPLER_LOGITS_H_

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "gpt2/token_id.h"

namespace gpt2 {

// What stands between a model's logits and the draw, with the meanings that Hugging Face
// (repetition_penalty) and OpenAI (the two others) give the names.

// A token that occurs in `prompt` or `output`: its logit divided by `penalty` when positive, else
// multiplied; once, however often it occurs. Ids must lie in the vocabulary.
void RepetitionPenalty(std::span<float> logits, std::span<const TokenId> prompt,
                       std::span<const TokenId> output, float penalty);

// A token that occurs c > 0 times in `output`: minus c * frequency + presence.
void FrequencyAndPresencePenalty(std::span<float> logits, std::span<const TokenId> output,
                                 float frequency, float presence);

// The logarithms of softmax(logits).
class LogSoftmax {
 public:
  // Keeps a copy of the logits. n_top: how many of the likeliest are kept, the lower id first in a
  // tie. NaN counts as minus infinity. Cost: an exp for each logit.
  LogSoftmax(std::span<const float> logits, uint32_t n_top);

  float Of(TokenId token) const { return logits_[token] - log_sum_; }
  const std::vector<std::pair<TokenId, float>>& top() const { return top_; }

 private:
  std::vector<float> logits_;
  float log_sum_;
  std::vector<std::pair<TokenId, float>> top_;
};

// ln(x) for finite x > 0, off by less than 1e-15 relative to max(1, |ln x|). The same bits on every
// machine.
double Log(double x);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_SAMPLER_LOGITS_H_
