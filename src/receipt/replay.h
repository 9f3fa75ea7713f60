#ifndef GPT2IC_RECEIPT_REPLAY_H_
#define GPT2IC_RECEIPT_REPLAY_H_

#include "gpt2/packed/packed_model.h"
#include "gpt2/tokenizer/tokenizer.h"
#include "receipt/receipt.h"

namespace receipt {

// What a receipt has the hashes of.
struct Answer {
  std::vector<TokenId> input, output;
  std::vector<std::string> stop;
};

// Whether `model` gives this output for this input, with the receipt's parameters and seed, and
// ends it where and why the receipt says. Nothing is generated: the tokens are known, so they are
// run many at once, and each is compared with the one that is drawn in its place. The hashes of the
// receipt are not looked at. `tokenizer` may be null when there are no stop texts.
// An Error names the first token that differs, or what does not fit the end.
// Cost: that of a prefill of all tokens, and the model's head for each of the output's.
base::Status Replay(const gpt2::PackedModel& model, const gpt2::Tokenizer* tokenizer,
                    const Receipt& receipt, const Answer& answer);

}  // namespace receipt

#endif  // GPT2IC_RECEIPT_REPLAY_H_
