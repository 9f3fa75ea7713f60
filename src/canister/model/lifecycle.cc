// Install, upgrade, timer, callbacks, and what is dropped before it costs.
#include "canister/model/access.h"
#include "canister/model/certified.h"
#include "canister/model/scheduler.h"
#include "canister/model/setup.h"
#include "canister/model/state.h"
#include "canister/model/waiting.h"
#include "canister/sdk/calls.h"
#include "canister/sdk/canister.h"

namespace model {

void RequireAuthorized() {
  const candid::Principal caller = sdk::Caller();
  if (TheState().RoleOf(caller) >= Role::kAuthorized) return;
  sdk::TrapWith(base::StrCat("principal ", caller.ToText(),
                             " is not authorized; ask an authorized one for "
                             "add_authorized_principal"));
}

void OrTrap(const base::Status& status) {
  if (!status) sdk::TrapWith(status.error().message);
}

namespace {

// The installer and whoever upgrades become authorized, as in the seed.
void Begin() {
  __wasm_call_ctors();
  sdk::CheckCallbackEntry();
  OpenState();
  OrTrap(TheState().Authorize(sdk::Caller()));
  TheState().installed_ns = sdk::NowNs();
}

CANISTER_INIT() {
  Begin();
  Certify(TheState());
  sdk::SetTimer(1);  // draws the entropy
}

CANISTER_PRE_UPGRADE() { SaveState(); }

CANISTER_POST_UPGRADE() {
  Begin();
  RestoreState();
  State& state = TheState();
  Certify(state);
  state.loading = state.store.Exists(kModelFile) || state.store.Exists(kTokenizerFile);
  state.log.Add(sdk::NowNs(), "upgraded");
  sdk::SetTimer(1);
}

CANISTER_TIMER() {
  State& state = TheState();
  if (state.entropy.empty() &&
      !sdk::Call({}, "raw_rand", candid::EncodeArgs(), 0, kEntropyTicket)) {
    state.log.Add(sdk::NowNs(), "raw_rand could not be called");
  }
  RunSlice(state, kUpdateInstructions);
  ArmTimer(state);
}

CANISTER_UPDATE(add_authorized_principal) {
  RequireAuthorized();
  OrTrap(TheState().Authorize(sdk::Argument<candid::Principal>()));
  sdk::Reply();
}

CANISTER_QUERY(is_principal_authorized) {
  sdk::Reply(TheState().IsAuthorized(sdk::Argument<candid::Principal>()));
}

// Methods for those whom the policy lets generate; besides them, everyone ends and deletes what is
// theirs; all others are for the authorized.
constexpr std::string_view kGenerating[] = {"generate", "generate_start", "model_inference"};

// The prompt, and what else an argument holds: types, texts of `stop`, numbers.
constexpr uint64_t kArgumentBytesMore = 4096;

// Whether the method would do anything for this caller now. An argument's bytes cost the canister
// 2,000 cycles each, so one that is too large is not taken either.
bool Welcome(const State& state, const candid::Principal& caller, std::string_view method) {
  if (method == kLendMethod) return false;
  if (std::ranges::find(kGenerating, method) != std::end(kGenerating)) {
    return sdk::ArgumentSize() <= state.gate.policy().max_prompt_bytes + kArgumentBytesMore &&
           CheckCaller(state, caller, JobKind::kPolled, Pays::kNo);
  }
  if (state.RoleOf(caller) >= Role::kAuthorized) return true;
  if (sdk::ArgumentSize() > kArgumentBytesMore) return false;
  if (method == "generate_cancel") {
    return state.jobs.IsPolledBy(sdk::Argument<uint64_t>(), caller);
  }
  if (method == "session_delete") {
    return state.sessions.IsOf(sdk::Argument<uint64_t>(), caller);
  }
  return false;
}

CANISTER_INSPECT() {
  if (Welcome(TheState(), sdk::Caller(), sdk::InspectedMethod())) sdk::AcceptMessage();
}

}  // namespace
}  // namespace model

void sdk::OnAnswer(Ticket ticket, bool rejected) {
  using namespace model;
  if (ticket < kFirstSetupTicket) return ContinueWaiting(ticket);
  if (ticket != kEntropyTicket) return ContinueSetup(ticket);
  if (rejected) return;
  if (auto decoded = candid::DecodeArgs<base::Bytes>(ArgumentBytes())) {
    TheState().entropy = std::get<0>(*std::move(decoded));
  }
}
