#ifndef GPT2IC_CANISTER_MODEL_JOB_H_
#define GPT2IC_CANISTER_MODEL_JOB_H_

#include <string>
#include <vector>

#include "candid/principal.h"
#include "canister/model/api.h"
#include "canister/model/gate.h"
#include "gpt2/token_id.h"

namespace model {

enum class JobState : uint8_t { kQueued, kPrefill, kDecoding, kDone, kCancelled, kFailed };
CANDID_ENUM(JobState, "queued", "prefill", "decoding", "done", "cancelled", "failed")

// How a job's answer reaches its caller.
enum class JobKind : uint8_t {
  kPolled,          // generate_start: the caller asks for it
  kGenerate,        // generate: one call waits for it
  kInference,       // inference: likewise
  kModelInference,  // model_inference of gpt2_backend: likewise
};
CANDID_ENUM(JobKind, "polled", "generate", "inference", "model_inference")

// The authorized and who pays have a queue of their own, which goes first.
enum class Rank : uint8_t { kPrivileged, kCommon };
inline Rank RankOf(Role role, bool pays) {
  return role >= Role::kAuthorized || pays ? Rank::kPrivileged : Rank::kCommon;
}

// One text in the making. A record, so that an upgrade keeps it.
struct Job {
  uint64_t id = 0;
  candid::Principal caller;
  Role role = Role::kAnonymous;
  JobKind kind = JobKind::kPolled;
  JobState state = JobState::kQueued;

  uint64_t session = 0;               // whose tokens are continued
  std::vector<gpt2::TokenId> prompt;  // what the session has not taken in yet
  uint32_t prompt_tokens = 0;         // all tokens before the answer
  uint32_t cached_tokens = 0;         // of them, those whose keys and values were there already
  uint32_t dropped_tokens = 0;        // oldest turns that did not fit any more
  uint32_t prefilled = 0;
  bool prompt_taken = false;  // into the session
  std::optional<gpt2::TokenId> end_token;
  Sampling sampling;  // every parameter filled in

  std::vector<gpt2::TokenId> output;
  std::string text;     // of the output, whole characters
  base::Bytes pending;  // bytes behind it that may become one
  std::vector<TokenLogprob> logprobs;
  std::string finish_reason;   // "" until the end
  bool ended_by_text = false;  // "stop", by a stop text
  std::optional<Error> error;

  uint64_t created_ns = 0, finished_ns = 0;
  uint64_t instructions = 0;
  uint32_t messages = 0;
  Cycles price_per_token = 0;       // when the caller pays
  uint64_t quota_tokens = 0;        // taken of the day's quota at the start
  std::optional<Quote> quote;       // what was told at the start
  std::optional<uint64_t> receipt;  // of the finished answer

  Rank rank() const { return RankOf(role, price_per_token > 0); }
  bool finished() const { return state >= JobState::kDone; }
  uint64_t bytes() const;  // of heap, at most a small multiple
  uint32_t tokens_max() const { return *sampling.max_tokens; }
  uint64_t tokens_spent() const { return prefilled + output.size(); }
};
CANDID_ENUM(Role, "anonymous", "authenticated", "authorized", "controller")
CANDID_RECORD(Job, id, caller, role, kind, state, session, prompt, prompt_tokens, cached_tokens,
              dropped_tokens, prefilled, prompt_taken, end_token, sampling, output, text, pending,
              logprobs, finish_reason, error, created_ns, finished_ns, instructions, messages,
              price_per_token, quota_tokens, quote, receipt)

// Adds the bytes of a token, or at the end what was held back. Bytes that are no UTF-8 become
// U+FFFD, and the text is the same however the bytes were cut.
void AppendText(Job& job, std::string_view bytes);
void FlushText(Job& job);

Progress ProgressOf(const Job& job, uint64_t from);

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_JOB_H_
