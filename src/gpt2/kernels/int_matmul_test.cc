#include "gpt2/kernels/int_matmul.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "gpt2/kernels/exp_near.h"
#include "gpt2/kernels/fused.h"
#include "gpt2/kernels/int_attention.h"
#include "gpt2/kernels/strassen.h"
#include "gpt2/sampler/philox.h"

namespace gpt2 {
namespace {

constexpr uint32_t kInputs[] = {16,  48,  64,  128, 144,  192,  256,  384,
                                400, 640, 768, 800, 1024, 1280, 1600, 3072};
constexpr uint32_t kBlocks = 3;
constexpr int kSteps = static_cast<int>(kActivationSteps);

// Numbers up to `max` in magnitude: random, or the extremes with signs that make sums as large as
// they can be.
template <class T>
std::vector<T> Numbers(size_t count, int max, bool extreme, uint64_t seed) {
  std::vector<T> out(count);
  for (size_t i = 0; i < count; ++i) {
    const int random = static_cast<int>(Philox(seed, i, 5)[0] % static_cast<uint32_t>(2 * max + 1));
    out[i] = static_cast<T>(extreme ? max : random - max);
  }
  return out;
}

// By the definition: groups of exact integers, each turned into a float, added in order.
template <class Weight>
std::vector<float> Expected(const std::vector<Weight>& w, const int16_t* acts, uint32_t n_in) {
  const uint32_t group = sizeof(Weight) == 1 ? ChunkInputs(n_in) : 32;
  std::vector<float> out;
  for (uint32_t row = 0; row < 4 * kBlocks; ++row) {
    float sum = 0;
    int64_t exact = 0;
    for (uint32_t i = 0; i < n_in; ++i) {
      const bool chunk_begins = i % ChunkInputs(n_in) % group == 0;
      if (i != 0 && chunk_begins) {
        EXPECT_LE(std::abs(exact), INT32_MAX);
        sum += static_cast<float>(exact);
        exact = 0;
      }
      exact += int64_t{w[row / 4 * 4 * n_in + i / 2 * 8 + row % 4 * 2 + i % 2]} * acts[i];
    }
    EXPECT_LE(std::abs(exact), INT32_MAX);
    out.push_back(sum + static_cast<float>(exact));
  }
  return out;
}

template <class Weight>
void ExpectProducts(int max, bool extreme) {
  for (const uint32_t n_in : kInputs) {
    const auto w = Numbers<Weight>(size_t{4} * kBlocks * n_in, max, extreme, n_in);
    const auto acts = Numbers<int16_t>(size_t{kPrefillTokens} * n_in, kSteps, extreme, n_in + 1);
    IntMatrix m{.n_in = n_in, .blocks = kBlocks};
    if constexpr (sizeof(Weight) == 1) {
      m.weights8 = w.data();
    } else {
      m.weights16 = w.data();
    }
    std::vector<float> sums(size_t{4} * kBlocks), many(sums.size() * kPrefillTokens);
    MatmulScratch scratch;
    MultiplyTokens(m, 0, kBlocks, acts.data(), many.data(), scratch);
    for (uint32_t t = 0; t < kPrefillTokens; ++t) {
      const auto expected = Expected(w, acts.data() + size_t{t} * n_in, n_in);
      Multiply(m, 0, kBlocks, acts.data() + size_t{t} * n_in, sums.data());
      EXPECT_EQ(sums, expected) << n_in;
      for (uint32_t b = 0; b < kBlocks; ++b) {
        std::copy_n(&many[(b * kPrefillTokens + t) * 4], 4, &sums[size_t{4} * b]);
      }
      EXPECT_EQ(sums, expected) << n_in << ", token " << t;
      Multiply(m, 1, 1, acts.data() + size_t{t} * n_in, sums.data());
      EXPECT_EQ(sums[3], expected[7]) << n_in;
    }
  }
}

TEST(IntMatmulTest, ProductsAreThoseOfTheDefinition) {
  ExpectProducts<int8_t>(127, false);
  ExpectProducts<int16_t>(4095, false);
}

// Signs of the extremes: all the same, or such that sums of two cancel or double by turns.
TEST(IntMatmulTest, StrassenGivesTheSameBits) {
  constexpr uint32_t kMany = 6, kFirst = 2;
  for (const uint32_t n_in : {640, 768, 800, 1024, 1280, 1600, 3072}) {
    for (const uint32_t tokens : {32, 64, 128}) {
      for (const int extreme : {0, 1, 2}) {
        auto w = Numbers<int8_t>(size_t{4} * kMany * n_in, 128, extreme != 0, n_in);
        auto acts = Numbers<int16_t>(size_t{tokens} * n_in, kSteps, extreme != 0, n_in + 1);
        if (extreme != 0) {
          for (auto& weight : w) weight = -128;
        }
        if (extreme == 2) {
          for (size_t i = 0; i < w.size(); i += 3) w[i] = 127;
          for (size_t i = 0; i < acts.size(); i += 5) acts[i] = -kSteps;
        }
        const IntMatrix m{.weights8 = w.data(), .n_in = n_in, .blocks = kMany};
        MatmulScratch scratch;
        const uint32_t blocks = kMany - kFirst;
        ASSERT_TRUE(StrassenTakes(m, blocks));
        std::vector<float> many(size_t{4} * blocks * tokens), one(size_t{4} * blocks);
        MultiplyStrassen(m, kFirst, blocks, acts.data(), tokens, many.data(), scratch);
        for (uint32_t t = 0; t < tokens; ++t) {
          Multiply(m, kFirst, blocks, acts.data() + size_t{t} * n_in, one.data());
          for (uint32_t i = 0; i < one.size(); ++i) {
            ASSERT_EQ(many[(i / 4 * tokens + t) * 4 + i % 4], one[i])
                << n_in << ", token " << t << ", row " << i << ", " << extreme;
          }
        }
      }
    }
  }
}

TEST(IntMatmulTest, ExtremesDoNotOverflow) {
  ExpectProducts<int8_t>(127, true);
  ExpectProducts<int16_t>(4095, true);
}

TEST(FusedTest, ExpNearIsWithin1e5) {
  double worst = 0;
  for (int i = -87 * 4096; i <= 87 * 4096; i += 3) {
    const float x = static_cast<float>(i) / 4096;
    const double expected = std::exp(double{x});
    worst = std::max(worst, std::abs(simd::Lane<0>(ExpNear(simd::Splat(x))) / expected - 1));
  }
  std::printf("exp_near: %.2e\n", worst);
  EXPECT_LT(worst, 1e-5);
}

TEST(FusedTest, QuantisedNumbersAreWithinHalfAStepForAnySize) {
  for (const float size : {1e-30f, 1e-20f, 1.0f, 777.0f, 1e30f}) {
    std::vector<float> x(20);
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = size * (static_cast<float>(Philox(1, i, 0)[0]) * 0x1p-31f - 1);
    }
    x[7] = -size;
    std::vector<int16_t> out(20);
    const float step = Quantize(x.data(), 5, AbsMax(x.data(), 5), out.data());
    for (size_t i = 0; i < x.size(); ++i) {
      EXPECT_NEAR(out[i] * double{step}, x[i], size == 1e-30f ? 1.01e-30 : step * 0.502);
    }
    EXPECT_EQ(out[7], size == 1e-30f ? 0 : -kSteps);
  }
}

// The largest keys and values at every position, up to the end of what a cache may hold in a test.
TEST(IntAttentionTest, ExtremesDoNotOverflow) {
  const Hparams hparams{.n_vocab = 1, .n_ctx = 4096, .n_embd = 64, .n_head = 1, .n_layer = 1};
  IntKvCache kv(hparams);
  const std::vector<float> ones(64, 1.0f);
  AttentionScratch scratch;
  std::vector<float> out(64);
  for (uint32_t pos = 0; pos < hparams.n_ctx; ++pos) {
    kv.Reserve(pos);
    kv.StoreKey(0, 0, pos, ones.data());
    kv.StoreValue(0, 0, pos, ones.data());
    if (pos % 97 != 0 && pos + 1 != hparams.n_ctx) continue;
    IntAttention(ones.data(), 0.125f, kv, 0, 0, pos, scratch, out.data());
    for (const float v : out) EXPECT_NEAR(v, 1.0f, 5e-3) << pos;
  }
}

// Against the definition in double.
TEST(IntAttentionTest, AttentionOfAnyHeadSize) {
  for (const uint32_t head_dim : {1u, 4u, 7u, 32u, 64u, 100u}) {
    const uint32_t padded = (head_dim + 3) / 4 * 4;
    const Hparams hparams{.n_vocab = 1, .n_ctx = 90, .n_embd = head_dim, .n_head = 1, .n_layer = 1};
    IntKvCache kv(hparams);
    AttentionScratch scratch;
    std::vector<std::vector<float>> keys, values;
    const auto random = [&](uint64_t seed) {
      std::vector<float> x(padded);
      for (uint32_t i = 0; i < head_dim; ++i) {
        x[i] = static_cast<float>(Philox(seed, i, 3)[0]) * 0x1p-30f - 2;
      }
      return x;
    };
    for (uint32_t pos = 0; pos < hparams.n_ctx; ++pos) {
      kv.Reserve(pos);
      keys.push_back(random(2 * pos));
      values.push_back(random(2 * pos + 1));
      kv.StoreKey(0, 0, pos, keys.back().data());
      kv.StoreValue(0, 0, pos, values.back().data());
      const auto q = random(1000 + pos);
      std::vector<float> out(padded);
      const float scale = 1 / std::sqrt(static_cast<float>(head_dim));
      IntAttention(q.data(), scale, kv, 0, 0, pos, scratch, out.data());
      std::vector<double> blend(padded);
      double total = 0;
      for (uint32_t t = 0; t <= pos; ++t) {
        double score = 0;
        for (uint32_t i = 0; i < head_dim; ++i) score += double{q[i]} * keys[t][i];
        const double e = std::exp(score * scale);
        total += e;
        for (uint32_t i = 0; i < head_dim; ++i) blend[i] += e * values[t][i];
      }
      for (uint32_t i = 0; i < padded; ++i) EXPECT_NEAR(out[i], blend[i] / total, 3e-3);
    }
  }
}

}  // namespace
}  // namespace gpt2
