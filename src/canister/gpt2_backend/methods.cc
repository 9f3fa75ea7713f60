// The five methods of seed S0: a model file in, token ids in, token ids out.
#include "canister/model/access.h"
#include "canister/model/setup.h"
#include "canister/model/waiting.h"
#include "canister/sdk/canister.h"

namespace model {
namespace {

using base::Result;

// The file may be ONNX, or safetensors or a packed model in its place.
std::string Buffer() { return FileName(Kind::kSafetensors, "buffer"); }

Result<std::vector<gpt2::TokenId>> IdsOf(const std::vector<int64_t>& ids) {
  std::vector<gpt2::TokenId> out;
  out.reserve(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] > UINT32_MAX) {
      return base::Err("token id ", ids[i], " at position ", i, ", expected one of the vocabulary");
    }
    out.push_back(static_cast<gpt2::TokenId>(ids[i]));
  }
  return out;
}

CANISTER_UPDATE(append_model_bytes) {
  RequireAuthorized();
  OrTrap(TheState().CheckFree(Buffer()));
  OrTrap(TheState().store.Append(Buffer(), sdk::Argument<base::ByteSpan>()));
  sdk::Reply();
}

CANISTER_QUERY(model_bytes_length) {
  sdk::NoArguments();
  sdk::Reply(TheState().store.Size(Buffer()));
}

CANISTER_UPDATE(clear_model_bytes) {
  RequireAuthorized();
  sdk::NoArguments();
  OrTrap(TheState().CheckFree(Buffer()));
  OrTrap(TheState().store.Remove(Buffer()));
  sdk::Reply();
}

CANISTER_UPDATE(setup_model) {
  RequireAuthorized();
  sdk::NoArguments();
  const base::Status begun = TheState().BeginModel(FileName(Kind::kConfig, "buffer"), Buffer(), {});
  if (!begun) return ReplySetupModel(begun);
  StartSetup(SetupCall::kSetupModel);
}

CANISTER_UPDATE(model_inference) {
  const auto [count, ids] = sdk::Arguments<uint8_t, std::vector<int64_t>>();
  auto prompt = IdsOf(ids);
  if (!prompt) return ReplyError(JobKind::kModelInference, prompt.error().message);
  GenerateArgs args;
  args.input = {InputKind::kTokens, {}, {}, *std::move(prompt)};
  args.sampling.max_tokens = count;
  StartWaiting(JobKind::kModelInference, args);
}

}  // namespace

void ReplySetupModel(const base::Status& outcome) {
  sdk::Reply(outcome ? std::optional<std::string>() : std::optional(outcome.error().message));
}

void ReplyTo(const Job& job) {
  const auto failed = FailureOf(job);
  if (!failed) return ReplyError(job.kind, failed.error().message);
  sdk::Reply(Result<std::vector<int64_t>>({job.output.begin(), job.output.end()}));
}

void ReplyError(JobKind, const std::string& sentence) {
  sdk::Reply(Result<std::vector<int64_t>>(base::Err(sentence)));
}

}  // namespace model
