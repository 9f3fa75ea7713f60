// The seed's upload calls: append, length, clear, store and load, for each of the three files, and
// their set-up.
#include "canister/model/access.h"
#include "canister/model/scheduler.h"
#include "canister/model/setup.h"
#include "canister/sdk/canister.h"

namespace model {
namespace {

void AppendBytes(Kind kind) {
  RequireAuthorized();
  const auto bytes = sdk::Argument<base::ByteSpan>();
  OrTrap(TheState().CheckFree(FileName(kind, "buffer")));
  OrTrap(TheState().store.Append(FileName(kind, "buffer"), bytes));
  sdk::Reply();
}

void BytesLength(Kind kind) {
  sdk::NoArguments();
  sdk::Reply(TheState().store.Size(FileName(kind, "buffer")));
}

void ClearBytes(Kind kind) {
  RequireAuthorized();
  sdk::NoArguments();
  OrTrap(TheState().CheckFree(FileName(kind, "buffer")));
  OrTrap(TheState().store.Remove(FileName(kind, "buffer")));
  sdk::Reply();
}

// The buffer's length is 0 afterwards.
void StoreToStable(Kind kind) {
  RequireAuthorized();
  sdk::NoArguments();
  OrTrap(TheState().CheckFree(FileName(kind, "buffer")));
  store::Store& store = TheState().store;
  if (!store.Exists(FileName(kind, "buffer"))) {
    sdk::TrapWith(base::StrCat("no ", FileName(kind, "buffer"), " bytes to store"));
  }
  OrTrap(store.Move(FileName(kind, "buffer"), FileName(kind, "stored")));
  sdk::Reply();
}

// What is stored stays stored.
void LoadFromStable(Kind kind) {
  RequireAuthorized();
  sdk::NoArguments();
  OrTrap(TheState().CheckFree(FileName(kind, "buffer")));
  store::Store& store = TheState().store;
  if (!store.Exists(FileName(kind, "stored"))) {
    sdk::TrapWith(base::StrCat("no ", FileName(kind, "stored"), " bytes to load"));
  }
  OrTrap(store.Copy(FileName(kind, "stored"), FileName(kind, "buffer")));
  sdk::Reply();
}

CANISTER_UPDATE(append_config_bytes) { AppendBytes(Kind::kConfig); }
CANISTER_QUERY(config_bytes_length) { BytesLength(Kind::kConfig); }
CANISTER_UPDATE(clear_config_bytes) { ClearBytes(Kind::kConfig); }
CANISTER_UPDATE(store_config_bytes_to_stable) { StoreToStable(Kind::kConfig); }
CANISTER_UPDATE(load_config_bytes_from_stable) { LoadFromStable(Kind::kConfig); }

CANISTER_UPDATE(append_safetensors_bytes) { AppendBytes(Kind::kSafetensors); }
CANISTER_QUERY(safetensors_bytes_length) { BytesLength(Kind::kSafetensors); }
CANISTER_UPDATE(clear_safetensors_bytes) { ClearBytes(Kind::kSafetensors); }
CANISTER_UPDATE(store_safetensors_bytes_to_stable) { StoreToStable(Kind::kSafetensors); }
CANISTER_UPDATE(load_safetensors_bytes_from_stable) { LoadFromStable(Kind::kSafetensors); }

CANISTER_UPDATE(append_tokenizer_bytes) { AppendBytes(Kind::kTokenizer); }
CANISTER_QUERY(tokenizer_bytes_length) { BytesLength(Kind::kTokenizer); }
CANISTER_UPDATE(clear_tokenizer_bytes) { ClearBytes(Kind::kTokenizer); }
CANISTER_UPDATE(store_tokenizer_bytes_to_stable) { StoreToStable(Kind::kTokenizer); }
CANISTER_UPDATE(load_tokenizer_bytes_from_stable) { LoadFromStable(Kind::kTokenizer); }

CANISTER_UPDATE(setup_tokenizer) {
  RequireAuthorized();
  sdk::NoArguments();
  const base::Status done = TheState().SetUpTokenizer(FileName(Kind::kTokenizer, "buffer"));
  sdk::Reply(done ? std::optional<std::string>() : std::optional(done.error().message));
}

CANISTER_UPDATE(setup_model) {
  RequireAuthorized();
  sdk::NoArguments();
  const base::Status begun = TheState().BeginModel(FileName(Kind::kConfig, "buffer"),
                                                   FileName(Kind::kSafetensors, "buffer"), {});
  if (!begun) return sdk::Reply(begun);
  StartSetup(SetupCall::kSetupModel);
}

// Looks at config and weights without taking them into use.
CANISTER_UPDATE(setup_var_builder) {
  RequireAuthorized();
  sdk::NoArguments();
  sdk::Reply(TheState().CheckModelFiles());
}

}  // namespace

void ReplySetupModel(const base::Status& outcome) { sdk::Reply(outcome); }

}  // namespace model
