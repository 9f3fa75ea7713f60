#include "receipt/replay.h"

#include <algorithm>

#include "gpt2/packed/packed_session.h"
#include "gpt2/text_stream.h"

namespace receipt {
namespace {

using base::Err;
using base::Status;

Status CheckIds(const char* what, const std::vector<TokenId>& ids, uint32_t n_vocab) {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < n_vocab) continue;
    return Err("token ", i, " of the ", what, " is ", ids[i], ", the model has ids below ",
               n_vocab);
  }
  return {};
}

// Everything about the answer's length: where "length" and "context" end it, and nothing else.
Status CheckEnd(const Receipt& r, uint64_t input, uint64_t output, uint64_t n_ctx) {
  // The last token of all is drawn when the context is full and not taken in.
  const uint64_t room = input <= n_ctx ? n_ctx + 1 - input : 0;
  const uint64_t most = std::min<uint64_t>(r.max_tokens, room);
  if (input == 0 || room == 0) {
    return Err("the input has ", input, " tokens, the model takes 1 to ", n_ctx);
  }
  if (output > most) {
    return Err("the answer has ", output, " tokens, but must end at ", most);
  }
  const bool full = output == r.max_tokens || output == room;
  switch (r.finish) {
    case Finish::kLength:
      if (output == r.max_tokens) return {};
      return Err("the answer ends by \"length\" with ", output, " tokens, expected max_tokens ",
                 r.max_tokens);
    case Finish::kContext:
      if (output == room && output < r.max_tokens) return {};
      return Err("the answer ends by \"context\" with ", input, " + ", output,
                 " tokens in a context of ", n_ctx);
    case Finish::kEndToken:
      if (!r.end_token) return Err("the answer ends by an end token, but there is none");
      if (r.end_token_in_output ? output > 0 : !full) return {};
      break;
    case Finish::kStopText:
      if (output > 0) return {};
      break;
    case Finish::kCancelled:
      if (output > 0 && !full) return {};
      break;
  }
  return Err("the answer has ", output, " tokens, which does not fit its end by \"",
             FinishReason(r.finish), "\"");
}

// A stop text ends the answer with the token that completes it, and nothing else does.
Status CheckStopTexts(const gpt2::Tokenizer* tokenizer, const Receipt& r, const Answer& answer) {
  const bool ends = r.finish == Finish::kStopText;
  if (answer.stop.empty() || !r.has_text) {
    if (!ends) return {};
    return Err("the answer ends by a stop text, but none was looked for");
  }
  if (tokenizer == nullptr) {
    return Err("the request has stop texts, and there is no tokenizer.json beside the model");
  }
  std::string text;
  base::Bytes pending;
  for (size_t i = 0; i < answer.output.size(); ++i) {
    const TokenId id = answer.output[i];
    if (r.finish == Finish::kEndToken && id == r.end_token) return {};  // the end comes first
    const bool has_text = tokenizer->Has(id) && !tokenizer->IsSpecial(id);
    if (has_text) gpt2::AppendText(text, pending, tokenizer->TokenBytes(id));
    const bool found = gpt2::FindStop(text, answer.stop) != std::string::npos;
    const bool last = i + 1 == answer.output.size();
    if (found == (ends && last)) continue;
    return found ? Err("token ", i, " of the answer completes a stop text, but the answer goes on")
                 : Err("the answer ends by a stop text, but its text has none");
  }
  return {};
}

// Compares what is drawn with what is there.
class Comparison {
 public:
  Comparison(const Receipt& receipt, const Answer& answer) : r_(receipt), answer_(answer) {}

  // Place i of the answer, whose token these logits are for; the place behind the last one is that
  // of an end token which is no part of it.
  Status Next(std::span<const float> logits) {
    const std::span<const TokenId> output(answer_.output);
    const size_t i = next_++;
    const TokenId drawn =
        gpt2::Choose(logits, r_.sampling, r_.penalties, answer_.input, output.subspan(0, i));
    if (i == output.size()) {
      if (drawn == r_.end_token) return {};
      return Err("the model does not end the answer behind token ", i, " but draws ", drawn);
    }
    if (drawn != output[i]) {
      return Err("token ", i, " of the answer is ", output[i], ", the model draws ", drawn);
    }
    const bool last_of_end =
        i + 1 == output.size() && r_.finish == Finish::kEndToken && r_.end_token_in_output;
    if ((drawn == r_.end_token) == last_of_end) return {};
    return last_of_end
               ? Err("the answer ends by the end token, but its last token is ", drawn)
               : Err("token ", i, " of the answer is the end token, but the answer goes on");
  }

 private:
  const Receipt& r_;
  const Answer& answer_;
  size_t next_ = 0;
};

}  // namespace

Status Replay(const gpt2::PackedModel& model, const gpt2::Tokenizer* tokenizer, const Receipt& r,
              const Answer& answer) {
  const gpt2::Hparams& hparams = model.hparams();
  TRY_STATUS(CheckIds("input", answer.input, hparams.n_vocab));
  TRY_STATUS(CheckIds("answer", answer.output, hparams.n_vocab));
  TRY_STATUS(CheckEnd(r, answer.input.size(), answer.output.size(), hparams.n_ctx));
  TRY_STATUS(CheckStopTexts(tokenizer, r, answer));
  // An end token that is not in the output is drawn behind its last.
  const bool behind = r.finish == Finish::kEndToken && !r.end_token_in_output;
  const size_t draws = answer.output.size() + (behind ? 1 : 0);
  if (draws == 0) return {};

  gpt2::PackedSession session(model);
  Comparison comparison(r, answer);
  TRY_STATUS(session.Append(answer.input));
  TRY_STATUS(session.Append({answer.output.data(), draws - 1}));
  // Logits are of use from the input's last token on.
  const uint32_t first = static_cast<uint32_t>(answer.input.size()) - 1;
  while (session.run() + gpt2::kPrefillTokens <= first) {
    session.Step(UINT64_MAX, first - session.run());
  }
  while (!session.Prefilled()) {
    const uint32_t at = session.run();
    const uint32_t count = session.StepAllLogits();
    for (uint32_t i = at < first ? first - at : 0; i < count; ++i) {
      TRY_STATUS(comparison.Next(session.LogitsOf(i)));
    }
  }
  return {};
}

}  // namespace receipt
