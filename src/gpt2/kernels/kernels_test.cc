#include "gpt2/kernels/kernels.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <vector>

#include "gpt2/kernels/attention.h"
#include "gpt2/kernels/exp.h"
#include "gpt2/sampler/philox.h"

namespace gpt2 {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

float Exp1(float x) { return simd::Lane<0>(Exp(simd::Splat(x))); }
float Tanh1(float x) { return simd::Lane<0>(Tanh(simd::Splat(x))); }
float Gelu1(float x) {
  Gelu({&x, 1});
  return x;
}

double GeluNew(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

// Calls with every float from `from` up to `to` at steps of `stride` representable numbers.
void ForFloats(float from, float to, uint32_t stride, const std::function<void(float)>& body) {
  for (float x = from; x < to;
       x = x < 0 ? std::bit_cast<float>(std::bit_cast<uint32_t>(x) - stride)
                 : std::bit_cast<float>(std::bit_cast<uint32_t>(x) + stride)) {
    if (x < 0 && std::bit_cast<uint32_t>(x) - 0x80000000u <= stride) x = 0.0f;
    body(x);
  }
}

std::vector<float> Random(size_t count, uint64_t seed) {
  std::vector<float> out(count);
  for (size_t i = 0; i < count; ++i) {
    out[i] = static_cast<float>(Philox(seed, i, 9)[0]) * 0x1p-31f - 1.0f;
  }
  return out;
}

Tensor RandomTensor(size_t count, uint64_t seed) {
  Tensor tensor(count);
  std::ranges::copy(Random(count, seed), tensor.data());
  return tensor;
}

TEST(KernelsTest, ExpIsWithinTwoUnitsInTheLastPlace) {
  double worst = 0;
  ForFloats(-87.3f, 88.72f, 997, [&](float x) {
    const double expected = std::exp(static_cast<double>(x));
    const auto rounded = static_cast<float>(expected);
    const double unit = std::nextafter(rounded, kInfinity) - rounded;
    worst = std::max(worst, std::abs(Exp1(x) - expected) / unit);
  });
  std::printf("exp: %.3f units in the last place\n", worst);
  EXPECT_LT(worst, 2.0);
}

TEST(KernelsTest, ExpHasTheRightEnds) {
  EXPECT_EQ(Exp1(0), 1.0f);
  EXPECT_EQ(Exp1(-0.0f), 1.0f);
  EXPECT_EQ(Exp1(kInfinity), kInfinity);
  EXPECT_EQ(Exp1(88.8f), kInfinity);
  EXPECT_EQ(Exp1(1e38f), kInfinity);
  EXPECT_EQ(Exp1(-kInfinity), 0.0f);
  EXPECT_EQ(Exp1(-105), 0.0f);
  EXPECT_NEAR(Exp1(-100), std::exp(-100.0), 1.5e-45);  // subnormal
  EXPECT_TRUE(std::isnan(Exp1(kNan)));
}

TEST(KernelsTest, TanhIsWithin2e7) {
  double worst = 0;
  ForFloats(-12, 12, 4099,
            [&](float x) { worst = std::max(worst, std::abs(Tanh1(x) - std::tanh(double{x}))); });
  std::printf("tanh: %.2e\n", worst);
  EXPECT_LT(worst, 2e-7);
  EXPECT_EQ(Tanh1(kInfinity), 1.0f);
  EXPECT_EQ(Tanh1(-kInfinity), -1.0f);
  EXPECT_TRUE(std::isnan(Tanh1(kNan)));
}

TEST(KernelsTest, GeluIsWithin4e7OfItsSize) {
  double worst = 0;
  ForFloats(-20, 20, 4099, [&](float x) {
    worst = std::max(worst, std::abs(Gelu1(x) - GeluNew(x)) / std::max(1.0, std::abs(double{x})));
  });
  std::printf("gelu: %.2e\n", worst);
  EXPECT_LT(worst, 4e-7);
  EXPECT_EQ(Gelu1(1e30f), 1e30f);
  EXPECT_EQ(Gelu1(-1e30f), 0.0f);
  EXPECT_EQ(Gelu1(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(Gelu1(kNan)));
}

TEST(KernelsTest, LayerNormOfAnySize) {
  for (const size_t n : {1, 2, 3, 4, 5, 7, 21, 64, 67}) {
    const auto x = Random(n, n);
    const Norm norm{RandomTensor(n, 100 + n), RandomTensor(n, 200 + n)};
    std::vector<float> out(n);
    LayerNorm(x, norm, 1e-5f, out);
    double mean = 0, variance = 0;
    for (const float v : x) mean += v / static_cast<double>(n);
    for (const float v : x) variance += (v - mean) * (v - mean) / static_cast<double>(n);
    for (size_t i = 0; i < n; ++i) {
      const double normed = (x[i] - mean) / std::sqrt(variance + 1e-5);
      EXPECT_NEAR(out[i], normed * norm.w.data()[i] + norm.b.data()[i], 4e-6) << n << " " << i;
    }
  }
}

TEST(KernelsTest, MatVecOfAnyShape) {
  for (const size_t n_in : {1, 3, 4, 21, 64}) {
    for (const size_t n_out : {1, 2, 3, 4, 5, 31, 32, 33, 36, 63, 71}) {
      const auto x = Random(n_in, n_in);
      const Linear linear{RandomTensor(n_in * n_out, 300), RandomTensor(n_out, 301)};
      std::vector<float> out(n_out), rows(n_out);
      MatVec(x, linear, out);
      MatVecRows(x, linear.w, rows);
      for (size_t j = 0; j < n_out; ++j) {
        double column = linear.b.data()[j], row = 0;
        for (size_t i = 0; i < n_in; ++i) {
          column += double{x[i]} * linear.w.data()[i * n_out + j];
          row += double{x[i]} * linear.w.data()[j * n_in + i];
        }
        EXPECT_NEAR(out[j], column, 5e-6) << n_in << "x" << n_out << " column " << j;
        EXPECT_NEAR(rows[j], row, 5e-6) << n_in << "x" << n_out << " row " << j;
      }
    }
  }
}

TEST(KernelsTest, LogitsHaveOneNan) {
  Tensor w(10);
  for (size_t i = 0; i < 10; ++i) w.data()[i] = std::bit_cast<float>(0xffc12300u + uint32_t(i));
  w.data()[6] = kInfinity;
  std::vector<float> out(5);
  MatVecRows(std::vector<float>{1, 0}, w, out);
  for (const float v : out) EXPECT_EQ(std::bit_cast<uint32_t>(v), 0x7fc00000u);
}

// Against the definition in double, over the edge of a chunk, for an odd head size.
TEST(KernelsTest, AttentionOfAnyHeadSize) {
  for (const uint32_t head_dim : {1u, 2u, 3u, 4u, 7u, 16u}) {
    const uint32_t n_head = 3, n_embd = n_head * head_dim;
    KvCache kv({.n_ctx = 64, .n_embd = n_embd, .n_head = n_head, .n_layer = 2});
    std::vector<float> scores(64), out(n_embd), keys, values;
    for (uint32_t pos = 0; pos < 37; ++pos) {
      kv.Reserve(pos);
      const auto k = Random(n_embd, 1000 + pos), v = Random(n_embd, 2000 + pos);
      std::ranges::copy(k, kv.Key(1, pos));
      std::ranges::copy(v, kv.Value(1, pos));
      keys.insert(keys.end(), k.begin(), k.end());
      values.insert(values.end(), v.begin(), v.end());
      const auto q = Random(n_embd, 3000 + pos);
      Attention(q, kv, 1, pos, n_head, scores, out);
      for (uint32_t i = 0; i < n_embd; ++i) {
        const uint32_t first = i / head_dim * head_dim;
        double total = 0, sum = 0;
        for (uint32_t t = 0; t <= pos; ++t) {
          double dot = 0;
          for (uint32_t j = first; j < first + head_dim; ++j) {
            dot += double{q[j]} * keys[t * n_embd + j];
          }
          const double p = std::exp(dot / std::sqrt(head_dim));
          total += p;
          sum += p * values[t * n_embd + i];
        }
        EXPECT_NEAR(out[i], sum / total, 2e-6) << head_dim << " " << pos << " " << i;
      }
    }
  }
}

TEST(KernelsTest, SoftmaxOfInfinitiesAndNanIsDefined) {
  std::vector<float> scores = {1, 2, kNan, 3, 4};
  EXPECT_TRUE(std::isnan(ExpOverMax(scores)));
  scores = {-kInfinity, 0, -kInfinity, -200, 0};
  EXPECT_EQ(ExpOverMax(scores), 2.0f);
  EXPECT_EQ(scores, (std::vector<float>{0, 1, 0, 0, 1}));
}

}  // namespace
}  // namespace gpt2
