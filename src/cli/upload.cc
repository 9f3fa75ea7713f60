// gpt2ic upload: a file into a canister, chunk by chunk.
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include "base/hex.h"
#include "cli/command.h"
#include "cli/deploy.h"
#include "cli/local.h"

namespace cli {
namespace {

constexpr size_t kSeedChunkBytes = 2'000'000;  // what ic-file-uploader sends
constexpr uint32_t kChunkBytes = 1'900'000;    // the most that upload_begin takes

// As in model.did.
struct CallError {
  std::string code, message;
};
CANDID_RECORD(CallError, code, message)
template <class T>
using Answer = std::expected<T, CallError>;

struct Begin {
  std::string kind;
  uint64_t bytes = 0;
  uint32_t chunk_bytes = 0;
  std::optional<base::Bytes> sha256;
};
CANDID_RECORD(Begin, kind, bytes, chunk_bytes, sha256)
struct Begun {
  uint64_t id = 0;
  uint32_t chunks = 0;
};
CANDID_RECORD(Begun, id, chunks)
struct Range {
  uint32_t first = 0, count = 0;
};
CANDID_RECORD(Range, first, count)
struct State {
  uint32_t chunk_bytes = 0, chunks = 0;
  std::vector<Range> missing;
  std::string state;
};
CANDID_RECORD(State, chunk_bytes, chunks, missing, state)
struct Summary {
  uint64_t id = 0;
  std::string kind;
  uint64_t bytes = 0;
  std::string state;
};
CANDID_RECORD(Summary, id, kind, bytes, state)
struct Committed {
  base::Bytes sha256;
};
CANDID_RECORD(Committed, sha256)

struct ModelStatus {
  std::string state;
};
CANDID_RECORD(ModelStatus, state)

template <class T>
base::Result<T> Decoded(const char* method, const base::Result<base::Bytes>& reply) {
  if (!reply) return base::Err(method, ": ", reply.error().message);
  auto [answer] = TRY(candid::DecodeArgs<Answer<T>>(*reply));
  if (!answer) return base::Err(method, ": ", answer.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*answer);
  return {};
}

// The kind of a model's file, from its name.
std::string KindOf(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  for (const char* kind : {"safetensors", "onnx", "tokenizer", "config", "packed"}) {
    if (name.find(kind) != name.npos) return kind;
  }
  return "packed";
}

// One upload by the calls of model.did.
class ChunkUpload {
 public:
  ChunkUpload(Agent& agent, const ic::Principal& id, std::string content, std::string kind)
      : agent_(agent), canister_(id), content_(std::move(content)), kind_(std::move(kind)) {}

  base::Status Run(const UploadOptions& options);
  const base::Bytes& sha256() const { return sha256_; }

 private:
  base::Result<uint64_t> FindOrBegin(const UploadOptions& options);
  base::Status SendChunks(uint32_t parallel, const std::string& label);
  base::Status SendChunk(uint32_t index);

  Agent& agent_;
  const ic::Principal canister_;
  const std::string content_, kind_;
  uint64_t upload_ = 0;
  State state_;
  base::Bytes sha256_;
};

base::Result<uint64_t> ChunkUpload::FindOrBegin(const UploadOptions& options) {
  const base::Bytes list = TRY(agent_.Query(canister_, "upload_list", candid::EncodeArgs()));
  const auto [uploads] = TRY(candid::DecodeArgs<std::vector<Summary>>(list));
  for (const Summary& upload : uploads) {
    if (upload.kind != kind_ || upload.bytes != content_.size() || upload.state != "receiving") {
      continue;
    }
    if (!options.restart) return upload.id;
    TRY_STATUS(Decoded<void>(
        "upload_abort", agent_.Update(canister_, "upload_abort", candid::EncodeArgs(upload.id))));
  }
  // With its hash, chunks of an earlier file of the same length cannot be taken for this one's.
  const base::Sha256Digest hash = base::Sha256Of(base::AsBytes(content_));
  const Begin begin{kind_, content_.size(), kChunkBytes, base::Bytes(hash.begin(), hash.end())};
  const Begun begun = TRY(Decoded<Begun>(
      "upload_begin", agent_.Update(canister_, "upload_begin", candid::EncodeArgs(begin))));
  return begun.id;
}

base::Status ChunkUpload::SendChunk(uint32_t index) {
  const std::string_view chunk =
      std::string_view(content_).substr(uint64_t{index} * state_.chunk_bytes, state_.chunk_bytes);
  return Decoded<void>("upload_chunk",
                       agent_.Update(canister_, "upload_chunk",
                                     candid::EncodeArgs(upload_, index, base::AsBytes(chunk))));
}

base::Status ChunkUpload::SendChunks(uint32_t parallel, const std::string& label) {
  std::vector<uint32_t> todo;
  for (const Range& range : state_.missing) {
    for (uint32_t i = 0; i < range.count; ++i) todo.push_back(range.first + i);
  }
  Progress progress(label, state_.chunks);
  std::mutex mutex;
  size_t next = 0, done = state_.chunks - todo.size();
  base::Status status;
  const auto work = [&] {
    for (;;) {
      std::unique_lock lock(mutex);
      if (next == todo.size() || !status) return;
      const uint32_t index = todo[next++];
      lock.unlock();
      base::Status sent = SendChunk(index);
      lock.lock();
      if (!sent && status) status = std::move(sent);
      progress.Set(++done);
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min<size_t>(parallel, todo.size()); ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  return status;
}

base::Status ChunkUpload::Run(const UploadOptions& options) {
  upload_ = TRY(FindOrBegin(options));
  state_ = TRY(Decoded<State>(
      "upload_status", agent_.Query(canister_, "upload_status", candid::EncodeArgs(upload_))));
  if (state_.chunk_bytes == 0) return base::Err("upload_status: chunk_bytes is 0");
  const auto sent = SendChunks(std::max<uint32_t>(1, options.parallel), "uploading " + kind_);
  if (!sent) {
    return base::Err(sent.error().message, "; the same command again goes on where this one ended");
  }
  const Committed committed = TRY(Decoded<Committed>(
      "upload_commit", agent_.Update(canister_, "upload_commit", candid::EncodeArgs(upload_))));
  sha256_ = committed.sha256;
  const base::Sha256Digest hash = base::Sha256Of(base::AsBytes(content_));
  if (!std::ranges::equal(sha256_, hash)) {
    return base::Err("the canister has bytes with another SHA-256 than the file's: ",
                     base::ToHex(sha256_), "; try --restart");
  }
  return {};
}

// append_x_bytes has x_bytes_length beside it: how much of the file is there already.
base::Result<uint64_t> AppendedBytes(Agent& agent, const ic::Principal& id,
                                     const std::string& method) {
  if (!method.starts_with("append_")) return 0;
  const auto reply = agent.Query(id, method.substr(7) + "_length", candid::EncodeArgs());
  if (!reply) return 0;
  const auto [length] = TRY(candid::DecodeArgs<uint64_t>(*reply));
  return length;
}

base::Status Append(Agent& agent, const ic::Principal& id, const UploadOptions& options,
                    const std::string& content) {
  uint64_t at = 0;
  if (options.restart && options.method.starts_with("append_")) {
    const auto cleared =
        agent.Update(id, "clear_" + options.method.substr(7), candid::EncodeArgs());
    if (!cleared) return base::Err("--restart: ", cleared.error().message);
  } else {
    at = TRY(AppendedBytes(agent, id, options.method));
  }
  if (at > content.size() || (at % kSeedChunkBytes != 0 && at != content.size())) {
    return base::Err("the canister has ", at, " bytes there already, which are not the beginning ",
                     "of an upload of this file; --restart clears them");
  }
  Progress progress("uploading " + std::filesystem::path(options.file).filename().string(),
                    content.size());
  for (; at < content.size(); at += kSeedChunkBytes) {
    const std::string_view chunk = std::string_view(content).substr(at, kSeedChunkBytes);
    const auto sent = agent.Update(id, options.method, candid::EncodeArgs(base::AsBytes(chunk)));
    if (!sent) {
      return base::Err(options.method, ", from byte ", at, ": ", sent.error().message);
    }
    progress.Set(at + chunk.size());
  }
  return {};
}

}  // namespace

base::Status UploadFile(Target& target, const UploadOptions& options) {
  std::string content = TRY(ReadFile(options.file));
  const ic::Principal id = TRY(target.Canister(options.canister));
  if (options.method != "upload_chunk") return Append(target.agent(), id, options, content);
  const std::string kind = options.kind.empty() ? KindOf(options.file) : options.kind;
  return ChunkUpload(target.agent(), id, std::move(content), kind).Run(options);
}

namespace {

base::Result<Deployed> DeployBuilt(Target& target, const std::string& name) {
  const std::string wasm = TRY(ReadFile(TRY(CanisterWasm(name))));
  return Deploy(target, name, base::Bytes(wasm.begin(), wasm.end()), {}, DeployMode::kAuto);
}

}  // namespace

base::Status SetUpDemo(Target& target) {
  const Deployed model = TRY(DeployBuilt(target, "model"));
  TRY(DeployBuilt(target, "frontend"));
  const auto reply = TRY(target.agent().Query(model.id, "status", candid::EncodeArgs()));
  const auto [status] = TRY(candid::DecodeArgs<ModelStatus>(reply));
  if (status.state != "empty") return {};
  for (const char* name : {"config.json", "tokenizer.json", "model.safetensors"}) {
    UploadOptions options;
    options.canister = "model";
    options.method = "upload_chunk";
    options.file = RepositoryPath(base::StrCat("models/demo/", name));
    TRY_STATUS(UploadFile(target, options));
  }
  return {};
}

void AddUpload(CLI::App& app, int* exit_code) {
  struct Both {
    TargetOptions target;
    UploadOptions upload;
  };
  auto options = std::make_shared<Both>();
  UploadOptions& upload = options->upload;
  CLI::App* command = app.add_subcommand("upload", "a file into a canister");
  AddTarget(command, &options->target);
  command->add_option("canister", upload.canister, "id, or the name it was deployed as")
      ->required();
  command
      ->add_option("method", upload.method,
                   "upload_chunk: in parallel, goes on where it was broken off; others, such "
                   "as append_config_bytes: called with 2,000,000 bytes at a time")
      ->required();
  command->add_option("file", upload.file)->required();
  command->add_option("--kind", upload.kind,
                      "for upload_chunk: safetensors, onnx, packed, tokenizer or config (default: "
                      "from the file's name)");
  command->add_option("--parallel", upload.parallel, "chunks under way at once (default 4)");
  command->add_flag("--restart", upload.restart, "from the beginning");
  command->callback([options, exit_code] {
    const auto run = [&]() -> base::Status {
      const auto target = TRY(Target::Open(options->target));
      return UploadFile(*target, options->upload);
    };
    const auto done = run();
    if (!done) *exit_code = Complain(done.error().message, kExitFailed);
  });
}

}  // namespace cli
