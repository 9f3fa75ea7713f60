#include "canister/model/waiting.h"

#include "canister/sdk/calls.h"
#include "canister/sdk/canister.h"

namespace model {

base::Status FailureOf(const Job& job) {
  if (job.error) return base::Err(job.error->message);
  return {};
}

namespace {

// The answer ends with what there is, or says why there is none.
void Interrupt(State& state, Job& job, const char* why) {
  if (job.finished()) return;
  if (!job.output.empty()) return Cancel(state, job);
  FailJob(state, job, {"not_ready", base::StrCat(why, "; no token was generated")});
}

// One message of a waiting call: some work, then the answer or another message.
void Drive(Job& job, uint64_t message_limit) {
  State& state = TheState();
  const uint64_t id = job.id;
  if (!sdk::Stopping()) RunSlice(state, message_limit);
  if (sdk::Stopping()) Interrupt(state, job, "the canister is stopping");
  if (!job.finished() &&
      !sdk::Call(sdk::Self(), kLendMethod, candid::EncodeArgs(), 0, static_cast<sdk::Ticket>(id))) {
    Interrupt(state, job, "the canister cannot call itself");
  }
  if (!job.finished()) return ArmTimer(state);
  // An answer that failed costs nothing.
  if (job.price_per_token > 0 && !job.error) {
    sdk::AcceptCycles(job.price_per_token * job.tokens_spent());
  }
  ReplyTo(job);
  state.jobs.Remove(id);
  ArmTimer(state);
}

// What a waiting call calls, only to be called back.
CANISTER_UPDATE(lend_message) {
  if (sdk::Caller() != sdk::Self()) sdk::TrapWith("lend_message is for this canister itself");
  sdk::NoArguments();
  sdk::Reply();
}

}  // namespace

void StartWaiting(JobKind kind, const GenerateArgs& args) {
  if (TheState().loading) TheState().Load();  // after an upgrade, before the timer got to it
  Answer<Job*> job = Submit(TheState(), sdk::Caller(), kind, args);
  if (!job) return ReplyError(kind, job.error().message);
  Drive(**job, kUpdateInstructions);
}

void ContinueWaiting(uint32_t ticket) {
  if (Job* job = TheState().jobs.FindWaiting(ticket)) Drive(*job, kCallbackInstructions);
}

}  // namespace model
