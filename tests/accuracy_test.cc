// How near the packed model's logits are to float32's: on the demo model over its held-out text,
// and on random weights of the 124M shape with outliers planted.
#include "cli/accuracy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/native_model.h"
#include "gpt2/kernels/attention.h"
#include "gpt2/kernels/kernels.h"
#include "gpt2/packed/packed_test_support.h"
#include "gpt2/sampler/philox.h"
#include "gpt2/session.h"

namespace {

using cli::Accuracy;
using gpt2::PackedMode;
using gpt2::TokenId;

struct Bounds {
  double kl_mean, kl_worst, same, perplexity;
};
constexpr Bounds kInt8 = {1e-3, 2e-2, 0.99, 0.003};
constexpr Bounds kExact = {1e-4, 2e-3, 0.999, 0.003};

void ExpectWithin(const Accuracy& accuracy, const Bounds& bounds) {
  EXPECT_LE(accuracy.kl_mean(), bounds.kl_mean);
  EXPECT_LE(accuracy.kl_worst, bounds.kl_worst);
  EXPECT_GE(accuracy.same(), bounds.same);
}

bool Soak() { return std::getenv("GPT2IC_SOAK") != nullptr; }

// In the reduced form every sixth. Question, answer and the tokens of the chat template around
// them.
std::vector<std::vector<TokenId>> HeldOut(const gpt2::Tokenizer& tokenizer) {
  const auto chat = gpt2::MakeChatTemplate(tokenizer);
  std::vector<std::vector<TokenId>> texts;
  for (const auto& row :
       nlohmann::json::parse(cli::ReadFile("models/demo/held_out.json").value())) {
    auto text = gpt2::RenderPrompt(chat, tokenizer, row["question"].get<std::string>());
    const auto answer = tokenizer.Encode(row["answer"].get<std::string>());
    text.insert(text.end(), answer.begin(), answer.end());
    text.push_back(*chat.end_token);
    texts.push_back(std::move(text));
  }
  if (Soak()) return texts;
  std::vector<std::vector<TokenId>> some;
  for (size_t i = 0; i < texts.size(); i += 6) some.push_back(std::move(texts[i]));
  return some;
}

TEST(AccuracyTest, DemoModelOverItsHeldOutText) {
  const auto demo = cli::NativeModel::Load("models/demo", cli::Precision::kFloat32).value();
  const std::string file = gpt2::ReadText("models/demo/model.safetensors");
  const auto texts = HeldOut(demo->tokenizer());
  for (const PackedMode mode : {PackedMode::kInt8, PackedMode::kExact}) {
    const auto packed = gpt2::PackedOf(file, demo->model().hparams(), mode);
    const Accuracy accuracy = cli::Compare(demo->model(), packed, texts);
    std::printf("demo, %s: %s\n", mode == PackedMode::kInt8 ? "int8" : "exact",
                accuracy.Text().c_str());
    const Bounds& bounds = mode == PackedMode::kInt8 ? kInt8 : kExact;
    ExpectWithin(accuracy, bounds);
    EXPECT_NEAR(accuracy.perplexity_ratio(), 1, bounds.perplexity);
  }
}

std::vector<TokenId> RandomText(uint32_t count, uint32_t n_vocab) {
  std::vector<TokenId> text(count);
  for (uint32_t i = 0; i < count; ++i) {
    text[i] = static_cast<TokenId>(gpt2::Philox(11, i, 0)[0] % n_vocab);
  }
  return text;
}

// Float32 with what goes into each matrix rounded to steps of a scale that is fixed beforehand for
// each of the 4 matrices of each layer, as a quantiser with static activation scales has it.
class StaticScales {
 public:
  StaticScales(const gpt2::Model& model, float steps)
      : model_(model), kv_(model.hparams()), act_(model.hparams()), steps_(steps) {
    max_.resize(size_t{4} * model.hparams().n_layer);
  }

  // First to find the scales (the largest magnitudes), then to use them.
  void Calibrate(const std::vector<TokenId>& text) {
    for (uint32_t pos = 0; pos < text.size(); ++pos) Forward(text[pos], pos);
    kv_ = gpt2::KvCache(model_.hparams());
    calibrating_ = false;
  }
  std::span<const float> Logits(TokenId token, uint32_t pos) {
    Forward(token, pos);
    logits_.resize(model_.hparams().n_vocab);
    model_.Head(act_, logits_);
    return logits_;
  }

 private:
  void Round(size_t site, std::span<float> x) {
    for (float& v : x) {
      if (calibrating_) {
        max_[site] = std::max(max_[site], std::abs(v));
      } else {
        const float step = max_[site] / steps_;
        v = std::nearbyint(v / step) * step;
      }
    }
  }
  void Forward(TokenId token, uint32_t pos) {
    const gpt2::Hparams& h = model_.hparams();
    const gpt2::Weights& w = model_.weights();
    kv_.Reserve(pos);
    scores_.resize(pos + 17);
    for (uint32_t i = 0; i < h.n_embd; ++i) {
      act_.x[i] = w.wte.data()[size_t{token} * h.n_embd + i] + w.wpe.data()[pos * h.n_embd + i];
    }
    for (uint32_t layer = 0; layer < h.n_layer; ++layer) {
      const gpt2::Block& block = w.h[layer];
      LayerNorm(act_.x, block.ln_1, h.layer_norm_epsilon, act_.xn);
      Round(layer * 4, act_.xn);
      MatVec(act_.xn, block.attn.c_attn, act_.qkv);
      std::copy_n(act_.qkv.data() + h.n_embd, h.n_embd, kv_.Key(layer, pos));
      std::copy_n(act_.qkv.data() + 2 * h.n_embd, h.n_embd, kv_.Value(layer, pos));
      gpt2::Attention({act_.qkv.data(), h.n_embd}, kv_, layer, pos, h.n_head, scores_, act_.xn);
      Round(layer * 4 + 1, act_.xn);
      MatVec(act_.xn, block.attn.c_proj, act_.out);
      gpt2::AddTo(act_.x, act_.out);
      LayerNorm(act_.x, block.ln_2, h.layer_norm_epsilon, act_.xn);
      Round(layer * 4 + 2, act_.xn);
      MatVec(act_.xn, block.mlp.c_fc, act_.hidden);
      gpt2::Gelu(act_.hidden);
      Round(layer * 4 + 3, act_.hidden);
      MatVec(act_.hidden, block.mlp.c_proj, act_.out);
      gpt2::AddTo(act_.x, act_.out);
    }
  }

  const gpt2::Model& model_;
  gpt2::KvCache kv_;
  gpt2::Activations act_;
  float steps_;
  bool calibrating_ = true;
  std::vector<float> max_, scores_, logits_;
};

// Largest and median magnitude of the residual stream after the embedding, at a position.
std::pair<float, float> Residual(const gpt2::Weights& w, uint32_t n_embd, TokenId token,
                                 uint32_t pos) {
  std::vector<float> x(n_embd);
  for (uint32_t i = 0; i < n_embd; ++i) {
    x[i] = std::abs(w.wte.data()[size_t{token} * n_embd + i] + w.wpe.data()[pos * n_embd + i]);
  }
  std::ranges::sort(x);
  return {x.back(), x[n_embd / 2]};
}

TEST(AccuracyTest, OutliersInThe124MShape) {
  const gpt2::Hparams hparams = *gpt2::ShapeByName("gpt2");
  const uint32_t tokens = Soak() ? 1024 : 24;
  const std::string file = gpt2::RandomSafetensors({hparams, 1, true});
  const gpt2::Model model(hparams, gpt2::LoadWeights(hparams, file).value());
  const auto text = RandomText(tokens, hparams.n_vocab);
  const auto [largest, median] = Residual(model.weights(), hparams.n_embd, text[0], 0);
  std::printf("residual at position 0: largest %.0f, median %.3f\n", largest, median);
  for (const PackedMode mode : {PackedMode::kInt8, PackedMode::kExact}) {
    const auto packed = gpt2::PackedOf(file, hparams, mode);
    const Accuracy accuracy = cli::Compare(model, packed, {&text, 1});
    std::printf("outliers, %s: %s\n", mode == PackedMode::kInt8 ? "int8" : "exact",
                accuracy.Text().c_str());
    EXPECT_GT(accuracy.top_probability(), 0.3);
    ExpectWithin(accuracy, mode == PackedMode::kInt8 ? kInt8 : kExact);
  }
  // The bounds bite: 8 bits with scales that are fixed beforehand.
  StaticScales fixed(model, 127);
  fixed.Calibrate(text);
  gpt2::Session session(model);
  Accuracy accuracy;
  for (uint32_t pos = 0; pos < tokens; ++pos) {
    ASSERT_TRUE(session.Append({{text[pos]}}));
    session.Step();
    accuracy.Add(session.Logits(), fixed.Logits(text[pos], pos), -1);
  }
  std::printf("static scales of 8 bits: %s\n", accuracy.Text().c_str());
  EXPECT_GT(accuracy.kl_mean(), kInt8.kl_mean);
}

}  // namespace
