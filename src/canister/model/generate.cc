// The seed's two calls for an answer: one call waits for the whole of it, over as many messages as
// it takes.
//
// The IC rejects a call whose message ends without an answer and without an open call of its own.
// So a waiting call calls its own canister, and works in the callback: on whatever is next in the
// queue, so that no message spins for nothing.
#include "canister/model/access.h"
#include "canister/model/scheduler.h"
#include "canister/sdk/calls.h"
#include "canister/sdk/canister.h"

namespace model {
namespace {

using base::Result;

constexpr uint8_t kGenerateTokensMax = 100;
constexpr double kTemperatureMax = 2;

struct Inference {
  Result<std::vector<uint32_t>> result;
};
CANDID_RECORD(Inference, result)

Result<void> Failed(const Job& job) {
  if (job.error) return base::Err(job.error->message);
  if (job.state == JobState::kCancelled && job.output.empty()) {
    return base::Err("the canister is stopping; no token was generated");
  }
  return {};
}

void ReplyTo(const Job& job) {
  const auto failed = Failed(job);
  if (job.kind == JobKind::kGenerate) {
    sdk::Reply(failed ? Result<std::string>(job.text) : std::unexpected(failed.error()));
  } else {
    sdk::Reply(failed ? Result<Inference>(Inference{job.output}) : std::unexpected(failed.error()));
  }
}

void ReplyError(JobKind kind, const std::string& sentence) {
  if (kind == JobKind::kGenerate) {
    sdk::Reply(Result<std::string>(base::Err(sentence)));
  } else {
    sdk::Reply(Result<Inference>(Inference{base::Err(sentence)}));
  }
}

// One message of a waiting call: some work, then the answer or another message.
void Drive(Job& job, uint64_t message_limit) {
  State& state = TheState();
  const uint64_t id = job.id;
  if (!sdk::Stopping()) RunSlice(state, message_limit);
  if (sdk::Stopping()) Cancel(state, job);
  if (!job.finished() &&
      !sdk::Call(sdk::Self(), kLendMethod, candid::EncodeArgs(), 0, static_cast<sdk::Ticket>(id))) {
    Cancel(state, job);
  }
  if (!job.finished()) return ArmTimer(state);
  if (job.price_per_token > 0) sdk::AcceptCycles(job.price_per_token * job.tokens_spent());
  ReplyTo(job);
  state.jobs.Remove(id);
  ArmTimer(state);
}

void Start(JobKind kind, const GenerateArgs& args) {
  if (TheState().loading) TheState().Load();  // after an upgrade, before the timer got to it
  Answer<Job*> job = Submit(TheState(), sdk::Caller(), kind, args);
  if (!job) return ReplyError(kind, job.error().message);
  Drive(**job, kUpdateInstructions);
}

Result<void> CheckGenerate(std::string_view prompt, uint8_t count, double temperature) {
  if (count > kGenerateTokensMax) {
    return base::Err(count, " tokens were asked for, at most ", kGenerateTokensMax, " are allowed");
  }
  if (!(temperature >= 0 && temperature <= kTemperatureMax)) {
    return base::Err("the temperature must lie between 0 and ", static_cast<int>(kTemperatureMax));
  }
  if (prompt.empty()) return base::Err("the prompt is empty, expected text");
  return {};
}

// Ids as they are; stops after the end token, which is part of the result.
CANISTER_UPDATE(inference) {
  RequireAuthorized();
  auto [ids, count, temperature] = sdk::Arguments<std::vector<uint32_t>, uint8_t, double>();
  GenerateArgs args;
  args.input = {InputKind::kTokens, {}, {}, std::move(ids)};
  args.sampling.max_tokens = count;
  args.sampling.temperature = temperature;
  Start(JobKind::kInference, args);
}

CANISTER_UPDATE(generate) {
  const auto [prompt, count, temperature] = sdk::Arguments<std::string_view, uint8_t, double>();
  const auto checked = CheckGenerate(prompt, count, temperature);
  if (!checked) return ReplyError(JobKind::kGenerate, checked.error().message);
  GenerateArgs args;
  args.input = {InputKind::kMessages, {}, {{"user", std::string(prompt)}}, {}};
  args.sampling.max_tokens = count;
  args.sampling.temperature = temperature;
  Start(JobKind::kGenerate, args);
}

// What a waiting call calls, only to be called back.
CANISTER_UPDATE(lend_message) {
  if (sdk::Caller() != sdk::Self()) sdk::TrapWith("lend_message is for this canister itself");
  sdk::Reply();
}

}  // namespace

// A waiting call's next message; a call that nobody knows any more is left to the IC to reject.
void ContinueWaiting(uint32_t ticket) {
  if (Job* job = TheState().jobs.FindWaiting(ticket)) Drive(*job, kCallbackInstructions);
}

}  // namespace model
