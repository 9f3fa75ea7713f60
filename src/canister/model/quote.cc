#include "canister/model/quote.h"

#include <algorithm>

#include "canister/model/sampling_plan.h"

namespace model {
namespace {

constexpr uint64_t kExecutionFee = 5'000'000;

}  // namespace

Quote QuoteOf(const State& state, const Plan& plan) {
  Quote quote;
  quote.prompt_tokens = plan.prompt_tokens;
  quote.max_tokens = plan.max_tokens;
  const Ready& ready = *state.ready;
  const WorkCost cost = CostOf(*ready.model, ready.rates, plan.cached_tokens, plan.prompt_tokens,
                               plan.max_tokens, *plan.sampling.temperature > 0);
  const uint64_t own = state.gate.policy().instructions_per_message.value_or(kUpdateInstructions);
  const uint64_t room =
      std::max<uint64_t>(std::min(own, kCallbackInstructions) - cost.page_charges, 100'000'000);
  quote.messages = static_cast<uint32_t>(1 + cost.instructions / room);
  quote.instructions_expected = cost.instructions + quote.messages * cost.page_charges;
  // Penalties and logprobs look at every logit once more; a queue may cut the work into more
  // messages.
  quote.instructions_max =
      cost.instructions + cost.instructions / 20 +
      LogitCostMax(plan.sampling) * plan.max_tokens * ready.config.hparams.n_vocab +
      (quote.messages + 1) * (cost.page_charges + cost.page_charges / 10);
  quote.cycles_expected = quote.instructions_expected + Cycles{quote.messages} * kExecutionFee;
  // A waiting call also pays for calling itself.
  quote.cycles_max = quote.instructions_max + Cycles{quote.messages + 1} * 3 * kExecutionFee;
  return quote;
}

}  // namespace model
