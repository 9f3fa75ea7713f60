#ifndef GPT2IC_CANISTER_MODEL_QUOTE_H_
#define GPT2IC_CANISTER_MODEL_QUOTE_H_

#include "canister/model/prompt.h"
#include "canister/model/scheduler.h"

namespace model {

// What a request comes to, before anything is changed.
struct Plan {
  JobKind kind = JobKind::kPolled;
  RenderedPrompt prompt;
  ChatSession* session = nullptr;  // null: a new one
  uint32_t drop = 0;               // of its oldest tokens
  uint32_t prompt_tokens = 0, cached_tokens = 0, max_tokens = 0;
  std::optional<gpt2::TokenId> end_token;
  Sampling sampling;
};

// Err: every reason why the request cannot be run on this model, with code and sentence.
Answer<Plan> MakePlan(State& state, const candid::Principal& caller, JobKind kind,
                      const GenerateArgs& args);

Quote QuoteOf(const State& state, const Plan& plan);

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_QUOTE_H_
