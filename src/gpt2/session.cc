#include "gpt2/session.h"

namespace gpt2 {

Session::Session(const Model& model)
    : model_(&model), kv_(model.hparams()), act_(model.hparams()) {}

base::Status Session::Append(std::span<const TokenId> tokens) {
  const uint32_t n_vocab = model_->hparams().n_vocab;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] < n_vocab) continue;
    return base::Err("token id ", tokens[i], " at position ", tokens_.size() + i,
                     ", expected less than n_vocab ", n_vocab);
  }
  if (tokens.size() > capacity() - tokens_.size()) {
    return base::Err(tokens_.size() + tokens.size(), " tokens, expected at most n_ctx ",
                     capacity());
  }
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  return {};
}

void Session::Step() {
  CHECK(!Prefilled());
  model_->Forward(tokens_[run_], run_, kv_, act_);
  ++run_;
}

std::span<const float> Session::Logits() {
  CHECK(Prefilled() && run_ > 0);
  if (logits_of_ != run_) {
    logits_.resize(model_->hparams().n_vocab);
    model_->Head(act_, logits_);
    logits_of_ = run_;
  }
  return logits_;
}

}  // namespace gpt2
