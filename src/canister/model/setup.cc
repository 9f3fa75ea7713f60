#include "canister/model/setup.h"

#include "base/check.h"
#include "canister/model/access.h"
#include "canister/model/scheduler.h"
#include "canister/sdk/canister.h"

namespace model {
namespace {

// A step reads and writes 8 MB at most; a message of the IC 2 GiB of stable memory.
constexpr uint32_t kStepsMax = 200;
constexpr uint64_t kMargin = 150'000'000;

// The new files' places; from here on the old model's are free.
base::Status Place(State& state) {
  store::Store& store = state.store;
  const Installer& installer = *state.installer;
  TRY_STATUS(store.Move(kNextModelFile, kModelFile));
  TRY_STATUS(store.Put(kModelHashFile, installer.hash()));
  TRY_STATUS(store.Put(kSourceHashFile, installer.source_hash()));
  if (installer.config_file() != kConfigFile) {
    TRY_STATUS(store.Move(installer.config_file(), kConfigFile));  // or none, when there is none
  }
  return store.Remove(installer.weights_file());
}

void Finish(State& state, base::Status outcome) {
  if (outcome) outcome = Place(state);
  const std::string weights = state.installer->weights_file();
  if (outcome) {
    state.uploads.EndHashing(weights, state.installer->source_hash());
    FailAllJobs(state, {"conflict", "the model was replaced while the answer was in the making"});
    state.sessions.Clear();
    state.AdoptModel();
    state.log.Add(sdk::NowNs(), "a model was set up");
  } else {
    state.log.Add(sdk::NowNs(), base::StrCat("set-up failed: ", outcome.error().message));
    base::Status ignored = state.store.Remove(kNextModelFile);  // it cannot grow the directory
    state.installer.reset();
    state.uploads.EndHashing(weights, std::nullopt);
  }
  state.setup_outcome = std::move(outcome);
}

void ReplySetup(SetupCall call, const base::Status& outcome) {
  if (call == SetupCall::kSetupModel) return ReplySetupModel(outcome);
  if (!outcome)
    return sdk::Reply(Answer<UploadCommitted>(Fail("bad_input", outcome.error().message)));
  const auto read = ReadWhole(TheState().store, kSourceHashFile, 32);
  CHECK(read.has_value());
  sdk::Reply(Answer<UploadCommitted>(UploadCommitted{{read->begin(), read->end()}}));
}

constexpr uint64_t kSetupNumbers = (kLastSetupTicket - kFirstSetupTicket + 1) / 2;

sdk::Ticket TicketOf(SetupCall call, uint64_t number) {
  return kFirstSetupTicket + static_cast<sdk::Ticket>(number % kSetupNumbers) * 2 +
         static_cast<sdk::Ticket>(call);
}

// One message of a call that waits for the last set-up.
void Drive(SetupCall call, uint64_t message_limit) {
  State& state = TheState();
  if (state.loading) state.Load();  // what was in use before, after an upgrade
  if (!sdk::Stopping()) WorkOnSetup(state, message_limit);
  ArmTimer(state);
  if (state.setup_outcome) return ReplySetup(call, *state.setup_outcome);
  if (sdk::Stopping()) {
    return ReplySetup(call, base::Err("the canister is stopping; the set-up goes on after it"));
  }
  if (!sdk::Call(sdk::Self(), kLendMethod, candid::EncodeArgs(), 0, TicketOf(call, state.setups))) {
    ReplySetup(call, base::Err("the canister cannot call itself; the set-up goes on by itself"));
  }
}

}  // namespace

void WorkOnSetup(State& state, uint64_t message_limit) {
  uint64_t limit = message_limit - kMargin;  // the first step may need more than the slice
  for (uint32_t step = 0; step < kStepsMax && state.installer &&
                          sdk::InstructionsUsed() + state.installer->StepCost() <= limit;
       ++step) {
    limit = SliceLimit(state, message_limit) - kMargin;
    const auto done = state.installer->Step();
    if (!done) {
      Finish(state, std::unexpected(done.error()));
    } else if (*done) {
      Finish(state, {});
    }
  }
}

void StartSetup(SetupCall call) { Drive(call, kUpdateInstructions); }

void ContinueSetup(sdk::Ticket ticket) {
  if (ticket < kFirstSetupTicket || ticket > kLastSetupTicket) return;
  const auto call = static_cast<SetupCall>((ticket - kFirstSetupTicket) % 2);
  const State& state = TheState();
  const bool known = state.installer || state.setup_outcome;
  if (known && ticket == TicketOf(call, state.setups)) return Drive(call, kCallbackInstructions);
  ReplySetup(call, base::Err("another set-up has begun since; `status` tells the model in use"));
}

}  // namespace model
