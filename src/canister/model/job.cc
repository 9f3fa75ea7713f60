#include "canister/model/job.h"

#include <algorithm>

#include "gpt2/tokenizer/unicode.h"

namespace model {
namespace {

constexpr uint64_t kExecutionFee = 5'000'000;  // cycles of each message, besides its instructions
constexpr const char* kStates[] = {"queued", "prefill", "decoding", "done", "cancelled", "failed"};

// Bytes of the character that begins with `lead`; 1 for a byte that begins none.
size_t CharacterBytes(uint8_t lead) {
  if (lead >= 0xf0 && lead < 0xf8) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc0 ? 2 : 1;
}

// The bytes of `text` up to the last whole character.
size_t WholeCharacters(std::string_view text) {
  const size_t looked_at = std::min<size_t>(text.size(), 3);
  for (size_t back = 1; back <= looked_at; ++back) {
    const auto byte = static_cast<uint8_t>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;  // within a character
    return CharacterBytes(byte) > back ? text.size() - back : text.size();
  }
  return text.size();
}

}  // namespace

void AppendText(Job& job, std::string_view bytes) {
  base::Append(job.pending, bytes);
  const std::string_view pending = base::AsText(job.pending);
  const size_t whole = WholeCharacters(pending);
  job.text += gpt2::ReplaceIllFormed(pending.substr(0, whole));
  job.pending.erase(job.pending.begin(), job.pending.begin() + static_cast<ptrdiff_t>(whole));
}

void FlushText(Job& job) {
  job.text += gpt2::ReplaceIllFormed(base::AsText(job.pending));
  job.pending.clear();
}

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
  return progress;
}

}  // namespace model
