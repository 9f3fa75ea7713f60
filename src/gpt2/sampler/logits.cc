#include "gpt2/sampler/logits.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/check.h"
#include "gpt2/kernels/attention.h"

namespace gpt2 {
namespace {

constexpr float kLowest = -std::numeric_limits<float>::infinity();

// The ids that occur, each once, with how often.
std::vector<std::pair<TokenId, uint32_t>> Counted(std::vector<TokenId> ids) {
  std::ranges::sort(ids);
  std::vector<std::pair<TokenId, uint32_t>> counted;
  for (const TokenId id : ids) {
    if (counted.empty() || counted.back().first != id) counted.emplace_back(id, 0);
    ++counted.back().second;
  }
  return counted;
}

}  // namespace

void RepetitionPenalty(std::span<float> logits, std::span<const TokenId> prompt,
                       std::span<const TokenId> output, float penalty) {
  std::vector<TokenId> ids(prompt.begin(), prompt.end());
  ids.insert(ids.end(), output.begin(), output.end());
  for (const auto& [id, count] : Counted(std::move(ids))) {
    CHECK(id < logits.size());
    logits[id] = logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty;
  }
}

void FrequencyAndPresencePenalty(std::span<float> logits, std::span<const TokenId> output,
                                 float frequency, float presence) {
  for (const auto& [id, count] : Counted({output.begin(), output.end()})) {
    CHECK(id < logits.size());
    logits[id] -= static_cast<float>(count) * frequency + presence;
  }
}

// x = m * 2^e with m within [sqrt(1/2), sqrt(2)]; ln m = 2 atanh(s) with s = (m-1)/(m+1), |s| at
// most 0.1716, of which 12 terms of the series are kept: the next is below 1e-20.
double Log(double x) {
  CHECK(x > 0 && x <= std::numeric_limits<double>::max());
  if (x < std::numeric_limits<double>::min()) return Log(x * 0x1p54) - 54 * 0.6931471805599453;
  const auto bits = std::bit_cast<uint64_t>(x);
  auto exponent = static_cast<int64_t>(bits >> 52) - 1023;
  auto m = std::bit_cast<double>((bits & 0xfffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m /= 2;
    ++exponent;
  }
  const double s = (m - 1) / (m + 1), s2 = s * s;
  double sum = 0;
  for (int k = 23; k > 0; k -= 2) sum = sum * s2 + 1.0 / k;
  return static_cast<double>(exponent) * 0.6931471805599453 + 2 * s * sum;
}

LogSoftmax::LogSoftmax(std::span<const float> logits, uint32_t n_top)
    : logits_(logits.begin(), logits.end()) {
  CHECK(!logits_.empty());
  for (float& logit : logits_) {
    if (logit != logit) logit = kLowest;
  }
  const float max = *std::ranges::max_element(logits_);
  std::vector<float> exps = logits_;
  // With an infinite maximum nothing can be subtracted: every logarithm is then minus infinity or
  // NaN as IEEE has it.
  log_sum_ = max + static_cast<float>(Log(std::max(1.0f, ExpOverMax(exps))));
  std::vector<TokenId> ids(logits_.size());
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<TokenId>(i);
  const size_t n = std::min<size_t>(n_top, ids.size());
  std::ranges::partial_sort(ids, ids.begin() + static_cast<ptrdiff_t>(n),
                            [&](TokenId a, TokenId b) {
                              return logits_[a] != logits_[b] ? logits_[a] > logits_[b] : a < b;
                            });
  for (size_t i = 0; i < n; ++i) top_.emplace_back(ids[i], Of(ids[i]));
}

}  // namespace gpt2
