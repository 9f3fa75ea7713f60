#ifndef GPT2IC_CANISTER_MODEL_ENGINE_H_
#define GPT2IC_CANISTER_MODEL_ENGINE_H_

#include "gpt2/packed/packed_session.h"

namespace model {

// What the canister computes with.
using EngineModel = gpt2::PackedModel;
using EngineSession = gpt2::PackedSession;

// What running the tokens from `cached` to `prompt` and then drawing `output` more comes to.
struct WorkCost {
  uint64_t instructions;      // without page charges
  uint64_t instructions_max;  // the same, at most
  uint64_t page_charges;      // of each message, at most
};
WorkCost CostOf(const EngineModel& model, uint32_t cached, uint32_t prompt, uint32_t output);

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_ENGINE_H_
