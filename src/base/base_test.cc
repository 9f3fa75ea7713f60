#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/leb128.h"
#include "base/sha256.h"
#include "base/str_cat.h"

namespace base {
namespace {

TEST(StrCat, JoinsTextAndNumbers) {
  EXPECT_EQ(StrCat("a", 1, std::string("b"), -2, 'c', std::numeric_limits<int64_t>::min(),
                   std::numeric_limits<uint64_t>::max()),
            "a1b-2c-922337203685477580818446744073709551615");
}

TEST(StrCat, PrintableHidesControlCharactersAndCuts) {
  EXPECT_EQ(Printable("a\n\xff"), "a\\0a\\ff");
  EXPECT_EQ(Printable("abcdef", 3), "abc...");
}

TEST(Hex, GoesBothWaysAndRefusesWhatIsNotHex) {
  const Bytes bytes = {0x00, 0xab, 0xff};
  EXPECT_EQ(ToHex(bytes), "00abff");
  EXPECT_EQ(FromHex("00ABff").value(), bytes);
  EXPECT_FALSE(FromHex("0"));
  EXPECT_FALSE(FromHex("0g"));
}

TEST(Sha256, MatchesTheStandardsExamples) {
  EXPECT_EQ(ToHex(Sha256Of({})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ToHex(Sha256Of(AsBytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHex(Sha256Of(AsBytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(ToHex(Sha256Of(AsBytes(std::string(1000000, 'a')))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, AnyCutGivesTheSameDigest) {
  const std::string text(300, 'x');
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    Sha256 hash;
    hash.Update(AsBytes(std::string_view(text).substr(0, cut)));
    hash.Update({});  // a null pointer: an error of the undefined-behaviour sanitizer once
    hash.Update(AsBytes(std::string_view(text).substr(cut)));
    EXPECT_EQ(hash.Finish(), Sha256Of(AsBytes(text))) << cut;
  }
}

TEST(Sha224, MatchesTheStandardsExamples) {
  EXPECT_EQ(ToHex(Sha224Of(AsBytes("abc"))),
            "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
  EXPECT_EQ(ToHex(Sha224Of({})), "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f");
}

TEST(Leb128, RoundTripsTheEdges) {
  for (const uint64_t value : {uint64_t{0}, uint64_t{127}, uint64_t{128}, ~uint64_t{0}}) {
    Bytes out;
    AppendUleb(out, value);
    ByteReader in(out);
    EXPECT_EQ(ReadUleb(in).value(), value);
    EXPECT_TRUE(in.empty());
  }
  for (const int64_t value :
       {int64_t{0}, int64_t{-1}, int64_t{63}, int64_t{64}, int64_t{-64}, int64_t{-65},
        std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
    Bytes out;
    AppendSleb(out, value);
    ByteReader in(out);
    EXPECT_EQ(ReadSleb(in).value(), value);
  }
}

TEST(Leb128, RefusesWhatDoesNotFit) {
  const auto unsigned32 = [](Bytes bytes) {
    ByteReader in(bytes);
    return ReadUleb(in, 32).has_value();
  };
  EXPECT_TRUE(unsigned32({0xff, 0xff, 0xff, 0xff, 0x0f}));
  EXPECT_FALSE(unsigned32({0xff, 0xff, 0xff, 0xff, 0x1f}));
  EXPECT_FALSE(unsigned32({0x80, 0x80, 0x80, 0x80, 0x80, 0x00}));
  EXPECT_FALSE(unsigned32({0x80}));
  const auto signed32 = [](Bytes bytes) {
    ByteReader in(bytes);
    return ReadSleb(in, 32).has_value();
  };
  EXPECT_TRUE(signed32({0x80, 0x80, 0x80, 0x80, 0x78}));
  EXPECT_FALSE(signed32({0x80, 0x80, 0x80, 0x80, 0x70}));
  EXPECT_FALSE(signed32({0xff, 0xff, 0xff, 0xff, 0x0f}));
}

TEST(ByteReader, NamesThePositionOfAShortRead) {
  const Bytes bytes = {1, 2, 3};
  ByteReader in(bytes);
  EXPECT_EQ(in.Fixed<uint16_t>().value(), 0x0201);
  const auto short_read = in.Fixed<uint32_t>();
  ASSERT_FALSE(short_read);
  EXPECT_EQ(short_read.error().message, "input ends at byte 3, expected 4 more at byte 2");
}

}  // namespace
}  // namespace base
