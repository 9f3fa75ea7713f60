#include "gpt2/packed/packed_session.h"

#include <algorithm>
#include <cmath>

namespace gpt2 {
namespace {

// Upper bounds of instructions for estimates, from docs/bench.md with some 3% added.
struct Rates {
  double product, product_exact, product_any;  // per multiply-add of one token
  double few, few_exact;                       // of one of kPrefillTokens at once
  double many;                                 // of one of kStrassenTokens or more
  double channel;                              // floats of a token, per channel of n_embd and layer
  double attention;  // per channel and position, positions in blocks of 32
  double logit;      // per logit, the product apart
};
constexpr Rates kRates = {0.66, 0.70, 3.0, 0.56, 0.60, 0.53, 230, 2.2, 8};
constexpr uint64_t kPageBytes = 65536, kPageRead = 80'000, kPageWritten = 160'000;

uint64_t Pages(uint64_t bytes) { return bytes / kPageBytes + 2; }

// Per token.
double ProductCost(const IntMatrix& m, uint32_t together) {
  const double macs = 4.0 * m.blocks * m.n_in;
  const bool exact = m.weights8 == nullptr;
  if (m.n_in % ChunkInputs(m.n_in) != 0) return macs * kRates.product_any;
  if (together >= kStrassenTokens) return macs * kRates.many;
  if (together == 1) return macs * (exact ? kRates.product_exact : kRates.product);
  return macs * (exact ? kRates.few_exact : kRates.few);
}

// Inputs that the sums of Strassen's method span, at most.
uint32_t WidestChunk(const PackedModel& model) {
  const PackedModel::Block& block = model.h()[0];
  return std::max(ChunkInputs(block.c_fc.n_in), ChunkInputs(block.mlp_c_proj.n_in));
}

}  // namespace

PackedSession::PackedSession(const PackedModel& model)
    : model_(&model),
      n_embd4_(static_cast<uint32_t>(RoundUp(model.hparams().n_embd, 4))),
      attention_scale_(1.0f / std::sqrt(static_cast<float>(model.hparams().head_dim()))),
      kv_(model.hparams()),
      inputs_(model.hparams().n_embd),
      hidden_inputs_(uint64_t{4} * model.hparams().n_embd),
      qkv_(size_t{3} * model.hparams().n_embd + 4),
      head_(kv_.head_dim4()),
      scratch_(size_t{4} * n_embd4_) {
  Resize(kPrefillTokens);
}

// Forgets what is in them but the residual stream of the last token.
void PackedSession::Resize(uint32_t rows) {
  std::vector<float> x(size_t{rows} * n_embd4_);
  if (rows_ > 0) std::copy_n(Residual(last_), n_embd4_, x.data());
  last_ = 0;
  rows_ = rows;
  x_ = std::move(x);
  inputs_.Resize(rows);
  hidden_inputs_.Resize(rows);
  sums_ = std::vector<float>(size_t{4} * n_embd4_ * rows);
  matmul_ = MatmulScratch();
  if (rows > kPrefillTokens) ReserveStrassen(n_embd4_, WidestChunk(*model_), rows, matmul_);
}

base::Status PackedSession::Append(std::span<const TokenId> tokens) {
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

void PackedSession::Restart() {
  tokens_.clear();
  run_ = logits_of_ = all_count_ = last_ = 0;
  kv_.Clear();
  if (rows_ > kPrefillTokens) Resize(kPrefillTokens);
}

uint32_t PackedSession::BatchTokens(const PackedModel& model, uint32_t left) {
  const PackedModel::Block& block = model.h()[0];
  if (left >= kStrassenTokens && StrassenTakes(block.c_fc, block.c_fc.blocks) &&
      StrassenTakes(block.mlp_c_proj, block.mlp_c_proj.blocks)) {
    return std::min(left, kStrassenTokensMax) / kStrassenTokens * kStrassenTokens;
  }
  return left >= kPrefillTokens ? kPrefillTokens : 1;
}

uint64_t PackedSession::BatchBytes(const PackedModel& model, uint32_t tokens) {
  const uint64_t n_embd = model.hparams().n_embd + 4;
  const uint64_t rows = uint64_t{60} * std::max(tokens, kPrefillTokens) * n_embd;
  return tokens < kStrassenTokens ? rows : rows + 2 * n_embd * WidestChunk(model);
}

void PackedSession::Step(uint64_t instructions_max, uint32_t tokens_max) {
  CHECK(!Prefilled() && tokens_max > 0);
  uint32_t count = BatchTokens(*model_, std::min(size() - run_, tokens_max));
  while (count > 1 && BatchCost(run_ + count - 1, count) > instructions_max) {
    count = BatchTokens(*model_, count - 1);
  }
  if (count > rows_) Resize(count);
  RunBatch(count, Full::kLast);
  if (Prefilled() && rows_ > kPrefillTokens) Resize(kPrefillTokens);  // the chat may be long idle
}

void PackedSession::RunBatch(uint32_t count, Full full) {
  Enter(Phase::kRest);
  for (uint32_t t = 0; t < count; ++t) {
    model_->Embed(tokens_[run_ + t], run_ + t, Residual(t));
    kv_.Reserve(run_ + t);
  }
  const uint32_t n_layer = model_->hparams().n_layer;
  for (uint32_t layer = 0; layer + 1 < n_layer; ++layer) Layer(layer, count, {0, count});
  // What the last layer makes of a token is only needed where logits may be asked for.
  const bool at_end = run_ + count == size();
  if (full == Full::kAll) {
    Layer(n_layer - 1, count, {0, count});
  } else {
    Layer(n_layer - 1, count, at_end ? Span{count - 1, 1} : Span{count, 0});
  }
  last_ = count - 1;
  run_ += count;
}

// One block of the model. All `count` tokens of the batch leave their keys and values; only those
// of `full` go on from there: all of them, the last, or none.
void PackedSession::Layer(uint32_t layer, uint32_t count, Span full) {
  const PackedModel::Block& block = model_->h()[layer];
  const uint32_t query_blocks = full.first == 0 ? 0 : model_->hparams().n_embd / kBlockRows;
  const Span all{0, count};
  Enter(Phase::kNormAndActivation);
  NormQuantize(block.ln_1, all);                      // [t, n_embd]
  Product(block.c_attn, inputs_, all, query_blocks);  // -> [t, 3*n_embd], or without queries
  for (uint32_t t = 0; t < count; ++t) {
    Enter(Phase::kRest);
    Dequantize(SumsOf(all, t), block.c_attn, query_blocks, block.c_attn.blocks - query_blocks,
               inputs_.steps[t], qkv_.data() + size_t{4} * query_blocks);
    StoreKeysAndValues(layer, run_ + t);
    if (t >= full.first && query_blocks == 0) Attend(layer, run_ + t, t);  // -> [t, n_embd]
  }
  if (full.count == 0) return;
  if (query_blocks != 0) {  // of the last token alone
    Enter(Phase::kMatrix);
    Multiply(block.c_attn, 0, query_blocks + (model_->hparams().n_embd % kBlockRows != 0),
             inputs_.Row(full.first), sums_.data());
    Enter(Phase::kRest);
    Dequantize({sums_.data(), 4}, block.c_attn, 0, n_embd4_ / 4, inputs_.steps[full.first],
               scratch_.data());
    std::copy_n(scratch_.data(), model_->hparams().n_embd, qkv_.data());
    Attend(layer, run_ + full.first, full.first);
  }
  Product(block.attn_c_proj, inputs_, full);  // -> [t, n_embd]
  Add(block.attn_c_proj, inputs_, full);

  NormQuantize(block.ln_2, full);      // [t, n_embd]
  Product(block.c_fc, inputs_, full);  // -> [t, 4*n_embd]
  Enter(Phase::kNormAndActivation);
  for (uint32_t t = full.first; t < full.first + full.count; ++t) {
    hidden_inputs_.steps[t] = GeluQuantize(SumsOf(full, t), block.c_fc, inputs_.steps[t],
                                           scratch_.data(), hidden_inputs_.Row(t));
  }
  Product(block.mlp_c_proj, hidden_inputs_, full);  // -> [t, n_embd]
  Add(block.mlp_c_proj, hidden_inputs_, full);
}

void PackedSession::NormQuantize(const NormView& norm, Span span) {
  Enter(Phase::kNormAndActivation);
  const Hparams& hparams = model_->hparams();
  for (uint32_t t = span.first; t < span.first + span.count; ++t) {
    inputs_.steps[t] =
        LayerNormQuantize(Residual(t), hparams.n_embd, norm, hparams.layer_norm_epsilon,
                          scratch_.data(), inputs_.Row(t));
  }
}

void PackedSession::Product(const IntMatrix& m, Inputs& inputs, Span span, uint32_t first_block) {
  Enter(Phase::kMatrix);
  const int16_t* acts = inputs.Row(span.first);
  const uint32_t blocks = m.blocks - first_block;
  if (span.count == 1) return Multiply(m, first_block, blocks, acts, sums_.data());
  if (span.count == kPrefillTokens) {
    return MultiplyTokens(m, first_block, blocks, acts, sums_.data(), matmul_);
  }
  MultiplyStrassen(m, first_block, blocks, acts, span.count, sums_.data(), matmul_);
}

void PackedSession::Add(const IntMatrix& m, const Inputs& inputs, Span span) {
  Enter(Phase::kRest);
  for (uint32_t t = span.first; t < span.first + span.count; ++t) {
    AddDequantized(SumsOf(span, t), m, inputs.steps[t], Residual(t));
  }
}

// A head's part of a row, padded with zeros.
const float* PackedSession::Head(const float* row, uint32_t head) {
  const uint32_t head_dim = model_->hparams().head_dim();
  const float* from = row + size_t{head} * head_dim;
  if (head_dim % 4 == 0) return from;
  std::copy_n(from, head_dim, head_.data());
  return head_.data();
}

void PackedSession::StoreKeysAndValues(uint32_t layer, uint32_t pos) {
  const Hparams& hparams = model_->hparams();
  const float* keys = qkv_.data() + hparams.n_embd;
  const float* values = keys + hparams.n_embd;
  for (uint32_t head = 0; head < hparams.n_head; ++head) {
    kv_.StoreKey(layer, head, pos, Head(keys, head));
    kv_.StoreValue(layer, head, pos, Head(values, head));
  }
}

void PackedSession::Attend(uint32_t layer, uint32_t pos, uint32_t t) {
  Enter(Phase::kAttention);
  const Hparams& hparams = model_->hparams();
  const uint32_t head_dim = hparams.head_dim();
  const bool padded = head_dim % 4 != 0;
  for (uint32_t head = 0; head < hparams.n_head; ++head) {
    float* out = scratch_.data() + size_t{head} * head_dim;
    float* to = padded ? head_.data() : out;
    IntAttention(Head(qkv_.data(), head), attention_scale_, kv_, layer, head, pos, attention_, to);
    if (padded) {
      std::copy_n(to, head_dim, out);
      std::fill(head_.begin(), head_.end(), 0.0f);
    }
  }
  std::fill(scratch_.data() + hparams.n_embd, scratch_.data() + n_embd4_, 0.0f);
  const uint32_t n4 = n_embd4_ / 4;
  inputs_.steps[t] = Quantize(scratch_.data(), n4, AbsMax(scratch_.data(), n4), inputs_.Row(t));
}

std::span<const float> PackedSession::Logits() {
  CHECK(Prefilled() && run_ > 0);
  if (logits_of_ == run_) return logits_;
  const IntMatrix& head = model_->head();
  const size_t padded = size_t{4} * head.blocks;
  logits_.resize(padded);
  NormQuantize(model_->ln_f(), {last_, 1});
  Enter(Phase::kMatrix);
  Multiply(head, 0, head.blocks, inputs_.Row(last_), logits_.data());
  Enter(Phase::kRest);
  Dequantize({logits_.data(), 4}, head, 0, head.blocks, inputs_.steps[last_], logits_.data());
  logits_.resize(model_->hparams().n_vocab);
  logits_of_ = run_;
  return logits_;
}

uint32_t PackedSession::StepAllLogits() {
  CHECK(!Prefilled());
  all_count_ = BatchTokens(*model_, size() - run_);
  if (all_count_ > rows_) Resize(all_count_);
  RunBatch(all_count_, Full::kAll);
  const IntMatrix& head = model_->head();
  NormQuantize(model_->ln_f(), {0, all_count_});
  Enter(Phase::kMatrix);
  all_sums_.resize(size_t{4} * head.blocks * all_count_);
  if (all_count_ == 1) {
    Multiply(head, 0, head.blocks, inputs_.Row(0), all_sums_.data());
  } else {
    for (uint32_t t = 0; t < all_count_; t += kPrefillTokens) {
      MultiplyTokens(head, 0, head.blocks, inputs_.Row(t),
                     all_sums_.data() + size_t{4} * head.blocks * t, matmul_);
    }
  }
  logits_of_ = 0;
  return all_count_;
}

std::span<const float> PackedSession::LogitsOf(uint32_t i) {
  CHECK(i < all_count_);
  const IntMatrix& head = model_->head();
  const uint32_t together = std::min(all_count_, kPrefillTokens), group = i / together * together;
  const float* sums = all_sums_.data() + size_t{4} * (size_t{head.blocks} * group + i - group);
  logits_.resize(size_t{4} * head.blocks);
  Dequantize({sums, 4 * together}, head, 0, head.blocks, inputs_.steps[i], logits_.data());
  logits_.resize(model_->hparams().n_vocab);
  logits_of_ = 0;
  return logits_;
}

uint64_t PackedSession::BatchCost(uint32_t pos, uint32_t count) const {
  const Hparams& hparams = model_->hparams();
  const PackedModel::Block& block = model_->h()[0];
  const double products = ProductCost(block.c_attn, count) + ProductCost(block.attn_c_proj, count) +
                          ProductCost(block.c_fc, count) + ProductCost(block.mlp_c_proj, count);
  const double positions = (pos / IntKvCache::kBlockPositions + 1) * IntKvCache::kBlockPositions;
  const double channels = hparams.n_embd + 64.0 * hparams.n_head;
  const double layer = products + channels * (kRates.channel + kRates.attention * positions);
  // Blocks of keys and values that begin with one of these tokens.
  const uint32_t before = pos + 1 - count;
  const uint32_t blocks = pos / IntKvCache::kBlockPositions + 1 -
                          (before + IntKvCache::kBlockPositions - 1) / IntKvCache::kBlockPositions;
  const uint64_t pages = blocks * Pages(kv_.block_bytes()) * kPageWritten;
  return static_cast<uint64_t>(count * hparams.n_layer * layer) + pages + 100'000;
}

uint64_t PackedSession::LogitsCost() const {
  const double logits = 4.0 * model_->head().blocks * kRates.logit;
  return static_cast<uint64_t>(ProductCost(model_->head(), 1) + logits) + 100'000;
}

uint64_t PackedSession::PageCharges(uint32_t tokens_more) const {
  const uint64_t positions = std::min<uint64_t>(size() + uint64_t{tokens_more}, capacity());
  const uint64_t blocks = positions / IntKvCache::kBlockPositions + 1;
  const uint32_t batch = BatchTokens(*model_, size() + tokens_more - run_);
  const uint64_t scratch = BatchBytes(*model_, batch) + 12 * uint64_t{model_->hparams().n_vocab};
  return Pages(model_->file_bytes()) * kPageRead +
         blocks * Pages(kv_.block_bytes()) * kPageWritten + Pages(scratch) * kPageWritten;
}

}  // namespace gpt2
