// Upgrades and stops of the canister `model` at every stage: what was committed stays, work goes
// on, and open calls are answered.
#include "canister/model/installer.h"
#include "model_fixture.h"
#include "runtime/engine/wasm_engine.h"

namespace {

using namespace model_test;
using model::Answer;
using model::Progress;

class UpgradedCanister : public ModelCanister {
 protected:
  static constexpr char kQuestion[] = "What is the capital of France?";

  void UploadDemo() {
    Upload("safetensors", base::StrCat(kDemo, "model.safetensors"));
    Upload("config", base::StrCat(kDemo, "config.json"));
    Upload("tokenizer", base::StrCat(kDemo, "tokenizer.json"));
    ASSERT_EQ(SetUpTokenizer(), "");
    UseSmallMessages();
  }
  model::Status StatusNow() { return QueryAs<model::Status>(kOwner, "status"); }
  // Lets timers run until a model is in use.
  void AwaitModel() {
    for (int round = 0; round < 1000 && StatusNow().state != "ready"; ++round) {
      local_->network().Round(1);
    }
    ASSERT_EQ(StatusNow().state, "ready");
  }
  // A set-up that is some messages old.
  runtime::MessageId BeginSetUp() {
    const auto call = SendAs(kOwner, "setup_model");
    for (int i = 0; i < 5; ++i) local_->network().Step();
    EXPECT_FALSE(Answered(call));
    EXPECT_LT(StatusNow().loading_percent.value_or(100), 100);
    return call;
  }
  // `inference` of 250 tokens; some are there.
  runtime::MessageId BeginInference() {
    const auto call =
        SendAs(kOwner, "inference", std::vector<uint32_t>{1, 2, 3}, uint8_t{250}, 0.0);
    while (!local_->network().Find(local_->canister())->ingress.empty()) local_->network().Step();
    EXPECT_FALSE(Answered(call));
    return call;
  }
  base::Result<std::vector<uint32_t>> IdsOf(runtime::MessageId call) {
    auto reply = Decoded<base::Result<Inference>>(AnswerOf(call));
    if (!reply) return std::unexpected(reply.error());
    return std::move(reply->result);
  }
};

TEST_F(UpgradedCanister, MidPackingWithoutAStopTheCallGetsItsOutcome) {
  UploadDemo();
  const auto call = BeginSetUp();
  Upgrade();
  const auto outcome = Decoded<base::Status>(AnswerOf(call));
  EXPECT_TRUE(outcome) << outcome.error().message;
  EXPECT_NE(Generate(kQuestion)->find("Paris"), std::string::npos);
}

TEST_F(UpgradedCanister, MidPackingWithAStopTheCallIsToldAndTheSetUpGoesOn) {
  UploadDemo();
  const auto call = BeginSetUp();
  Stop();
  const auto outcome = Decoded<base::Status>(AnswerOf(call));
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().message.find("stopping"), std::string::npos);
  Upgrade();
  StartAgain();
  AwaitModel();
  EXPECT_NE(Generate(kQuestion)->find("Paris"), std::string::npos);
}

TEST_F(UpgradedCanister, AStopWithoutAnUpgradeKeepsTheSetUpGoing) {
  UploadDemo();
  BeginSetUp();
  Stop();
  StartAgain();
  AwaitModel();
}

TEST_F(UpgradedCanister, AnUploadBeingHashedIsCommittedAfterTheUpgrade) {
  UploadDemo();
  const std::string weights = cli::ReadFile(base::StrCat(kDemo, "model.safetensors")).value();
  const uint64_t id =
      UpdateAs<Answer<model::UploadBegun>>(
          kOwner, "upload_begin", model::UploadArgs{"safetensors", weights.size(), 1'900'000, {}})
          ->id;
  for (uint32_t i = 0; i * 1'900'000 < weights.size(); ++i) {
    EXPECT_TRUE(UpdateAs<model::Done>(
        kOwner, "upload_chunk", id, i,
        base::AsBytes(std::string_view(weights).substr(i * 1'900'000, 1'900'000))));
  }
  const auto state = [&] {
    return QueryAs<Answer<model::UploadStatus>>(kOwner, "upload_status", id)->state;
  };
  const auto call = SendAs(kOwner, "upload_commit", id);
  for (int i = 0; i < 3; ++i) local_->network().Step();
  ASSERT_EQ(state(), "hashing");
  Stop();
  EXPECT_EQ(CodeOf(Decoded<Answer<model::UploadCommitted>>(AnswerOf(call))), "bad_input");
  Upgrade();
  StartAgain();
  AwaitModel();
  EXPECT_EQ(state(), "committed");
}

// What the set-up reads is gone: a sentence in the log, not a canister that cannot be upgraded.
TEST_F(UpgradedCanister, FilesOfASetUpStayAsTheyAreWhileItReadsThem) {
  UploadDemo();
  const auto call = BeginSetUp();
  for (const char* method : {"clear_safetensors_bytes", "store_config_bytes_to_stable"}) {
    const auto refused = local_->Update(method, candid::EncodeArgs());
    ASSERT_FALSE(refused) << method;
    EXPECT_NE(refused.error().message.find("being set up"), std::string::npos);
  }
  EXPECT_FALSE(
      local_->Update("append_safetensors_bytes", candid::EncodeArgs(base::AsBytes("junk"))));
  EXPECT_EQ(SetUpModel().substr(0, 13), "another model");
  EXPECT_TRUE(Decoded<base::Status>(AnswerOf(call)));
}

TEST_F(UpgradedCanister, MidLoadTheNextUpgradeLoads) {
  SetUpDemo();
  Upgrade();
  EXPECT_EQ(StatusNow().state, "loading");
  model::GenerateArgs args = Ask(kQuestion);
  const auto early = StartAs(kStranger, args);
  EXPECT_EQ(CodeOf(early), "not_ready");
  EXPECT_NE(early.error().message.find("percent"), std::string::npos);
  Upgrade();
  EXPECT_EQ(StatusNow().state, "loading");
  AwaitModel();
  Upgrade();
  EXPECT_NE(Generate(kQuestion)->find("Paris"), std::string::npos);  // waits for it
}

TEST_F(UpgradedCanister, OpenCallsGetTheirWholeAnswerFromTheNewModule) {
  SetUpDemo();
  const auto whole = Infer({1, 2, 3}, 250, 0).value();
  UseSmallMessages();
  const auto inference = BeginInference();
  const auto generate =
      SendAs(kStranger, "generate", std::string_view(kQuestion), uint8_t{30}, 0.0);
  local_->network().Step();
  Upgrade();
  EXPECT_EQ(IdsOf(inference).value(), whole);
  const auto text = Decoded<base::Result<std::string>>(AnswerOf(generate));
  EXPECT_NE(text->find("Paris"), std::string::npos);
  EXPECT_EQ(StatusNow().queued, 0u);
}

TEST_F(UpgradedCanister, AStopAnswersOpenCallsAtOnce) {
  SetUpDemo();
  const auto whole = Infer({1, 2, 3}, 250, 0).value();
  UseSmallMessages();
  const auto inference = BeginInference();
  const auto stop = BeginStop();
  for (int i = 0; i < 4 && !Answered(inference); ++i) local_->network().Step();
  const auto part = IdsOf(inference).value();
  ASSERT_GT(part.size(), 0u);
  ASSERT_LT(part.size(), whole.size());
  EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin()));
  EXPECT_TRUE(AnswerOf(stop));
  EXPECT_EQ(local_->network().Find(local_->canister())->state.status,
            runtime::CanisterStatus::kStopped);
}

// A caller's calls are answered one after the other: the last has no token yet.
TEST_F(UpgradedCanister, AStopTellsWhyThereIsNothing) {
  SetUpDemo();
  UseSmallMessages();
  BeginInference();
  BeginInference();
  const auto last = BeginInference();
  EXPECT_TRUE(AnswerOf(BeginStop()));
  const auto answer = IdsOf(last);
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().message.find("stopping"), std::string::npos) << answer.error().message;
}

TEST_F(UpgradedCanister, WhileStoppingNothingStartsAndJobsGoOnAfterwards) {
  SetUpDemo();
  model::GenerateArgs args;
  args.input = {model::InputKind::kTokens, {}, {}, {1, 2, 3}};
  args.sampling.max_tokens = 200;
  const std::string whole = FinishAs(kOther, StartAs(kOther, args)->job).text;
  UseSmallMessages();
  const uint64_t job = StartAs(kOther, args)->job;
  const auto waiting = BeginInference();
  const auto stop = BeginStop();
  EXPECT_TRUE(AnswerOf(stop));
  EXPECT_TRUE(Answered(waiting));
  const auto late = local_->network().Call(kOther, local_->canister(), "generate_start",
                                           candid::EncodeArgs(args));
  EXPECT_TRUE(late.reject);
  local_->network().Round(20);  // a stopped canister does nothing
  StartAgain();
  const Progress before = PollAs(kOther, job);
  EXPECT_FALSE(before.finish_reason);
  EXPECT_LT(before.tokens, 200u);
  EXPECT_EQ(FinishAs(kOther, job).text, whole);
}

// The answers to the old module's calls reach table entry 1 of whatever is installed now. In all
// our canisters that is the one callback, however their tables differ, and it knows no such ticket.
TEST_F(UpgradedCanister, CallbacksAreHarmlessInEveryOtherModule) {
  struct Case {
    const char* name;
    bool keeps_jobs;
  };
  for (const Case& c : {Case{"gpt2_backend", true}, Case{"caller", false}}) {
    SCOPED_TRACE(c.name);
    local_ = cli::Local::Deploy(GPT2IC_WASM_DIR "/model.wasm", 1).value();
    SetUpDemo();
    UseSmallMessages();
    const auto call = BeginInference();
    const auto fresh = [&] { return local_->network().Find(local_->canister()); };
    const Bytes before = fresh()->state.module->binary;
    Upgrade(c.name);
    ASSERT_NE(fresh()->state.module->binary, before);
    const auto answer = AnswerOf(call);
    if (c.keeps_jobs) {
      EXPECT_TRUE(answer) << answer.error().message;
    } else {
      ASSERT_FALSE(answer);
      EXPECT_NE(answer.error().message.find("reject"), std::string::npos);
    }
    local_->network().Round();
    EXPECT_EQ(fresh()->contexts.size(), 0u);
    // Back again: nothing committed was lost.
    Upgrade();
    EXPECT_NE(Generate(kQuestion)->find("Paris"), std::string::npos);
  }
}

// Modules of others: without a table, or with something of another type at entry 1, the IC ends the
// message with a trap and the caller gets a reject.
TEST_F(UpgradedCanister, CallbacksEndInATrapInForeignModules) {
  for (const char* wat : {R"((module (memory 1) (export "memory" (memory 0))))",
                          R"((module (table funcref (elem $no $no)) (memory 1)
                               (func $no (param i64) (i64.store (i32.const 0) (i64.const 1)))))"}) {
    local_ = cli::Local::Deploy(GPT2IC_WASM_DIR "/model.wasm", 1).value();
    SetUpDemo();
    UseSmallMessages();
    const auto call = BeginInference();
    UpgradeTo(runtime::ParseWat(wat).value());
    const auto answer = AnswerOf(call);
    ASSERT_FALSE(answer);
    EXPECT_NE(answer.error().message.find("reject"), std::string::npos);
  }
}

TEST_F(UpgradedCanister, AReinstalledCanisterKnowsNoOldTicket) {
  SetUpDemo();
  UseSmallMessages();
  const auto call = BeginInference();
  const std::string wasm = cli::ReadFile(GPT2IC_WASM_DIR "/model.wasm").value();
  ASSERT_FALSE(local_->network().InstallCode(local_->canister(), runtime::InstallMode::kReinstall,
                                             Bytes(wasm.begin(), wasm.end()), {}, kOwner));
  EXPECT_FALSE(AnswerOf(call));
  EXPECT_EQ(StatusNow().state, "empty");
}

}  // namespace
