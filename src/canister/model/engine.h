#ifndef GPT2IC_CANISTER_MODEL_ENGINE_H_
#define GPT2IC_CANISTER_MODEL_ENGINE_H_

#include "candid/typed.h"
#include "gpt2/packed/packed_session.h"

namespace model {

// What the canister computes with.
using EngineModel = gpt2::PackedModel;
using EngineSession = gpt2::PackedSession;

// What each piece of work on this model costs, in instructions without page charges. Not a formula:
// measured with the IC's own counter when the model is loaded, on a few tokens. Counts do not
// depend on the numbers computed, so what was measured is what will be spent.
struct Rates {
  uint64_t batch = 0, batch_end = 0;    // a prefill step of a few tokens; the last of a prompt
  uint64_t many = 0, many_token = 0;    // of 32 or more at once: for all, and for each of them
  uint64_t single = 0, single_end = 0;  // of one token
  uint64_t logits = 0;
  uint64_t greedy = 0, sampled = 0;  // choosing a token
  uint64_t attention_block = 0;      // of a token, for each further 32 positions it looks back to
  uint64_t page_charges = 0;         // of a message, with one block of keys and values
  // Of memory: keys and values of 32 positions, and of a whole context.
  uint64_t block_bytes = 0, context_bytes = 0;
};

// Runs 18 tokens of the model twice, the first time to meet the pages, and 96 more where it takes
// many at once; of large models less, so that it fits a message in which the model was loaded.
Rates MeasureRates(const EngineModel& model);
// What that costs at most, page charges included.
uint64_t MeasureCost(const EngineModel& model);

// What running the tokens from `cached` to `prompt` and then drawing `output` more comes to.
struct WorkCost {
  uint64_t instructions;  // without page charges
  uint64_t page_charges;  // of each message
};
WorkCost CostOf(const EngineModel& model, const Rates& rates, uint32_t cached, uint32_t prompt,
                uint32_t output, bool sampled);

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_ENGINE_H_
