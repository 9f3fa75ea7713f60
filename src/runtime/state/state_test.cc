// A network that comes back from its storage as it was.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "runtime/round/management.h"
#include "runtime/round/network.h"
#include "runtime/state/disk_storage.h"
#include "runtime/state/simulated_storage.h"

namespace runtime {
namespace {

const Principal kUser = {2};

// poke(page, value) writes one page; peek(page) reads it.
constexpr char kModule[] = R"((module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg (param i32 i32 i32)))
  (import "ic0" "debug_print" (func $print (param i32 i32)))
  (import "ic0" "global_timer_set" (func $timer (param i64) (result i64)))
  (memory 1)
  (global $n (mut i64) (i64.const 0))
  (func (export "canister_update grow") (drop (memory.grow (i32.const 65535))) (call $reply))
  (func (export "canister_update poke")
    (call $arg (i32.const 0) (i32.const 0) (i32.const 8))
    (i32.store offset=16 (i32.shl (i32.load (i32.const 0)) (i32.const 16)) (i32.load (i32.const 4)))
    (global.set $n (i64.add (global.get $n) (i64.const 1)))
    (drop (call $timer (i64.const 99999999999999999)))
    (call $print (i32.const 0) (i32.const 1))
    (call $reply))
  (func (export "canister_query peek")
    (call $arg (i32.const 0) (i32.const 0) (i32.const 4))
    (call $append (i32.add (i32.const 16) (i32.shl (i32.load (i32.const 0)) (i32.const 16))) (i32.const 4))
    (call $reply))))";

base::Bytes Words(std::initializer_list<uint32_t> words) {
  base::Bytes out;
  for (const uint32_t word : words) base::AppendFixed(out, word);
  return out;
}

Principal Install(Network& network) {
  const Principal id = network.CreateCanister(kUser, Cycles{1} << 70).value();
  EXPECT_FALSE(
      network.InstallCode(id, InstallMode::kInstall, ParseWat(kModule).value(), {}, kUser));
  network.Find(id)->state.settings.wasm_memory_limit = 0;
  return id;
}

class StateTest : public ::testing::Test {
 protected:
  StateTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("gpt2ic-state-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
  }
  ~StateTest() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
};

TEST_F(StateTest, AHeapOf4GiBComesBackFromDisk) {
  Principal id;
  {
    auto storage = DiskStorage::Open(folder_).value();
    SimulatedEnv env(1, 1'700'000'000'000'000'000, storage.get());
    Network network(env, NetworkOptions{});
    id = Install(network);
    EXPECT_FALSE(network.Call(kUser, id, "grow", {}).reject);
    for (const uint32_t page : {0u, 1u, 40'000u, 65'535u}) {
      EXPECT_FALSE(network.Call(kUser, id, "poke", Words({page, page + 7})).reject);
    }
    network.Find(id)->state.settings.environment_variables = {{"NAME", "value"}};
    network.Persist();
  }
  EXPECT_LT(std::filesystem::file_size(folder_ + "/pages.dat"), 2u << 20);
  auto storage = DiskStorage::Open(folder_).value();
  SimulatedEnv env(2, 1'700'000'000'000'000'000, storage.get());
  Network network(env, NetworkOptions{});
  const base::Status loaded = network.Load();
  ASSERT_TRUE(loaded) << loaded.error().message;
  Slot* slot = network.Find(id);
  ASSERT_NE(slot, nullptr);
  EXPECT_EQ(slot->state.HeapBytes(), uint64_t{4} << 30);
  EXPECT_EQ(slot->state.global_timer_ns, 99999999999999999u);
  EXPECT_EQ(slot->state.log.size(), 4u);
  EXPECT_EQ(slot->state.settings.environment_variables[0].second, "value");
  for (const uint32_t page : {0u, 1u, 40'000u, 65'535u}) {
    EXPECT_EQ(network.Query(kUser, id, "peek", Words({page})).reply, Words({page + 7}));
  }
  EXPECT_EQ(network.Query(kUser, id, "peek", Words({30'000})).reply, Words({0}));
  // A message that fails leaves the loaded pages as they were.
  network.options().limits.message = network.options().limits.slice = 3'000;
  EXPECT_TRUE(network.Call(kUser, id, "poke", Words({1, 99})).reject);
  EXPECT_EQ(network.Query(kUser, id, "peek", Words({1})).reply, Words({8}));
}

// Two pages change (the argument's and the poked one), and a fixed number of records.
TEST_F(StateTest, ACommitCostsWhatChanged) {
  SimulatedStorage storage;
  SimulatedEnv env(1, 1'700'000'000'000'000'000, &storage);
  Network network(env, NetworkOptions{});
  const Principal id = Install(network);
  const auto writes = [&] {
    network.Persist();
    const uint64_t before = storage.writes();
    EXPECT_FALSE(network.Call(kUser, id, "poke", Words({0, 1})).reject);
    network.Persist();
    return storage.writes() - before;
  };
  writes();
  const uint64_t small = writes();
  EXPECT_FALSE(network.Call(kUser, id, "grow", {}).reject);
  for (uint32_t page = 0; page < 2'000; ++page) {
    EXPECT_FALSE(network.Call(kUser, id, "poke", Words({page, 1})).reject);
  }
  EXPECT_EQ(writes(), small);
  EXPECT_LE(small, 15u);
}

// Uninstalled, reinstalled and deleted canisters leave nothing on disk.
TEST_F(StateTest, WhatIsGoneIsGoneFromDisk) {
  auto storage = DiskStorage::Open(folder_).value();
  SimulatedEnv env(1, 1'700'000'000'000'000'000, storage.get());
  Network network(env, NetworkOptions{});
  const auto records = [&] {
    int count = 0;
    storage->ForEach({}, [&](base::ByteSpan, base::ByteSpan) { ++count; });
    return count;
  };
  network.Persist();
  const Principal id = Install(network);
  const int one = records();  // counters, the canister, its module
  EXPECT_EQ(one, 3);
  for (uint32_t i = 0; i < 50; ++i) {
    EXPECT_FALSE(network.Call(kUser, id, "poke", Words({0, i})).reject);
    EXPECT_FALSE(
        network.InstallCode(id, InstallMode::kReinstall, ParseWat(kModule).value(), {}, kUser));
  }
  network.Persist();
  EXPECT_EQ(records(), one);
  EXPECT_LT(std::filesystem::file_size(folder_ + "/pages.dat"), 1u << 20);  // slots are used again
  network.Uninstall(*network.Find(id));
  network.Delete(id);
  network.Persist();
  EXPECT_EQ(records(), 1);
}

TEST_F(StateTest, ADamagedFolderIsAnErrorNotACrash) {
  {
    auto storage = DiskStorage::Open(folder_).value();
    storage->Put(base::AsBytes("n"), base::AsBytes("nonsense"));
    storage->Commit();
    SimulatedEnv env(1, 1, storage.get());
    Network network(env, NetworkOptions{});
    EXPECT_FALSE(network.Load());
  }
  std::filesystem::resize_file(folder_ + "/index.mdb", 100);
  EXPECT_FALSE(DiskStorage::Open(folder_));
  EXPECT_FALSE(DiskStorage::Open("/proc/nowhere"));
}

}  // namespace
}  // namespace runtime
