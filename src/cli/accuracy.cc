#include "cli/accuracy.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "gpt2/packed/packed_session.h"
#include "gpt2/sampler/sampler.h"
#include "gpt2/session.h"

namespace cli {
namespace {

// log of the sum of e^logit.
double LogTotal(std::span<const float> logits) {
  const double max = *std::ranges::max_element(logits);
  double total = 0;
  for (const float logit : logits) total += std::exp(logit - max);
  return max + std::log(total);
}

float SecondBest(std::span<const float> logits, gpt2::TokenId best) {
  float second = -INFINITY;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (i != best) second = std::max(second, logits[i]);
  }
  return second;
}

}  // namespace

void Accuracy::Add(std::span<const float> float32, std::span<const float> other, int64_t next) {
  const double total = LogTotal(float32), other_total = LogTotal(other);
  double kl = 0;
  for (size_t i = 0; i < float32.size(); ++i) {
    const double log_p = float32[i] - total, log_q = other[i] - other_total;
    kl += std::exp(log_p) * (log_p - log_q);
  }
  ++positions;
  kl_total += kl;
  kl_worst = std::max(kl_worst, kl);
  const gpt2::TokenId best = gpt2::Argmax(float32);
  top_probability_total += std::exp(float32[best] - total);
  if (float32[best] - SecondBest(float32, best) > 1e-2f) {
    ++clear;
    clear_same += gpt2::Argmax(other) == best ? 1 : 0;
  }
  if (next < 0) return;
  ++next_tokens;
  nll_float32 += total - float32[static_cast<size_t>(next)];
  nll += other_total - other[static_cast<size_t>(next)];
}

double Accuracy::perplexity_ratio() const {
  return std::exp((nll - nll_float32) / static_cast<double>(next_tokens));
}

std::string Accuracy::Text() const {
  const std::string perplexity =
      next_tokens == 0 ? ""
                       : fmt::format("perplexity {:.5f} times float32's; ", perplexity_ratio());
  return fmt::format(
      "{} positions: KL {:.2e} on average, {:.2e} at worst; same best token {:.2f} % of {}; "
      "{}average top probability {:.2f}",
      positions, kl_mean(), kl_worst, same() * 100, clear, perplexity, top_probability());
}

Accuracy Compare(const gpt2::Model& model, const gpt2::PackedModel& packed,
                 std::span<const std::vector<gpt2::TokenId>> texts) {
  Accuracy accuracy;
  for (const std::vector<gpt2::TokenId>& text : texts) {
    gpt2::Session session(model);
    gpt2::PackedSession packed_session(packed);
    for (size_t i = 0; i < text.size() && i < session.capacity(); ++i) {
      CHECK(session.Append({&text[i], 1}).has_value());
      CHECK(packed_session.Append({&text[i], 1}).has_value());
      session.Step();
      packed_session.Step();
      const int64_t next = i + 1 < text.size() ? static_cast<int64_t>(text[i + 1]) : -1;
      accuracy.Add(session.Logits(), packed_session.Logits(), next);
    }
  }
  return accuracy;
}

}  // namespace cli
