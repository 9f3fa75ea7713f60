#include "gpt2/sampler/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "gpt2/sampler/philox.h"

namespace gpt2 {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Known answers of the generator's authors (Random123, kat_vectors).
TEST(PhiloxTest, KnownAnswers) {
  using Block = std::array<uint32_t, 4>;
  EXPECT_EQ(Philox(0, 0, 0), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox(~0ull, ~0ull, ~0ull), (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox(0x299f31d0a4093822, 0x85a308d3243f6a88, 0x0370734413198a2e),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(SamplerTest, LowerIdWinsATie) {
  EXPECT_EQ(Argmax(std::vector<float>{1, 3, 3, 2}), 1u);
  EXPECT_EQ(Argmax(std::vector<float>{0.0f, -0.0f}), 0u);
  EXPECT_EQ(Argmax(std::vector<float>{-0.0f, 0.0f}), 0u);
}

TEST(SamplerTest, NanIsBelowEverything) {
  EXPECT_EQ(Argmax(std::vector<float>{kNan, -kInfinity, kNan}), 1u);
  EXPECT_EQ(Argmax(std::vector<float>{kNan, kNan}), 0u);
  for (uint64_t draw = 0; draw < 200; ++draw) {
    EXPECT_NE(Sample(std::vector<float>{1, kNan, 1}, {1.0, 5}, draw), 1u);
  }
}

TEST(SamplerTest, RefusesTemperaturesThatAreNone) {
  for (const auto& [temperature, message] : std::vector<std::pair<double, std::string>>{
           {NAN, "temperature is NaN, expected a finite number of 0 or more"},
           {-0.5, "temperature is negative, expected a finite number of 0 or more"},
           {-INFINITY, "temperature is negative, expected a finite number of 0 or more"},
           {INFINITY, "temperature is infinite, expected a finite number of 0 or more"}}) {
    const auto status = CheckSampling({temperature, 1});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message, message);
  }
  for (const double fine : {0.0, -0.0, 1e-310, 0.7, 1e308}) EXPECT_TRUE(CheckSampling({fine, 1}));
}

TEST(SamplerTest, FrequenciesAreTheSoftmax) {
  const std::vector<float> logits = {0, 1, 2, -1, 0.5f};
  const double temperature = 0.8;
  double total = 0;
  for (const float l : logits) total += std::exp(l / temperature);
  constexpr int kDraws = 40000;
  std::vector<int> counts(logits.size());
  for (uint64_t draw = 0; draw < kDraws; ++draw) ++counts[Sample(logits, {temperature, 42}, draw)];
  for (size_t i = 0; i < logits.size(); ++i) {
    const double p = std::exp(logits[i] / temperature) / total;
    EXPECT_NEAR(counts[i] / double{kDraws}, p, 5 * std::sqrt(p * (1 - p) / kDraws));
  }
}

TEST(SamplerTest, EveryDrawAndSeedIsItsOwn) {
  const std::vector<float> flat(1000, 0.0f);
  std::set<TokenId> by_draw, by_seed;
  for (uint64_t i = 0; i < 50; ++i) {
    by_draw.insert(Sample(flat, {1.0, 1}, i));
    by_seed.insert(Sample(flat, {1.0, i}, 0));
    EXPECT_EQ(Sample(flat, {1.0, i}, i), Sample(flat, {1.0, i}, i));
  }
  EXPECT_GT(by_draw.size(), 40u);
  EXPECT_GT(by_seed.size(), 40u);
}

TEST(SamplerTest, ExtremeTemperaturesAreTheirLimits) {
  const std::vector<float> logits = {1, 5, 4.999f, -3};
  std::set<TokenId> hot;
  for (uint64_t draw = 0; draw < 100; ++draw) {
    EXPECT_EQ(Sample(logits, {1e-310, 3}, draw), 1u);
    hot.insert(Sample(logits, {1e308, 3}, draw));
  }
  EXPECT_EQ(hot.size(), 4u);
}

TEST(SamplerTest, AnInfiniteLogitIsPicked) {
  for (uint64_t draw = 0; draw < 20; ++draw) {
    EXPECT_EQ(Sample(std::vector<float>{1, kInfinity, 2}, {1.0, 1}, draw), 1u);
    EXPECT_EQ(Sample(std::vector<float>(3, -kInfinity), {1.0, 1}, draw), 0u);
  }
}

std::set<TokenId> Drawn(const std::vector<float>& logits, const SamplingParams& params) {
  std::set<TokenId> out;
  for (uint64_t draw = 0; draw < 3000; ++draw) out.insert(Sample(logits, params, draw));
  return out;
}

// What top_k and top_p leave, by sorting everything.
std::set<TokenId> Kept(const std::vector<float>& logits, double temperature, uint32_t top_k,
                       double top_p) {
  std::vector<TokenId> ids(logits.size());
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<TokenId>(i);
  std::ranges::stable_sort(ids, [&](TokenId a, TokenId b) { return logits[a] > logits[b]; });
  if (top_k != 0 && top_k < ids.size()) ids.resize(top_k);
  double total = 0, reached = 0;
  for (const TokenId id : ids) total += std::exp((logits[id] - logits[ids[0]]) / temperature);
  std::set<TokenId> out;
  for (const TokenId id : ids) {
    if (reached >= top_p * total) break;
    reached += std::exp((logits[id] - logits[ids[0]]) / temperature);
    out.insert(id);
  }
  return out;
}

TEST(SamplerTest, TopKAndTopPKeepWhatSortingKeeps) {
  for (const uint32_t n : {3u, 50u, 257u}) {
    std::vector<float> logits(n);
    for (uint32_t i = 0; i < n; ++i) {
      logits[i] = static_cast<float>(Philox(9, i, n)[0] >> 8) * 0x1p-24f * 2;
    }
    for (const uint32_t top_k : {0u, 1u, 2u, 7u, 40u, 1000u}) {
      for (const double top_p : {0.05, 0.31, 0.9, 1.0}) {
        const auto drawn = Drawn(logits, {1.0, 3, top_k, top_p});
        EXPECT_EQ(drawn, Kept(logits, 1.0, top_k, top_p)) << n << " " << top_k << " " << top_p;
      }
    }
  }
}

TEST(SamplerTest, TiesAtTheLimitsGoToTheLowerIds) {
  const std::vector<float> flat(300, 1.5f);
  EXPECT_EQ(Drawn(flat, {1.0, 1, 4, 1.0}), (std::set<TokenId>{0, 1, 2, 3}));
  EXPECT_EQ(Drawn(flat, {1.0, 1, 0, 0.01}), (std::set<TokenId>{0, 1, 2}));
  EXPECT_EQ(Drawn(flat, {1.0, 1, 10, 0.2}), (std::set<TokenId>{0, 1}));
}

TEST(SamplerTest, RefusesProbabilitiesThatAreNone) {
  for (const double top_p : {0.0, -1.0, 1.5, static_cast<double>(NAN)}) {
    const auto status = CheckSampling({1.0, 1, 0, top_p});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message, "top_p is not above 0 and at most 1");
  }
}

}  // namespace
}  // namespace gpt2
