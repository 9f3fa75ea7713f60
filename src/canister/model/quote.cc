#include "canister/model/quote.h"

#include <algorithm>

namespace model {
namespace {

constexpr uint64_t kExecutionFee = 5'000'000;

}  // namespace

Quote QuoteOf(const State& state, const Plan& plan) {
  Quote quote;
  quote.prompt_tokens = plan.prompt_tokens;
  quote.max_tokens = plan.max_tokens;
  const EngineModel& model = *state.ready->model;
  const WorkCost cost = CostOf(model, plan.cached_tokens, plan.prompt_tokens, plan.max_tokens);
  const uint64_t own = state.gate.policy().instructions_per_message.value_or(kUpdateInstructions);
  const uint64_t room = std::min(own, kCallbackInstructions) - cost.page_charges;
  quote.messages = static_cast<uint32_t>(1 + cost.instructions / room);
  quote.instructions_expected = cost.instructions + quote.messages * cost.page_charges;
  quote.instructions_max = cost.instructions_max + (quote.messages + 1) * cost.page_charges;
  quote.cycles_expected = quote.instructions_expected + Cycles{quote.messages} * kExecutionFee;
  // A waiting call also pays for calling itself.
  quote.cycles_max = quote.instructions_max + Cycles{quote.messages + 1} * 3 * kExecutionFee;
  return quote;
}

}  // namespace model
