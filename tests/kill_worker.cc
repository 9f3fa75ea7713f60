// Runs messages on a network whose state is in a folder, until it is killed. kill_test starts it.
//
//   kill_worker DIR run [WRITE]  messages without end; prints "N" when message N was answered. With
//                                WRITE it kills itself in the middle of its WRITE-th write to a
//                                file
//   kill_worker DIR check        lets what is under way finish, checks that nothing is torn, and
//                                prints how many messages were counted
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "runtime/round/network.h"
#include "runtime/state/disk_storage.h"

namespace {

// Counts down the writes to files; the last one is cut in half.
long g_writes_left = -1;

size_t CutShort(size_t size) {
  if (g_writes_left < 0 || g_writes_left-- > 0) return size;
  return size / 2;
}

void DieIfCut(size_t done, size_t wanted) {
  if (done < wanted) kill(getpid(), SIGKILL);
}

}  // namespace

// In place of the C library's, for the database as well.
extern "C" ssize_t pwrite(int file, const void* data, size_t size, off_t offset) {
  const size_t part = CutShort(size);
  const auto done = syscall(SYS_pwrite64, file, data, part, offset);
  DieIfCut(part, size);
  return done;
}

extern "C" ssize_t pwritev(int file, const iovec* parts, int count, off_t offset) {
  size_t size = 0;
  for (int i = 0; i < count; ++i) size += parts[i].iov_len;
  const size_t part = CutShort(size);
  if (part == size) return syscall(SYS_pwritev, file, parts, count, offset, 0);
  syscall(SYS_pwrite64, file, parts[0].iov_base, parts[0].iov_len / 2, offset);
  DieIfCut(part, size);
  return -1;
}

namespace {

using namespace runtime;

const Principal kUser = {2};

// `go` counts in eight places: a global, five heap pages and two stable pages; then it calls
// itself, and the callback counts in a ninth. `check` replies the count and traps when the places
// differ.
constexpr char kModule[] = R"((module
  (import "ic0" "msg_reply" (func $msg_reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "stable64_grow" (func $grow (param i64) (result i64)))
  (import "ic0" "stable64_write" (func $stable_write (param i64 i64 i64)))
  (import "ic0" "stable64_read" (func $stable_read (param i64 i64 i64)))
  (import "ic0" "canister_self_copy" (func $self_copy (param i32 i32 i32)))
  (import "ic0" "canister_self_size" (func $self_size (result i32)))
  (import "ic0" "certified_data_set" (func $certify (param i32 i32)))
  (import "ic0" "call_new" (func $call_new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_perform" (func $perform (result i32)))
  (memory 20)
  (data (i32.const 100) "bump")
  (global $count (mut i64) (i64.const 0))
  (table funcref (elem $back $bad))
  (func (export "canister_init") (drop (call $grow (i64.const 20))))
  (func $place (param $i i32) (result i32) (i32.mul (local.get $i) (i32.const 131072)))
  (func (export "canister_update go") (local $i i32)
    (global.set $count (i64.add (global.get $count) (i64.const 1)))
    (loop $again
      (i64.store (call $place (local.get $i)) (global.get $count))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 5))))
    (call $stable_write (i64.const 0) (i64.const 0) (i64.const 8))
    (call $stable_write (i64.const 700000) (i64.const 0) (i64.const 8))
    (call $certify (i32.const 0) (i32.const 8))
    (call $self_copy (i32.const 200) (i32.const 0) (call $self_size))
    (call $call_new (i32.const 200) (call $self_size) (i32.const 100) (i32.const 4)
      (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0))
    (if (call $perform) (then (unreachable))))
  (func (export "canister_update bump")
    (i64.store (i32.const 800000) (i64.add (i64.load (i32.const 800000)) (i64.const 1)))
    (call $msg_reply))
  (func $back (param i32)
    (i64.store (i32.const 900000) (i64.add (i64.load (i32.const 900000)) (i64.const 1)))
    (call $append (i32.const 0) (i32.const 8))
    (call $msg_reply))
  (func $bad (param i32) (unreachable))
  (func $same (param $at i32)
    (if (i64.ne (i64.load (local.get $at)) (global.get $count)) (then (unreachable))))
  (func (export "canister_query check") (local $i i32)
    (loop $again
      (call $same (call $place (local.get $i)))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 5))))
    (call $same (i32.const 800000))
    (call $same (i32.const 900000))
    (call $stable_read (i64.const 8) (i64.const 0) (i64.const 8))
    (call $same (i32.const 8))
    (call $stable_read (i64.const 8) (i64.const 700000) (i64.const 8))
    (call $same (i32.const 8))
    (call $append (i32.const 0) (i32.const 8))
    (call $msg_reply))))";

uint64_t CountIn(const base::Bytes& reply) {
  uint64_t count = 0;
  CHECK(reply.size() == 8);
  std::memcpy(&count, reply.data(), 8);
  return count;
}

Principal TheCanister(Network& network) {
  const auto all = network.Canisters();
  if (!all.empty() && network.Find(all[0])->state.module) return all[0];
  const Principal id =
      all.empty() ? network.CreateCanister(kUser, Cycles{1'000'000'000'000'000'000}).value()
                  : all[0];
  const auto error =
      network.InstallCode(id, InstallMode::kInstall, ParseWat(kModule).value(), {}, kUser);
  CHECK(!error);
  return id;
}

[[noreturn]] void Run(Network& network) {
  const Principal id = TheCanister(network);
  for (;;) {
    const Response response = network.Call(kUser, id, "go", {});
    CHECK(!response.reject);
    std::printf("%llu\n", static_cast<unsigned long long>(CountIn(response.reply)));
    std::fflush(stdout);
  }
}

int Check(Network& network) {
  const Principal id = TheCanister(network);
  network.Round();
  const Response response = network.Query(kUser, id, "check", {});
  if (response.reject) {
    std::fprintf(stderr, "torn: %s\n", response.reject->message.c_str());
    return 1;
  }
  const Slot& slot = *network.Find(id);
  if (!slot.contexts.empty() || !slot.callbacks.empty() || slot.HasMail()) {
    std::fprintf(stderr, "calls that never end\n");
    return 1;
  }
  std::printf("%llu\n", static_cast<unsigned long long>(CountIn(response.reply)));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  if (argc > 3) g_writes_left = std::atol(argv[3]);
  auto storage = DiskStorage::Open(argv[1]);
  if (!storage) {
    std::fprintf(stderr, "%s\n", storage.error().message.c_str());
    return 2;
  }
  SystemEnv env(storage->get());
  Network network(env, NetworkOptions{});
  const base::Status loaded = network.Load();
  if (!loaded) {
    std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
    return 1;
  }
  if (std::strcmp(argv[2], "check") == 0) return Check(network);
  Run(network);
}
