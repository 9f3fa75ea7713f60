#ifndef GPT2IC_CANISTER_MODEL_API_H_
#define GPT2IC_CANISTER_MODEL_API_H_

#include <optional>
#include <string>
#include <vector>

#include "candid/typed.h"

// The types of model.did beyond the seed's, field for field.
namespace model {

using Cycles = unsigned __int128;

struct Error {
  std::string code;  // one of those in model.did
  std::string message;
};
CANDID_RECORD(Error, code, message)

// variant { Ok : T; Err : Error }
template <class T>
using Answer = std::expected<T, Error>;
using Done = Answer<void>;

// return Fail("quota", "...", 5, "...");
template <class... Parts>
std::unexpected<Error> Fail(const char* code, const Parts&... parts) {
  return std::unexpected(Error{code, base::StrCat(parts...)});
}
// A library's error with the code that it has here.
template <class T>
Answer<T> As(const char* code, base::Result<T> result) {
  if (!result) return Fail(code, result.error().message);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
  return {};
}

// ---- uploads ----

struct UploadArgs {
  std::string kind;
  uint64_t bytes = 0;
  uint32_t chunk_bytes = 0;
  std::optional<base::Bytes> sha256;
};
CANDID_RECORD(UploadArgs, kind, bytes, chunk_bytes, sha256)

struct UploadBegun {
  uint64_t id;
  uint32_t chunks;
};
CANDID_RECORD(UploadBegun, id, chunks)

struct ChunkRange {
  uint32_t first, count;
};
CANDID_RECORD(ChunkRange, first, count)

struct UploadStatus {
  std::string kind;
  uint64_t bytes;
  uint32_t chunk_bytes, chunks, received;
  std::vector<ChunkRange> missing;
  std::string state;
  std::optional<base::Bytes> sha256;
};
CANDID_RECORD(UploadStatus, kind, bytes, chunk_bytes, chunks, received, missing, state, sha256)

struct UploadCommitted {
  base::Bytes sha256;
};
CANDID_RECORD(UploadCommitted, sha256)

struct UploadSummary {
  uint64_t id;
  std::string kind;
  uint64_t bytes;
  std::string state;
};
CANDID_RECORD(UploadSummary, id, kind, bytes, state)

// ---- generation ----

struct Message {
  std::string role, content;
};
CANDID_RECORD(Message, role, content)

enum class InputKind : uint8_t { kPrompt, kMessages, kTokens };
struct Input {
  InputKind which = InputKind::kPrompt;
  std::string prompt;
  std::vector<Message> messages;
  std::vector<uint32_t> tokens;
};
CANDID_VARIANT(Input, which, prompt, messages, tokens)

struct Sampling {
  std::optional<uint32_t> max_tokens;
  std::optional<double> temperature;
  std::optional<uint32_t> top_k;
  std::optional<double> top_p, repetition_penalty, frequency_penalty, presence_penalty;
  std::optional<std::vector<std::string>> stop;
  std::optional<uint64_t> seed;
  std::optional<uint32_t> logprobs;
};
CANDID_RECORD(Sampling, max_tokens, temperature, top_k, top_p, repetition_penalty,
              frequency_penalty, presence_penalty, stop, seed, logprobs)

struct GenerateArgs {
  Input input;
  Sampling sampling;
  std::optional<uint64_t> session;
};
CANDID_RECORD(GenerateArgs, input, sampling, session)

struct Quote {
  uint32_t prompt_tokens = 0, max_tokens = 0, messages = 0;
  uint64_t instructions_expected = 0, instructions_max = 0;
  Cycles cycles_expected = 0, cycles_max = 0;
};
CANDID_RECORD(Quote, prompt_tokens, max_tokens, messages, instructions_expected, instructions_max,
              cycles_expected, cycles_max)

struct JobStarted {
  uint64_t job;
  Quote quote;
};
CANDID_RECORD(JobStarted, job, quote)

struct TokenLogprob {
  uint32_t token;
  float logprob;
  std::vector<std::pair<uint32_t, float>> top;
};
CANDID_RECORD(TokenLogprob, token, logprob, top)

struct Progress {
  std::string state;
  std::optional<std::string> finish_reason;
  std::optional<uint32_t> queue_position;
  uint32_t prompt_tokens = 0, cached_tokens = 0, prefilled = 0, tokens = 0;
  uint32_t dropped_tokens = 0;
  std::string text;
  uint64_t next = 0, seed = 0;
  std::optional<uint64_t> session;
  uint64_t instructions = 0;
  Cycles cycles = 0;
  std::optional<std::vector<TokenLogprob>> logprobs;
  std::optional<Error> error;
  std::optional<uint64_t> receipt;
};
CANDID_RECORD(Progress, state, finish_reason, queue_position, prompt_tokens, cached_tokens,
              prefilled, tokens, dropped_tokens, text, next, seed, session, instructions, cycles,
              logprobs, error, receipt)

struct JobSummary {
  uint64_t job;
  std::string state;
  uint32_t tokens;
  uint64_t created_ns;
};
CANDID_RECORD(JobSummary, job, state, tokens, created_ns)

struct SessionSummary {
  uint64_t session;
  uint32_t tokens;
  uint64_t last_used_ns;
};
CANDID_RECORD(SessionSummary, session, tokens, last_used_ns)

// ---- receipts ----

struct ReceiptAnswer {
  std::vector<uint32_t> input, output;
  std::vector<std::string> stop;
};
CANDID_RECORD(ReceiptAnswer, input, output, stop)

struct ReceiptReply {
  uint64_t id;
  base::Bytes receipt, witness, certificate;
  std::optional<ReceiptAnswer> answer;
};
CANDID_RECORD(ReceiptReply, id, receipt, witness, certificate, answer)

struct ReceiptSummary {
  uint64_t id, finished_ns;
  uint32_t output_tokens;
  bool yours;
};
CANDID_RECORD(ReceiptSummary, id, finished_ns, output_tokens, yours)

struct ReceiptList {
  std::vector<ReceiptSummary> receipts;
  uint64_t next;
};
CANDID_RECORD(ReceiptList, receipts, next)

// ---- who may, and the house ----

struct Policy {
  std::string open_to = "authenticated";
  std::optional<uint64_t> tokens_per_caller_per_day = 2'000, tokens_per_day = 20'000;
  std::optional<Cycles> cycles_per_token;
  uint32_t max_queue = 64, max_jobs_per_caller = 4, max_prompt_bytes = 64 << 10;
  std::optional<uint64_t> instructions_per_message;
};
CANDID_RECORD(Policy, open_to, tokens_per_caller_per_day, tokens_per_day, cycles_per_token,
              max_queue, max_jobs_per_caller, max_prompt_bytes, instructions_per_message)

struct ModelCard {
  base::Bytes sha256;
  std::string kind, mode;
  uint32_t n_layer, n_head, n_embd, n_ctx, n_vocab;
  uint64_t bytes;
};
CANDID_RECORD(ModelCard, sha256, kind, mode, n_layer, n_head, n_embd, n_ctx, n_vocab, bytes)

struct Status {
  std::string version, git_revision;
  std::optional<base::Bytes> module_hash;
  std::string state;
  std::optional<uint8_t> loading_percent;
  std::optional<ModelCard> model;
  uint64_t heap_bytes = 0, stable_bytes = 0, stable_free_bytes = 0;
  uint32_t sessions = 0, queued = 0, running = 0;
  Cycles cycles = 0;
  uint64_t tokens_today = 0;
  std::optional<uint64_t> instructions_per_token;
};
CANDID_RECORD(Status, version, git_revision, module_hash, state, loading_percent, model, heap_bytes,
              stable_bytes, stable_free_bytes, sessions, queued, running, cycles, tokens_today,
              instructions_per_token)

struct LogLines {
  std::vector<std::pair<uint64_t, std::string>> lines;
  uint64_t next;
};
CANDID_RECORD(LogLines, lines, next)

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_API_H_
