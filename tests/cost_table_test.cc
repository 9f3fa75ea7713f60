// Every row of the IC's cost table, executed: a function around the one operator, with the count
// worked out by hand from the row.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "runtime/round/network.h"

namespace runtime {
namespace {

const Principal kUser = {2};
constexpr uint64_t kEntry = 1, kReply = 5 + 500;  // call $reply: the operator and the host's fee

struct Row {
  std::string name;
  uint64_t cost32, cost64;
  bool allowed;
};

std::vector<Row> ReadTable() {
  std::ifstream in("tests/data/ic-cost-table.tsv");
  std::vector<Row> rows;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::stringstream fields(line);
    std::string hex, name, parser, cost32, cost64, allowed;
    std::getline(fields, hex, '\t');
    std::getline(fields, name, '\t');
    std::getline(fields, parser, '\t');
    std::getline(fields, cost32, '\t');
    std::getline(fields, cost64, '\t');
    std::getline(fields, allowed, '\t');
    if (hex != "-")
      rows.push_back({name, std::stoull(cost32), std::stoull(cost64), allowed == "yes"});
  }
  return rows;
}

// How to use an operator: types of its operands ("a" is an address, "v" a vector), what it leaves,
// and what stands behind its name in the text form.
struct Use {
  std::vector<std::string> operands;
  int results = 1;
  std::string immediates = {};
};

bool OneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

std::string ScalarOf(std::string_view shape) {
  if (shape == "i64x2") return "i64";
  if (shape == "f32x4") return "f32";
  if (shape == "f64x2") return "f64";
  return "i32";
}

Use UseOfVector(const std::string& shape, const std::string& op) {
  if (op == "const") return {{}, 1, "i32x4 1 2 3 4"};
  if (op.starts_with("load") && op.ends_with("_lane")) return {{"a", "v"}, 1, "0"};
  if (op.starts_with("store") && op.ends_with("_lane")) return {{"a", "v"}, 0, "0"};
  if (op.starts_with("load")) return {{"a"}};
  if (op == "store") return {{"a", "v"}, 0};
  if (op == "splat") return {{ScalarOf(shape)}};
  if (op.starts_with("extract_lane")) return {{"v"}, 1, "0"};
  if (op == "replace_lane") return {{"v", ScalarOf(shape)}, 1, "0"};
  if (OneOf(op, {"shl", "shr_s", "shr_u"})) return {{"v", "i32"}};
  if (op == "bitselect") return {{"v", "v", "v"}};
  if (op == "shuffle") return {{"v", "v"}, 1, "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"};
  const bool unary = OneOf(op, {"abs", "neg", "popcnt", "sqrt", "ceil", "floor", "trunc", "nearest",
                                "not", "all_true", "any_true", "bitmask"}) ||
                     op.starts_with("extend_") || op.starts_with("extadd_") ||
                     op.starts_with("trunc_sat") || op.starts_with("convert") ||
                     op.starts_with("demote") || op.starts_with("promote");
  if (unary) return {{"v"}};
  return {{"v", "v"}};
}

Use UseOfScalar(const std::string& type, const std::string& op) {
  if (op == "const") return {{}, 1, "1"};
  if (op.starts_with("load")) return {{"a"}};
  if (op.starts_with("store")) return {{"a", type}, 0};
  for (const char* source : {"i32", "i64", "f32", "f64"}) {
    if (op.find(std::string("_") + source) != std::string::npos) return {{source}};
  }
  const bool unary =
      OneOf(op, {"clz", "ctz", "popcnt", "eqz", "abs", "neg", "ceil", "floor", "trunc", "nearest",
                 "sqrt", "extend8_s", "extend16_s", "extend32_s"});
  if (unary) return {{type}};
  return {{type, type}};
}

Use UseOf(const std::string& name) {
  static const std::map<std::string, Use> kOthers = {
      {"nop", {{}, 0}},
      {"drop", {{"i32"}, 0}},
      {"select", {{"i32", "i32", "i32"}}},
      {"select (typed)", {{"i32", "i32", "i32"}, 1, "(result i32)"}},
      {"local.get", {{}, 1, "0"}},
      {"local.set", {{"i32"}, 0, "0"}},
      {"local.tee", {{"i32"}, 1, "0"}},
      {"global.get", {{}, 1, "$g"}},
      {"global.set", {{"i32"}, 0, "$g"}},
      {"table.get", {{"i32"}, 1, "$t"}},
      {"table.size", {{}, 1, "$t"}},
      {"ref.null", {{}, 1, "func"}},
      {"ref.func", {{}, 1, "$empty"}},
      {"memory.size", {{}}},
      {"memory.grow", {{"a"}}},
      {"memory.fill", {{"a", "i32", "a"}, 0}},
      {"memory.copy", {{"a", "a", "a"}, 0}},
      {"memory.init", {{"a", "i32", "i32"}, 0, "$d"}},
      {"data.drop", {{}, 0, "$d"}},
      {"elem.drop", {{}, 0, "$e"}},
  };
  if (const auto found = kOthers.find(name); found != kOthers.end()) return found->second;
  const size_t dot = name.find('.');
  const std::string type = name.substr(0, dot), op = name.substr(dot + 1);
  return OneOf(type, {"i32", "i64", "f32", "f64"}) ? UseOfScalar(type, op) : UseOfVector(type, op);
}

// A function body and what it costs apart from the operator in question.
struct Body {
  std::string text;
  uint64_t around;
  bool traps = false;
};

Body StraightBody(const std::string& name, std::string_view address) {
  const Use use = UseOf(name);
  std::string text;
  for (const std::string& type : use.operands) {
    if (type == "v") {
      text += "(v128.const i32x4 1 1 1 1) ";
    } else {
      text += base::StrCat("(", type == "a" ? address : std::string_view(type), ".const 1) ");
    }
  }
  text += base::StrCat(name.substr(0, name.find(' ')), " ", use.immediates, " ");
  for (int i = 0; i < use.results; ++i) text += "drop ";
  // One byte is moved by the bulk operations: the operand 1.
  const bool bulk = OneOf(name, {"memory.fill", "memory.copy", "memory.init"});
  const uint64_t around = kEntry + use.operands.size() + static_cast<uint64_t>(use.results) + bulk;
  return {text + "call $reply", around + kReply};
}

Body BodyFor(const std::string& name, std::string_view address) {
  static const std::map<std::string, Body> kControl = {
      {"unreachable", {"unreachable", kEntry, true}},
      {"block", {"block end call $reply", kEntry + kReply}},
      {"loop", {"loop end call $reply", kEntry + kReply}},
      {"if", {"i32.const 1 if end call $reply", kEntry + 1 + kReply}},
      {"else", {"i32.const 1 if else end call $reply", kEntry + 1 + 2 + kReply}},
      {"end", {"block end call $reply", kEntry + kReply}},
      {"br", {"block br 0 end call $reply", kEntry + kReply}},
      {"br_if", {"block i32.const 1 br_if 0 end call $reply", kEntry + 1 + kReply}},
      {"br_table", {"block i32.const 0 br_table 0 0 end call $reply", kEntry + 1 + kReply}},
      {"return", {"call $reply return", kEntry + kReply}},
      {"call", {"call $empty call $reply", kEntry + kEntry + kReply}},
      {"call_indirect",
       {"i32.const 0 call_indirect $t (type $none) call $reply", kEntry + 1 + kEntry + kReply}},
      {"return_call", {"return_call $finish", kEntry + kEntry + kReply}},
      {"return_call_indirect",
       {"i32.const 1 return_call_indirect $t (type $none)", kEntry + 1 + kEntry + kReply}},
      {"ref.is_null", {"ref.null func ref.is_null drop call $reply", kEntry + 1 + 1 + kReply}},
  };
  const auto found = kControl.find(name);
  return found != kControl.end() ? found->second : StraightBody(name, address);
}

std::string Module(const std::string& memory, const std::string& functions) {
  return base::StrCat(R"((module
    (import "ic0" "msg_reply" (func $reply))
    (type $none (func))
    (memory )",
                      memory, R"( 2)
    (table $t funcref (elem $empty $finish))
    (global $g (mut i32) (i32.const 1))
    (data $d "xyz")
    (elem $e func $empty)
    (func $empty)
    (func $finish call $reply)
    )",
                      functions, ")");
}

class CostTable : public ::testing::TestWithParam<bool> {
 protected:
  CostTable() : network_(env_, Options()) {
    network_.OnExecution([this](const ExecutionRecord& record) { last_ = record; });
  }
  static NetworkOptions Options() {
    NetworkOptions options;
    options.limits.page_overhead = 0;
    return options;
  }

  std::optional<ExecutionError> Install(const std::string& wat) {
    const auto wasm = ParseWat(wat);
    if (!wasm) return ExecutionError{ErrorCode::kCanisterInvalidWasm, wasm.error().message};
    id_ = network_.CreateCanister(kUser, Cycles{1'000'000'000'000'000}).value();
    return network_.InstallCode(id_, InstallMode::kInstall, *wasm, {}, kUser);
  }

  SimulatedEnv env_{1};
  Network network_;
  Principal id_;
  ExecutionRecord last_;
};

TEST_P(CostTable, EveryAllowedOperatorCostsWhatItsRowSays) {
  const bool wide = GetParam();
  const std::string_view address = wide ? "i64" : "i32";
  std::string functions;
  std::vector<std::pair<Row, Body>> rows;
  for (const Row& row : ReadTable()) {
    if (!row.allowed) continue;
    const Body body = BodyFor(row.name, address);
    functions += base::StrCat("(func (export \"canister_update ", rows.size(), "\") (local i32) ",
                              body.text, ")\n");
    rows.emplace_back(row, body);
  }
  ASSERT_EQ(rows.size(), 434u);
  const auto error = Install(Module(wide ? "i64" : "", functions));
  ASSERT_FALSE(error) << error->message;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto& [row, body] = rows[i];
    const Response response = network_.Call(kUser, id_, base::StrCat(i), {});
    EXPECT_EQ(response.reject.has_value(), body.traps) << row.name;
    EXPECT_EQ(last_.instructions, body.around + (wide ? row.cost64 : row.cost32)) << row.name;
  }
}

TEST_P(CostTable, EveryRefusedOperatorIsRefused) {
  const bool wide = GetParam();
  const std::string address = wide ? "i64" : "i32";
  static const std::map<std::string, std::string> kBodies = {
      {"table.set", "i32.const 0 ref.null func table.set $t"},
      {"table.init", "i32.const 0 i32.const 0 i32.const 0 table.init $t $e"},
      {"table.copy", "i32.const 0 i32.const 0 i32.const 0 table.copy $t $t"},
      {"table.grow", "ref.null func i32.const 0 table.grow $t drop"},
      {"table.fill", "i32.const 0 ref.null func i32.const 0 table.fill $t"},
  };
  int refused = 0;
  for (const Row& row : ReadTable()) {
    if (row.allowed) continue;
    std::string body;
    if (const auto found = kBodies.find(row.name); found != kBodies.end()) {
      body = found->second;
    } else {  // relaxed SIMD: vectors in, one vector out
      const bool three = row.name.find("madd") != std::string::npos ||
                         row.name.find("laneselect") != std::string::npos ||
                         row.name.ends_with("_add_s");
      const bool one = row.name.find("trunc") != std::string::npos;
      for (int i = 0; i < (three ? 3 : one ? 1 : 2); ++i) body += "v128.const i64x2 0 0 ";
      body += row.name + " drop";
    }
    const std::string wat = Module(wide ? "i64" : "", base::StrCat("(func ", body, ")"));
    ASSERT_TRUE(ParseWat(wat)) << row.name << ": " << ParseWat(wat).error().message;
    const auto error = Install(wat);
    ASSERT_TRUE(error) << row.name;
    EXPECT_EQ(error->code, ErrorCode::kCanisterInvalidWasm);
    ++refused;
  }
  EXPECT_EQ(refused, 25);
}

// Their own cost is in the table; the bytes come on top, whatever happens to the operation.
TEST_P(CostTable, BulkOperationsCostTheirBytes) {
  const std::string word = GetParam() ? "i64" : "i32";
  const auto constant = [&](uint64_t value) {
    return base::StrCat("(", word, ".const ", value, ")");
  };
  struct Bulk {
    std::string body;
    uint64_t expected;
    bool traps;
  };
  std::vector<Bulk> cases;
  for (const uint64_t n : {0ull, 1ull, 100ull, 65'536ull, 131'072ull}) {
    cases.push_back(
        {base::StrCat(constant(0), "(i32.const 7)", constant(n), "memory.fill call $reply"),
         kEntry + 3 + 100 + n + kReply, false});
    cases.push_back({base::StrCat(constant(0), constant(0), constant(n), "memory.copy call $reply"),
                     kEntry + 3 + 100 + n + kReply, false});
  }
  cases.push_back(
      {base::StrCat(constant(9), "(i32.const 1) (i32.const 2) memory.init $d call $reply"),
       kEntry + 3 + 100 + 2 + kReply, false});
  // Out of bounds: charged all the same, with the rest of the block.
  cases.push_back(
      {base::StrCat(constant(1), "(i32.const 7)", constant(131'072), "memory.fill call $reply"),
       kEntry + 3 + 100 + 131'072 + 5, true});
  cases.push_back(
      {base::StrCat(constant(0), "(i32.const 2) (i32.const 2) memory.init $d call $reply"),
       kEntry + 3 + 100 + 2 + 5, true});
  std::string functions;
  for (size_t i = 0; i < cases.size(); ++i) {
    functions += base::StrCat("(func (export \"canister_update ", i, "\") ", cases[i].body, ")\n");
  }
  const auto error = Install(Module(GetParam() ? "i64" : "", functions));
  ASSERT_FALSE(error) << error->message;
  for (size_t i = 0; i < cases.size(); ++i) {
    const Response response = network_.Call(kUser, id_, base::StrCat(i), {});
    EXPECT_EQ(response.reject.has_value(), cases[i].traps) << cases[i].body;
    EXPECT_EQ(last_.instructions, cases[i].expected) << cases[i].body;
  }
}

// A size near 2^64 must not wrap the counter, also after page charges.
TEST_P(CostTable, AHugeSizeEndsTheMessageAtItsLimit) {
  if (!GetParam()) return;  // 32-bit sizes are not that huge
  const auto error = Install(Module("i64", R"(
      (func (export "canister_update go") (i64.store (i64.const 0) (i64.const 1))
        (memory.fill (i64.const 0) (i32.const 0) (i64.const -1)) (call $reply)))"));
  ASSERT_FALSE(error) << error->message;
  for (const uint64_t overhead : {0, 80'000}) {
    network_.options().limits.page_overhead = overhead;
    const Response response = network_.Call(kUser, id_, "go", {});
    ASSERT_TRUE(response.reject);
    EXPECT_EQ(response.reject->error, ErrorCode::kCanisterInstructionLimitExceeded);
    EXPECT_EQ(last_.instructions, network_.options().limits.message);
  }
}

INSTANTIATE_TEST_SUITE_P(Words, CostTable, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "wasm64" : "wasm32"; });

}  // namespace
}  // namespace runtime
