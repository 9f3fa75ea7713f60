#include "canister/model/setup.h"

#include "base/check.h"
#include "canister/model/access.h"
#include "canister/model/scheduler.h"
#include "canister/sdk/canister.h"

namespace model {
namespace {

constexpr uint64_t kMargin = 150'000'000;

void FailJobs(State& state) {
  while (Job* job = state.jobs.Next()) {
    FailJob(state, *job, {"conflict", "the model was replaced while the answer was in the making"});
  }
}

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

// The upload that the weights came by, if it was one.
void TellUpload(State& state, bool committed) {
  for (const auto& [id, record] : state.uploads.all()) {
    if (UploadFile(id) != state.installer->weights_file()) continue;
    UploadRecord* upload = state.uploads.Find(id);
    upload->state = committed ? "committed" : "receiving";
    const auto& hash = state.installer->source_hash();
    if (committed) upload->sha256 = base::Bytes(hash.begin(), hash.end());
    return;
  }
}

void Finish(State& state, base::Status outcome) {
  if (outcome) outcome = Place(state);
  TellUpload(state, outcome.has_value());
  if (outcome) {
    FailJobs(state);
    state.sessions.Clear();
    state.AdoptModel();
    state.log.Add(sdk::NowNs(), "a model was set up");
  } else {
    state.log.Add(sdk::NowNs(), base::StrCat("set-up failed: ", outcome.error().message));
    base::Status ignored = state.store.Remove(kNextModelFile);  // it cannot grow the directory
    state.installer.reset();
  }
  state.setup_outcome = std::move(outcome);
}

void ReplySetup(sdk::Ticket ticket, const base::Status& outcome) {
  if (ticket == kSetupTicket) return ReplySetupModel(outcome);
  if (!outcome)
    return sdk::Reply(Answer<UploadCommitted>(Fail("bad_input", outcome.error().message)));
  const auto read = ReadWhole(TheState().store, kSourceHashFile, 32);
  CHECK(read.has_value());
  sdk::Reply(Answer<UploadCommitted>(UploadCommitted{{read->begin(), read->end()}}));
}

}  // namespace

void WorkOnSetup(State& state, uint64_t message_limit) {
  const uint64_t limit = message_limit - kMargin;
  while (state.installer && sdk::InstructionsUsed() + state.installer->StepCost() <= limit) {
    const auto step = state.installer->Step();
    if (!step) {
      Finish(state, std::unexpected(step.error()));
    } else if (*step) {
      Finish(state, {});
    }
  }
}

void DriveSetup(sdk::Ticket ticket, uint64_t message_limit) {
  State& state = TheState();
  if (state.loading) state.Load();  // what was in use before, after an upgrade
  if (!sdk::Stopping()) WorkOnSetup(state, message_limit);
  if (state.setup_outcome) {
    return ReplySetup(ticket, *std::exchange(state.setup_outcome, std::nullopt));
  }
  if (sdk::Stopping()) {
    return ReplySetup(ticket, base::Err("the canister is stopping; the set-up goes on after it"));
  }
  if (!sdk::Call(sdk::Self(), kLendMethod, candid::EncodeArgs(), 0, ticket)) {
    ReplySetup(ticket, base::Err("the canister cannot call itself; the set-up goes on by itself"));
  }
  ArmTimer(state);
}

}  // namespace model
