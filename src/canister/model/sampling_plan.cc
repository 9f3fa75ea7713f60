#include "canister/model/sampling_plan.h"

#include <algorithm>

#include "gpt2/sampler/logits.h"

namespace model {
namespace {

constexpr uint32_t kMaxTokensDefault = 100;
constexpr size_t kStopTextsMax = 8;
constexpr size_t kStopBytesMax = 256;

// low <= value <= high; NaN is neither.
Done CheckRange(const char* name, double value, double low, double high, const char* range) {
  if (value >= low && value <= high) return {};
  return Fail("bad_input", name, " is out of range, expected ", range);
}

Done CheckStop(const std::vector<std::string>& stop) {
  if (stop.size() > kStopTextsMax) {
    return Fail("bad_input", "stop has ", stop.size(), " texts, expected at most ", kStopTextsMax);
  }
  for (const std::string& text : stop) {
    if (text.empty() || text.size() > kStopBytesMax) {
      return Fail("bad_input", "a text of stop has ", text.size(), " bytes, expected 1 to ",
                  kStopBytesMax);
    }
  }
  return {};
}

}  // namespace

Answer<Sampling> CheckedSampling(Sampling s, uint64_t seed) {
  if (!s.max_tokens) s.max_tokens = kMaxTokensDefault;
  if (!s.temperature) s.temperature = 0;
  if (!s.seed) s.seed = seed;
  TRY_STATUS(CheckRange("temperature", *s.temperature, 0, 100, "0 to 100"));
  if (s.top_k && *s.top_k == 0) return Fail("bad_input", "top_k is 0, expected at least 1");
  if (s.top_p) {
    TRY_STATUS(CheckRange("top_p", *s.top_p, 1e-6, 1, "more than 0 and at most 1"));
  }
  if (s.repetition_penalty) {
    TRY_STATUS(CheckRange("repetition_penalty", *s.repetition_penalty, 0.01, 100, "0.01 to 100"));
  }
  if (s.frequency_penalty) {
    TRY_STATUS(CheckRange("frequency_penalty", *s.frequency_penalty, -2, 2, "-2 to 2"));
  }
  if (s.presence_penalty) {
    TRY_STATUS(CheckRange("presence_penalty", *s.presence_penalty, -2, 2, "-2 to 2"));
  }
  if (s.logprobs && *s.logprobs > kLogprobsMax) {
    return Fail("bad_input", "logprobs is ", *s.logprobs, ", expected at most ", kLogprobsMax);
  }
  if (s.stop) TRY_STATUS(CheckStop(*s.stop));
  return s;
}

gpt2::SamplingParams ParamsOf(const Sampling& s) {
  return {*s.temperature, *s.seed, s.top_k.value_or(0), s.top_p.value_or(1)};
}

gpt2::Penalties PenaltiesOf(const Sampling& s) {
  return {s.repetition_penalty.value_or(1), s.frequency_penalty.value_or(0),
          s.presence_penalty.value_or(0)};
}

// Held by tests/jobs_canister_test.cc (QuotesAreNeverExceeded).
uint64_t LogitCostMax(const Sampling& s) {
  constexpr uint64_t kPenalties = 60, kTop = 150, kLogprobs = 150;
  return (PenaltiesOf(s).none() ? 0 : kPenalties) + (s.top_k ? kTop : 0) + (s.top_p ? kTop : 0) +
         (s.logprobs ? kLogprobs : 0);
}

Choice ChooseToken(std::span<const float> logits, const Sampling& s,
                   std::span<const gpt2::TokenId> prompt, std::span<const gpt2::TokenId> output) {
  Choice choice{gpt2::Choose(logits, ParamsOf(s), PenaltiesOf(s), prompt, output), {}};
  if (s.logprobs) {
    const gpt2::LogSoftmax log_softmax(logits, *s.logprobs);
    choice.logprob = TokenLogprob{choice.token, log_softmax.Of(choice.token), log_softmax.top()};
  }
  return choice;
}

}  // namespace model
