#ifndef GPT2IC_CANISTER_MODEL_SETUP_H_
#define GPT2IC_CANISTER_MODEL_SETUP_H_

#include "canister/model/state.h"
#include "canister/sdk/calls.h"

namespace model {

// Taking a new model into use takes several messages. One is set up at a time; the call that asked
// for it waits (as in generate.cc) and gets the outcome.

// Tickets of calls that wait for a set-up, by the form of their reply. Ids of jobs stay below.
inline constexpr sdk::Ticket kEntropyTicket = 0xffffffff;
inline constexpr sdk::Ticket kSetupTicket = 0xfffffffe;   // setup_model
inline constexpr sdk::Ticket kCommitTicket = 0xfffffffd;  // upload_commit
inline constexpr sdk::Ticket kFirstReservedTicket = kCommitTicket;

// Steps of the set-up that is under way, if any, until this message has spent `message_limit`;
// then, when it is done, the new model is in use and what was begun on the old one has failed.
void WorkOnSetup(State& state, uint64_t message_limit);

// One message of a waiting call: some work, then the reply or another message.
void DriveSetup(sdk::Ticket ticket, uint64_t message_limit);

// Defined by each canister: the reply to setup_model in the form that its method has.
void ReplySetupModel(const base::Status& outcome);

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_SETUP_H_
