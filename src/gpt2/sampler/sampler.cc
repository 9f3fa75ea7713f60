#include "gpt2/sampler/sampler.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <vector>

#include "base/check.h"
#include "gpt2/kernels/exp_near.h"
#include "gpt2/sampler/philox.h"
#include "simd/simd.h"

namespace gpt2 {
namespace {

using namespace simd;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr size_t kBlock = 64;  // logits whose maximum stands for them in the search for the top k

// What may be drawn, in the order of ids.
struct Candidates {
  std::vector<TokenId> ids;
  std::vector<float> values;  // logits, later e^((logit - max) / temperature)

  size_t size() const { return ids.size(); }
  void Add(TokenId id, float value) {
    ids.push_back(id);
    values.push_back(value);
  }
};

// 53 random bits as a number in [0, 1).
double Uniform(uint64_t seed, uint64_t draw_index) {
  const auto bits = Philox(seed, draw_index, 0);
  return static_cast<double>((uint64_t{bits[0]} << 32 | bits[1]) >> 11) * 0x1p-53;
}

// The largest that is no NaN; -infinity if there is none.
float MaxOf(std::span<const float> logits) {
  const float* x = logits.data();
  const float* end = x + logits.size();
  F32x4 max = Splat(-kInfinity);
  for (; end - x >= 32; x += 32) {  // a step of a loop costs as much as two vectors
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 32; i += 4) max = Pmax(max, Load(x + i));
  }
  float out = std::max(std::max(Lane<0>(max), Lane<1>(max)), std::max(Lane<2>(max), Lane<3>(max)));
  for (; x != end; ++x) out = out < *x ? *x : out;
  return out;
}

// Is one of these 32 at least `least`?
bool AnyFrom(const float* x, F32x4 least) {
  I32x4 any = Le(least, Load(x));
#pragma clang loop unroll(full)
  for (size_t i = 4; i < 32; i += 4) any = Or(any, Le(least, Load(x + i)));
  return AnyTrue(any);
}

// Calls found(id) for every logit that is at least `least`, in order.
template <class Found>
void ForEachFrom(std::span<const float> x, float least, Found found) {
  const F32x4 least4 = Splat(least);
  for (size_t i = 0; i < x.size(); i += 32) {
    const bool whole = i + 32 <= x.size();
    if (whole && !AnyFrom(&x[i], least4)) continue;
    for (size_t j = i; j < (whole ? i + 32 : x.size()); ++j) {
      if (x[j] >= least) found(static_cast<TokenId>(j));
    }
  }
}

// A number that at least k of the logits reach: the k-th largest maximum of a block.
float LeastOfTop(std::span<const float> logits, size_t k) {
  std::vector<float> max;
  for (size_t i = 0; i < logits.size(); i += kBlock) {
    max.push_back(MaxOf(logits.subspan(i, std::min(kBlock, logits.size() - i))));
  }
  if (k > max.size()) return -kInfinity;
  const auto at = max.begin() + static_cast<ptrdiff_t>(k - 1);
  std::nth_element(max.begin(), at, max.end(), std::greater<>());
  return *at;
}

Candidates TopK(std::span<const float> logits, size_t k) {
  std::vector<TokenId> ids;
  ForEachFrom(logits, LeastOfTop(logits, k), [&](TokenId id) { ids.push_back(id); });
  if (ids.size() > k) {
    const auto before = [&](TokenId a, TokenId b) {
      return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
    };
    std::vector<TokenId> order = ids;
    const auto last = order.begin() + static_cast<ptrdiff_t>(k - 1);
    std::nth_element(order.begin(), last, order.end(), before);
    std::erase_if(ids, [&](TokenId id) { return before(*last, id); });
  }
  Candidates out;
  for (const TokenId id : ids) out.Add(id, logits[id]);
  return out;
}

Candidates All(std::span<const float> logits) {
  Candidates out;
  out.values.assign(logits.begin(), logits.end());
  out.ids.resize(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) out.ids[i] = static_cast<TokenId>(i);
  return out;
}

// values = e^((value - max) / temperature), 0 for NaN and below e^-87.
void ToLikelihoods(std::vector<float>& values, float max, float temperature) {
  const size_t size = values.size();
  values.resize((size + 3) / 4 * 4, -kInfinity);
  const F32x4 max4 = Splat(max), temperature4 = Splat(temperature), lowest = Splat(-87.0f);
  for (size_t i = 0; i < values.size(); i += 4) {
    const F32x4 x = Div(Sub(Load(&values[i]), max4), temperature4);
    Store(&values[i], Select(Le(lowest, x), ExpNear(Pmax(lowest, x)), Splat(0.0f)));
  }
  values.resize(size);
}

double Total(std::span<const float> values) {
  double total = 0;
  for (const float p : values) total += p;
  return total;
}

// Which of 8 buckets to a power of two, from 2^-32 to 1, a likelihood is in; all below in bucket 0.
constexpr size_t kBuckets = 33 * 8 + 1;
size_t BucketOf(float p) {
  constexpr int32_t kFirst = std::bit_cast<int32_t>(0x1p-32f) >> 20;
  return static_cast<size_t>(std::max((std::bit_cast<int32_t>(p) >> 20) - kFirst + 1, 0));
}

// Keeps the most likely that first reach `top_p` of the total. Whole buckets are kept or dropped by
// their sums; only the bucket in which the limit falls is sorted.
void KeepTopP(Candidates& candidates, double top_p) {
  const std::vector<float>& values = candidates.values;
  float sums[kBuckets] = {};
  for (const float p : values) sums[BucketOf(p)] += p;
  double left = top_p * Total(sums);
  size_t limit = kBuckets - 1;
  for (; limit > 0 && sums[limit] < left; --limit) left -= sums[limit];

  std::vector<uint32_t> in_limit;
  for (uint32_t i = 0; i < values.size(); ++i) {
    if (BucketOf(values[i]) == limit) in_limit.push_back(i);
  }
  std::ranges::sort(in_limit, [&](uint32_t a, uint32_t b) {
    return values[a] != values[b] ? values[a] > values[b] : a < b;
  });
  size_t kept = 0;
  while (kept < in_limit.size() && left > 0) left -= values[in_limit[kept++]];
  std::vector<bool> dropped(values.size());
  for (size_t i = kept; i < in_limit.size(); ++i) dropped[in_limit[i]] = true;

  Candidates out;
  for (uint32_t i = 0; i < values.size(); ++i) {
    if (BucketOf(values[i]) >= limit && !dropped[i]) out.Add(candidates.ids[i], values[i]);
  }
  candidates = std::move(out);
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
  if (!(params.top_p > 0 && params.top_p <= 1)) {
    return base::Err("top_p is not above 0 and at most 1");
  }
  return {};
}

TokenId Argmax(std::span<const float> logits) {
  const float max = MaxOf(logits);
  size_t i = 0;  // nothing is above max: who reaches it is it
  while (i + 32 <= logits.size() && !AnyFrom(&logits[i], Splat(max))) i += 32;
  for (; i < logits.size(); ++i) {
    if (logits[i] == max) return static_cast<TokenId>(i);
  }
  return 0;
}

TokenId Sample(std::span<const float> logits, const SamplingParams& params, uint64_t draw_index) {
  CHECK(!logits.empty() && CheckSampling(params).has_value());
  const TokenId best = Argmax(logits);
  const float max = logits[best];
  if (params.temperature == 0 || !(max > -kInfinity && max < kInfinity)) return best;
  // Within these bounds the result is that of the limit, and the float stays finite and above 0.
  const auto temperature = static_cast<float>(std::clamp(params.temperature, 1e-30, 1e30));
  const bool all = params.top_k == 0 || params.top_k >= logits.size();
  Candidates candidates = all ? All(logits) : TopK(logits, params.top_k);
  ToLikelihoods(candidates.values, max, temperature);
  if (params.top_p < 1) KeepTopP(candidates, params.top_p);

  double left = Uniform(params.seed, draw_index) * Total(candidates.values);
  for (size_t i = 0; i < candidates.size(); ++i) {
    left -= candidates.values[i];
    if (left < 0) return candidates.ids[i];
  }
  return best;  // the rounding of the sums left nothing
}

}  // namespace gpt2
