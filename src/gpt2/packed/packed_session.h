#ifndef GPT2IC_GPT2_PACKED_PACKED_SESSION_H_
#define GPT2IC_GPT2_PACKED_PACKED_SESSION_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/result.h"
#include "gpt2/kernels/int_attention.h"
#include "gpt2/kernels/int_kv_cache.h"
#include "gpt2/kernels/strassen.h"
#include "gpt2/packed/packed_model.h"
#include "gpt2/token_id.h"

namespace gpt2 {

// The parts of a token's work, for a benchmark.
enum class Phase : uint8_t { kRest, kMatrix, kAttention, kNormAndActivation };

// Told when the work of a session turns from one phase to another.
class PhaseObserver {
 public:
  virtual ~PhaseObserver() = default;
  virtual void Enter(Phase phase) = 0;
};

// One text in the making on a packed model: the same interface as Session (session.h), which is the
// float32 reference. May stop after any Step and go on in another message; neither that nor how the
// text was cut into Appends changes a bit of the logits. The model must outlive the session.
//
// A message of a canister that may still spend Left():
//
//   uint64_t pages = session.PageCharges();  // until the first logits of the message
//   while (!session.Prefilled() && session.StepCost() + pages <= Left())
//     session.Step(Left() - pages);
//   if (session.Prefilled() && session.LogitsCost() + pages <= Left())
//     Sample(session.Logits(), ...), pages = 0;
class PackedSession {
 public:
  explicit PackedSession(const PackedModel& model);

  // Takes tokens in, without running them. Err, and no change, if an id is not in the vocabulary or
  // the context would overflow.
  base::Status Append(std::span<const TokenId> tokens);

  // Another text from its beginning, as in a new session. Keys and values are given back, the space
  // for a step's work stays: to make it costs as many instructions as it has bytes.
  void Restart();

  bool Prefilled() const { return run_ == tokens_.size(); }  // every token taken in has been run

  // Runs the next tokens, at most tokens_max, as many at once as BatchTokens says and
  // `instructions_max` allows, or else one. Requires !Prefilled() and tokens_max > 0.
  void Step(uint64_t instructions_max = UINT64_MAX, uint32_t tokens_max = UINT32_MAX);

  // How many of `left` tokens are best run at once: a multiple of kStrassenTokens where the model's
  // matrices allow, else kPrefillTokens, else 1.
  static uint32_t BatchTokens(const PackedModel& model, uint32_t left);
  // The space that a batch of so many takes, keys and values apart: at most these bytes.
  static uint64_t BatchBytes(const PackedModel& model, uint32_t tokens);

  // For a text that is known already: runs the next tokens, as many at once as BatchTokens says,
  // and computes the logits behind each, all at once. Gives how many they were.
  // The same bits as Step and Logits give token by token. Requires !Prefilled().
  uint32_t StepAllLogits();
  // The logits [n_vocab] that follow token i of the last StepAllLogits; valid until the next call
  // that is not const.
  std::span<const float> LogitsOf(uint32_t i);

  // The logits [n_vocab] that follow the last token; valid until the next call that is not const.
  // The head is computed at the first call for a position. Requires Prefilled() and size() > 0.
  std::span<const float> Logits();

  // Upper bounds of what comes next, in instructions. StepCost: the smallest Step, of one token,
  // with the page charges of the keys and values it adds. LogitsCost: Logits. PageCharges: what a
  // message pays once for the pages it meets, keys and values of the tokens taken in and of
  // `tokens_more` others among them.
  uint64_t StepCost() const { return TokenCost(run_); }
  uint64_t LogitsCost() const;
  uint64_t TokenCost(uint32_t pos) const { return BatchCost(pos, 1); }  // StepCost at position pos
  uint64_t PageCharges(uint32_t tokens_more = 0) const;

  uint32_t size() const { return static_cast<uint32_t>(tokens_.size()); }
  uint32_t run() const { return run_; }  // tokens that have been run
  uint32_t capacity() const { return model_->hparams().n_ctx; }
  uint64_t cache_bytes() const { return kv_.bytes(); }  // of keys and values
  std::span<const TokenId> tokens() const { return tokens_; }

  void set_observer(PhaseObserver* observer) { observer_ = observer; }

 private:
  // A product's input: quantised activations of each token of a batch, zeros behind them.
  struct Inputs {
    explicit Inputs(uint64_t n_in) : stride(static_cast<uint32_t>(RoundUp(n_in, kInputPadding))) {}
    void Resize(uint32_t tokens) {
      acts = std::vector<int16_t>(size_t{tokens} * stride);
      steps.resize(tokens);
    }
    int16_t* Row(uint32_t t) { return acts.data() + size_t{t} * stride; }

    uint32_t stride;
    std::vector<int16_t> acts;  // [t, stride]
    std::vector<float> steps;   // [t] value of one step of a row
  };
  // Tokens of a batch, [first, first + count): all of them, or one.
  struct Span {
    uint32_t first, count;
  };

  // Of a Step of `count` tokens of which pos is the last, at most.
  uint64_t BatchCost(uint32_t pos, uint32_t count) const;
  void Resize(uint32_t rows);
  // Beyond the keys and values of its last layer goes what `full` says of a batch.
  enum class Full : uint8_t { kLast, kAll };
  void RunBatch(uint32_t count, Full full);
  void Layer(uint32_t layer, uint32_t count, Span full);
  void NormQuantize(const NormView& norm, Span span);
  void Product(const IntMatrix& m, Inputs& inputs, Span span, uint32_t first_block = 0);
  Sums SumsOf(Span span, uint32_t t) const {
    return {sums_.data() + 4 * size_t{t - span.first}, 4 * span.count};
  }
  void Add(const IntMatrix& m, const Inputs& inputs, Span span);
  const float* Head(const float* row, uint32_t head);
  void StoreKeysAndValues(uint32_t layer, uint32_t pos);
  void Attend(uint32_t layer, uint32_t pos, uint32_t t);
  float* Residual(uint32_t t) { return x_.data() + size_t{t} * n_embd4_; }
  void Enter(Phase phase) {
    if (observer_ != nullptr) observer_->Enter(phase);
  }

  const PackedModel* model_;
  uint32_t n_embd4_;  // n_embd, padded to a multiple of 4
  float attention_scale_;
  std::vector<TokenId> tokens_;
  uint32_t run_ = 0;  // tokens that went through the blocks
  IntKvCache kv_;
  AttentionScratch attention_;
  PhaseObserver* observer_ = nullptr;

  uint32_t rows_ = 0;              // tokens that there is space for in a batch
  Inputs inputs_, hidden_inputs_;  // of the products that take n_embd and 4*n_embd
  MatmulScratch matmul_;
  std::vector<float> x_;         // [t, n_embd4]  the residual stream of a batch
  std::vector<float> qkv_;       // [3*n_embd]    of one token
  std::vector<float> head_;      // [head_dim4]   of one head, when head_dim is no multiple of 4
  std::vector<float> scratch_;   // [4*n_embd]
  std::vector<float> sums_;      // [blocks, t, 4]  what a product gives
  std::vector<float> logits_;    // [n_vocab]
  std::vector<float> all_sums_;  // of StepAllLogits: groups of [blocks of the head, 8 or 1, 4]
  uint32_t all_count_ = 0;       // tokens in them
  uint32_t last_ = 0;            // row of x_ with the last token of the last batch
  uint32_t logits_of_ = 0;       // how many tokens logits_ follows; 0: none yet
};

}  // namespace gpt2

#endif  // GPT2IC_GPT2_PACKED_PACKED_SESSION_H_
