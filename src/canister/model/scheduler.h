#ifndef GPT2IC_CANISTER_MODEL_SCHEDULER_H_
#define GPT2IC_CANISTER_MODEL_SCHEDULER_H_

#include "canister/model/state.h"

namespace model {

// Limits of the IC by kind of message, which subnets may set differently: the owner can lower them
// (Policy.instructions_per_message).
inline constexpr uint64_t kUpdateInstructions = 40'000'000'000;
inline constexpr uint64_t kCallbackInstructions = 38'000'000'000;  // the rest is for cleanup

// What of a message's limit the policy lets it spend.
uint64_t SliceLimit(const State& state, uint64_t message_limit);

// Works on the queue until it is empty or this message has spent what it may; also loads the model
// first when an upgrade has left it in the store. Never runs into the limit: before each step it
// asks what that may cost at most.
void RunSlice(State& state, uint64_t message_limit);

// Whether anything at all would be taken from this caller now, whatever they ask; cheap.
enum class Pays : uint8_t { kNo, kYes };  // with attached cycles, and so needs no quota
Done CheckCaller(const State& state, const candid::Principal& caller, JobKind kind, Pays pays);

// A new job for `caller`, checked and in the queue, with its day's quota taken; its session is a
// new one or the one that `args` names.
Answer<Job*> Submit(State& state, const candid::Principal& caller, JobKind kind,
                    const GenerateArgs& args);
// Ends a job in the queue with what there is.
void Cancel(State& state, Job& job);
void FailJob(State& state, Job& job, const Error& error);
void FailAllJobs(State& state, const Error& error);

// A method of this canister for itself alone: a waiting call calls it only to be called back.
inline constexpr char kLendMethod[] = "lend_message";

// Work goes on by itself, message after message, while there is any.
void ArmTimer(const State& state);

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_SCHEDULER_H_
