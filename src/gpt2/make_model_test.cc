#include "gpt2/make_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/hex.h"
#include "base/sha256.h"
#include "gpt2/session.h"
#include "gpt2/test_support.h"

namespace gpt2 {
namespace {

std::string RandomModel(const MakeModelArgs& args) {
  MemorySink sink;
  EXPECT_TRUE(WriteRandomModel(args, sink));
  return sink.bytes();
}

std::string Digest(const std::string& bytes) {
  return base::ToHex(base::Sha256Of(base::AsBytes(bytes)));
}

TEST(MakeModelTest, BytesDependOnTheArgumentsOnly) {
  const Hparams tiny = *ShapeByName("tiny");
  const std::string one = RandomModel({tiny, 1, false});
  EXPECT_EQ(Digest(one), "109db21174b15b2148a5a5365510c2aa604f3d3f951656ddc45af9fda3d3b8b7");
  EXPECT_EQ(RandomModel({tiny, 1, false}), one);
  EXPECT_NE(RandomModel({tiny, 2, false}), one);
  EXPECT_NE(RandomModel({tiny, 1, true}), one);
}

TEST(MakeModelTest, LoadsAndRunsInAnyShape) {
  // Neither n_embd nor head_dim nor n_vocab is a multiple of 4.
  const Hparams odd{.n_vocab = 53, .n_ctx = 40, .n_embd = 21, .n_head = 3, .n_layer = 2};
  const Hparams single{.n_vocab = 1, .n_ctx = 1, .n_embd = 1, .n_head = 1, .n_layer = 1};
  for (const Hparams& hparams : {odd, single, *ShapeByName("tiny")}) {
    const Hparams parsed = ParseConfig(ConfigJson(hparams)).value().hparams;
    auto weights = LoadWeights(parsed, RandomModel({hparams, 7, true}));
    ASSERT_TRUE(weights) << weights.error().message;
    const Model model(parsed, std::move(*weights));
    Session session(model);
    ASSERT_TRUE(session.Append(std::vector<TokenId>(hparams.n_ctx, 0)));
    while (!session.Prefilled()) session.Step();
    for (const float logit : session.Logits()) EXPECT_TRUE(std::isfinite(logit));
  }
}

TEST(MakeModelTest, WeightsAreNearNormal) {
  const auto weights =
      LoadWeights(*ShapeByName("tiny"), RandomModel({*ShapeByName("tiny"), 3, false}));
  double sum = 0, squares = 0, fourth = 0;
  for (const float w : weights->wte.values()) {
    sum += w;
    squares += double{w} * w;
    fourth += std::pow(w, 4);
  }
  const double n = static_cast<double>(weights->wte.size());
  const double variance = squares / n;
  EXPECT_NEAR(sum / n, 0, 0.02 * 5 / std::sqrt(n));
  EXPECT_NEAR(std::sqrt(variance), 0.02, 0.0004);
  EXPECT_NEAR(fourth / n / (variance * variance), 3.0 - 0.3, 0.1);  // four uniform summands
}

TEST(MakeModelTest, RefusesHyperparametersOutOfRange) {
  MemorySink sink;
  const auto status = WriteRandomModel({Hparams{.n_vocab = 5}, 1, false}, sink);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "n_ctx is 0, expected 1 to 1048576");
  EXPECT_TRUE(sink.bytes().empty());
}

}  // namespace
}  // namespace gpt2
