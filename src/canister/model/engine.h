#ifndef GPT2IC_CANISTER_MODEL_ENGINE_H_
#define GPT2IC_CANISTER_MODEL_ENGINE_H_

#include "gpt2/model/model.h"
#include "gpt2/session.h"

namespace model {

// What the canister computes with: the model, and a session on it that tells beforehand what its
// next step may cost.
using EngineModel = gpt2::Model;

class EngineSession {
 public:
  explicit EngineSession(const EngineModel& model) : model_(model), session_(model) {}

  base::Status Append(std::span<const gpt2::TokenId> tokens) { return session_.Append(tokens); }
  bool Prefilled() const { return session_.Prefilled(); }
  void Step(uint64_t = UINT64_MAX) {
    session_.Step();
    ++run_;
  }
  std::span<const float> Logits() { return session_.Logits(); }

  // Upper bounds, in instructions: 6 for each multiply-add of the float32 kernels (measured 4.4),
  // page charges for the weights in the first step of a message.
  uint64_t StepCost() const {
    const gpt2::Hparams& h = model_.hparams();
    const uint64_t n = h.n_embd;
    return 1'000'000 + 6 * (12 * n * n + 2 * n * (run_ + 1)) * h.n_layer;
  }
  uint64_t LogitsCost() const {
    const gpt2::Hparams& h = model_.hparams();
    return 1'000'000 + uint64_t{6} * h.n_vocab * h.n_embd;
  }
  uint64_t PageCharges(uint32_t tokens_more = 0) const {
    const gpt2::Hparams& h = model_.hparams();
    const uint64_t n = h.n_embd;
    const uint64_t weights = 4 * (12 * n * n * h.n_layer + n * (uint64_t{h.n_vocab} + h.n_ctx));
    const uint64_t cache = 8 * n * h.n_layer * (size() + tokens_more + 16);
    return 20'000'000 + (weights / 65536 + 1) * 80'000 + (cache / 65536 + 1) * 160'000;
  }

  uint32_t run() const { return run_; }  // tokens that went through the model
  uint32_t size() const { return session_.size(); }
  uint32_t capacity() const { return session_.capacity(); }
  std::span<const gpt2::TokenId> tokens() const { return session_.tokens(); }

  // Bytes of the heap that keys and values take.
  uint64_t cache_bytes() const {
    const gpt2::Hparams& h = model_.hparams();
    return uint64_t{8} * h.n_embd * h.n_layer * (run_ + 16);
  }

 private:
  const EngineModel& model_;
  gpt2::Session session_;
  uint32_t run_ = 0;
};

// What running the tokens from `cached` to `prompt` and then drawing `output` more comes to.
struct WorkCost {
  uint64_t instructions;      // without page charges: expected
  uint64_t instructions_max;  // and at most
  uint64_t page_charges;      // of each message
};

inline WorkCost CostOf(const EngineModel& model, uint32_t cached, uint32_t prompt,
                       uint32_t output) {
  const gpt2::Hparams& h = model.hparams();
  const uint64_t n = h.n_embd, first = cached, last = uint64_t{prompt} + output;
  const uint64_t tokens = last - first;
  const uint64_t products = 12 * n * n * h.n_layer * tokens +
                            n * h.n_layer * (last * last - first * first) +
                            uint64_t{output} * h.n_vocab * n;
  EngineSession session(model);
  return {products * 46 / 10, products * 6, session.PageCharges(prompt + output)};
}

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_ENGINE_H_
