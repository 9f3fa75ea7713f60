// Messages between canisters, and queries that call queries.
#include <gtest/gtest.h>

#include "runtime/round/management.h"
#include "runtime/round/network.h"

namespace runtime {
namespace {

const Principal kUser = {2};

constexpr char kImports[] = R"(
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reject" (func $reject (param i32 i32)))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg (param i32 i32 i32)))
  (import "ic0" "msg_arg_data_size" (func $arg_size (result i32)))
  (import "ic0" "msg_reject_code" (func $reject_code (result i32)))
  (import "ic0" "performance_counter" (func $counter (param i32) (result i64)))
  (import "ic0" "call_new" (func $call_new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_on_cleanup" (func $on_cleanup (param i32 i32)))
  (import "ic0" "call_data_append" (func $data (param i32 i32)))
  (import "ic0" "call_cycles_add" (func $cycles (param i64)))
  (import "ic0" "call_with_best_effort_response" (func $best_effort (param i32)))
  (import "ic0" "call_perform" (func $perform (result i32)))
  (import "ic0" "certified_data_set" (func $certify (param i32 i32)))
  (import "ic0" "canister_self_copy" (func $self (param i32 i32 i32)))
  (memory 4)
  (data (i32.const 0) "bump")
  (data (i32.const 8) "stop")
  (data (i32.const 16) "nest")
)";

class CallsTest : public ::testing::Test {
 protected:
  CallsTest() : network_(env_, Options()) {
    network_.OnExecution([this](const ExecutionRecord& record) { records_.push_back(record); });
  }
  static NetworkOptions Options() {
    NetworkOptions options;
    options.limits.page_overhead = 0;
    return options;
  }
  Principal Install(const std::string& body) {
    const Principal id = network_.CreateCanister(kUser, kCycles).value();
    const auto error = network_.InstallCode(
        id, InstallMode::kInstall, ParseWat(base::StrCat("(module ", kImports, body, ")")).value(),
        {}, kUser);
    EXPECT_FALSE(error) << error->message;
    return id;
  }
  uint64_t Number(const Principal& id, const std::string& query) {
    const Response response = network_.Query(kUser, id, query, {});
    EXPECT_FALSE(response.reject) << response.reject->message;
    uint64_t value = 0;
    std::memcpy(&value, response.reply.data(), std::min<size_t>(8, response.reply.size()));
    return value;
  }
  ErrorCode ErrorOf(const Response& response) {
    return response.reject ? response.reject->error : ErrorCode{};
  }
  static constexpr Cycles kCycles = 1'000'000'000'000'000;
  SimulatedEnv env_{1};
  Network network_;
  std::vector<ExecutionRecord> records_;
};

// Counts what it is asked to, in the order in which it is asked.
constexpr char kCounter[] = R"(
  (global $n (mut i32) (i32.const 0))
  (func (export "canister_update bump")
    (call $arg (i32.add (i32.const 1000) (global.get $n)) (i32.const 0) (i32.const 1))
    (global.set $n (i32.add (global.get $n) (i32.const 1)))
    (call $reply))
  (func (export "canister_query seen") (call $append (i32.const 1000) (global.get $n)) (call $reply)))";

// go(callee, n): n calls, each with its number; replies how many call_perform refused.
constexpr char kCaller[] = R"(
  (table funcref (elem $back $bad))
  (global $backs (mut i64) (i64.const 0))
  (global $refused (mut i32) (i32.const 0))
  (func (export "canister_update go") (local $i i32)
    (call $arg (i32.const 100) (i32.const 0) (i32.const 14))
    (loop $again
      (i32.store (i32.const 200) (local.get $i))
      (call $call_new (i32.const 100) (i32.const 10) (i32.const 0) (i32.const 4)
        (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0))
      (call $data (i32.const 200) (i32.const 4))
      (if (call $perform) (then (global.set $refused (i32.add (global.get $refused) (i32.const 1)))))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.load (i32.const 110)))))
    (i32.store (i32.const 300) (global.get $refused))
    (call $append (i32.const 300) (i32.const 4))
    (call $reply))
  (func $back (param i32) (global.set $backs (i64.add (global.get $backs) (i64.const 1))))
  (func $bad (param i32) (global.set $backs (i64.add (global.get $backs) (i64.const 1000))))
  (func (export "canister_query backs") (i64.store (i32.const 300) (global.get $backs))
    (call $append (i32.const 300) (i32.const 8)) (call $reply)))";

base::Bytes CallArgument(const Principal& callee, uint32_t n) {
  base::Bytes argument = callee;
  base::AppendFixed(argument, n);
  return argument;
}

TEST_F(CallsTest, CallsArriveInOrderAndEachIsAnsweredOnce) {
  const Principal callee = Install(kCounter), caller = Install(kCaller);
  EXPECT_FALSE(network_.Call(kUser, caller, "go", CallArgument(callee, 100)).reject);
  network_.Round();
  const base::Bytes seen = network_.Query(kUser, callee, "seen", {}).reply;
  ASSERT_EQ(seen.size(), 100u);
  for (size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i);
  EXPECT_EQ(Number(caller, "backs"), 100u);
}

TEST_F(CallsTest, AQueueHolds500Calls) {
  const Principal callee = Install(kCounter), caller = Install(kCaller);
  const Response response = network_.Call(kUser, caller, "go", CallArgument(callee, 510));
  ASSERT_FALSE(response.reject) << response.reject->message;
  EXPECT_EQ(response.reply[0], 10);
  network_.Round();
  EXPECT_EQ(Number(caller, "backs"), 500u);
}

TEST_F(CallsTest, ACallThatCannotBePaidIsRefused) {
  const Principal callee = Install(kCounter), caller = Install(kCaller);
  network_.options().limits.message = 1'000'000;
  Canister& state = network_.Find(caller)->state;
  state.balance = IdleCost(state, state.module->wasm.size(), network_.options().fees, 2'592'000) +
                  1'000'000'000;
  const Response response = network_.Call(kUser, caller, "go", CallArgument(callee, 1));
  ASSERT_FALSE(response.reject) << response.reject->message;
  EXPECT_EQ(response.reply[0], 1);  // 2 MiB of response cost more than that
  state.balance = 1000;
  EXPECT_EQ(ErrorOf(network_.Call(kUser, caller, "go", CallArgument(callee, 1))),
            ErrorCode::kCanisterOutOfCycles);
  EXPECT_EQ(ErrorOf(network_.Query(kUser, caller, "backs", {})), ErrorCode::kCanisterOutOfCycles);
}

TEST_F(CallsTest, AMissingCalleeRejects) {
  const Principal caller = Install(kCaller);
  EXPECT_FALSE(network_.Call(kUser, caller, "go", CallArgument(Principal(10, 9), 3)).reject);
  network_.Round();
  EXPECT_EQ(Number(caller, "backs"), 3000u);
}

// wait: calls bump on itself and answers in the callback.
constexpr char kWaiter[] = R"(
  (table funcref (elem $back $bad $cleanup))
  (global $n (mut i64) (i64.const 0))
  (func $send (param $callee i32)
    (call $call_new (local.get $callee) (i32.const 10) (i32.const 0) (i32.const 4)
      (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0))
    (call $on_cleanup (i32.const 2) (i32.const 0)))
  (func (export "canister_update wait")
    (call $self (i32.const 100) (i32.const 0) (i32.const 10))
    (call $send (i32.const 100))
    (drop (call $perform)))
  (func (export "canister_update silent"))
  (func (export "canister_update bump") (call $reply))
  (func $back (param i32) (global.set $n (i64.add (global.get $n) (i64.const 1))) (call $reply))
  (func $bad (param i32) (global.set $n (i64.add (global.get $n) (i64.const 100))) (call $reply))
  (func $cleanup (param i32) (unreachable))
  (func (export "canister_query n") (i64.store (i32.const 300) (global.get $n))
    (call $append (i32.const 300) (i32.const 8)) (call $reply)))";

TEST_F(CallsTest, ACallThatEndsWithoutAnAnswerIsRejected) {
  const Principal id = Install(kWaiter);
  EXPECT_EQ(ErrorOf(network_.Call(kUser, id, "silent", {})), ErrorCode::kCanisterDidNotReply);
}

TEST_F(CallsTest, AStoppingCanisterFinishesItsCallsAndTakesNoNewOnes) {
  const Principal id = Install(kWaiter);
  const MessageId waiting = network_.Submit(kUser, id, "wait", {});
  ASSERT_TRUE(network_.Step());  // the call to itself is open
  EXPECT_EQ(network_.Status(waiting).state, IngressStatus::State::kProcessing);
  const auto argument = candid::EncodeArgs(ic_did::CanisterId{*candid::Principal::FromBytes(id)});
  const MessageId stop = network_.Submit(kUser, {}, "stop_canister", argument);
  const MessageId late = network_.Submit(kUser, id, "bump", {});
  network_.Round();
  // Its own call came too late as well: the reject callback answers.
  EXPECT_EQ(network_.Status(waiting).state, IngressStatus::State::kReplied);
  EXPECT_EQ(network_.Status(stop).state, IngressStatus::State::kReplied);
  EXPECT_EQ(network_.Find(id)->state.status, CanisterStatus::kStopped);
  EXPECT_TRUE(network_.Status(late).response.reject);
  EXPECT_EQ(ErrorOf(network_.Query(kUser, id, "n", {})), ErrorCode::kCanisterStopped);
  EXPECT_FALSE(network_.Call(kUser, {}, "start_canister", argument).reject);
  EXPECT_EQ(Number(id, "n"), 100u);
}

TEST_F(CallsTest, AResponseOutlivesAnUpgrade) {
  const Principal id = Install(kWaiter);
  const MessageId waiting = network_.Submit(kUser, id, "wait", {});
  ASSERT_TRUE(network_.Step());
  const base::Bytes wasm = ParseWat(base::StrCat("(module ", kImports, kWaiter, ")")).value();
  EXPECT_FALSE(network_.InstallCode(id, InstallMode::kUpgrade, wasm, {}, kUser));
  network_.Round();
  EXPECT_FALSE(network_.Status(waiting).response.reject);
  EXPECT_EQ(Number(id, "n"), 1u);
}

TEST_F(CallsTest, AnUninstalledCanisterRejectsAndItsCallbacksNeverRun) {
  const Principal id = Install(kWaiter);
  const MessageId waiting = network_.Submit(kUser, id, "wait", {});
  ASSERT_TRUE(network_.Step());
  network_.Uninstall(*network_.Find(id));
  EXPECT_EQ(ErrorOf(network_.Status(waiting).response), ErrorCode::kCanisterRejected);
  const base::Bytes wasm = ParseWat(base::StrCat("(module ", kImports, kWaiter, ")")).value();
  EXPECT_FALSE(network_.InstallCode(id, InstallMode::kInstall, wasm, {}, kUser));
  network_.Round();
  EXPECT_EQ(Number(id, "n"), 0u);
  EXPECT_TRUE(network_.Find(id)->contexts.empty());
}

TEST_F(CallsTest, ABestEffortCallIsAnsweredAtItsDeadline) {
  const Principal callee = Install(kCounter);
  const Principal id = Install(R"(
    (table funcref (elem $back $bad))
    (func (export "canister_update go")
      (call $arg (i32.const 100) (i32.const 0) (i32.const 10))
      (call $call_new (i32.const 100) (i32.const 10) (i32.const 0) (i32.const 4)
        (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0))
      (call $best_effort (i32.const 10))
      (drop (call $perform)))
    (func $back (param i32) (call $reply))
    (func $bad (param i32) (i32.store (i32.const 0) (call $reject_code))
      (call $append (i32.const 0) (i32.const 1)) (call $reply)))");
  const MessageId message = network_.Submit(kUser, id, "go", callee);
  ASSERT_TRUE(network_.Step());
  env_.Advance(11'000'000'000);  // before the callee's turn
  network_.Round();
  EXPECT_EQ(network_.Status(message).response.reply, base::Bytes{6});  // SYS_UNKNOWN
}

TEST_F(CallsTest, CleanupSeesTheContextWithoutTheFailedCallback) {
  const Principal id = Install(R"(
    (table funcref (elem $back $back $cleanup))
    (global $seen (mut i64) (i64.const 0))
    (func (export "canister_update go")
      (call $self (i32.const 100) (i32.const 0) (i32.const 10))
      (call $call_new (i32.const 100) (i32.const 10) (i32.const 0) (i32.const 4)
        (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0))
      (call $on_cleanup (i32.const 2) (i32.const 0))
      (drop (call $perform)))
    (func (export "canister_update bump") (call $reply))
    (func $back (param i32) (memory.fill (i32.const 0) (i32.const 0) (i32.const 10000)) (unreachable))
    (func $cleanup (param i32) (global.set $seen (call $counter (i32.const 1))))
    (func (export "canister_query n") (i64.store (i32.const 300) (global.get $seen))
      (call $append (i32.const 300) (i32.const 8)) (call $reply)))");
  EXPECT_EQ(ErrorOf(network_.Call(kUser, id, "go", {})), ErrorCode::kCanisterTrapped);
  const uint64_t first = records_[records_.size() - 4].instructions;  // go, bump, callback, cleanup
  // cleanup: entry 1, const 1, call 5, global.set 2, and 200 of the call itself
  EXPECT_EQ(Number(id, "n"), first + 209);
}

TEST_F(CallsTest, TheCleanupReserveIsFivePercentRoundedDown) {
  const Principal id = Install(R"(
    (table funcref (elem $back))
    (func (export "canister_update go")
      (call $self (i32.const 100) (i32.const 0) (i32.const 10))
      (call $call_new (i32.const 100) (i32.const 10) (i32.const 0) (i32.const 4)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
      (drop (call $perform)))
    (func (export "canister_update bump") (call $reply))
    (func $back (param i32) (loop (br 0))))");
  network_.options().limits.message = network_.options().limits.slice = 99'999;
  EXPECT_EQ(ErrorOf(network_.Call(kUser, id, "go", {})),
            ErrorCode::kCanisterInstructionLimitExceeded);
  EXPECT_EQ(records_.back().instructions, 99'999u - 4'999u);
}

// cask: writes its heap, asks itself, and answers what the heap holds then.
constexpr char kComposite[] = R"(
  (table funcref (elem $back $bad $trap $cleanup))
  (func $send (param $name i32) (param $reply i32)
    (call $self (i32.const 100) (i32.const 0) (i32.const 10))
    (call $call_new (i32.const 100) (i32.const 10) (local.get $name) (i32.const 4)
      (local.get $reply) (i32.const 0) (i32.const 1) (i32.const 0)))
  (func (export "canister_composite_query cask")
    (i32.store (i32.const 500) (i32.const 7))
    (call $send (i32.const 0) (i32.const 0)) (drop (call $perform)))
  (func (export "canister_query bump") (call $append (i32.const 500) (i32.const 1)) (call $reply))
  (func $back (param i32)
    (call $arg (i32.const 600) (i32.const 0) (i32.const 1))
    (call $append (i32.const 500) (i32.const 1)) (call $append (i32.const 600) (i32.const 1)) (call $reply))
  (func $bad (param i32) (call $append (i32.const 16) (i32.const 4)) (call $reply))
  (func $trap (param i32) (i32.store (i32.const 500) (i32.const 9)) (unreachable))
  (func $cleanup (param i32) (i32.store (i32.const 504) (i32.load (i32.const 500))))
  (func (export "canister_composite_query undo")
    (i32.store (i32.const 500) (i32.const 7))
    (call $send (i32.const 0) (i32.const 2)) (call $on_cleanup (i32.const 3) (i32.const 0)) (drop (call $perform))
    (call $send (i32.const 0) (i32.const 0)) (drop (call $perform)))
  (func (export "canister_composite_query nest")
    (call $send (i32.const 16) (i32.const 0)) (drop (call $perform)))
  (func (export "canister_composite_query early")
    (call $send (i32.const 0) (i32.const 2)) (drop (call $perform))
    (call $append (i32.const 16) (i32.const 4)) (call $reply)))";

TEST_F(CallsTest, ACompositeQueryKeepsItsStateAndItsCalleesSeeTheCommittedOne) {
  const Principal id = Install(kComposite);
  const Response response = network_.Query(kUser, id, "cask", {});
  ASSERT_FALSE(response.reject) << response.reject->message;
  EXPECT_EQ(response.reply, (base::Bytes{7, 0}));
  EXPECT_EQ(network_.Query(kUser, id, "bump", {}).reply, base::Bytes{0});
}

TEST_F(CallsTest, ACompositeCallbackThatTrapsIsUndoneAndTheOthersRun) {
  const Principal id = Install(kComposite);
  const Response response = network_.Query(kUser, id, "undo", {});
  ASSERT_FALSE(response.reject) << response.reject->message;
  EXPECT_EQ(response.reply, (base::Bytes{7, 0}));
}

TEST_F(CallsTest, ACompositeQueryThatHasAnsweredMakesNoMoreCalls) {
  const Principal id = Install(kComposite);
  records_.clear();
  EXPECT_FALSE(network_.Query(kUser, id, "early", {}).reject);
  EXPECT_EQ(records_.size(), 1u);
}

TEST_F(CallsTest, CompositeQueriesAreBoundedInDepthAndInstructions) {
  const Principal id = Install(kComposite);
  EXPECT_EQ(ErrorOf(network_.Query(kUser, id, "nest", {})), ErrorCode::kQueryCallGraphTooDeep);
  network_.options().limits.query = 30'000'000;  // less than a call's overhead
  EXPECT_EQ(ErrorOf(network_.Query(kUser, id, "cask", {})),
            ErrorCode::kQueryCallGraphTotalInstructionLimitExceeded);
  EXPECT_EQ(ErrorOf(network_.Call(kUser, id, "cask", {})),
            ErrorCode::kCompositeQueryCalledInReplicatedMode);
}

TEST_F(CallsTest, ACallInTheWrongContextTrapsAndSaysWhere) {
  const Principal id = Install(R"(
    (func (export "canister_query go") (call $certify (i32.const 0) (i32.const 4)))
    (func (export "canister_query call") (call $call_new (i32.const 0) (i32.const 10) (i32.const 0)
      (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
    (func (export "canister_update code") (drop (call $reject_code))))");
  for (const auto& [method, call, context] :
       {std::tuple{"go", "certified_data_set", "non replicated query"},
        std::tuple{"call", "call_new", "non replicated query"}}) {
    const Response response = network_.Query(kUser, id, method, {});
    EXPECT_EQ(ErrorOf(response), ErrorCode::kCanisterContractViolation);
    EXPECT_NE(response.reject->message.find(call), std::string::npos);
    EXPECT_NE(response.reject->message.find(context), std::string::npos);
  }
  // Charged all the same: entry 1, 8 constants, call 5, 1,500 and 14 bytes of names.
  EXPECT_EQ(records_.back().instructions, 1u + 8 + 5 + 1'500 + 14);
  EXPECT_EQ(ErrorOf(network_.Call(kUser, id, "code", {})), ErrorCode::kCanisterContractViolation);
}

}  // namespace
}  // namespace runtime
