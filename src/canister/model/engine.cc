#include "canister/model/engine.h"

namespace model {

WorkCost CostOf(const EngineModel& model, uint32_t cached, uint32_t prompt, uint32_t output) {
  const EngineSession session(model);
  WorkCost cost{0, 0, session.PageCharges(prompt + output)};
  for (uint32_t pos = cached; pos < prompt; ++pos) {
    cost.instructions += session.TokenCost(pos);
  }
  for (uint32_t pos = prompt; pos < prompt + output; ++pos) {
    cost.instructions += session.TokenCost(pos) + session.LogitsCost();
  }
  cost.instructions_max = cost.instructions + cost.instructions / 50;
  return cost;
}

}  // namespace model
