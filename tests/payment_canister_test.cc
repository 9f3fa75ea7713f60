// Who pays for an answer, to the cycle and to the token: attached cycles, quotas, and
// examples/caller.
#include "model_fixture.h"
#include "runtime/instrument/validate.h"

namespace {

using namespace model_test;
using model::Progress;
using runtime::Cycles;

struct Paid {
  std::string answer;
  Cycles paid;
};
CANDID_RECORD(Paid, answer, paid)

constexpr Cycles kPrice = 1'000'003;  // a token
constexpr Cycles kPlenty = 1'000'000'000'000;

class PaidCanister : public ModelCanister {
 protected:
  static constexpr char kQuestion[] = "What is the capital of France?";

  PaidCanister() {
    SetUpDemo();
    local_->network().options().limits.system_subnet = true;  // no fees: balances are exact
    caller_ = Install(cli::ReadFile(GPT2IC_WASM_DIR "/caller.wasm").value());
    model::Policy policy = PolicyNow();
    policy.cycles_per_token = kPrice;
    EXPECT_EQ(SetPolicy(policy), "Ok");
    const Progress same = FinishAs(kOther, StartAs(kOther, Ask(kQuestion))->job);
    answer_ = same.text;
    prompt_tokens_ = same.prompt_tokens;
    tokens_ = same.prompt_tokens + same.tokens;
    used_before_ = TokensToday();
  }
  Principal Install(std::string_view wasm) {
    runtime::Network& network = local_->network();
    const Principal id = network.CreateCanister(kOwner, 10 * kPlenty).value();
    EXPECT_FALSE(network.InstallCode(id, runtime::InstallMode::kInstall,
                                     Bytes(wasm.begin(), wasm.end()), {}, kOwner));
    return id;
  }
  Cycles BalanceOf(const Principal& id) { return local_->network().Find(id)->state.balance; }
  uint64_t TokensToday() { return QueryAs<model::Status>(kOwner, "status").tokens_today; }
  candid::Principal Model() { return candid::Principal::FromBytes(local_->canister()).value(); }

  runtime::MessageId SendAsk(Cycles cycles, std::string_view question = kQuestion,
                             uint8_t tokens = 30) {
    return local_->network().Submit(kOwner, caller_, "ask",
                                    candid::EncodeArgs(Model(), question, tokens, cycles));
  }
  // Checks that what the caller says it paid is what went from one balance to the other.
  base::Result<Paid> AskFor(Cycles cycles, std::string_view question = kQuestion,
                            uint8_t tokens = 30) {
    const Cycles caller = BalanceOf(caller_), model = BalanceOf(local_->canister());
    auto paid = Decoded<base::Result<Paid>>(AnswerOf(SendAsk(cycles, question, tokens)));
    local_->network().Round();
    const Cycles moved = paid ? paid->paid : 0;
    EXPECT_TRUE(caller - BalanceOf(caller_) == moved);
    EXPECT_TRUE(BalanceOf(local_->canister()) - model == moved);
    return paid;
  }

  Principal caller_;
  std::string answer_;
  uint64_t prompt_tokens_, tokens_, used_before_;
};

TEST_F(PaidCanister, TakesThePriceOfTheTokensAndReturnsTheRest) {
  const auto paid = AskFor(kPlenty);
  ASSERT_TRUE(paid) << paid.error().message;
  EXPECT_EQ(paid->answer, answer_);
  EXPECT_TRUE(paid->paid == kPrice * tokens_);
  EXPECT_EQ(TokensToday(), used_before_);  // who pays has no quota
}

TEST_F(PaidCanister, ExactlyThePossiblePriceIsEnoughOneCycleLessIsNot) {
  const Cycles most = kPrice * (prompt_tokens_ + 30);
  EXPECT_TRUE(AskFor(most)->paid == kPrice * tokens_);
  EXPECT_EQ(TokensToday(), used_before_);
  const auto free = AskFor(most - 1);
  ASSERT_TRUE(free) << free.error().message;
  EXPECT_EQ(free->answer, answer_);
  EXPECT_TRUE(free->paid == 0);
  EXPECT_EQ(TokensToday(), used_before_ + tokens_);
}

TEST_F(PaidCanister, ManyMessagesCostTheSame) {
  UseSmallMessages();
  const std::string question = "Tell me: what is the capital of France? And of Italy, and why?";
  model::GenerateArgs args = Ask(question, 100);
  const Progress same = FinishAs(kOther, StartAs(kOther, args)->job);
  const auto paid = AskFor(kPlenty, question, 100);
  ASSERT_TRUE(paid) << paid.error().message;
  EXPECT_EQ(paid->answer, same.text);
  EXPECT_TRUE(paid->paid == kPrice * (same.prompt_tokens + same.tokens));
}

TEST_F(PaidCanister, WhatIsRefusedCostsNothing) {
  std::string long_question;
  for (int i = 0; i < 300; ++i) long_question += "word ";
  EXPECT_FALSE(AskFor(kPlenty, long_question));
  EXPECT_FALSE(AskFor(kPlenty, "", 30));
  EXPECT_FALSE(AskFor(kPlenty, kQuestion, 101));
  model::Policy policy = PolicyNow();
  policy.tokens_per_caller_per_day = 0;
  ASSERT_EQ(SetPolicy(policy), "Ok");
  const auto no_quota = AskFor(5);
  ASSERT_FALSE(no_quota);
  EXPECT_NE(no_quota.error().message.find("tokens a day"), std::string::npos);
  EXPECT_TRUE(AskFor(kPlenty));
  policy.open_to = "listed";
  ASSERT_EQ(SetPolicy(policy), "Ok");
  EXPECT_FALSE(AskFor(kPlenty));
  EXPECT_EQ(TokensToday(), used_before_);
}

TEST_F(PaidCanister, TheAuthorizedDoNotPay) {
  ASSERT_TRUE(local_->Update("add_authorized_principal",
                             candid::EncodeArgs(candid::Principal::FromBytes(caller_).value())));
  EXPECT_TRUE(AskFor(kPlenty)->paid == 0);
  EXPECT_EQ(TokensToday(), used_before_);
}

// A stop in the middle: the tokens that there are are paid, no more.
TEST_F(PaidCanister, APartIsPaidForAsAPart) {
  UseSmallMessages();
  const Cycles caller = BalanceOf(caller_), model = BalanceOf(local_->canister());
  // Two calls, so that the second is in the middle of its answer or before it.
  const auto first = SendAsk(kPlenty), second = SendAsk(kPlenty);
  for (int i = 0; i < 4; ++i) local_->network().Step();
  Stop();
  Cycles paid = 0;
  for (const auto call : {first, second}) {
    const auto reply = Decoded<base::Result<Paid>>(AnswerOf(call));
    if (reply) paid += reply->paid;
  }
  EXPECT_TRUE(caller - BalanceOf(caller_) == paid);
  EXPECT_TRUE(BalanceOf(local_->canister()) - model == paid);
  EXPECT_TRUE(paid % kPrice == 0 && paid <= 2 * kPrice * tokens_);
}

TEST_F(PaidCanister, AnUpgradeInTheMiddleKeepsThePrice) {
  UseSmallMessages();
  const Cycles model = BalanceOf(local_->canister());
  const auto call = SendAsk(kPlenty);
  local_->network().Step();  // ask
  local_->network().Step();  // generate
  Upgrade();
  const auto reply = Decoded<base::Result<Paid>>(AnswerOf(call));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_TRUE(reply->paid == kPrice * tokens_);
  EXPECT_TRUE(BalanceOf(local_->canister()) - model == reply->paid);
}

TEST_F(PaidCanister, OnlyControllersOfTheCallerSpendItsCycles) {
  const auto response = local_->network().Call(
      kStranger, caller_, "ask",
      candid::EncodeArgs(Model(), std::string_view("Hi"), uint8_t{1}, Cycles{1}));
  ASSERT_FALSE(response.reject);
  EXPECT_FALSE(Decoded<base::Result<Paid>>(base::Result<Bytes>(response.reply)));
  const auto too_many = AskFor(100 * kPlenty);
  ASSERT_FALSE(too_many);
}

// A canister that calls generate_start of the canister in its argument's first 10 bytes with 10^9
// cycles attached, and replies with how many came back.
constexpr char kStarter[] = R"((module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_arg_data_size" (func $size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $copy (param i32 i32 i32)))
  (import "ic0" "msg_cycles_refunded" (func $refunded (result i64)))
  (import "ic0" "call_new" (func $call_new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_data_append" (func $data (param i32 i32)))
  (import "ic0" "call_cycles_add" (func $add (param i64)))
  (import "ic0" "call_perform" (func $perform (result i32)))
  (memory 1)
  (data (i32.const 0) "generate_start")
  (table funcref (elem $done))
  (func $done (param i32)
    (i64.store (i32.const 0) (call $refunded))
    (call $append (i32.const 0) (i32.const 8))
    (call $reply))
  (func (export "canister_update go")
    (call $copy (i32.const 100) (i32.const 0) (call $size))
    (call $call_new (i32.const 100) (i32.const 10) (i32.const 0) (i32.const 14)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (call $data (i32.const 110) (i32.sub (call $size) (i32.const 10)))
    (call $add (i64.const 1000000000))
    (if (call $perform) (then (unreachable)))))
)";

TEST_F(PaidCanister, GenerateStartTakesNoCycles) {
  const Bytes wasm = runtime::ParseWat(kStarter).value();
  const Principal starter = Install({reinterpret_cast<const char*>(wasm.data()), wasm.size()});
  Bytes argument = local_->canister();
  base::Append(argument, candid::EncodeArgs(Ask(kQuestion)));
  const auto response = local_->network().Call(kOther, starter, "go", argument);
  ASSERT_FALSE(response.reject) << response.reject->message;
  uint64_t refunded = 0;
  std::memcpy(&refunded, response.reply.data(), sizeof(refunded));
  EXPECT_EQ(refunded, 1'000'000'000u);
  local_->network().Round();
  EXPECT_EQ(TokensToday(), used_before_ + tokens_);
}

// ---- quotas ----

class Quotas : public PaidCanister {
 protected:
  void SetQuotas(std::optional<uint64_t> caller, std::optional<uint64_t> all) {
    model::Policy policy = PolicyNow();
    policy.tokens_per_caller_per_day = caller;
    policy.tokens_per_day = all;
    ASSERT_EQ(SetPolicy(policy), "Ok");
  }
  std::string Run(const Principal& sender, uint32_t max_tokens) {
    const auto started = StartAs(sender, Ask(kQuestion, max_tokens));
    if (started) FinishAs(sender, started->job);
    return CodeOf(started);
  }
};

TEST_F(Quotas, ACallersIsExactToTheToken) {
  SetQuotas(tokens_ + 2 * prompt_tokens_ + 30, std::nullopt);
  EXPECT_EQ(Run(kStranger, 30), "Ok");  // takes its most, gives back what it did not use
  EXPECT_EQ(TokensToday(), used_before_ + tokens_);
  const auto most = static_cast<uint32_t>(prompt_tokens_ + 30);
  EXPECT_EQ(Run(kStranger, most + 1), "quota");
  EXPECT_EQ(Run(kStranger, 1), "Ok");
  EXPECT_EQ(TokensToday(), used_before_ + tokens_ + prompt_tokens_ + 1);
  EXPECT_EQ(Run(kStranger, 30), "quota");
  EXPECT_EQ(Run(kStranger, 29), "Ok");
  EXPECT_EQ(Run({9, 9}, most), "Ok");  // another caller's is another one
}

TEST_F(Quotas, AllCallersTogetherAreCounted) {
  SetQuotas(std::nullopt, used_before_ + 2 * (prompt_tokens_ + 1));
  EXPECT_EQ(Run({9, 1}, 1), "Ok");
  EXPECT_EQ(Run({9, 2}, 2), "quota");
  EXPECT_EQ(Run({9, 2}, 1), "Ok");
  EXPECT_EQ(Run({9, 3}, 0), "quota");
  EXPECT_EQ(Run(kOwner, 30), "Ok");
  EXPECT_EQ(TokensToday(), used_before_ + 2 * (prompt_tokens_ + 1));
}

TEST_F(Quotas, ANewDayBeginsAtZeroAndOwesNothingToTheOldOne) {
  SetQuotas(prompt_tokens_ + 30, std::nullopt);
  UseSmallMessages();
  const auto started = StartAs(kStranger, Ask(kQuestion, 30));
  ASSERT_TRUE(started);
  NextDay();
  EXPECT_EQ(TokensToday(), 0u);
  // Today's tokens are counted before yesterday's job ends and gives back what it did not use.
  const auto today = StartAs(kStranger, Ask(kQuestion, 30));
  FinishAs(kStranger, started->job);
  FinishAs(kStranger, today->job);
  EXPECT_EQ(TokensToday(), tokens_);
}

// Whatever is refused has taken nothing.
TEST_F(Quotas, AFailedRequestTakesNothing) {
  model::GenerateArgs args = Ask(kQuestion);
  args.session = 12345;
  EXPECT_EQ(CodeOf(StartAs(kStranger, args)), "not_found");
  EXPECT_EQ(Run(kStranger, ~0u), "Ok");  // cut to the context
  const uint64_t used = TokensToday();
  // Every session of a caller at work: nothing can make room.
  model::Policy policy = PolicyNow();
  policy.max_jobs_per_caller = policy.max_queue = 64;
  policy.tokens_per_caller_per_day = policy.tokens_per_day = std::nullopt;
  policy.instructions_per_message = 400'000'000;
  ASSERT_EQ(SetPolicy(policy), "Ok");
  model::GenerateArgs lengthy;
  lengthy.input = {model::InputKind::kTokens, {}, {}, {1, 2, 3}};
  lengthy.sampling.max_tokens = 250;
  std::string code = "Ok";
  uint64_t jobs = 0;
  for (; jobs < 64 && code == "Ok"; ++jobs) code = CodeOf(StartAs(kStranger, lengthy));
  EXPECT_EQ(code, "busy");
  for (const auto& job : QueryAs<std::vector<model::JobSummary>>(kStranger, "generate_list")) {
    if (job.state != "done") UpdateAs<model::Done>(kStranger, "generate_cancel", job.job);
  }
  EXPECT_LE(TokensToday(), used + 253 * (jobs - 1));
}

}  // namespace
