#include "candid/text.h"

#include <gtest/gtest.h>

#include "candid/decode.h"
#include "candid/did.h"
#include "candid/encode.h"

namespace candid {
namespace {

std::string Reprint(std::string_view text) {
  std::map<FieldId, std::string> labels;
  const auto values = ParseArgs(text, &labels);
  return values ? PrintArgs(*values, labels) : values.error().message;
}

TEST(Text, ReadsAndPrintsEveryForm) {
  EXPECT_EQ(Reprint("()"), "()");
  EXPECT_EQ(Reprint("(true, false, null, null : reserved,)"),
            "(true, false, null, null : reserved)");
  EXPECT_EQ(Reprint("(42, -1, +7, 1_000_000, 0xff, 60_000:nat)"),
            "(42 : int, -1 : int, 7 : int, 1_000_000 : int, 255 : int, 60_000 : nat)");
  EXPECT_EQ(
      Reprint("(1:nat8, -128:int8, 18446744073709551615:nat64, -9223372036854775808 : int64)"),
      "(\n  1 : nat8,\n  -128 : int8,\n  18_446_744_073_709_551_615 : nat64,\n"
      "  -9_223_372_036_854_775_808 : int64,\n)");
  EXPECT_EQ(Reprint("(0.2:float64, 3. : float32, 1e3, -0x1.8p1, 5 : float64)"),
            "(0.2 : float64, 3.0 : float32, 1000.0 : float64, -3.0 : float64, 5.0 : float64)");
  EXPECT_EQ(Reprint("(\"a\\n\\\"\\u{2603}\\09\")"), "(\"a\\n\\\"☃\\t\")");
  EXPECT_EQ(Reprint("(blob \"a\\00\\ff\", vec { 1 : nat8; 2 : nat8 } : blob)"),
            "(blob \"a\\00\\ff\", blob \"\\01\\02\")");
  EXPECT_EQ(Reprint("(opt 1, opt opt \"x\", opt (null : opt int), (((5))))"),
            "(opt (1 : int), opt opt \"x\", opt null, 5 : int)");
  EXPECT_EQ(Reprint("(record { b = 1; a = record { 1; \"x\" }; \"c d\" = null; 7 = true })"),
            "(record { 7 = true; a = record { 1 : int; \"x\" }; b = 1 : int; \"c d\" = null })");
  EXPECT_EQ(Reprint("(variant { Ok }, variant { Err = \"no\" }, variant { 5 = 1 })"),
            "(variant { Ok }, variant { Err = \"no\" }, variant { 5 = 1 : int })");
  EXPECT_EQ(Reprint("(principal \"aaaaa-aa\", service \"aaaaa-aa\", func \"aaaaa-aa\".m)"),
            "(principal \"aaaaa-aa\", service \"aaaaa-aa\", func \"aaaaa-aa\".m)");
  EXPECT_EQ(Reprint("( /* a /* nested */ one */ 1 // to the end\n)"), "(1 : int)");
}

TEST(Text, RefusesWhatIsNoValue) {
  for (const char* text : {"",
                           "(",
                           "(1",
                           "1",
                           "(1) 2",
                           "(1 2)",
                           "(--1)",
                           "(256 : nat8)",
                           "(-1 : nat)",
                           "(1.5 : nat)",
                           "(\"a)",
                           "(\"\\q\")",
                           "(\"\\u{d800}\")",
                           "(\"\\ff\")",
                           "(record { a = 1; a = 2 })",
                           "(record { 4294967296 = 1 })",
                           "(variant {})",
                           "(variant { a; b })",
                           "(vec { 1",
                           "(foo)",
                           "(1 : foo)",
                           "(principal \"aaaaa-ab\")",
                           "(0x)",
                           "(1_)",
                           "(1__ : nat)",
                           "(/* open",
                           "(1e)",
                           "(record { 4294967295 = 1; 2 })"}) {
    EXPECT_FALSE(ParseArgs(text)) << text;
  }
}

TEST(Text, ErrorsNameLineAndColumn) {
  EXPECT_EQ(Reprint("(1,\n  ])"), "found ], expected a value, at 2:3");
  EXPECT_EQ(Reprint("(300 : nat8)"), "number 300 does not fit nat8");
}

TEST(Text, NestingIsLimited) {
  std::string text = "(";
  for (int i = 0; i < 100'000; ++i) text += "opt ";
  EXPECT_FALSE(ParseArgs(text + "1)"));
  EXPECT_FALSE(ParseArgs(std::string(100'000, '(')));
  std::string type = "type A = ";
  for (int i = 0; i < 100'000; ++i) type += "vec ";
  EXPECT_FALSE(ParseDid(type + "nat"));
}

TEST(Text, LongValuesAreBrokenIntoLines) {
  EXPECT_EQ(Reprint(R"((record { result = "0123456789012345678901234567890123456789"; a = null;
              tokens = vec { "abcdefghijklmnopqrstuvwxyz"; "abcdefghijklmnopqrstuvwxyz";
                "abcdefghijklmnopqrstuvwxyz" } }))"),
            R"((
  record {
    a = null;
    result = "0123456789012345678901234567890123456789";
    tokens = vec {
      "abcdefghijklmnopqrstuvwxyz";
      "abcdefghijklmnopqrstuvwxyz";
      "abcdefghijklmnopqrstuvwxyz";
    };
  },
))");
}

constexpr char kModelDid[] = R"(// The service.
type InferenceResult = variant { Ok : record { result : TokenIDsResult }; Err : text };
type TokenIDsResult = variant { Ok : vec nat32; Err : text };
type List = opt record { head : nat; tail : List };
type Callback = func (blob, List) -> (nat) query;
service : (opt principal) -> {
  append_model_bytes : (vec nat8) -> ();
  inference : (vec nat32, nat8, temperature : float64) -> (InferenceResult);
  later : (Callback) -> () oneway;
  "not an id" : Callback;
}
)";

TEST(Did, FindsMethodsAndConvertsTextToTheirTypes) {
  const auto did = ParseDid(kModelDid);
  ASSERT_TRUE(did) << did.error().message;
  const auto method = did->FindMethod("inference");
  ASSERT_TRUE(method);
  const auto message =
      EncodeText("(vec {1; 2}, 1:nat8, 0.2:float64)", did->table, method->arguments);
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(EncodeText("(vec {1; 2}, 1, 0.2)", did->table, method->arguments).value(), *message);
  const auto values = Decode(*message, did->table, method->arguments);
  ASSERT_TRUE(values);
  EXPECT_EQ(PrintArgs(*values, did->table.labels()),
            "(vec { 1 : nat32; 2 : nat32 }, 1 : nat8, 0.2 : float64)");
  EXPECT_FALSE(EncodeText("(vec {1; 2}, 256, 0.2)", did->table, method->arguments));
  EXPECT_FALSE(did->FindMethod("nothing"));
  EXPECT_EQ(did->FindMethod("later")->modes, kOnewayFunc);
  EXPECT_EQ(did->FindMethod("not an id")->modes, kQueryFunc);
  EXPECT_EQ(did->init.size(), 1u);
}

TEST(Did, PrintsWhatItReads) {
  const DidFile file = ParseDid(kModelDid).value();
  const std::string printed = PrintDid(file);
  EXPECT_EQ(
      printed,
      R"(type InferenceResult = variant { Ok : record { result : TokenIDsResult }; Err : text };
type TokenIDsResult = variant { Ok : vec nat32; Err : text };
type List = opt record { head : nat; tail : List };
type Callback = func (blob, List) -> (nat) query;
service : (opt principal) -> {
  append_model_bytes : (blob) -> ();
  inference : (vec nat32, nat8, float64) -> (InferenceResult);
  later : (Callback) -> () oneway;
  "not an id" : Callback;
}
)");
  EXPECT_EQ(PrintDid(ParseDid(printed).value()), printed);
}

TEST(Did, RefusesWhatIsWrong) {
  for (const char* text :
       {"type A = A;", "type A = B; type B = A;", "type A = B;", "type A = nat; type A = text;",
        "type nat = text;", "service : { a : () -> (); a : () -> () }", "service : { a : nat }",
        "type N = nat; service : { a : N }", "type N = nat; service : N", "import \"a.did\";",
        "service : {} type A = nat;", "service : { a : () -> (nat) oneway }",
        "type R = record { a : nat; a : text };",
        "type R = record { 0 : nat; nat : text; 0 : nat }", "type V = variant { nat : text : nat }",
        "service { a : () -> () }", "type A = nat }"}) {
    EXPECT_FALSE(ParseDid(text)) << text;
  }
  const auto import = ParseDid("import \"a.did\";");
  EXPECT_EQ(import.error().message,
            "found import, expected no import: they are not supported, at 1:1");
}

TEST(Did, KnowsWhichServiceMayReplaceAnother) {
  const auto did = [](const std::string& methods) {
    return ParseDid("service : {" + methods + "}").value();
  };
  const DidFile last = did("a : (nat) -> (int)");
  EXPECT_TRUE(IsServiceUpgrade(did("a : (int, opt text) -> (nat); b : () -> ()"), last).value());
  EXPECT_FALSE(IsServiceUpgrade(did("a : (nat, text) -> (int)"), last).value());
  EXPECT_FALSE(IsServiceUpgrade(did("b : (nat) -> (int)"), last).value());
}

TEST(Did, LongChainsOfNamesAreResolvedInTime) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += base::StrCat("type T", i, " = T", i + 1, ";\n");
  text += "type T20000 = nat;";
  EXPECT_TRUE(ParseDid(text));
}

}  // namespace
}  // namespace candid
