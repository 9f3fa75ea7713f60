#include "canister/model/sampling_plan.h"

#include <algorithm>

#include "gpt2/sampler/logits.h"
#include "gpt2/sampler/sampler.h"

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

bool HasPenalties(const Sampling& s) {
  return s.repetition_penalty.value_or(1) != 1 || s.frequency_penalty.value_or(0) != 0 ||
         s.presence_penalty.value_or(0) != 0;
}

void Penalize(std::span<float> logits, const Sampling& s, std::span<const gpt2::TokenId> prompt,
              std::span<const gpt2::TokenId> output) {
  if (s.repetition_penalty.value_or(1) != 1) {
    gpt2::RepetitionPenalty(logits, prompt, output, static_cast<float>(*s.repetition_penalty));
  }
  gpt2::FrequencyAndPresencePenalty(logits, output,
                                    static_cast<float>(s.frequency_penalty.value_or(0)),
                                    static_cast<float>(s.presence_penalty.value_or(0)));
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

Choice ChooseToken(std::span<const float> logits, const Sampling& s,
                   std::span<const gpt2::TokenId> prompt, std::span<const gpt2::TokenId> output) {
  gpt2::SamplingParams params{*s.temperature, *s.seed};
  if (s.top_k) params.top_k = *s.top_k;
  if (s.top_p) params.top_p = *s.top_p;
  Choice choice;
  if (HasPenalties(s)) {
    std::vector<float> changed(logits.begin(), logits.end());
    Penalize(changed, s, prompt, output);
    choice.token = gpt2::Sample(changed, params, output.size());
  } else {
    choice.token = gpt2::Sample(logits, params, output.size());
  }
  if (s.logprobs) {
    const gpt2::LogSoftmax log_softmax(logits, *s.logprobs);
    choice.logprob = TokenLogprob{choice.token, log_softmax.Of(choice.token), log_softmax.top()};
  }
  return choice;
}

size_t FindStop(std::string_view text, size_t from, const std::vector<std::string>& stop) {
  size_t first = std::string_view::npos;
  for (const std::string& s : stop) {
    const size_t start = from > s.size() ? from - s.size() : 0;
    first = std::min(first, text.find(s, start));
  }
  return first;
}

}  // namespace model
