// GPT-2's own size (124M parameters, random weights): 100 tokens on a prompt of 900, as one call
// and as a job, over many messages of which none comes near its limit; and what was quoted.
#include <cstdlib>
#include <filesystem>

#include "cli/files.h"
#include "cli/native_model.h"
#include "gpt2/packed/packed_session.h"
#include "gpt2/sampler/sampler.h"
#include "model_fixture.h"

namespace {

using namespace model_test;
using model::Answer;
using model::Progress;

// The long form takes a minute: a shorter text in make test, but for the one call.
const bool kSoak = std::getenv("GPT2IC_SOAK") != nullptr;
const uint32_t kPrompt = kSoak ? 900 : 200, kAnswer = kSoak ? 100 : 30;

class LongAnswer : public ModelCanister {
 protected:
  LongAnswer() {
    const std::string make = base::StrCat(GPT2IC_PROGRAM
                                          " make-model --shape gpt2 --seed 1 --tokenizer ",
                                          kReal, "tokenizer.json -o ", dir_),
                      pack = base::StrCat(GPT2IC_PROGRAM " pack ", dir_, " -o ", Packed());
    EXPECT_EQ(std::system((make + " > /dev/null").c_str()), 0);
    EXPECT_EQ(std::system((pack + " > /dev/null").c_str()), 0);
    Send("tokenizer", base::StrCat(kReal, "tokenizer.json"));
    Send("packed", Packed());
    local_->network().OnExecution([this](const runtime::ExecutionRecord& record) {
      if (record.canister != local_->canister()) return;
      EXPECT_FALSE(record.error) << record.entry;
      records_.push_back(record);
    });
  }
  ~LongAnswer() override { std::filesystem::remove_all(dir_); }

  std::string Packed() const { return base::StrCat(dir_, "/model.packed"); }
  void Send(const char* kind, const std::string& path) {
    constexpr uint32_t kChunk = 1'900'000;
    const std::string content = cli::ReadFile(path).value();
    const uint64_t id =
        UpdateAs<Answer<model::UploadBegun>>(kOwner, "upload_begin",
                                             model::UploadArgs{kind, content.size(), kChunk, {}})
            ->id;
    for (uint32_t i = 0; uint64_t{i} * kChunk < content.size(); ++i) {
      ASSERT_TRUE(UpdateAs<model::Done>(
          kOwner, "upload_chunk", id, i,
          base::AsBytes(std::string_view(content).substr(size_t{i} * kChunk, kChunk))));
    }
    const auto committed = UpdateAs<Answer<model::UploadCommitted>>(kOwner, "upload_commit", id);
    ASSERT_TRUE(committed) << committed.error().message;
  }
  // Real words, cut at `count` tokens.
  static std::vector<uint32_t> Prompt(const gpt2::Tokenizer& tokenizer, uint32_t count) {
    std::vector<uint32_t> ids = tokenizer.Encode(cli::ReadFile("ARCHITECTURE.md").value());
    ids.resize(count);
    return ids;
  }
  // A slice for text every second or two, on a network that executes 2 B instructions in one.
  void UseSlices() {
    model::Policy policy = PolicyNow();
    policy.instructions_per_message = 4'000'000'000;
    ASSERT_EQ(SetPolicy(policy), "Ok");
    records_.clear();
  }
  std::vector<uint32_t> NativeIds(const std::vector<uint32_t>& prompt, uint32_t count) {
    const auto file = cli::FileSource::Open(Packed()).value();
    const auto model = gpt2::PackedModel::Load(*file).value();
    gpt2::PackedSession session(model);
    EXPECT_TRUE(session.Append(prompt));
    std::vector<uint32_t> ids;
    while (ids.size() < count) {
      while (!session.Prefilled()) session.Step();
      ids.push_back(gpt2::Argmax(session.Logits()));
      EXPECT_TRUE(session.Append({&ids.back(), 1}));
    }
    return ids;
  }
  // Every message kept well below its limit; how many there were.
  size_t CheckMessages() {
    uint64_t most = 0;
    for (const runtime::ExecutionRecord& record : records_) {
      const bool callback = record.entry == "reply" || record.entry == "reject";
      EXPECT_LT(record.instructions, callback ? 38'000'000'000u : 40'000'000'000u) << record.entry;
      most = std::max(most, record.instructions);
    }
    RecordProperty("messages", std::to_string(records_.size()));
    RecordProperty("largest_message", std::to_string(most));
    return std::exchange(records_, {}).size();
  }

  const std::string dir_ =
      base::StrCat(std::filesystem::temp_directory_path().string(), "/gpt2ic-long-", getpid());
  std::vector<runtime::ExecutionRecord> records_;
};

TEST_F(LongAnswer, OneCallGivesTheNativeIds) {
  const auto tokenizer = cli::LoadTokenizer(base::StrCat(kReal, "tokenizer.json")).value();
  const std::vector<uint32_t> prompt = Prompt(tokenizer, 900);
  EXPECT_EQ(Infer(prompt, 100, 0).value(), NativeIds(prompt, 100));
  EXPECT_GE(CheckMessages(), 3u);  // two of work, and the call that is open between them
}

TEST_F(LongAnswer, AJobWatchedByPollingGivesThemTooAsQuoted) {
  const auto tokenizer = cli::LoadTokenizer(base::StrCat(kReal, "tokenizer.json")).value();
  const std::vector<uint32_t> prompt = Prompt(tokenizer, kPrompt);
  const std::vector<uint32_t> ids = NativeIds(prompt, kAnswer);
  UseSlices();
  model::GenerateArgs args;
  args.input = {model::InputKind::kTokens, {}, {}, prompt};
  args.sampling.max_tokens = kAnswer;
  const auto quote = QueryAs<Answer<model::Quote>>(kOwner, "quote", args).value();
  const auto started = StartAs(kOwner, args);
  ASSERT_TRUE(started) << started.error().message;
  std::string text;
  uint32_t polls_with_news = 0, messages_to_first_token = 0;
  uint32_t prefilled_at = 0;
  Progress progress;
  for (int round = 0; round < 1000 && !progress.finish_reason; ++round) {
    local_->network().Round(1);
    progress = PollAs(kOwner, started->job, progress.next);
    text += progress.text;
    polls_with_news += !progress.text.empty();
    if (progress.prefilled == kPrompt && prefilled_at == 0) prefilled_at = round;
    if (progress.tokens > 0 && messages_to_first_token == 0) {
      messages_to_first_token = round - prefilled_at + 1;
    }
  }
  EXPECT_EQ(text, tokenizer.Decode(ids).value());
  EXPECT_EQ(progress.finish_reason, "length");
  EXPECT_GE(polls_with_news, 2u);
  EXPECT_LE(messages_to_first_token, 2u);
  EXPECT_GE(CheckMessages(), 4u);

  EXPECT_EQ(quote.prompt_tokens, kPrompt);
  const double ratio =
      static_cast<double>(quote.instructions_expected) / static_cast<double>(progress.instructions);
  RecordProperty("quoted", std::to_string(quote.instructions_expected));
  RecordProperty("spent", std::to_string(progress.instructions));
  EXPECT_NEAR(ratio, 1, 0.02) << quote.instructions_expected << " " << progress.instructions;
  EXPECT_GE(quote.instructions_max, progress.instructions);
  EXPECT_GE(quote.cycles_max, progress.cycles);

  // Whatever looks at 50,260 logits besides.
  args.input.tokens.resize(20);
  args.sampling.max_tokens = 8;
  args.sampling.temperature = 3;
  args.sampling.seed = 1;
  args.sampling.top_k = 40'000;
  args.sampling.top_p = 0.999;
  args.sampling.repetition_penalty = 1.2;
  args.sampling.logprobs = 20;
  const auto demanding = StartAs(kOwner, args);
  const Progress spent = FinishAs(kOwner, demanding->job);
  RecordProperty("demanding_most", std::to_string(demanding->quote.instructions_max));
  RecordProperty("demanding_spent", std::to_string(spent.instructions));
  EXPECT_GE(demanding->quote.instructions_max, spent.instructions);
}

// A prompt as text through the seed's call, with what its template adds.
TEST_F(LongAnswer, GenerateAnswersALongTextInOneCall) {
  const auto native = cli::NativeModel::Load(dir_).value();
  const std::vector<uint32_t> ids = Prompt(native->tokenizer(), kPrompt - 20);
  const std::string prompt = native->tokenizer().Decode(ids).value();
  UseSlices();
  const auto text = Generate(prompt, kAnswer);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, native->Generate(prompt, kAnswer, {0, 1}).value());
  EXPECT_GE(CheckMessages(), 5u);
}

}  // namespace
