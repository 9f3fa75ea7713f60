#include "gpt2/sampler/sampler.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/check.h"
#include "gpt2/kernels/exp.h"
#include "gpt2/sampler/philox.h"

namespace gpt2 {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// 53 random bits as a number in [0, 1).
double Uniform(uint64_t seed, uint64_t draw_index) {
  const auto bits = Philox(seed, draw_index, 0);
  return static_cast<double>((uint64_t{bits[0]} << 32 | bits[1]) >> 11) * 0x1p-53;
}

// e^((logit - max) / temperature) of each; 0 for NaN.
std::vector<float> Likelihoods(std::span<const float> logits, float max, float temperature) {
  using namespace simd;
  std::vector<float> out(logits.begin(), logits.end());
  out.resize((logits.size() + 3) / 4 * 4, -kInfinity);
  for (size_t i = 0; i < out.size(); i += 4) {
    const F32x4 e = Exp(Div(Sub(Load(&out[i]), Splat(max)), Splat(temperature)));
    Store(&out[i], Select(Eq(e, e), e, Splat(0.0f)));
  }
  out.resize(logits.size());
  return out;
}

}  // namespace

base::Status CheckSampling(const SamplingParams& params) {
  const double t = params.temperature;
  const std::string_view expected = ", expected a finite number of 0 or more";
  if (t != t) return base::Err("temperature is NaN", expected);
  if (t < 0) return base::Err("temperature is negative", expected);
  if (t > std::numeric_limits<double>::max()) {
    return base::Err("temperature is infinite", expected);
  }
  return {};
}

TokenId Argmax(std::span<const float> logits) {
  size_t best = 0;
  for (size_t i = 1; i < logits.size(); ++i) {
    if (logits[i] > logits[best] || logits[best] != logits[best]) best = i;
  }
  return logits[best] == logits[best] ? static_cast<TokenId>(best) : 0;
}

TokenId Sample(std::span<const float> logits, const SamplingParams& params, uint64_t draw_index) {
  CHECK(!logits.empty() && CheckSampling(params).has_value());
  const TokenId best = Argmax(logits);
  const float max = logits[best];
  if (params.temperature == 0 || !(max > -kInfinity && max < kInfinity)) return best;
  // Within these bounds the result is that of the limit, and the float stays finite and above 0.
  const auto temperature = static_cast<float>(std::clamp(params.temperature, 1e-30, 1e30));
  const std::vector<float> likelihoods = Likelihoods(logits, max, temperature);

  double total = 0;
  for (const float p : likelihoods) total += p;
  double left = Uniform(params.seed, draw_index) * total;
  for (size_t i = 0; i < likelihoods.size(); ++i) {
    left -= likelihoods[i];
    if (left < 0) return static_cast<TokenId>(i);
  }
  return best;  // the rounding of the sums left nothing
}

}  // namespace gpt2
