#ifndef GPT2IC_CANISTER_MODEL_HOUSE_H_
#define GPT2IC_CANISTER_MODEL_HOUSE_H_

#include "canister/model/state.h"

namespace model {

// Some 100 answers of 100 tokens by GPT-2's own size.
inline constexpr Cycles kLowCycles = 1'000'000'000'000;

Status StatusNow();

// A line in the log, once a day, when fewer than kLowCycles are left above the freezing threshold.
void WarnOfLowCycles(State& state);

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_HOUSE_H_
