// Whole runs from one seed: canisters that send each other tokens while messages arrive in any
// order, executions are stopped at any instruction and the process dies at any write. Tokens and
// cycles are neither lost nor made, every call gets one answer, and what was answered stays.
#include <gtest/gtest.h>

#include <memory>

#include "base/check.h"
#include "base/hex.h"
#include "runtime/round/network.h"
#include "runtime/state/simulated_storage.h"

namespace runtime {
namespace {

const Principal kUser = {2};
constexpr uint64_t kTokens = 1000;  // of each canister
constexpr Cycles kCycles = 1'000'000'000'000;
constexpr int kCanisters = 3;

// The tokens stand in a global, in the heap and in stable memory, which must agree.
constexpr char kModule[] = R"((module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg (param i32 i32 i32)))
  (import "ic0" "msg_reject_code" (func $reject_code (result i32)))
  (import "ic0" "msg_cycles_accept" (func $accept (param i64) (result i64)))
  (import "ic0" "stable64_grow" (func $grow (param i64) (result i64)))
  (import "ic0" "stable64_write" (func $stable_write (param i64 i64 i64)))
  (import "ic0" "stable64_read" (func $stable_read (param i64 i64 i64)))
  (import "ic0" "certified_data_set" (func $certify (param i32 i32)))
  (import "ic0" "global_timer_set" (func $timer (param i64) (result i64)))
  (import "ic0" "call_new" (func $call_new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_on_cleanup" (func $on_cleanup (param i32 i32)))
  (import "ic0" "call_data_append" (func $data (param i32 i32)))
  (import "ic0" "call_cycles_add" (func $add_cycles (param i64)))
  (import "ic0" "call_perform" (func $perform (result i32)))
  (memory 10)
  (data (i32.const 50) "credit")
  (global $tokens (mut i64) (i64.const 0))
  (table funcref (elem $on_reply $on_reject $cleanup))
  (func $set (param $tokens i64) (local $i i32)
    (global.set $tokens (local.get $tokens))
    (i64.store (i32.const 0) (local.get $tokens))
    (call $stable_write (i64.const 70000) (i64.const 0) (i64.const 8))
    (loop $again
      (i64.store (i32.add (i32.const 131072) (i32.mul (local.get $i) (i32.const 60000))) (local.get $tokens))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 8))))
    (drop (call $timer (i64.add (i64.const 1) (local.get $tokens)))))
  (func $change (param $by i64) (call $set (i64.add (global.get $tokens) (local.get $by))))
  (func (export "canister_init")
    (drop (call $grow (i64.const 2)))
    (call $set (i64.const 1000)))
  (func (export "canister_global_timer") (call $set (global.get $tokens)))
  (func (export "canister_update send") (local $amount i64)
    (call $arg (i32.const 100) (i32.const 0) (i32.const 18))
    (local.set $amount (i64.load (i32.const 110)))
    (if (i64.lt_u (global.get $tokens) (local.get $amount)) (then (call $reply) (return)))
    (call $change (i64.sub (i64.const 0) (local.get $amount)))
    (call $call_new (i32.const 100) (i32.const 10) (i32.const 50) (i32.const 6)
      (i32.const 0) (i32.wrap_i64 (local.get $amount)) (i32.const 1) (i32.wrap_i64 (local.get $amount)))
    (call $on_cleanup (i32.const 2) (i32.wrap_i64 (local.get $amount)))
    (call $data (i32.const 110) (i32.const 8))
    (call $add_cycles (i64.const 1000))
    (if (call $perform) (then (unreachable))))
  (func (export "canister_update credit")
    (call $arg (i32.const 100) (i32.const 0) (i32.const 8))
    (call $change (i64.load (i32.const 100)))
    (call $certify (i32.const 0) (i32.const 8))
    (drop (call $accept (i64.const 600)))
    (call $reply))
  (func $on_reply (param i32) (call $set (global.get $tokens)) (call $append (i32.const 50) (i32.const 6)) (call $reply))
  (func $on_reject (param $amount i32)
    (call $change (i64.extend_i32_u (local.get $amount)))
    (call $reply))
  (func $cleanup (param $amount i32)
    (if (call $reject_code) (then (call $change (i64.extend_i32_u (local.get $amount))))))
  (func (export "canister_query tokens")
    (if (i64.ne (global.get $tokens) (i64.load (i32.const 0))) (then (unreachable)))
    (call $stable_read (i64.const 8) (i64.const 70000) (i64.const 8))
    (if (i64.ne (global.get $tokens) (i64.load (i32.const 8))) (then (unreachable)))
    (call $append (i32.const 0) (i32.const 8))
    (call $reply))))";

// One run. Everything that happens is drawn from the seed.
class Simulation {
 public:
  explicit Simulation(uint64_t seed)
      : env_(seed, 1'700'000'000'000'000'000, &storage_), choices_(seed ^ 0x5eed) {
    Start();
    const base::Bytes wasm = ParseWat(kModule).value();
    for (int i = 0; i < kCanisters; ++i) {
      ids_.push_back(network_->CreateCanister(kUser, kCycles).value());
      CHECK(!network_->InstallCode(ids_[i], InstallMode::kInstall, wasm, {}, kUser));
    }
  }

  void Run() {
    storage_.CrashAt(Choose(400));
    while (sent_ < 25) {
      if (Choose(3) == 0) {
        Send();
      } else if (Choose(9) == 0) {
        env_.Advance(1'000'000'000);
        network_->Round(1);
      } else {
        network_->Step();
      }
      NoteAnswers();
      if (storage_.crashed()) Restart();
    }
    calm_ = true;
    storage_.CrashAt(~uint64_t{0});
    network_->Round();
    NoteAnswers();
  }

  void Check() {
    uint64_t tokens = 0;
    Cycles cycles = 0;
    for (const Principal& id : ids_) {
      const Response response = network_->Query(kUser, id, "tokens", {});
      ASSERT_FALSE(response.reject) << response.reject->message;
      uint64_t own = 0;
      std::memcpy(&own, response.reply.data(), 8);
      tokens += own;
      const Slot& slot = *network_->Find(id);
      cycles += slot.state.balance;
      EXPECT_TRUE(slot.contexts.empty() && slot.callbacks.empty() && !slot.HasMail());
    }
    EXPECT_EQ(tokens, kTokens * kCanisters);
    EXPECT_TRUE(cycles == kCycles * kCanisters);
    for (const auto& [id, answer] : answers_) EXPECT_TRUE(answer) << "message " << id;
  }

  // What happened, as one number.
  std::string Trace() { return base::ToHex(trace_.Finish()); }
  int crashes() const { return crashes_; }
  int stopped() const { return stopped_; }

 private:
  uint64_t Choose(uint64_t n) { return choices_.Random() % n; }

  void Start() {
    NetworkOptions options;
    options.order = MessageOrder::kRandom;
    options.limits.system_subnet = true;  // no fees: cycles can be counted
    network_ = std::make_unique<Network>(env_, options);
    const base::Status loaded = network_->Load();
    CHECK(loaded);
    network_->OnLimit(
        [this](uint64_t limit) { return !calm_ && Choose(4) == 0 ? 1 + Choose(12'000) : limit; });
    network_->OnExecution([this](const ExecutionRecord& record) {
      trace_.Update(base::AsBytes(base::StrCat(record.entry, record.instructions)));
      stopped_ += record.error.has_value();
    });
  }

  // The process dies: what it has in memory is gone, also an acceptance that was not written.
  void Restart() {
    ++crashes_;
    network_.reset();
    storage_.Restart();
    Start();
    storage_.CrashAt(Choose(400));
    for (const auto& [id, answer] : answers_) {
      const IngressStatus& now = network_->Status(id);
      if (!answer) continue;
      ASSERT_TRUE(now.answered()) << "answer lost";
      ASSERT_EQ(TextOf(now.response), *answer);
    }
  }

  void Send() {
    base::Bytes argument = ids_[Choose(kCanisters)];
    base::AppendFixed(argument, Choose(50));
    const MessageId id = network_->Submit(kUser, ids_[Choose(kCanisters)], "send", argument);
    if (storage_.crashed()) return;  // never acknowledged
    answers_[id] = std::nullopt;
    ++sent_;
  }

  static std::string TextOf(const Response& response) {
    return response.reject ? response.reject->message : base::ToHex(response.reply);
  }

  void NoteAnswers() {
    if (storage_.crashed()) return;
    for (auto& [id, answer] : answers_) {
      const IngressStatus& status = network_->Status(id);
      if (status.answered() && !answer) answer = TextOf(status.response);
    }
  }

  SimulatedStorage storage_;
  SimulatedEnv env_;      // what the network draws from
  SimulatedEnv choices_;  // what the driver draws from
  std::unique_ptr<Network> network_;
  std::vector<Principal> ids_;
  std::map<MessageId, std::optional<std::string>> answers_;
  base::Sha256 trace_;
  int sent_ = 0, crashes_ = 0, stopped_ = 0;
  bool calm_ = false;
};

TEST(Simulation, NothingIsLostOrMadeWhateverHappens) {
  const int seeds = std::getenv("GPT2IC_SOAK") != nullptr ? 2000 : 60;
  int crashes = 0, stopped = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    SCOPED_TRACE(base::StrCat("seed ", seed));
    Simulation simulation(static_cast<uint64_t>(seed));
    simulation.Run();
    ASSERT_NO_FATAL_FAILURE(simulation.Check());
    if (::testing::Test::HasFailure()) return;
    crashes += simulation.crashes();
    stopped += simulation.stopped();
  }
  EXPECT_GT(crashes, seeds / 2);
  EXPECT_GT(stopped, seeds * 2);
}

TEST(Simulation, ASeedRepeatsItself) {
  const auto trace = [](uint64_t seed) {
    Simulation simulation(seed);
    simulation.Run();
    return simulation.Trace();
  };
  for (uint64_t seed = 100; seed < 105; ++seed) EXPECT_EQ(trace(seed), trace(seed));
  EXPECT_NE(trace(100), trace(101));
}

}  // namespace
}  // namespace runtime
