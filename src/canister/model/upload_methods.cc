// upload_begin, _chunk, _status, _commit, _abort, _list.
#include "base/sha256.h"
#include "canister/model/access.h"
#include "canister/model/scheduler.h"
#include "canister/model/setup.h"
#include "canister/sdk/canister.h"

namespace model {
namespace {

constexpr uint64_t kSmallFileBytes = 64 << 20;  // of tokenizer and config

// Tokenizer and config: hashed and taken into use in this message.
Answer<UploadCommitted> CommitSmall(State& state, UploadRecord& upload) {
  const std::string file = UploadFile(upload.id);
  const std::string content =
      TRY(As<std::string>("too_large", ReadWhole(state.store, file, kSmallFileBytes)));
  const base::Sha256Digest hash = base::Sha256Of(base::AsBytes(content));
  UploadCommitted committed{{hash.begin(), hash.end()}};
  if (upload.args.sha256 && *upload.args.sha256 != committed.sha256) {
    return Fail("bad_input", "the sha-256 of upload ", upload.id, " is not the one announced");
  }
  if (upload.args.kind == "config") {
    TRY(As<gpt2::Config>("bad_input", gpt2::ParseConfig(content)));
    TRY_STATUS(As<void>("internal", state.store.Move(file, FileName(Kind::kConfig, "buffer"))));
  } else {
    TRY_STATUS(As<void>("bad_input", state.SetUpTokenizer(file)));
  }
  upload.state = kUploadCommitted;
  upload.sha256 = committed.sha256;
  return committed;
}

// The config that goes with new weights: the one uploaded last, else the one in use.
std::string ConfigFileFor(const State& state) {
  const std::string buffer = FileName(Kind::kConfig, "buffer");
  return state.store.Exists(buffer) ? buffer : kConfigFile;
}

void Commit(uint64_t id) {
  State& state = TheState();
  const Answer<UploadRecord*> upload = state.uploads.Complete(id);
  if (!upload) return sdk::Reply(Answer<UploadCommitted>(std::unexpected(upload.error())));
  const std::string& kind = (*upload)->args.kind;
  if (kind == "config" || kind == "tokenizer") {
    const auto committed = CommitSmall(state, **upload);
    return sdk::Reply(committed);
  }
  const auto begun = state.BeginModel(ConfigFileFor(state), UploadFile(id),
                                      (*upload)->args.sha256.value_or(base::Bytes()));
  if (!begun) return sdk::Reply(Answer<UploadCommitted>(Fail("bad_input", begun.error().message)));
  (*upload)->state = kUploadHashing;
  StartSetup(SetupCall::kUploadCommit);
}

CANISTER_UPDATE(upload_begin) {
  RequireAuthorized();
  State& state = TheState();
  sdk::Reply(state.uploads.Begin(state.store, sdk::Argument<UploadArgs>()));
}

CANISTER_UPDATE(upload_chunk) {
  RequireAuthorized();
  State& state = TheState();
  const auto [id, index, bytes] = sdk::Arguments<uint64_t, uint32_t, base::ByteSpan>();
  sdk::Reply(state.uploads.Put(state.store, id, index, bytes));
}

CANISTER_QUERY(upload_status) { sdk::Reply(TheState().uploads.Status(sdk::Argument<uint64_t>())); }

CANISTER_UPDATE(upload_commit) {
  RequireAuthorized();
  Commit(sdk::Argument<uint64_t>());
}

CANISTER_UPDATE(upload_abort) {
  RequireAuthorized();
  State& state = TheState();
  sdk::Reply(state.uploads.Abort(state.store, sdk::Argument<uint64_t>()));
}

CANISTER_QUERY(upload_list) {
  sdk::NoArguments();
  std::vector<UploadSummary> list;
  for (const auto& [id, upload] : TheState().uploads.all()) {
    list.push_back({id, upload.args.kind, upload.args.bytes, upload.state});
  }
  sdk::Reply(list);
}

}  // namespace
}  // namespace model
