#ifndef GPT2IC_GPT2_SESSION_H_
#define GPT2IC_GPT2_SESSION_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "gpt2/model/model.h"

namespace gpt2 {

// One text in the making: the tokens so far, their keys and values, the logits after the last.
// May stop after any Step and go on later; the result does not depend on where it stopped. The
// model must outlive the session.
class Session {
 public:
  explicit Session(const Model& model);

  // Takes tokens in, without running them. Err, and no change, if an id is not in the vocabulary or
  // the context would overflow.
  base::Status Append(std::span<const TokenId> tokens);

  bool Prefilled() const { return run_ == tokens_.size(); }  // every token taken in has been run
  void Step();                                               // runs one more; requires !Prefilled()

  // The logits [n_vocab] that follow the last token; valid until the next call that is not const.
  // The head is computed at the first call for a position. Requires Prefilled() and size() > 0.
  std::span<const float> Logits();

  uint32_t size() const { return static_cast<uint32_t>(tokens_.size()); }
  uint32_t capacity() const { return model_->hparams().n_ctx; }
  std::span<const TokenId> tokens() const { return tokens_; }

 private:
  const Model* model_;
  std::vector<TokenId> tokens_;
  uint32_t run_ = 0;  // tokens that went through the blocks
  KvCache kv_;
  Activations act_;
  std::vector<float> logits_;
  uint32_t logits_of_ = 0;  // how many tokens logits_ follows; 0: none yet
};

}  // namespace gpt2

#endif  // GPT2IC_GPT2_SESSION_H_
