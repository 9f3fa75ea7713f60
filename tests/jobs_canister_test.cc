// Jobs, sessions and policy of the canister `model`: whole answers over many messages, tokens as
// they come, and who may.
#include "cli/native_model.h"
#include "model_fixture.h"

namespace {

using namespace model_test;
using model::Answer;
using model::Progress;

class JobsCanister : public ModelCanister {
 protected:
  JobsCanister() { SetUpDemo(); }

  static std::vector<uint32_t> Prompt(size_t count) { return std::vector<uint32_t>(count, 17); }
  static constexpr char kQuestion[] = "What is the capital of France?";
};

TEST_F(JobsCanister, AJobGivesWhatOneCallGives) {
  const std::string whole = Generate(kQuestion).value();
  const auto started = StartAs(kStranger, Ask(kQuestion));
  ASSERT_TRUE(started) << started.error().message;
  const Progress progress = FinishAs(kStranger, started->job);
  EXPECT_EQ(progress.text, whole);
  EXPECT_EQ(progress.state, "done");
  EXPECT_EQ(progress.finish_reason, "stop");
  EXPECT_EQ(progress.next, whole.size());
  EXPECT_GT(progress.instructions, 10'000'000u);
  EXPECT_GT(progress.cycles, progress.instructions);
  EXPECT_EQ(progress.prompt_tokens, started->quote.prompt_tokens);
}

// A quota on instructions does not change the answer, only the number of messages.
TEST_F(JobsCanister, TokensComeOneByOne) {
  model::GenerateArgs args;
  args.input = {model::InputKind::kTokens, {}, {}, {5, 6, 7}};
  args.sampling.max_tokens = 200;
  const std::string all = [&] {
    const auto job = StartAs(kStranger, args)->job;
    return FinishAs(kStranger, job).text;
  }();
  UseSmallMessages();
  const uint64_t job = StartAs(kStranger, args)->job;
  std::string text;
  std::set<uint64_t> lengths;
  for (uint64_t from = 0;;) {
    const Progress progress = PollAs(kStranger, job, from);
    text += progress.text;
    from = progress.next;
    lengths.insert(from);
    if (progress.finish_reason) break;
    local_->network().Round(1);
  }
  EXPECT_EQ(text, all);
  EXPECT_GE(lengths.size(), 3u);
}

TEST_F(JobsCanister, AWaitingCallOutlastsManyMessages) {
  std::vector<uint32_t> ids(200, 17);
  const auto whole = Infer(ids, 50, 0).value();
  UseSmallMessages();
  local_->TakeUsage();
  EXPECT_EQ(Infer(ids, 50, 0).value(), whole);
  EXPECT_GT(local_->TakeUsage().messages, 2u);
}

TEST_F(JobsCanister, ASessionGoesOnWithoutPayingForItsPast) {
  const auto first = StartAs(kStranger, Ask(kQuestion));
  const Progress one = FinishAs(kStranger, first->job);
  ASSERT_TRUE(one.session);
  model::GenerateArgs next = Ask("What is the opposite of hot?");
  next.session = one.session;
  const auto second = StartAs(kStranger, next);
  ASSERT_TRUE(second) << second.error().message;
  const Progress two = FinishAs(kStranger, second->job);
  EXPECT_GE(two.cached_tokens, one.prompt_tokens);
  EXPECT_GT(two.prompt_tokens, two.cached_tokens);
  EXPECT_LT(two.instructions, 2 * one.instructions);
  // The same as the whole chat at once.
  model::GenerateArgs chat;
  chat.input = {
      model::InputKind::kMessages,
      {},
      {{"user", kQuestion}, {"assistant", one.text}, {"user", "What is the opposite of hot?"}},
      {}};
  chat.sampling.max_tokens = 30;
  const Progress at_once = FinishAs(kStranger, StartAs(kStranger, chat)->job);
  EXPECT_EQ(two.text, at_once.text);
  EXPECT_EQ(two.prompt_tokens, at_once.prompt_tokens);

  const auto list = QueryAs<std::vector<model::SessionSummary>>(kStranger, "session_list");
  EXPECT_EQ(list.size(), 2u);
  EXPECT_TRUE(QueryAs<std::vector<model::SessionSummary>>(kOther, "session_list").empty());
  EXPECT_EQ(CodeOf(StartAs(kOther, next)), "not_found");
  EXPECT_EQ(CodeOf(UpdateAs<model::Done>(kOther, "session_delete", *one.session)), "not_found");
  EXPECT_EQ(CodeOf(UpdateAs<model::Done>(kStranger, "session_delete", *one.session)), "Ok");
  EXPECT_EQ(CodeOf(StartAs(kStranger, next)), "not_found");
}

TEST_F(JobsCanister, AChatThatOutgrowsTheContextDropsItsOldestTurns) {
  std::optional<uint64_t> session;
  uint32_t dropped = 0;
  for (int turn = 0; turn < 14; ++turn) {
    model::GenerateArgs args = Ask(kQuestion);
    args.session = session;
    const auto started = StartAs(kStranger, args);
    ASSERT_TRUE(started) << started.error().message;
    const Progress progress = FinishAs(kStranger, started->job);
    EXPECT_LE(progress.prompt_tokens, 256u);
    dropped += progress.dropped_tokens;
    session = progress.session;
  }
  EXPECT_GT(dropped, 0u);
}

// What never came into the session is no turn of it.
TEST_F(JobsCanister, AJobCancelledInTheQueueLeavesNoTurns) {
  UseSmallMessages();
  const Progress first = FinishAs(kStranger, StartAs(kStranger, Ask(kQuestion, 5))->job);
  ASSERT_TRUE(first.session);
  model::GenerateArgs lengthy;
  lengthy.input = {model::InputKind::kTokens, {}, {}, {1, 2, 3}};
  lengthy.sampling.max_tokens = 250;
  const uint64_t ahead = StartAs(kOwner, lengthy)->job;
  model::GenerateArgs args;
  args.session = first.session;
  args.input = {model::InputKind::kMessages,
                {},
                {{"assistant", std::string(100, '7')}, {"user", "And now?"}},
                {}};
  args.sampling.max_tokens = 1;
  const uint64_t waiting = StartAs(kStranger, args)->job;
  EXPECT_EQ(CodeOf(UpdateAs<model::Done>(kStranger, "generate_cancel", waiting)), "Ok");
  ASSERT_EQ(PollAs(kStranger, waiting).prefilled, 0u);
  ASSERT_FALSE(PollAs(kOwner, ahead).finish_reason);
  args.input = {model::InputKind::kTokens, {}, {}, std::vector<uint32_t>(250, 5)};
  const auto started = StartAs(kStranger, args);
  ASSERT_TRUE(started) << started.error().message;
  const Progress progress = FinishAs(kStranger, started->job);
  EXPECT_EQ(progress.prompt_tokens, 250u);
  EXPECT_LE(progress.dropped_tokens, first.prompt_tokens + 6);
}

TEST_F(JobsCanister, OneCallerDoesNotHoldUpAnother) {
  UseSmallMessages();
  model::GenerateArgs lengthy;
  lengthy.input = {model::InputKind::kTokens, {}, {}, {1, 2, 3}};
  lengthy.sampling.max_tokens = 250;
  std::vector<uint64_t> jobs;
  for (int i = 0; i < 4; ++i) jobs.push_back(StartAs(kStranger, lengthy)->job);
  EXPECT_EQ(CodeOf(StartAs(kStranger, lengthy)), "busy");
  const uint64_t other = StartAs(kOther, Ask(kQuestion))->job;
  const Progress answer = FinishAs(kOther, other);
  EXPECT_NE(answer.text.find("Paris"), std::string::npos);
  EXPECT_FALSE(PollAs(kStranger, jobs[3]).finish_reason);
  for (const uint64_t job : jobs) {
    EXPECT_EQ(CodeOf(UpdateAs<model::Done>(kOther, "generate_cancel", job)), "not_found");
    EXPECT_EQ(CodeOf(UpdateAs<model::Done>(kStranger, "generate_cancel", job)), "Ok");
    EXPECT_EQ(PollAs(kStranger, job).finish_reason, "cancelled");
  }
  EXPECT_EQ(QueryAs<std::vector<model::JobSummary>>(kStranger, "generate_list").size(), 4u);
}

// Principals cost nothing to make: however many of them fill the queue, the owner and who pays have
// room and come first.
TEST_F(JobsCanister, StrangersDoNotHoldUpTheOwner) {
  model::Policy policy = PolicyNow();
  policy.max_queue = 6;
  policy.max_jobs_per_caller = 2;
  policy.instructions_per_message = 400'000'000;
  policy.tokens_per_caller_per_day = policy.tokens_per_day = std::nullopt;
  ASSERT_EQ(SetPolicy(policy), "Ok");
  model::GenerateArgs lengthy;
  lengthy.input = {model::InputKind::kTokens, {}, {}, {1, 2, 3}};
  lengthy.sampling.max_tokens = 250;
  std::vector<std::pair<Principal, uint64_t>> jobs;
  std::string code;
  for (uint8_t i = 0; code != "busy"; ++i) {
    const auto started = StartAs({20, i}, lengthy);
    if (started) jobs.emplace_back(Principal{20, i}, started->job);
    code = CodeOf(started);
    ASSERT_LT(i, 100);
  }
  EXPECT_GE(jobs.size(), 6u);
  const auto unfinished = [&] {
    return std::ranges::count_if(
        jobs, [&](const auto& job) { return !PollAs(job.first, job.second).finish_reason; });
  };
  const auto before = unfinished();
  EXPECT_GE(before, 5);
  const auto own = StartAs(kOwner, Ask(kQuestion));
  ASSERT_TRUE(own) << own.error().message;
  EXPECT_EQ(PollAs(kOwner, own->job).queue_position.value_or(0), 0u);
  FinishAs(kOwner, own->job);
  EXPECT_GE(unfinished(), before - 1);
  for (const auto& [caller, job] : jobs) EXPECT_EQ(FinishAs(caller, job).finish_reason, "length");
}

TEST_F(JobsCanister, AnUpgradeKeepsJobsAndSessions) {
  const Progress chat = FinishAs(kStranger, StartAs(kStranger, Ask(kQuestion))->job);
  model::GenerateArgs lengthy;
  lengthy.input = {model::InputKind::kTokens, {}, {}, {1, 2, 3}};
  lengthy.sampling.max_tokens = 200;
  const std::string whole = FinishAs(kOther, StartAs(kOther, lengthy)->job).text;
  UseSmallMessages();
  const uint64_t job = StartAs(kOther, lengthy)->job;
  local_->network().Round(1);
  ASSERT_FALSE(PollAs(kOther, job).finish_reason);
  Upgrade();
  EXPECT_EQ(FinishAs(kOther, job).text, whole);
  model::GenerateArgs next = Ask("What is the opposite of hot?");
  next.session = chat.session;
  const Progress two = FinishAs(kStranger, StartAs(kStranger, next)->job);
  EXPECT_NE(two.text.find("cold"), std::string::npos) << two.text;
  EXPECT_EQ(two.cached_tokens, 0u);
}

TEST_F(JobsCanister, PolicyAndQuotasProtectTheOwner) {
  EXPECT_EQ(CodeOf(StartAs(kAnonymous, Ask(kQuestion))), "not_allowed");
  model::Policy policy = PolicyNow();
  EXPECT_EQ(CodeOf(UpdateAs<model::Done>(kStranger, "set_policy", policy)), "not_allowed");
  policy.open_to = "nobody";
  EXPECT_EQ(SetPolicy(policy), "bad_input");
  policy.open_to = "everyone";
  policy.tokens_per_caller_per_day = 60;
  policy.tokens_per_day = 100;
  ASSERT_EQ(SetPolicy(policy), "Ok");
  EXPECT_EQ(CodeOf(StartAs(kAnonymous, Ask(kQuestion, 100))), "quota");
  const auto small = StartAs(kAnonymous, Ask(kQuestion, 20));
  ASSERT_TRUE(small) << small.error().message;
  FinishAs(kAnonymous, small->job);
  EXPECT_EQ(CodeOf(StartAs(kAnonymous, Ask(kQuestion, 40))), "quota");
  policy.open_to = "controllers";
  ASSERT_EQ(SetPolicy(policy), "Ok");
  EXPECT_EQ(CodeOf(StartAs(kStranger, Ask(kQuestion))), "not_allowed");
  EXPECT_EQ(CodeOf(StartAs(kOwner, Ask(kQuestion, 200))), "Ok");
}

TEST_F(JobsCanister, ParametersOutOfRangeAreNamed) {
  const auto refused = [&](auto change) {
    model::GenerateArgs args = Ask(kQuestion);
    change(args);
    const auto answer = StartAs(kStranger, args);
    return answer ? std::string("accepted") : answer.error().code + " " + answer.error().message;
  };
  const double nan = __builtin_nan("");
  for (const double t : {-0.1, 101.0, nan}) {
    EXPECT_NE(refused([&](auto& a) { a.sampling.temperature = t; }).find("bad_input temperature"),
              std::string::npos);
  }
  EXPECT_NE(refused([](auto& a) { a.sampling.top_k = 0; }).find("top_k"), std::string::npos);
  EXPECT_NE(refused([](auto& a) { a.sampling.top_p = 0; }).find("top_p"), std::string::npos);
  EXPECT_NE(refused([](auto& a) { a.sampling.logprobs = 21; }).find("logprobs"), std::string::npos);
  EXPECT_NE(refused([](auto& a) { a.sampling.stop = {{""}}; }).find("stop"), std::string::npos);
  EXPECT_NE(refused([](auto& a) { a.input.messages[0].role = "boss"; }).find("bad_input"),
            std::string::npos);
  EXPECT_NE(refused([](auto& a) {
              a.input = {model::InputKind::kTokens, {}, {}, {99999}};
            }).find("99999"),
            std::string::npos);
  EXPECT_NE(
      refused([](auto& a) { a.input = {model::InputKind::kTokens, {}, {}, {}}; }).find("0 tokens"),
      std::string::npos);
  EXPECT_NE(refused([](auto& a) {
              a.input = {model::InputKind::kTokens, {}, {}, std::vector<uint32_t>(257, 1)};
            }).find("257"),
            std::string::npos);
  EXPECT_NE(refused([](auto& a) {
              a.input = {model::InputKind::kPrompt, std::string(70'000, 'a'), {}, {}};
            }).find("too_large"),
            std::string::npos);
}

TEST_F(JobsCanister, SamplingIsReportedAndRepeats) {
  model::GenerateArgs args = Ask(kQuestion);
  args.sampling.temperature = 1.5;
  args.sampling.logprobs = 3;
  args.sampling.stop = {{"Par"}};
  const Progress one = FinishAs(kStranger, StartAs(kStranger, args)->job);
  args.sampling.seed = one.seed;
  const Progress two = FinishAs(kStranger, StartAs(kStranger, args)->job);
  EXPECT_EQ(one.text, two.text);
  ASSERT_TRUE(one.logprobs);
  ASSERT_EQ(one.logprobs->size(), one.tokens);
  EXPECT_EQ(one.logprobs->at(0).top.size(), 3u);
  EXPECT_LE(one.logprobs->at(0).logprob, 0.0f);
  args.sampling.temperature = 0;
  const Progress greedy = FinishAs(kStranger, StartAs(kStranger, args)->job);
  EXPECT_EQ(greedy.text, "The capital of France is ");
  EXPECT_EQ(greedy.finish_reason, "stop");
}

TEST_F(JobsCanister, SaysWhatItIs) {
  const auto status = QueryAs<model::Status>(kAnonymous, "status");
  EXPECT_EQ(status.state, "ready");
  ASSERT_TRUE(status.model);
  EXPECT_EQ(status.model->sha256.size(), 32u);
  EXPECT_EQ(status.model->mode, "int8");
  EXPECT_GT(status.instructions_per_token.value_or(0), 500'000u);
  EXPECT_LT(status.instructions_per_token.value_or(0), 5'000'000u);
  EXPECT_FALSE(QueryAs<model::LogLines>(kAnonymous, "logs", uint64_t{0}).lines.empty());
  EXPECT_EQ(QueryAs<uint32_t>(kAnonymous, "fibonacci", uint32_t{10}), 55u);
  EXPECT_EQ(QueryAs<uint32_t>(kAnonymous, "fibonacci", uint32_t{48}), 512559680u);
}

// A seed whose answers do not end by themselves: random tokens at a high temperature.
TEST_F(JobsCanister, QuotesAreHeld) {
  for (const auto& [prompt, tokens] :
       std::vector<std::pair<size_t, uint32_t>>{{1, 10}, {7, 100}, {64, 20}, {200, 50}, {250, 5}}) {
    model::GenerateArgs args;
    args.input = {model::InputKind::kTokens, {}, {}, std::vector<uint32_t>(prompt, 17)};
    args.sampling.max_tokens = tokens;
    args.sampling.temperature = 50;
    args.sampling.seed = 4;
    const auto quote = QueryAs<Answer<model::Quote>>(kStranger, "quote", args).value();
    const auto started = StartAs(kStranger, args);
    ASSERT_TRUE(started) << started.error().message;
    EXPECT_EQ(started->quote.instructions_expected, quote.instructions_expected);
    const Progress progress = FinishAs(kStranger, started->job);
    ASSERT_EQ(progress.finish_reason, "length");
    const double ratio = static_cast<double>(quote.instructions_expected) /
                         static_cast<double>(progress.instructions);
    EXPECT_NEAR(ratio, 1, 0.02) << prompt << " + " << tokens << ": quoted "
                                << quote.instructions_expected << ", spent "
                                << progress.instructions;
    EXPECT_GE(quote.instructions_max, progress.instructions);
    EXPECT_GE(quote.cycles_max, progress.cycles);
  }
}

// Whatever looks at the logits besides, in slices of any size, and while others work.
TEST_F(JobsCanister, QuotesAreNeverExceeded) {
  model::Policy policy = PolicyNow();
  policy.tokens_per_caller_per_day = policy.tokens_per_day = std::nullopt;
  for (const std::optional<uint64_t> slice :
       {std::optional<uint64_t>(), std::optional<uint64_t>(400'000'000)}) {
    policy.instructions_per_message = slice;
    ASSERT_EQ(SetPolicy(policy), "Ok");
    for (int i = 0; i < 12; ++i) {
      model::GenerateArgs args;
      args.input = {model::InputKind::kTokens, {}, {}, Prompt(static_cast<size_t>(1 + 19 * i))};
      model::Sampling& s = args.sampling;
      s.max_tokens = static_cast<uint32_t>(3 + 5 * (i % 7));
      s.temperature = i % 2 == 0 ? 30 : 1;
      s.seed = 4;
      if (i % 3 != 0) s.repetition_penalty = 1.1;
      if (i % 4 != 0) s.frequency_penalty = 0.5;
      if (i % 3 == 1) s.logprobs = 20;
      if (i % 2 == 1) s.top_p = 0.9;
      if (i % 5 == 1) s.top_k = 3000;
      if (i % 4 == 2) s.stop = std::vector<std::string>(8, std::string(256, 'x'));
      const auto other = StartAs(kOther, args);
      const auto started = StartAs(kStranger, args);
      ASSERT_TRUE(started) << started.error().message;
      const Progress progress = FinishAs(kStranger, started->job);
      EXPECT_GE(started->quote.instructions_max, progress.instructions) << "case " << i;
      EXPECT_GE(started->quote.cycles_max, progress.cycles) << "case " << i;
      FinishAs(kOther, other->job);
    }
  }
}

}  // namespace
