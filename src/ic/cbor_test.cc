#include "ic/cbor.h"

#include <random>

#include "ic/test_support.h"

namespace ic {
namespace {

std::string Refusal(std::string_view hex, const CborLimits& limits = {}) {
  const base::Bytes bytes = Hex(hex);
  return ErrorOf(CborDocument::Parse(bytes, limits));
}

uint64_t NatOf(std::string_view hex) {
  const base::Bytes bytes = Hex(hex);
  const auto document = CborDocument::Parse(bytes);
  EXPECT_TRUE(document) << ErrorOf(document);
  return *CborNat(document->root(), "it");
}

TEST(CborTest, NumbersHaveTheHeadsOfTheStandard) {
  // RFC 8949, appendix A
  const std::pair<uint64_t, std::string> cases[] = {{0, "00"},
                                                    {23, "17"},
                                                    {24, "1818"},
                                                    {100, "1864"},
                                                    {1000, "1903e8"},
                                                    {1000000, "1a000f4240"},
                                                    {1000000000000, "1b000000e8d4a51000"},
                                                    {~0ull, "1bffffffffffffffff"}};
  for (const auto& [value, hex] : cases) {
    EXPECT_EQ(base::ToHex(CborWriter().Nat(value).Take()), hex);
    EXPECT_EQ(NatOf(hex), value);
  }
  EXPECT_EQ(NatOf("1b0000000000000005"), 5) << "longer than need be, as some clients write";
}

TEST(CborTest, ReadsWhatClientsWriteBeyondTheCanonicalForm) {
  EXPECT_EQ(NatOf("d9d9f705"), 5) << "self-described";
  EXPECT_EQ(NatOf("c24805f5e10005f5e100"), 0x05f5e10005f5e100) << "big number";
  EXPECT_EQ(NatOf("c24a000005f5e10005f5e100"), 0x05f5e10005f5e100) << "with leading zeros";
  const base::Bytes indefinite = Hex("bf616101616280ff");  // as Jackson, of the Java agent
  const auto document = CborDocument::Parse(indefinite);
  ASSERT_TRUE(document) << ErrorOf(document);
  auto fields = CborFields::Of(document->root(), "map");
  ASSERT_TRUE(fields);
  EXPECT_EQ(*fields->Nat("a"), 1);
  EXPECT_EQ(fields->Need("b")->number(), 0);
  EXPECT_TRUE(fields->Finish());
  const base::Bytes nulls = Hex("a26161f66162f7");
  const auto with_nulls = CborDocument::Parse(nulls);
  ASSERT_TRUE(with_nulls);
  fields = CborFields::Of(with_nulls->root(), "map");
  EXPECT_EQ(*fields->OptionalBlob("a"), std::nullopt);
  EXPECT_EQ(*fields->OptionalText("b"), std::nullopt);
  EXPECT_TRUE(fields->Finish());
}

TEST(CborTest, RefusesWhatIsMalformed) {
  EXPECT_EQ(Refusal(""), "input ends at byte 0, expected one more");
  EXPECT_EQ(Refusal("18"), "input ends at byte 1, expected 1 more at byte 1");
  EXPECT_EQ(Refusal("420a"), "input ends at byte 2, expected 2 more at byte 1");
  EXPECT_EQ(Refusal("0000"), "CBOR item ends at byte 1, but 1 more bytes follow");
  EXPECT_EQ(Refusal("1c"), "CBOR byte 0 is 28, which is no head");
  EXPECT_EQ(Refusal("a2616101616102"), "CBOR map has the key \"a\" twice");
  EXPECT_EQ(Refusal("a20501180502"), "CBOR map has the key 5 twice");
  EXPECT_EQ(Refusal("a1410001"), "CBOR map key at byte 1 is neither text nor a natural number");
  EXPECT_EQ(Refusal("61ff"), "CBOR text at byte 0 is not UTF-8");
  EXPECT_EQ(Refusal("c001"),
            "CBOR tag 0 at byte 0, expected none but 55799 in front and 2 for big numbers");
  EXPECT_EQ(Refusal("d9d9f7d9d9f700"),
            "CBOR tag 55799 at byte 3, expected none but 55799 in front and 2 for big numbers");
  EXPECT_EQ(Refusal("c249010000000000000000"), "CBOR big number at byte 0 does not fit 64 bits");
  EXPECT_EQ(Refusal("c201"), "CBOR big number at byte 0 is not a byte string");
  EXPECT_EQ(Refusal("fb3ff0000000000000"),
            "CBOR item at byte 0 is a float or an unknown simple value, which the interface does "
            "not use");
  EXPECT_EQ(Refusal("5f4101ff"),
            "CBOR item at byte 0 has indefinite length, expected that of arrays and maps only");
  EXPECT_NE(Refusal("81ff"), "") << "a break in an array of known length";
  EXPECT_EQ(Refusal("bf6161ff"), "CBOR map ends at byte 3 behind a key, expected its value");
  EXPECT_EQ(Refusal("9f01"), "input ends at byte 2, expected one more");
}

TEST(CborTest, RefusesWhatWouldCostTooMuch) {
  EXPECT_EQ(Refusal("9affffffff00"),
            "CBOR item at byte 0 has 4294967295 elements, but only 1 bytes follow");
  EXPECT_EQ(Refusal("bbffffffffffffffff00"),
            "CBOR item at byte 0 has 18446744073709551615 elements, but only 1 bytes follow");
  std::string deep;
  for (int i = 0; i < 500; ++i) deep += "81";
  EXPECT_EQ(Refusal(deep + "00"), "CBOR is nested deeper than 400 levels at byte 400");
  EXPECT_EQ(Refusal(deep.substr(0, 2 * 400) + "00"), "") << "the limit itself";
  EXPECT_EQ(Refusal("8300000000", {.items_max = 3}), "CBOR has more than 3 items");
}

TEST(CborTest, FieldsAreCheckedByNameAndKind) {
  const base::Bytes bytes = Hex("a26161016162c24105");
  const auto document = CborDocument::Parse(bytes);
  ASSERT_TRUE(document);
  auto fields = CborFields::Of(document->root(), "thing");
  ASSERT_TRUE(fields);
  EXPECT_EQ(ErrorOf(fields->Blob("a")), "a is a natural number, expected a byte string");
  EXPECT_EQ(ErrorOf(fields->Nat("c")), "thing has no field c");
  EXPECT_EQ(ErrorOf(fields->Finish()), "thing has an unknown field \"b\"");
  EXPECT_EQ(*fields->Nat("b"), 5);
  EXPECT_TRUE(fields->Finish());
  EXPECT_EQ(ErrorOf(CborFields::Of(*fields->Need("a"), "thing")),
            "thing is a natural number, expected a map");
}

class RandomItem {
 public:
  explicit RandomItem(uint32_t seed) : random_(seed) {}

  void Write(CborWriter& out, int depth) {
    const uint32_t size = random_() % 4;
    switch (random_() % (depth == 0 ? 3 : 5)) {
      case 0:
        out.Nat(uint64_t{random_()} << (random_() % 33));
        break;
      case 1:
        out.Text(std::string(size * 10, 'x'));
        break;
      case 2:
        out.Blob(base::Bytes(size * 100, 0xff));
        break;
      case 3:
        out.Array(size);
        for (uint32_t i = 0; i < size; ++i) Write(out, depth - 1);
        break;
      default:
        out.Map(size);
        for (uint32_t i = 0; i < size; ++i) {
          out.Text(std::string(1, static_cast<char>('a' + i)));
          Write(out, depth - 1);
        }
    }
  }

 private:
  std::mt19937 random_;
};

void Copy(CborWriter& out, CborItem item) {
  switch (item.kind()) {
    case CborKind::kNat:
      out.Nat(item.number());
      return;
    case CborKind::kText:
      out.Text(item.text());
      return;
    case CborKind::kBytes:
      out.Blob(item.bytes());
      return;
    case CborKind::kArray:
      out.Array(item.number());
      break;
    case CborKind::kMap:
      out.Map(item.number());
      break;
    default:
      FAIL();
  }
  for (const CborItem part : item) Copy(out, part);
}

TEST(CborTest, WhatIsWrittenIsReadBack) {
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    CborWriter out;
    RandomItem(seed).Write(out, 5);
    const base::Bytes bytes = out.Take();
    const auto document = CborDocument::Parse(bytes);
    ASSERT_TRUE(document) << seed << ": " << ErrorOf(document);
    CborWriter again;
    Copy(again, document->root());
    ASSERT_EQ(base::ToHex(again.Take()), base::ToHex(bytes)) << seed;
    // No shorter input is an item.
    for (size_t cut = 1; cut < std::min<size_t>(bytes.size(), 50); ++cut) {
      ASSERT_FALSE(CborDocument::Parse(base::ByteSpan(bytes).first(bytes.size() - cut))) << seed;
    }
  }
}

}  // namespace
}  // namespace ic
