#ifndef GPT2IC_CANISTER_MODEL_SETUP_H_
#define GPT2IC_CANISTER_MODEL_SETUP_H_

#include "canister/model/state.h"
#include "canister/sdk/calls.h"

namespace model {

// Taking a new model into use takes several messages. One is set up at a time; the call that asked
// for it waits (as in generate.cc) and gets the outcome.

// Tickets of calls that wait for a set-up: which one, and in what form they are answered. Ids of
// jobs stay below.
inline constexpr sdk::Ticket kFirstSetupTicket = 0xfff00000, kLastSetupTicket = 0xfff7ffff;
inline constexpr sdk::Ticket kEntropyTicket = 0xffffffff;
enum class SetupCall : uint8_t { kSetupModel, kUploadCommit };

// Steps of the set-up that is under way, if any, until this message has spent what it may;
// then, when it is done, the new model is in use and what was begun on the old one has failed.
void WorkOnSetup(State& state, uint64_t message_limit);

// The first message of a call that waits for the set-up just begun: some work, then the reply or
// another message, which ContinueSetup is. A set-up that nobody knows any more is an Err.
void StartSetup(SetupCall call);
void ContinueSetup(sdk::Ticket ticket);

// Defined by each canister: the reply to setup_model in the form that its method has.
void ReplySetupModel(const base::Status& outcome);

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_SETUP_H_
