// Replays the test files of the Candid specification, tests/data/candid/*.test.did. Their grammar
// is in the README there: definitions, then assertions on text or binary inputs at a tuple of
// types.

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "candid/decode.h"
#include "candid/encode.h"
#include "candid/text.h"
#include "candid/type_parser.h"

namespace candid {
namespace {

struct Input {
  bool binary = false;
  std::string bytes;
};

struct Assertion {
  Input left, right;
  std::string relation;  // ":", "!:", "==" or "!="
  std::vector<TypeRef> types;
  std::string description;
};

class TestFile {
 public:
  explicit TestFile(std::string_view text) : lexer_(text), parser_(lexer_, table) {}

  base::Status Parse() {
    while (lexer_.token().kind != TokenKind::kEnd) {
      if (lexer_.token().IsId("type")) {
        TRY_STATUS(parser_.Definition());
      } else {
        TRY_STATUS(OneAssertion());
      }
      TRY_STATUS(lexer_.Expect(";"));
    }
    TRY_STATUS(parser_.Finish());
    for (Assertion& assertion : assertions) {
      for (TypeRef& type : assertion.types) type = TRY(table.Resolve(type));
    }
    return {};
  }

  TypeTable table;
  std::vector<Assertion> assertions;

 private:
  base::Status OneAssertion() {
    if (!lexer_.token().IsId("assert")) return lexer_.Wrong("assert");
    lexer_.Advance();
    Assertion assertion;
    TRY_STATUS(OneInput(assertion.left));
    while (assertion.relation != "==" && assertion.relation != "!=" &&
           !assertion.relation.ends_with(':')) {
      if (lexer_.token().kind != TokenKind::kPunct) return lexer_.Wrong("a relation");
      assertion.relation += lexer_.token().text;
      lexer_.Advance();
    }
    if (assertion.relation.ends_with('=')) {
      TRY_STATUS(OneInput(assertion.right));
      TRY_STATUS(lexer_.Expect(":"));
    }
    assertion.types = TRY(parser_.Tuple());
    if (lexer_.token().kind == TokenKind::kText) {
      assertion.description = TRY(Unescape(lexer_.token()));
      lexer_.Advance();
    }
    assertions.push_back(std::move(assertion));
    return {};
  }

  base::Status OneInput(Input& input) {
    input.binary = lexer_.token().IsId("blob");
    if (input.binary) lexer_.Advance();
    if (lexer_.token().kind != TokenKind::kText) return lexer_.Wrong("a quoted text");
    input.bytes = TRY(Unescape(lexer_.token()));
    lexer_.Advance();
    return {};
  }

  Lexer lexer_;
  TypeParser parser_;
};

base::Result<std::vector<Value>> Evaluate(const Input& input, const TypeTable& table,
                                          std::span<const TypeRef> types) {
  if (input.binary) return Decode(base::AsBytes(input.bytes), table, types);
  return ParseArgsAt(input.bytes, table, types);
}

void Check(const TypeTable& table, const Assertion& test) {
  SCOPED_TRACE(test.description + " " + base::Printable(test.left.bytes, 200));
  const auto left = Evaluate(test.left, table, test.types);
  if (test.relation == "!:") {
    EXPECT_FALSE(left);
    return;
  }
  ASSERT_TRUE(left) << left.error().message;
  // What was decoded can be encoded and is the same again.
  const auto encoded = Encode(table, test.types, *left);
  ASSERT_TRUE(encoded) << encoded.error().message;
  const auto again = Decode(*encoded, table, test.types);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, *left);
  // And printed, and read again.
  const std::string text = PrintArgs(*left, table.labels());
  if (text.find("nan") == std::string::npos) {
    const auto parsed = ParseArgsAt(text, table, test.types);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().message;
    EXPECT_EQ(*parsed, *left) << text;
  }
  if (test.relation == ":") return;
  const auto right = Evaluate(test.right, table, test.types);
  ASSERT_TRUE(right) << right.error().message;
  EXPECT_EQ(*left == *right, test.relation == "==");
}

class Conformance : public testing::TestWithParam<const char*> {};

TEST_P(Conformance, EveryAssertionHolds) {
  std::ifstream file(std::string("tests/data/candid/") + GetParam() + ".test.did");
  ASSERT_TRUE(file) << "run from the source folder";
  std::ostringstream text;
  text << file.rdbuf();
  const std::string content = text.str();
  TestFile tests(content);
  const auto parsed = tests.Parse();
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_GE(tests.assertions.size(), 10u);
  const auto start = std::chrono::steady_clock::now();
  for (const Assertion& assertion : tests.assertions) Check(tests.table, assertion);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_LT(seconds.count(), 5.0);  // the space bombs are refused early; 0.01 s unsanitised
}

INSTANTIATE_TEST_SUITE_P(Files, Conformance,
                         testing::Values("prim", "construct", "reference", "subtypes", "overshoot",
                                         "spacebomb"));

}  // namespace
}  // namespace candid
