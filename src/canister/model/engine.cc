#include "canister/model/engine.h"

#include <numeric>

#include "base/check.h"
#include "canister/sdk/canister.h"
#include "gpt2/kernels/int_attention.h"
#include "gpt2/sampler/sampler.h"

namespace model {
namespace {

constexpr uint32_t kBatch = gpt2::kPrefillTokens;
constexpr uint32_t kMany = gpt2::kStrassenTokens;
constexpr uint64_t kManyShare = 13;  // the sums of weights are 1/13 of a step of kMany tokens
// All of it, page charges included: loading the model may be in the same message, and that a
// callback of 38 B.
constexpr uint64_t kMeasureMost = 33'000'000'000;
constexpr uint32_t kBlock = gpt2::IntKvCache::kBlockPositions;
// Around the model: the job's text, candid, and the pages of these and of the tokenizer. Measured
// on the demo model, where they show; a hundredth of that for GPT-2's own shape.
constexpr uint64_t kMessageOverhead = 700'000, kTokenOverhead = 30'000;
constexpr uint64_t kPageBytes = 65536, kPageRead = 80'000, kPageWritten = 160'000;

// Instructions of work(), page charges of what it meets for the first time included.
template <class Work>
uint64_t Measured(Work work) {
  const uint64_t before = sdk::InstructionsUsed();
  work();
  return sdk::InstructionsUsed() - before;
}

void MeasureSteps(const EngineModel& model, Rates& rates) {
  const uint32_t n_ctx = model.hparams().n_ctx;
  if (n_ctx < 2 * kBatch + 2) return;  // no model that anyone uses
  EngineSession session(model);
  const std::vector<gpt2::TokenId> tokens(2 * kBatch, 0);
  CHECK(session.Append(tokens).has_value());
  rates.batch = Measured([&] { session.Step(); });
  rates.batch_end = Measured([&] { session.Step(); });
  CHECK(session.Append({tokens.data(), 2}).has_value());
  rates.single = Measured([&] { session.Step(); });
  rates.single_end = Measured([&] { session.Step(); });
  std::span<const float> logits;
  rates.logits = Measured([&] { logits = session.Logits(); });
  rates.greedy = Measured([&] { gpt2::Sample(logits, {}, 0); });
  rates.sampled = Measured([&] { gpt2::Sample(logits, {.temperature = 1}, 0); });
}

// One head's attention over one block of positions and over two.
uint64_t AttentionBlock(const gpt2::Hparams& h) {
  gpt2::IntKvCache kv({h.n_vocab, 2 * kBlock, h.head_dim(), 1, 1});
  const std::vector<float> row(kv.head_dim4());
  std::vector<float> out(kv.head_dim4());
  gpt2::AttentionScratch scratch;
  for (uint32_t pos = 0; pos < 2 * kBlock; ++pos) {
    kv.Reserve(pos);
    kv.StoreKey(0, 0, pos, row.data());
    kv.StoreValue(0, 0, pos, row.data());
  }
  const auto attend = [&](uint32_t pos) {
    return Measured([&] { gpt2::IntAttention(row.data(), 1, kv, 0, 0, pos, scratch, out.data()); });
  };
  attend(2 * kBlock - 1);  // makes its space
  const uint64_t one = attend(kBlock - 1);
  return uint64_t{h.n_layer} * h.n_head * (attend(2 * kBlock - 1) - one);
}

// A prompt of `count` tokens, run at once.
uint64_t MeasurePrompt(const EngineModel& model, uint32_t count) {
  EngineSession session(model);
  const std::vector<gpt2::TokenId> tokens(count, 0);
  CHECK(session.Append(tokens).has_value());
  return Measured([&] { session.Step(); });
}

// How many blocks of positions beyond one the tokens first .. last-1 look back to.
uint64_t BlocksOf(uint32_t first, uint32_t last) {
  uint64_t blocks = 0;
  for (uint32_t pos = first; pos < last; ++pos) blocks += pos / kBlock;
  return blocks;
}

// The attention beyond one block of a prompt's tokens first .. last-1: they stop short of the last
// layer's.
uint64_t AttentionOf(const EngineModel& model, const Rates& rates, uint32_t first, uint32_t last) {
  const uint64_t n_layer = model.hparams().n_layer;
  return rates.attention_block * BlocksOf(first, last) / n_layer * (n_layer - 1);
}

// What is run to measure a model: as much as a message has room for.
struct Trial {
  uint32_t rounds;  // of MeasureSteps; two tell page charges from instructions
  uint32_t many;    // tokens in prompts that are run at once
  uint64_t cost;    // at most
};
Trial TrialOf(const EngineModel& model) {
  const EngineSession session(model);
  const uint64_t token = session.TokenCost(kBlock - 1), step = 2 * kBatch + 4;
  Trial trial{2, 0, 2 * session.LogitsCost() + session.PageCharges()};
  const auto takes = [&](uint64_t tokens, uint64_t most) {
    return trial.cost + tokens * token <= most;
  };
  if (!takes(2 * step, kMeasureMost / 2)) trial.rounds = 1;
  trial.cost += trial.rounds * step * token;
  const bool has_many = model.hparams().n_ctx >= 2 * kMany &&
                        EngineSession::BatchTokens(model, 2 * kMany) == 2 * kMany;
  if (has_many) trial.many = takes(3 * kMany, kMeasureMost) ? 3 * kMany : kMany;
  if (!takes(trial.many, kMeasureMost)) trial.many = 0;
  trial.cost += trial.many * token;
  return trial;
}

// What many at once cost is a straight line: two points of it. A model so large that only one fits
// has the share of the sums of weights that other shapes have; the largest are quoted at what few
// at once cost a token, which is more.
void MeasureMany(const EngineModel& model, uint32_t many, Rates& rates) {
  const auto measured = [&](uint32_t tokens) {
    return MeasurePrompt(model, tokens) - AttentionOf(model, rates, 0, tokens) -
           (rates.batch_end - rates.batch);
  };
  if (many == 0) {
    rates.many_token = rates.batch / kBatch;
  } else if (many == kMany) {
    const uint64_t of_one = measured(kMany);
    rates.many = of_one / kManyShare;
    rates.many_token = (of_one - rates.many) / kMany;
  } else {
    const uint64_t of_two = measured(2 * kMany), of_one = measured(kMany);
    rates.many_token = (of_two - of_one) / kMany;
    rates.many = of_one - kMany * rates.many_token;
  }
}

// Running the tokens from `cached` to `prompt`, without attention beyond one block.
uint64_t PrefillCost(const EngineModel& model, const Rates& rates, uint32_t cached,
                     uint32_t prompt) {
  uint64_t cost = 0;
  for (uint32_t left = prompt - cached, count = 0; left > 0; left -= count) {
    count = EngineSession::BatchTokens(model, left);
    const bool ends = count == left;
    if (count == 1) {
      cost += ends ? rates.single_end : rates.single;
    } else {
      cost += count == kBatch ? rates.batch : rates.many + count * rates.many_token;
      if (ends) cost += rates.batch_end - rates.batch;
    }
  }
  return cost;
}

}  // namespace

uint64_t MeasureCost(const EngineModel& model) { return TrialOf(model).cost; }

Rates MeasureRates(const EngineModel& model) {
  const Trial trial = TrialOf(model);
  Rates rates;
  const uint64_t first = Measured([&] { MeasureSteps(model, rates); });
  if (trial.rounds == 2) {
    const uint64_t second = Measured([&] { MeasureSteps(model, rates); });
    // The model has just been loaded: its pages are met already in this message, what a message
    // needs besides is met in the first round.
    rates.page_charges = (model.file_bytes() / kPageBytes + 1) * kPageRead + first - second;
  } else {
    rates.page_charges = EngineSession(model).PageCharges();
  }
  const gpt2::Hparams& h = model.hparams();
  rates.attention_block = AttentionBlock(h);
  rates.block_bytes = gpt2::IntKvCache(h).block_bytes();
  rates.context_bytes = rates.block_bytes * ((h.n_ctx + kBlock - 1) / kBlock);
  MeasureMany(model, trial.many, rates);
  return rates;
}

WorkCost CostOf(const EngineModel& model, const Rates& rates, uint32_t cached, uint32_t prompt,
                uint32_t output, bool sampled) {
  WorkCost cost{};
  cost.instructions = PrefillCost(model, rates, cached, prompt);
  const uint32_t decoded = output == 0 ? 0 : output - 1;  // the last is drawn and not run
  cost.instructions +=
      output * (kTokenOverhead + rates.logits + (sampled ? rates.sampled : rates.greedy)) +
      decoded * rates.single_end;
  const uint32_t last = prompt == cached ? prompt : prompt - 1;
  cost.instructions += AttentionOf(model, rates, cached, last) +
                       rates.attention_block * BlocksOf(last, prompt + decoded);
  const uint64_t blocks = (prompt + decoded) / kBlock;
  cost.page_charges = rates.page_charges + kMessageOverhead +
                      blocks * rates.block_bytes * kPageWritten / kPageBytes;
  const uint32_t batch = EngineSession::BatchTokens(model, prompt - cached);
  if (batch > kBatch) {
    cost.page_charges += EngineSession::BatchBytes(model, batch) * kPageWritten / kPageBytes;
  }
  return cost;
}

}  // namespace model
