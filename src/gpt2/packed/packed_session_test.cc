#include "gpt2/packed/packed_session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "gpt2/make_model.h"
#include "gpt2/packed/packed_test_support.h"
#include "gpt2/session.h"

namespace gpt2 {
namespace {

std::vector<TokenId> SomeTokens(uint32_t count, uint32_t n_vocab) {
  std::vector<TokenId> ids(count);
  for (uint32_t i = 0; i < count; ++i) ids[i] = (i * 7919 + i / 3) % n_vocab;
  return ids;
}

std::vector<float> LogitsInPieces(const PackedModel& model, std::span<const TokenId> ids,
                                  uint32_t piece) {
  PackedSession session(model);
  for (size_t at = 0; at < ids.size(); at += piece) {
    EXPECT_TRUE(session.Append(ids.subspan(at, std::min<size_t>(piece, ids.size() - at))));
    while (!session.Prefilled()) session.Step();
    if (at % 3 == 0) session.Logits();
  }
  return {session.Logits().begin(), session.Logits().end()};
}

// Shapes of every kind of kernel: n_embd a multiple of 768 (Strassen's method), 192, 128 and of
// nothing; head_dim 64, 32, and not a multiple of 4.
constexpr Hparams kShapes[] = {
    {.n_vocab = 30, .n_ctx = 200, .n_embd = 768, .n_head = 12, .n_layer = 1},
    {.n_vocab = 53, .n_ctx = 80, .n_embd = 21, .n_head = 3, .n_layer = 2},
    {.n_vocab = 300, .n_ctx = 80, .n_embd = 192, .n_head = 6, .n_layer = 2},
    {.n_vocab = 101, .n_ctx = 80, .n_embd = 128, .n_head = 2, .n_layer = 2},
    {.n_vocab = 64, .n_ctx = 80, .n_embd = 200, .n_head = 5, .n_layer = 1},
    {.n_vocab = 64, .n_ctx = 80, .n_embd = 100, .n_head = 1, .n_layer = 2},
    {.n_vocab = 1, .n_ctx = 40, .n_embd = 1, .n_head = 1, .n_layer = 1},
};

TEST(PackedSessionTest, PiecesOfAnyLengthGiveTheSameBits) {
  for (const Hparams& hparams : kShapes) {
    for (const PackedMode mode : {PackedMode::kInt8, PackedMode::kExact}) {
      const PackedModel model = PackedOf(RandomSafetensors({hparams, 5, true}), hparams, mode);
      const auto ids = SomeTokens(std::min(hparams.n_ctx - 10, 170u), hparams.n_vocab);
      const auto at_once = LogitsInPieces(model, ids, 1000);
      for (const uint32_t piece : {1, 7, 8, 9, 31, 33, 70, 97}) {
        EXPECT_EQ(LogitsInPieces(model, ids, piece), at_once) << hparams.n_embd << " " << piece;
      }
    }
  }
}

TEST(PackedSessionTest, ARestartedSessionGivesTheBitsOfANewOne) {
  for (const Hparams& hparams : kShapes) {
    const PackedModel model =
        PackedOf(RandomSafetensors({hparams, 5, true}), hparams, PackedMode::kInt8);
    const auto ids = SomeTokens(hparams.n_ctx, hparams.n_vocab);
    PackedSession session(model);
    for (const uint32_t count : {hparams.n_ctx, 1u, 20u, 7u, 40u}) {
      ASSERT_TRUE(session.Append({ids.data() + hparams.n_ctx - count, count}));
      while (!session.Prefilled()) session.Step();
      const std::vector<float> logits(session.Logits().begin(), session.Logits().end());
      EXPECT_EQ(logits, LogitsInPieces(model, {ids.data() + hparams.n_ctx - count, count}, 1000))
          << hparams.n_embd << " " << count;
      session.Restart();
      EXPECT_EQ(session.size(), 0u);
      EXPECT_EQ(session.cache_bytes(), 0u);
    }
  }
}

// What a check of an answer rests on: logits of known tokens all at once are those of generating.
TEST(PackedSessionTest, AllLogitsAtOnceAreThoseOfOneByOne) {
  for (const Hparams& hparams : kShapes) {
    for (const PackedMode mode : {PackedMode::kInt8, PackedMode::kExact}) {
      const PackedModel model = PackedOf(RandomSafetensors({hparams, 5, true}), hparams, mode);
      const auto ids = SomeTokens(std::min(hparams.n_ctx, 70u), hparams.n_vocab);
      PackedSession one(model), all(model);
      // A prompt of any length in front, run as usual.
      const uint32_t prompt = hparams.n_embd % 11;
      ASSERT_TRUE(all.Append({ids.data(), prompt}) && one.Append({ids.data(), prompt}));
      while (!all.Prefilled()) all.Step();
      ASSERT_TRUE(all.Append({ids.data() + prompt, ids.size() - prompt}));
      for (uint32_t at = prompt; !all.Prefilled();) {
        const uint32_t count = all.StepAllLogits();
        for (uint32_t i = 0; i < count; ++i, ++at) {
          ASSERT_TRUE(one.Append({&ids[at], 1}));
          while (!one.Prefilled()) one.Step();
          const auto expected = one.Logits(), found = all.LogitsOf(i);
          ASSERT_TRUE(std::ranges::equal(found, expected)) << hparams.n_embd << " at " << at;
        }
      }
      EXPECT_TRUE(std::ranges::equal(all.Logits(), one.Logits()));
    }
  }
}

TEST(PackedSessionTest, LogitsAreNearThoseOfFloat32) {
  for (const Hparams& hparams : kShapes) {
    for (const PackedMode mode : {PackedMode::kInt8, PackedMode::kExact}) {
      const std::string file = RandomSafetensors({hparams, 5, false});
      const PackedModel packed = PackedOf(file, hparams, mode);
      const Model model(hparams, LoadWeights(hparams, file).value());
      const auto ids = SomeTokens(40, hparams.n_vocab);
      Session session(model);
      ASSERT_TRUE(session.Append(ids));
      while (!session.Prefilled()) session.Step();
      const auto found = LogitsInPieces(packed, ids, 1000);
      double error = 0, size = 0;
      for (size_t i = 0; i < found.size(); ++i) {
        error += std::pow(found[i] - session.Logits()[i], 2);
        size += std::pow(session.Logits()[i], 2);
      }
      const double relative = std::sqrt(error / size);
      std::printf("n_embd %u, mode %u: %.2e of the logits\n", hparams.n_embd,
                  static_cast<uint32_t>(mode), relative);
      // Steps of 1/127 and 1/4095 of a row's largest weight, uncorrelated.
      EXPECT_LT(relative, mode == PackedMode::kInt8 ? 0.03 : 1e-3) << hparams.n_embd;
    }
  }
}

}  // namespace
}  // namespace gpt2
