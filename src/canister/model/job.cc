#include "canister/model/job.h"

#include <algorithm>

#include "gpt2/text_stream.h"

namespace model {
namespace {

constexpr uint64_t kExecutionFee = 5'000'000;  // cycles of each message, besides its instructions
constexpr const char* kStates[] = {"queued", "prefill", "decoding", "done", "cancelled", "failed"};

}  // namespace

uint64_t Job::bytes() const {
  constexpr uint64_t kAlternative = sizeof(std::pair<uint32_t, float>);
  const uint64_t of_logprobs = sizeof(TokenLogprob) + sampling.logprobs.value_or(0) * kAlternative;
  return sizeof(Job) + 4 * (prompt.size() + output.size()) + text.size() +
         logprobs.size() * of_logprobs;
}

void AppendText(Job& job, std::string_view bytes) {
  gpt2::AppendText(job.text, job.pending, bytes);
}

void FlushText(Job& job) { gpt2::FlushText(job.text, job.pending); }

Progress ProgressOf(const Job& job, uint64_t from) {
  Progress progress;
  progress.state = kStates[static_cast<size_t>(job.state)];
  if (!job.finish_reason.empty()) progress.finish_reason = job.finish_reason;
  progress.prompt_tokens = job.prompt_tokens;
  progress.cached_tokens = job.cached_tokens;
  progress.dropped_tokens = job.dropped_tokens;
  progress.prefilled = job.prefilled;
  progress.tokens = static_cast<uint32_t>(job.output.size());
  // Whatever place is asked for, what comes back begins with a character.
  auto start = static_cast<size_t>(std::min<uint64_t>(from, job.text.size()));
  while (start < job.text.size() && (static_cast<uint8_t>(job.text[start]) & 0xc0) == 0x80) ++start;
  progress.text = job.text.substr(start);
  progress.next = job.text.size();
  progress.seed = *job.sampling.seed;
  if (job.kind == JobKind::kPolled) progress.session = job.session;
  progress.instructions = job.instructions;
  progress.cycles = Cycles{job.instructions} + Cycles{job.messages} * kExecutionFee;
  if (job.sampling.logprobs) progress.logprobs = job.logprobs;
  progress.error = job.error;
  progress.receipt = job.receipt;
  return progress;
}

}  // namespace model
