// Modules that mean harm: each is refused with a reason or stopped, in bounded time and memory, and
// the network goes on. And every limit on a module, just met and just exceeded.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <zlib.h>

#include <chrono>

#include "base/leb128.h"
#include "runtime/round/network.h"

namespace runtime {
namespace {

const Principal kUser = {2};

std::string Repeat(std::string_view text, size_t count) {
  std::string out;
  out.reserve(text.size() * count);
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

class HostileTest : public ::testing::Test {
 protected:
  HostileTest() : network_(env_, NetworkOptions{}) {
    good_ = Create();
    const auto error = InstallWat(good_, R"((module (import "ic0" "msg_reply" (func $reply))
        (func (export "canister_update go") (call $reply))))");
    EXPECT_FALSE(error) << error->message;
  }
  // Whatever happened, the other canister answers.
  ~HostileTest() override { EXPECT_FALSE(network_.Call(kUser, good_, "go", {}).reject); }

  Principal Create() {
    return network_.CreateCanister(kUser, Cycles{1'000'000'000'000'000'000}).value();
  }
  std::optional<ExecutionError> InstallWat(const Principal& id, const std::string& wat) {
    const auto wasm = ParseWat(wat);
    if (!wasm) return ExecutionError{ErrorCode::kCanisterInvalidWasm, wasm.error().message};
    return network_.InstallCode(id, InstallMode::kInstall, *wasm, {}, kUser);
  }
  void ExpectRefused(const std::string& wat, const std::string& reason) {
    const auto error = InstallWat(Create(), wat);
    ASSERT_TRUE(error) << reason;
    EXPECT_EQ(error->code, ErrorCode::kCanisterInvalidWasm);
    EXPECT_NE(error->message.find(reason), std::string::npos) << error->message;
  }
  void ExpectAccepted(const std::string& wat) {
    const auto error = InstallWat(Create(), wat);
    EXPECT_FALSE(error) << error->message;
  }
  // Runs "go" with a message limit of 2 billion instructions.
  ErrorCode ErrorOf(const std::string& wat) {
    network_.options().limits.message = network_.options().limits.slice = 2'000'000'000;
    const Principal id = Create();
    const auto error = InstallWat(id, wat);
    EXPECT_FALSE(error) << error->message;
    const Response response = network_.Call(kUser, id, "go", {});
    EXPECT_TRUE(response.reject);
    return response.reject ? response.reject->error : ErrorCode{};
  }

  SimulatedEnv env_{1};
  Network network_;
  Principal good_;
};

TEST_F(HostileTest, EndlessWorkStopsAtTheLimit) {
  constexpr auto kLimit = ErrorCode::kCanisterInstructionLimitExceeded;
  EXPECT_EQ(ErrorOf(R"((module (func (export "canister_update go") (loop (br 0)))))"), kLimit);
  EXPECT_EQ(
      ErrorOf(R"((module (func $f (call $f)) (func (export "canister_update go") (call $f))))"),
      ErrorCode::kCanisterTrapped);  // the stack ends first
  EXPECT_EQ(
      ErrorOf(
          R"((module (func $f (return_call $f)) (func (export "canister_update go") (return_call $f))))"),
      kLimit);
  EXPECT_EQ(ErrorOf(R"((module (memory 1000) (func (export "canister_update go")
      (loop (memory.fill (i32.const 0) (i32.const 0) (i32.const 65000000)) (br 0)))))"),
            kLimit);
}

// The engine gives modules with references one memory more, which must not be taken for another.
TEST_F(HostileTest, AModuleWithReferencesHasItsOwnMemory) {
  for (const char* table : {"", "(table 1 externref)"}) {
    const std::string module = base::StrCat(
        "(module (import \"ic0\" \"msg_reply\" (func $reply)) "
        "(import \"ic0\" \"msg_reply_data_append\" (func $append (param i32 i32))) (memory 2) ",
        table, "(data (i32.const 100000) \"hello\") (func $f (param externref)) ");
    const auto wat = [&](const char* body) {
      return base::StrCat(
          module, "(func (export \"canister_update go\") (call $f (ref.null extern)) ", body, "))");
    };
    EXPECT_EQ(ErrorOf(wat("(drop (i32.load (i32.const 140000)))")), ErrorCode::kCanisterTrapped);
    EXPECT_EQ(ErrorOf(wat("(i32.store (i32.const -1) (i32.const 1))")),
              ErrorCode::kCanisterTrapped);
    const Principal id = Create();
    const auto error =
        InstallWat(id, wat("(call $append (i32.const 100000) (i32.const 5)) (call $reply)"));
    EXPECT_FALSE(error) << error->message;
    const Response response = network_.Call(kUser, id, "go", {});
    ASSERT_FALSE(response.reject) << response.reject->message;
    EXPECT_EQ(base::AsText(response.reply), "hello");
  }
}

TEST_F(HostileTest, MemoryIsTakenOnlyWhereItIsTouched) {
  rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  const Principal id = Create();
  ASSERT_FALSE(InstallWat(id, R"((module
      (import "ic0" "msg_reply" (func $reply))
      (import "ic0" "stable64_grow" (func $grow (param i64) (result i64)))
      (memory 1)
      (func (export "canister_update go")
        (loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (drop (call $grow (i64.const 8000000)))
        (i32.store (i32.const 0xfffffff0) (i32.const 1))
        (call $reply))))"));
  network_.Find(id)->state.settings.wasm_memory_limit = 0;
  const Response response = network_.Call(kUser, id, "go", {});
  EXPECT_FALSE(response.reject) << response.reject->message;
  EXPECT_EQ(network_.Find(id)->state.HeapBytes(), uint64_t{4} << 30);
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 200'000);  // kB
}

TEST_F(HostileTest, DeepNestingAndHugeFunctionsAreHandled) {
  const auto start = std::chrono::steady_clock::now();
  // 19,000 nested blocks stay below the complexity limit.
  ExpectAccepted(
      base::StrCat("(module (func ", Repeat("block ", 9'900), Repeat("end ", 9'900), "))"));
  ExpectRefused(
      base::StrCat("(module (func ", Repeat("block ", 20'001), Repeat("end ", 20'001), "))"),
      "complexity");
  ExpectAccepted(base::StrCat("(module (func ", Repeat("(local i64 f64 v128)", 3'000), "))"));
  ExpectRefused(base::StrCat("(module (func ", Repeat("(local i64 f64 v128)", 17'000), "))"),
                "local");
  ExpectAccepted(base::StrCat("(module ", Repeat("(func)", 50'000), ")"));
  ExpectRefused(base::StrCat("(module ", Repeat("(func)", 50'001), ")"), "50000");
  ExpectAccepted("(module (table 1000000 funcref))");
  ExpectRefused("(module (table 1000001 funcref))", "1000000");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::minutes(3));
}

TEST_F(HostileTest, FunctionSizeAndComplexityHaveLimits) {
  ExpectAccepted(base::StrCat("(module (func ", Repeat("nop ", 999'999), "))"));
  ExpectRefused(base::StrCat("(module (func ", Repeat("nop ", 1'000'000), "))"), "exceeds");
}

TEST_F(HostileTest, CountsHaveLimits) {
  ExpectAccepted(base::StrCat("(module ", Repeat("(global i32 (i32.const 0))", 1'000), ")"));
  ExpectRefused(base::StrCat("(module ", Repeat("(global i32 (i32.const 0))", 1'001), ")"), "1000");
  const auto methods = [](size_t count, size_t name_size) {
    std::string out = "(module (func $f)";
    for (size_t i = 0; i < count; ++i) {
      std::string name = std::to_string(i);
      name.insert(0, name_size - std::min(name_size, name.size()), 'm');
      out += base::StrCat("(export \"canister_query ", name, "\" (func $f))");
    }
    return out + ")";
  };
  ExpectAccepted(methods(1'000, 3));
  ExpectRefused(methods(1'001, 3), "1000");
  ExpectAccepted(methods(100, 200));
  ExpectRefused(methods(100, 201), "20000");
  const auto sections = [](size_t count, size_t bytes) {
    std::string out = "(module ";
    for (size_t i = 0; i < count; ++i) {
      out += base::StrCat("(@custom \"icp:public ", std::string(1, static_cast<char>('a' + i)),
                          "\" \"", std::string(bytes, 'x'), "\")");
    }
    return out + ")";
  };
  ExpectAccepted(sections(16, 10));
  ExpectRefused(sections(17, 10), "16");
  ExpectAccepted(sections(1, (1 << 20) - 1));
  ExpectRefused(sections(1, 1 << 20), "1048576");
}

// 12 MiB of code: bodies of nops, below the limit on one function.
TEST_F(HostileTest, TheCodeSectionHasALimit) {
  const auto module = [](size_t functions) {
    return base::StrCat(
        "(module ", Repeat(base::StrCat("(func ", Repeat("nop ", 999'000), ")"), functions), ")");
  };
  ExpectRefused(module(13), "code section");
}

TEST_F(HostileTest, ImportsAndExportsFollowTheRules) {
  ExpectRefused(R"((module (import "env" "memory" (memory 1))))", "only functions");
  ExpectRefused(R"((module (import "env" "f" (func))))", "not exported by the runtime");
  ExpectRefused(R"((module (import "ic0" "no_such_call" (func))))", "no_such_call");
  ExpectRefused(R"((module (import "ic0" "msg_reply" (func (param i32)))))", "signature");
  ExpectRefused(
      R"((module (import "ic0" "stable_read" (func (param i32 i32 i32))) (memory i64 1)))",
      "stable_read");
  ExpectRefused(R"((module (func (export "canister_start"))))", "reserved");
  ExpectRefused(R"((module (func (export "canister_x"))))", "canister_x");
  ExpectRefused(R"((module (func (export "canister_update a") (param i32))))", "parameters");
  ExpectRefused(
      R"((module (func $f) (export "canister_update a" (func $f)) (export "canister_query a" (func $f))))",
      "more than one");
  ExpectAccepted(R"((module (func (export "canister_on_low_wasm_memory"))))");
  ExpectRefused(R"((module (memory 1) (memory 1)))", "memor");
  ExpectRefused(R"((module (memory i64 98305)))", "98304");
  ExpectRefused(R"((module (memory 1) (data (i32.const 65530) "0123456789")))", "outside");
  ExpectRefused(R"((module (table 1 funcref) (table 1 funcref)))", "1 is allowed");
  ExpectRefused(R"((module (global (mut funcref) (ref.null func))))", "reference type");
  ExpectRefused(
      R"((module (func (drop (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0))))))",
      "relaxed");
  ExpectRefused(R"((module (global i32 (i32.add (i32.const 1) (i32.const 1)))))", "constant");
  ExpectRefused(R"((module (tag)))", "exceptions");
  ExpectRefused(R"((module (memory 1 2 shared)))", "threads");
}

base::Bytes Gzip(base::ByteSpan bytes) {
  z_stream stream = {};
  deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  base::Bytes out(deflateBound(&stream, bytes.size()));
  stream.next_in = const_cast<uint8_t*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST_F(HostileTest, CompressedModulesAreBounded) {
  const auto install = [&](base::Bytes wasm) {
    return network_.InstallCode(Create(), InstallMode::kInstall, std::move(wasm), {}, kUser);
  };
  EXPECT_FALSE(install(Gzip(ParseWat("(module)").value())));
  const auto bomb = install(Gzip(base::Bytes((100 << 20) + 1)));
  ASSERT_TRUE(bomb);
  EXPECT_NE(bomb->message.find("unpacks"), std::string::npos);
  base::Bytes cut = Gzip(ParseWat("(module)").value());
  cut.resize(cut.size() - 4);
  EXPECT_TRUE(install(cut));
}

// Every byte of a module, replaced by others: accepted or refused with a reason, never more.
TEST_F(HostileTest, MalformedBytesAreRefused) {
  const base::Bytes good = ParseWat(R"((module
      (import "ic0" "msg_reply" (func $reply)) (memory 1) (global (mut i32) (i32.const 1))
      (table funcref (elem $go)) (data (i32.const 1) "abc") (data "passive")
      (func $go (export "canister_update go") (local i64)
        (block (br_table 0 0 (i32.const 1)))
        (memory.fill (i32.const 0) (i32.const 1) (i32.const 2)) (call $reply))))")
                               .value();
  const Principal id = Create();
  int accepted = 0, refused = 0;
  for (size_t at = 8; at < good.size(); ++at) {
    for (const int value : {0, 1, 0x7f, 0x80, 0xff, good[at] ^ 1, good[at] + 1}) {
      base::Bytes bad = good;
      bad[at] = static_cast<uint8_t>(value);
      const auto error =
          network_.InstallCode(id, InstallMode::kReinstall, std::move(bad), {}, kUser);
      ++(error ? refused : accepted);
      if (error) EXPECT_FALSE(error->message.empty());
    }
  }
  EXPECT_GT(refused, 500);
  EXPECT_GT(accepted, 50);
}

}  // namespace
}  // namespace runtime
