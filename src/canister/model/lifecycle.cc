// Install, upgrade, and who may do what.
#include "canister/model/access.h"
#include "canister/model/state.h"
#include "canister/sdk/canister.h"

namespace model {

void RequireAuthorized() {
  const candid::Principal caller = sdk::Caller();
  if (TheState().IsAuthorized(caller) || sdk::CallerIsController()) return;
  sdk::TrapWith(base::StrCat("principal ", caller.ToText(),
                             " is not authorized; ask an authorized one for "
                             "add_authorized_principal"));
}

void OrTrap(const base::Status& status) {
  if (!status) sdk::TrapWith(status.error().message);
}

namespace {

// The installer and whoever upgrades become authorized, as in the seed.
CANISTER_INIT() {
  __wasm_call_ctors();
  OpenState();
  OrTrap(TheState().Authorize(sdk::Caller()));
}

CANISTER_POST_UPGRADE() {
  __wasm_call_ctors();
  OpenState();
  OrTrap(TheState().Authorize(sdk::Caller()));
  OrTrap(TheState().Reload());
}

CANISTER_UPDATE(add_authorized_principal) {
  RequireAuthorized();
  OrTrap(TheState().Authorize(sdk::Argument<candid::Principal>()));
  sdk::Reply();
}

CANISTER_QUERY(is_principal_authorized) {
  sdk::Reply(TheState().IsAuthorized(sdk::Argument<candid::Principal>()));
}

}  // namespace
}  // namespace model
