#include "gpt2/session.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <map>

#include "gpt2/import/json_scanner.h"
#include "gpt2/sampler/sampler.h"
#include "gpt2/test_support.h"

namespace gpt2 {
namespace {

using Kind = JsonScanner::Kind;

// Every list of numbers in logits.json, by its key, in the order of the file.
std::map<std::string, std::vector<std::vector<double>>> Reference() {
  const std::string json = ReadText(std::string(kTinyDir) + "logits.json");
  JsonScanner scanner(json);
  std::map<std::string, std::vector<std::vector<double>>> lists;
  std::string key;
  for (Kind kind = scanner.Next().value(); kind != Kind::kEnd; kind = scanner.Next().value()) {
    if (kind == Kind::kKey) key = scanner.text();
    if (kind == Kind::kBeginArray) lists[key].emplace_back();
    if (kind == Kind::kNumber && !lists[key].empty()) {
      lists[key].back().push_back(JsonDouble(scanner.text()));
    }
  }
  return lists;
}

std::vector<TokenId> Ids(const std::vector<double>& numbers) {
  return {numbers.begin(), numbers.end()};
}

void Prefill(Session& session) {
  while (!session.Prefilled()) session.Step();
}

// Largest absolute error over all prompts, relative to the largest logit; checks every argmax.
double ErrorAgainstReference(const Model& model) {
  const auto reference = Reference();
  double worst = 0;
  for (size_t p = 0; p < reference.at("input_ids").size(); ++p) {
    const auto ids = Ids(reference.at("input_ids")[p]);
    const auto argmax = Ids(reference.at("argmax_each")[p]);
    const auto& expected = reference.at("last_logits")[p];
    Session session(model);
    for (size_t i = 0; i < ids.size(); ++i) {
      EXPECT_TRUE(session.Append({{ids[i]}}));
      session.Step();
      EXPECT_EQ(Argmax(session.Logits()), argmax[i]) << "prompt " << p << ", position " << i;
    }
    double largest = 0, error = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      largest = std::max(largest, std::abs(expected[i]));
      error = std::max(error, std::abs(expected[i] - session.Logits()[i]));
    }
    worst = std::max(worst, error / largest);
  }
  return worst;
}

Model Loaded(const std::string& file) {
  return Model(TinyHparams(), LoadWeights(TinyHparams(), file).value());
}

std::vector<float> LogitsOf(const Model& model, const std::vector<TokenId>& ids) {
  Session session(model);
  EXPECT_TRUE(session.Append(ids));
  Prefill(session);
  return {session.Logits().begin(), session.Logits().end()};
}

// 2e-5 of the largest logit: ours and PyTorch's sums differ in their order only.
TEST(SessionTest, LogitsAreThoseOfPyTorch) {
  for (const char* name : {"model.safetensors", "model.noprefix.safetensors"}) {
    const double error = ErrorAgainstReference(Loaded(ReadText(std::string(kTinyDir) + name)));
    std::printf("%s: largest error %.2e of the largest logit\n", name, error);
    EXPECT_LE(error, 2e-5);
  }
}

TEST(SessionTest, GreedyTextIsThatOfPyTorch) {
  const Model model = TinyModel();
  const auto expected = Ids(Reference().at("greedy_from_5_6_7")[0]);
  Session session(model);
  ASSERT_TRUE(session.Append({{5, 6, 7}}));
  while (true) {
    Prefill(session);
    if (session.size() == expected.size()) break;
    ASSERT_TRUE(session.Append({{Argmax(session.Logits())}}));
  }
  EXPECT_EQ(std::vector<TokenId>(session.tokens().begin(), session.tokens().end()), expected);
}

// A separate head that is a copy of wte gives the same bits, one that is not gives others.
TEST(SessionTest, SeparateHeadIsUsed) {
  auto tensors = TinyTensors();
  const auto wte = std::ranges::find(tensors, "transformer.wte.weight", &FileTensor::name);
  FileTensor head = *wte;
  head.name = "lm_head.weight";
  tensors.push_back(head);
  const auto tied = LogitsOf(TinyModel(), {5, 6, 7});
  EXPECT_EQ(LogitsOf(Loaded(SafetensorsOf(tensors)), {5, 6, 7}), tied);
  tensors.back().bytes.assign(head.bytes.size(), '\0');
  EXPECT_EQ(LogitsOf(Loaded(SafetensorsOf(tensors)), {5, 6, 7}),
            std::vector<float>(tied.size(), 0.0f));
}

TEST(SessionTest, StoppingAndGoingOnChangesNothing) {
  const Model model = TinyModel();
  std::vector<TokenId> ids;
  for (TokenId i = 0; i < 100; ++i) ids.push_back(i * 37 % 512);
  const auto at_once = LogitsOf(model, ids);
  Session other(model);  // takes turns with the one under test
  Session session(model);
  for (size_t done = 0; done < ids.size();) {
    const size_t piece = std::min(ids.size() - done, 1 + done % 7);
    ASSERT_TRUE(session.Append(std::span(ids).subspan(done, piece)));
    done += piece;
    while (!session.Prefilled()) {
      ASSERT_TRUE(other.Append({{3}}));
      other.Step();
      session.Step();
    }
    session.Logits();
  }
  EXPECT_EQ(std::vector<float>(session.Logits().begin(), session.Logits().end()), at_once);
}

TEST(SessionTest, RefusesIdsThatAreNotInTheVocabulary) {
  const Model model = TinyModel();
  Session session(model);
  ASSERT_TRUE(session.Append({{1, 2}}));
  const auto status = session.Append({{3, 512}});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "token id 512 at position 3, expected less than n_vocab 512");
  EXPECT_EQ(session.size(), 2u);
}

TEST(SessionTest, RefusesMoreTokensThanTheContext) {
  const Model model = TinyModel();
  Session session(model);
  ASSERT_TRUE(session.Append(std::vector<TokenId>(128, 7)));
  const auto status = session.Append({{1}});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "129 tokens, expected at most n_ctx 128");
  Prefill(session);
  EXPECT_EQ(session.Logits().size(), 512u);
}

}  // namespace
}  // namespace gpt2
