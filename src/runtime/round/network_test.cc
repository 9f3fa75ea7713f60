#include "runtime/round/network.h"

#include <gtest/gtest.h>

#include "runtime/round/management.h"

namespace runtime {
namespace {

const Principal kUser = {2};

class NetworkTest : public ::testing::Test {
 protected:
  NetworkTest() : network_(env_, NetworkOptions{}) {}

  Principal Install(std::string_view wat, base::Bytes argument = {}) {
    const Principal id = network_.CreateCanister(kUser, Cycles{1'000'000'000'000'000}).value();
    const auto error = network_.InstallCode(id, InstallMode::kInstall, ParseWat(wat).value(),
                                            std::move(argument), kUser);
    EXPECT_FALSE(error) << error->message;
    return id;
  }

  base::Sha256Digest HashOf(const Canister& canister) {
    base::Sha256 hash;
    for (PagedRegion* region : {canister.heap.get(), canister.stable.get()}) {
      base::Bytes content(region->bytes());
      region->Read(0, content);
      hash.Update(content);
    }
    for (const GlobalValue& global : canister.globals) hash.Update(global.bits);
    hash.Update(canister.certified_data);
    base::Bytes rest;
    base::AppendFixed(rest, canister.global_timer_ns);
    hash.Update(rest);
    return hash.Finish();
  }

  SimulatedEnv env_{1};
  Network network_;
};

// Writes the heap (two pages), stable memory, a global, certified data, the timer, and calls out;
// then answers. It does so whatever the limit is.
constexpr char kBusy[] = R"((module
  (import "ic0" "msg_reply" (func $msg_reply))
  (import "ic0" "stable64_grow" (func $grow (param i64) (result i64)))
  (import "ic0" "stable64_write" (func $write (param i64 i64 i64)))
  (import "ic0" "certified_data_set" (func $certify (param i32 i32)))
  (import "ic0" "global_timer_set" (func $timer (param i64) (result i64)))
  (import "ic0" "call_new" (func $call_new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_cycles_add" (func $add (param i64)))
  (import "ic0" "call_perform" (func $perform (result i32)))
  (memory 3)
  (data (i32.const 10) "hello")
  (global $count (mut i64) (i64.const 5))
  (table funcref (elem $back))
  (func $back (param i32))
  (func (export "canister_init") (drop (call $grow (i64.const 2))))
  (func (export "canister_update go") (local $i i32)
    (loop $again
      (i32.store (i32.mul (local.get $i) (i32.const 1000)) (local.get $i))
      (global.set $count (i64.add (global.get $count) (i64.const 1)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 100))))
    (drop (memory.grow (i32.const 1)))
    (call $write (i64.const 70000) (i64.const 0) (i64.const 100))
    (drop (call $grow (i64.const 1)))
    (call $certify (i32.const 0) (i32.const 32))
    (drop (call $timer (i64.const 99)))
    (call $call_new (i32.const 0) (i32.const 0) (i32.const 10) (i32.const 5)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (call $add (i64.const 1000))
    (drop (call $perform))
    (memory.fill (i32.const 131072) (i32.const 7) (i32.const 1000))
    (call $msg_reply)))
)";

// Every number of instructions up to what the message needs: stopped there, all is as before.
TEST_F(NetworkTest, MessageStoppedAnywhereLeavesNothingBehind) {
  const Principal id = Install(kBusy);
  Canister& state = network_.Find(id)->state;
  const base::Sha256Digest before = HashOf(state);
  network_.options().limits.page_overhead = 0;
  uint64_t limit = 1;
  int stopped = 0;
  for (;; limit += limit < 2000 ? 1 : 7) {
    network_.options().limits.message = limit;
    network_.options().limits.slice = limit;
    const Cycles balance = state.balance;
    const Response response = network_.Call(kUser, id, "go", {});
    if (!response.reject) break;
    ++stopped;
    ASSERT_EQ(response.reject->error, ErrorCode::kCanisterInstructionLimitExceeded)
        << response.reject->message;
    ASSERT_EQ(HashOf(state), before) << "at limit " << limit;
    ASSERT_TRUE(network_.Find(id)->callbacks.empty());
    ASSERT_TRUE(network_.Find(id)->contexts.empty());
    // The message and its fee are paid, no cycles were lost with the call that was not sent.
    ASSERT_LE(balance - state.balance, Cycles{5'000'000 + 1'200'000 + 2 * 2000 + limit});
  }
  EXPECT_GT(stopped, 2000);
  EXPECT_NE(HashOf(state), before);
}

TEST_F(NetworkTest, PageChargesCountTouchedAndWrittenPages) {
  const Principal id = Install(R"((module
    (import "ic0" "msg_reply" (func $msg_reply))
    (import "ic0" "stable64_grow" (func $grow (param i64) (result i64)))
    (import "ic0" "stable64_write" (func $write (param i64 i64 i64)))
    (import "ic0" "stable64_read" (func $read (param i64 i64 i64)))
    (memory 20)
    (func (export "canister_init") (drop (call $grow (i64.const 20))))
    (func (export "canister_update nothing") (call $msg_reply))
    (func (export "canister_update read") (drop (i32.load (i32.const 0))) (call $msg_reply))
    (func (export "canister_update write") (i32.store (i32.const 0) (i32.const 1)) (call $msg_reply))
    (func (export "canister_update read_then_write")
      (drop (i32.load (i32.const 0))) (i32.store (i32.const 4) (i32.const 1)) (call $msg_reply))
    (func (export "canister_update across") (i64.store (i32.const 65532) (i64.const 1)) (call $msg_reply))
    (func (export "canister_update fill") (memory.fill (i32.const 65536) (i32.const 0) (i32.const 131073)) (call $msg_reply))
    (func (export "canister_update copy") (memory.copy (i32.const 0) (i32.const 655360) (i32.const 65537)) (call $msg_reply))
    (func (export "canister_update last") (i32.store8 (i32.const 1310719) (i32.const 1)) (call $msg_reply))
    (func (export "canister_update grown")
      (i32.store (i32.shl (memory.grow (i32.const 1)) (i32.const 16)) (i32.const 1)) (call $msg_reply))
    (func (export "canister_update stable_write")
      (call $write (i64.const 65530) (i64.const 0) (i64.const 10)) (call $msg_reply))
    (func (export "canister_update stable_read")
      (call $read (i64.const 0) (i64.const 65530) (i64.const 10)) (call $msg_reply))
    (func (export "canister_query read_and_write")
      (drop (i32.load (i32.const 0))) (i32.store (i32.const 4) (i32.const 1))
      (i32.store (i32.const 70000) (i32.const 1)) (call $msg_reply))))");
  ExecutionRecord last;
  network_.OnExecution([&](const ExecutionRecord& record) { last = record; });
  const auto pages = [&](const std::string& method) {
    EXPECT_FALSE(network_.Call(kUser, id, method, {}).reject) << method;
    EXPECT_EQ(last.page_charges % 80'000, 0u);
    return last.page_charges / 80'000;
  };
  EXPECT_EQ(pages("nothing"), 0u);
  EXPECT_EQ(pages("read"), 1u);
  EXPECT_EQ(pages("write"), 2u);
  EXPECT_EQ(pages("read_then_write"), 2u);
  EXPECT_EQ(pages("across"), 4u);
  EXPECT_EQ(pages("fill"), 6u);       // pages 1, 2 and one byte of 3
  EXPECT_EQ(pages("copy"), 2u + 4u);  // two read, two written
  EXPECT_EQ(pages("last"), 2u);
  EXPECT_EQ(pages("grown"), 2u);
  EXPECT_EQ(pages("stable_write"), 1u + 4u);  // the heap page read, two stable pages written
  EXPECT_EQ(pages("stable_read"), 2u + 2u);
  network_.options().limits.charge_stable_read = false;
  EXPECT_EQ(pages("stable_read"), 2u);
  // A query is charged for access alone.
  EXPECT_FALSE(network_.Query(kUser, id, "read_and_write", {}).reject);
  EXPECT_EQ(last.page_charges, 2u * 80'000);
}

TEST_F(NetworkTest, ManagementCanisterCreatesInstallsStopsAndDeletes) {
  namespace did = ic_did;
  const auto call = [&](const char* method, base::Bytes argument) {
    return network_.Call(kUser, {}, method, std::move(argument));
  };
  const Response created =
      call("provisional_create_canister_with_cycles", candid::EncodeArgs(did::CreateArgs{}));
  ASSERT_FALSE(created.reject) << created.reject->message;
  const auto [id] = candid::DecodeArgs<did::CanisterId>(created.reply).value();
  did::InstallCodeArgs install;
  install.canister_id = id.canister_id;
  install.wasm_module = ParseWat("(module (func (export \"canister_query q\")))").value();
  EXPECT_FALSE(call("install_code", candid::EncodeArgs(install)).reject);
  EXPECT_TRUE(call("install_code", candid::EncodeArgs(install)).reject);  // not empty any more
  install.mode.which = did::ModeTag::kUpgrade;
  EXPECT_FALSE(call("install_code", candid::EncodeArgs(install)).reject);
  const Response status = call("canister_status", candid::EncodeArgs(id));
  ASSERT_FALSE(status.reject) << status.reject->message;
  const auto [result] = candid::DecodeArgs<did::StatusResult>(status.reply).value();
  EXPECT_EQ(result.version, 2u);
  EXPECT_TRUE(result.module_hash);
  EXPECT_TRUE(call("delete_canister", candid::EncodeArgs(id)).reject);  // running
  EXPECT_FALSE(call("stop_canister", candid::EncodeArgs(id)).reject);
  EXPECT_FALSE(call("delete_canister", candid::EncodeArgs(id)).reject);
  const Response gone = call("canister_status", candid::EncodeArgs(id));
  ASSERT_TRUE(gone.reject);
  EXPECT_EQ(gone.reject->error, ErrorCode::kCanisterNotFound);
  const Response unknown = call("take_canister_snapshot", candid::EncodeArgs(id));
  ASSERT_TRUE(unknown.reject);
  EXPECT_NE(unknown.reject->message.find("take_canister_snapshot"), std::string::npos);
}

// What touches pages besides loads and stores, and what "once a message" means.
TEST_F(NetworkTest, PageChargesOfSegmentsHostCopiesCallbacksAndSlices) {
  const Principal id = Install(R"((module
    (import "ic0" "msg_reply" (func $msg_reply))
    (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
    (import "ic0" "msg_arg_data_copy" (func $arg (param i32 i32 i32)))
    (import "ic0" "canister_self_size" (func $self_size (result i32)))
    (import "ic0" "canister_self_copy" (func $self (param i32 i32 i32)))
    (import "ic0" "call_new" (func $call_new (param i32 i32 i32 i32 i32 i32 i32 i32)))
    (import "ic0" "call_perform" (func $perform (result i32)))
    (memory 20)
    (data $passive "0123456789")
    (table funcref (elem $back))
    (func $back (param i32)
      (drop (i32.load (i32.const 65536))) (i32.store (i32.const 131072) (i32.const 1))
      (call $msg_reply))
    (func (export "canister_update init")
      (memory.init $passive (i32.const 65530) (i32.const 0) (i32.const 10)) (call $msg_reply))
    (func (export "canister_update argument")
      (call $arg (i32.const 65534) (i32.const 0) (i32.const 4)) (call $msg_reply))
    (func (export "canister_update reply")
      (call $append (i32.const 65530) (i32.const 10)) (call $msg_reply))
    (func (export "canister_query other") (call $msg_reply))
    (func (export "canister_update twice")
      (i32.store (i32.const 65536) (i32.const 1))
      (i64.store (i32.const 100) (i64.const 0x726568746f))
      (call $self (i32.const 0) (i32.const 0) (call $self_size))
      (call $call_new (i32.const 0) (call $self_size) (i32.const 100) (i32.const 5)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
      (drop (call $perform)))
    (func (export "canister_update long") (local $i i32)
      (loop $again
        (i32.store (i32.const 8) (local.get $i))
        (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
                                (i32.const 100000))))
      (call $msg_reply))))");
  std::vector<uint64_t> charged;
  network_.OnExecution(
      [&](const ExecutionRecord& r) { charged.push_back(r.page_charges / 80'000); });
  const auto pages = [&](const std::string& method, base::Bytes argument = {}) {
    charged.clear();
    const Response response = network_.Call(kUser, id, method, std::move(argument));
    EXPECT_FALSE(response.reject) << response.reject->message;
    return charged;
  };
  using Charges = std::vector<uint64_t>;
  EXPECT_EQ(pages("init"), Charges{4});                    // two pages touched and written
  EXPECT_EQ(pages("argument", {1, 2, 3, 4}), Charges{4});  // the host's copies count as wasm's
  EXPECT_EQ(pages("reply"), Charges{2});                   // read only
  // The callback is a message of its own: page 1 is paid for again, page 2 for the first time.
  EXPECT_EQ(pages("twice"), (Charges{4, 0, 3}));
  network_.options().limits.slice = 400'000;
  EXPECT_EQ(pages("long"), Charges{2});  // all slices are one message
}

// A 64-bit memory pays no more for a page.
TEST_F(NetworkTest, PageChargesAreTheSameInA64BitMemory) {
  const Principal id = Install(R"((module
    (import "ic0" "msg_reply" (func $msg_reply))
    (memory i64 20)
    (func (export "canister_update touch")
      (drop (i32.load (i64.const 0))) (i32.store (i64.const 70000) (i32.const 1)) (call $msg_reply))))");
  uint64_t charged = 0;
  network_.OnExecution([&](const ExecutionRecord& r) { charged = r.page_charges; });
  EXPECT_FALSE(network_.Call(kUser, id, "touch", {}).reject);
  EXPECT_EQ(charged, 3 * 80'000u);
}

}  // namespace
}  // namespace runtime
