#include "candid/decode.h"

#include <gtest/gtest.h>

#include <chrono>

#include "base/leb128.h"
#include "candid/did.h"
#include "candid/encode.h"
#include "candid/text.h"
#include "candid/typed.h"

namespace candid {
namespace {

using base::Bytes;

Bytes Message(std::string_view header, std::string_view values = "") {
  Bytes out;
  base::Append(out, "DIDL");
  base::Append(out, header);
  base::Append(out, values);
  return out;
}
std::string Leb(uint64_t value) {
  Bytes out;
  base::AppendUleb(out, value);
  return std::string(base::AsText(out));
}
std::string Sleb(int64_t value) {  // a type index
  Bytes out;
  base::AppendSleb(out, value);
  return std::string(base::AsText(out));
}
using namespace std::string_literals;
using namespace std::string_view_literals;

TEST(LabelHash, IsTheSpecifications) {
  EXPECT_EQ(LabelHash(""), 0u);
  EXPECT_EQ(LabelHash("id"), 23515u);
  EXPECT_EQ(LabelHash("Ok"), 17724u);
  EXPECT_EQ(LabelHash("Err"), 3456837u);
  EXPECT_EQ(LabelHash("description"), 1595738364u);
}

TEST(Decode, AnyDecodesAtTheMessagesOwnTypes) {
  const Bytes message = EncodeArgs(std::vector<uint16_t>{1, 2}, base::Result<uint8_t>(7));
  const auto any = DecodeAny(message);
  ASSERT_TRUE(any) << any.error().message;
  EXPECT_EQ(PrintArgs(any->values, {}),
            "(vec { 1 : nat16; 2 : nat16 }, variant { 17_724 = 7 : nat8 })");
}

TEST(Decode, NestingIsLimited) {
  // type Opt = opt Opt: one byte a level.
  const auto nested = [](size_t levels) {
    return Message("\x01\x6e\x00\x01\x00"sv, std::string(levels, '\x01') + '\0');
  };
  EXPECT_TRUE(DecodeAny(nested(500)));
  const auto deep = DecodeAny(nested(1'000'000));
  ASSERT_FALSE(deep);
  EXPECT_NE(deep.error().message.find("nested too deep"), std::string::npos);
  EXPECT_FALSE(DecodeArgs<>(nested(1'000'000)));                  // skipped
  EXPECT_FALSE(DecodeArgs<std::optional<uint8_t>>(nested(600)));  // recovered
  // type Tree = vec Tree.
  EXPECT_FALSE(DecodeAny(Message("\x01\x6d\x00\x01\x00"sv, std::string(2'000'000, '\x01'))));
}

TEST(Decode, WorkIsInProportionToTheInput) {
  const auto start = std::chrono::steady_clock::now();
  // vec (vec null), a million nulls in each of 1000 entries.
  std::string values = Leb(1000);
  for (int i = 0; i < 1000; ++i) values += Leb(1'000'000);
  const Bytes bomb = Message("\x02\x6d\x01\x6d\x7f\x01\x00"sv, values);
  EXPECT_FALSE(DecodeAny(bomb));
  EXPECT_FALSE(DecodeArgs<>(bomb));
  EXPECT_FALSE(DecodeArgs<std::vector<std::optional<uint8_t>>>(bomb));
  EXPECT_FALSE(DecodeArgs<std::vector<std::vector<Null>>>(bomb));
  // A record of 2^40 nulls, by 40 nested pairs.
  std::string table = Leb(41) + "\x6c\x02\x00\x7f\x01\x7f"s;
  for (int i = 0; i < 40; ++i) table += "\x6c\x02\x00"s + Leb(i) + "\x01" + Leb(i);
  EXPECT_FALSE(DecodeAny(Message(table + "\x01" + Leb(40))));
  EXPECT_FALSE(DecodeArgs<std::optional<uint8_t>>(Message(table + "\x01" + Leb(40))));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_LT(seconds.count(), 2.0);  // 0.01 s unsanitised
}

TEST(Decode, NestedOptsThatAllFailStayLinear) {
  // 100 times opt around a text of 100 kB, expected as 100 times opt nat8: the text is read once
  // per opt that gives up, which only the innermost does.
  std::string table = Leb(100);
  for (int i = 0; i < 99; ++i) table += "\x6e" + Sleb(i + 1);
  table += "\x6e\x71";
  const std::string values = std::string(100, '\x01') + Leb(100'000) + std::string(100'000, 'x');
  TypeTable types;
  TypeRef expected = Kind::kNat8;
  for (int i = 0; i < 100; ++i) expected = types.AddOpt(expected);
  const auto decoded =
      Decode(Message(table + "\x01" + Leb(0), values), types, std::array{expected});
  ASSERT_TRUE(decoded) << decoded.error().message;
}

TEST(Decode, HugeLengthsAreRefusedBeforeAnythingIsAllocated) {
  const std::string huge = "\xff\xff\xff\xff\xff\xff\xff\xff\x7f";
  for (const std::string_view type : {"\x6d\x7b"sv, "\x6d\x78"sv, "\x6d\x71"sv, "\x6d\x7e"sv}) {
    EXPECT_FALSE(DecodeAny(Message("\x01" + std::string(type) + "\x01" + "\0"s, huge))) << type[1];
  }
  EXPECT_FALSE(DecodeArgs<Bytes>(Message("\x01\x6d\x7b\x01\x00"sv, huge)));
  EXPECT_FALSE(DecodeArgs<std::vector<uint64_t>>(
      Message("\x01\x6d\x78\x01\x00"sv, "\x80\x80\x80\x80\x80\x80\x80\x80\x20")));  // 2^61 * 8 = 0
  EXPECT_FALSE(DecodeAny(Message(huge)));
  EXPECT_FALSE(DecodeAny(Message("\x00" + huge)));
}

TEST(Decode, OverlongNumbersAreLimited) {
  EXPECT_FALSE(DecodeAny(Message("\x00\x01\x7d"sv, std::string(1'000'000, '\x80'))));
  EXPECT_FALSE(DecodeAny(Message("\x00\x01\x7d"sv, std::string(20'000, '\x80') + '\0')));
  EXPECT_TRUE(DecodeAny(Message("\x00\x01\x7d"sv, std::string(10'000, '\xff') + '\1')));
  EXPECT_FALSE(DecodeAny(Message("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"sv)));
}

TEST(Decode, SubtypeChecksOfReferencesAreLimited) {
  // A vec of functions whose type takes 200 comparisons: few are paid for by their bytes.
  std::string table = Leb(202);
  for (int i = 0; i < 200; ++i) table += "\x6c\x01\x00"s + Sleb((i + 1) % 200);
  table += "\x6a\x00\x01\x00\x00"s + "\x6d"s + Sleb(200);
  const auto functions = [&](size_t n) {
    std::string values = Leb(n);
    for (size_t i = 0; i < n; ++i) values += "\x01\x01\x00\x01m"s;
    return Message(table + "\x01" + Sleb(201), values);
  };
  EXPECT_TRUE(DecodeAny(functions(10)));
  const auto many = DecodeAny(functions(5000));
  ASSERT_FALSE(many);
  EXPECT_NE(many.error().message.find("work"), std::string::npos) << many.error().message;
}

TEST(Decode, ArbitraryBytesBehindTheValuesAreRefused) {
  EXPECT_FALSE(DecodeArgs<>(Message("\x00\x00\x00"sv)));
  EXPECT_FALSE(DecodeArgs<>({}));
}

}  // namespace
}  // namespace candid
