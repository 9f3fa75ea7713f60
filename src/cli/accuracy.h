#ifndef GPT2IC_CLI_ACCURACY_H_
#define GPT2IC_CLI_ACCURACY_H_

#include <span>
#include <string>
#include <vector>

#include "gpt2/model/model.h"
#include "gpt2/packed/packed_model.h"

namespace cli {

// How near other logits are to those of float32, over all positions of some texts.
struct Accuracy {
  uint64_t positions = 0;
  double kl_total = 0, kl_worst = 0;   // KL(float32 || other), in nats
  uint64_t clear = 0, clear_same = 0;  // float32's best leads by more than 0.01; same best
  double nll = 0, nll_float32 = 0;     // of the text's next tokens, in nats, summed
  uint64_t next_tokens = 0;
  double top_probability_total = 0;  // of float32's best token

  double kl_mean() const { return kl_total / static_cast<double>(positions); }
  double same() const { return static_cast<double>(clear_same) / static_cast<double>(clear); }
  double perplexity_ratio() const;
  double top_probability() const { return top_probability_total / static_cast<double>(positions); }
  std::string Text() const;  // one line

  // Takes one position in. `next`: the token that follows in the text, or -1.
  void Add(std::span<const float> float32, std::span<const float> other, int64_t next);
};

// Runs each text through both models, token by token.
Accuracy Compare(const gpt2::Model& model, const gpt2::PackedModel& packed,
                 std::span<const std::vector<gpt2::TokenId>> texts);

}  // namespace cli

#endif  // GPT2IC_CLI_ACCURACY_H_
