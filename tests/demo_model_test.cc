// models/demo answers its held-out questions: phrasings that training never showed it.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/local.h"
#include "cli/native_model.h"

namespace {

using Json = nlohmann::json;

constexpr char kDemo[] = "models/demo";
constexpr uint8_t kTokensMax = 32;          // as many as tools/train_demo.py lets the model say
constexpr double kRightShare = 0.9;         // of all questions
constexpr double kRightShareOfKind = 0.75;  // of the questions of any one kind
constexpr size_t kCanisterStride = 10;      // of how many questions one is asked in the canister

struct Question {
  std::string text, answer, kind;
};

std::vector<Question> HeldOut() {
  const std::string file = cli::ReadFile(base::StrCat(kDemo, "/held_out.json")).value();
  std::vector<Question> out;
  for (const Json& row : Json::parse(file))
    out.push_back({row["question"], row["answer"], row["kind"]});
  return out;
}

struct Score {
  size_t right = 0, asked = 0;
  void Add(bool is_right) {
    right += is_right ? 1 : 0;
    ++asked;
  }
  double share() const { return static_cast<double>(right) / static_cast<double>(asked); }
};

// The canister `model` with the demo in it, filled with the seeds' calls.
std::unique_ptr<cli::Local> DeployDemo() {
  auto local = cli::Local::Deploy(GPT2IC_WASM_DIR "/model.wasm", 1).value();
  const auto upload = [&](const std::string& kind, const char* file) {
    const auto done =
        local->Upload(base::StrCat("append_", kind, "_bytes"), base::StrCat(kDemo, "/", file));
    EXPECT_TRUE(done) << done.error().message;
  };
  upload("safetensors", "model.safetensors");
  upload("config", "config.json");
  upload("tokenizer", "tokenizer.json");
  const auto model = local->Update("setup_model", candid::EncodeArgs()).value();
  const auto [model_done] = candid::DecodeArgs<base::Status>(model).value();
  EXPECT_TRUE(model_done) << model_done.error().message;
  const auto tokenizer = local->Update("setup_tokenizer", candid::EncodeArgs()).value();
  const auto [failure] = candid::DecodeArgs<std::optional<std::string>>(tokenizer).value();
  EXPECT_FALSE(failure) << *failure;
  return local;
}

// Asks everything natively and demands the shares above, overall and of each kind.
void ExpectRightAnswers(cli::Precision precision) {
  const auto model = cli::NativeModel::Load(kDemo, precision).value();
  Score all;
  std::map<std::string, Score> kinds;
  for (const Question& question : HeldOut()) {
    const auto answer = model->Generate(question.text, kTokensMax, {0, 1});
    ASSERT_TRUE(answer) << question.text << ": " << answer.error().message;
    all.Add(*answer == question.answer);
    kinds[question.kind].Add(*answer == question.answer);
  }
  EXPECT_GE(all.asked, 500u);
  EXPECT_GE(kinds.size(), 10u);
  EXPECT_GE(all.share(), kRightShare) << all.right << " of " << all.asked;
  testing::Test::RecordProperty("right", static_cast<int>(all.right));
  testing::Test::RecordProperty("asked", static_cast<int>(all.asked));
  for (const auto& [kind, score] : kinds) {
    EXPECT_GE(score.share(), kRightShareOfKind)
        << kind << ": " << score.right << " of " << score.asked;
  }
}

TEST(DemoModel, AnswersHeldOutQuestionsInFloat32) { ExpectRightAnswers(cli::Precision::kFloat32); }

TEST(DemoModel, AnswersHeldOutQuestionsInInt8) { ExpectRightAnswers(cli::Precision::kInt8); }

// A sample, through `generate` on the metered engine: as right, and the same text as natively.
TEST(DemoModel, AnswersHeldOutQuestionsInTheCanister) {
  const auto local = DeployDemo();
  const auto native = cli::NativeModel::Load(kDemo).value();
  const std::vector<Question> questions = HeldOut();
  Score all;
  for (size_t i = 0; i < questions.size(); i += kCanisterStride) {
    const std::string& text = questions[i].text;
    const auto reply = local->Update(
        "generate", candid::EncodeArgs(std::string_view(text), kTokensMax, double{0}));
    ASSERT_TRUE(reply) << text << ": " << reply.error().message;
    const auto [answer] = candid::DecodeArgs<base::Result<std::string>>(*reply).value();
    ASSERT_TRUE(answer) << text << ": " << answer.error().message;
    EXPECT_EQ(*answer, native->Generate(text, kTokensMax, {0, 1}).value());
    all.Add(*answer == questions[i].answer);
  }
  EXPECT_GE(all.asked, 50u);
  EXPECT_GE(all.share(), kRightShare) << all.right << " of " << all.asked;
}

}  // namespace
