#include "receipt/receipt.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/hex.h"

namespace receipt {
namespace {

Receipt Example() {
  Receipt r;
  r.id = 7;
  r.finished_ns = 1'764'000'000'000'000'000;
  r.instructions = 33'278'761;
  r.canister_version = 12;
  r.installed_ns = 1'763'000'000'000'000'000;
  r.revision.fill(0xab);
  r.model = base::Sha256Of(base::AsBytes("model"));
  r.input_tokens = 3;
  r.output_tokens = 2;
  const TokenId input[] = {5, 6, 50256}, output[] = {17, 300};
  r.input = HashOfIds(input, 2);
  r.output = HashOfIds(output, 2);
  const std::string stop[] = {"\n", "end"};
  r.stop = HashOfTexts(stop);
  r.finish = Finish::kLength;
  r.end_token = 50256;
  r.has_text = true;
  r.max_tokens = 2;
  r.sampling = {0.75, 99, 40, 0.9};
  r.penalties = {1.25, 0.5, -0.5};
  return r;
}

// The layout of docs/receipt.md, byte for byte, as Python's struct and hashlib write it.
TEST(Receipt, GoldenBytes) {
  EXPECT_EQ(
      base::ToHex(Encode(Example())),
      "6770743272637074010000000305020007000000000000000000ca67a7fc7a1829cbfb01000000000c00000000"
      "000000008003c3286f771863000000000000000200000028000000030000000200000050c40000000000000000"
      "00000000e83fcdccccccccccec3f000000000000f43f000000000000e03f000000000000e0bf9372c470eeadd5"
      "ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e468d623e4cc8c211b6539904b4be76f1b010d381c"
      "a8899a15387ba926ba9a9c41ed604edbdd33aac22ba900beb1df937c71a25bbf7073d6a593b4f13721391ca5cc"
      "6460616e452e77db97a2c0780cfa7d70ab1361e4843135f6629370aa20159dabababababababababababababab"
      "abababababab00000000");
}

TEST(Receipt, WhatIsReadIsWhatWasWritten) {
  const base::Bytes bytes = Encode(Example());
  const auto read = Decode(bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(Encode(*read), bytes);
  EXPECT_EQ(read->sampling.top_k, 40u);
  EXPECT_EQ(read->penalties.presence, -0.5);
  EXPECT_EQ(read->end_token, 50256u);
  EXPECT_EQ(read->model, Example().model);
}

// Every byte counts: another value is another receipt, or none.
TEST(Receipt, OneReceiptHasOneForm) {
  const base::Bytes bytes = Encode(Example());
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      base::Bytes changed = bytes;
      changed[i] ^= static_cast<uint8_t>(1 << bit);
      const auto read = Decode(changed);
      if (read) {
        EXPECT_EQ(Encode(*read), changed) << "byte " << i;
      } else {
        EXPECT_FALSE(read.error().message.empty());
      }
    }
  }
}

std::string Refusal(size_t at, uint8_t value) {
  base::Bytes bytes = Encode(Example());
  bytes[at] = value;
  const auto read = Decode(bytes);
  return read ? "" : read.error().message;
}

TEST(Receipt, WhatIsNoReceiptIsRefusedWithASentence) {
  EXPECT_EQ(Decode(base::Bytes(279)).error().message, "receipt has 279 bytes, expected 280");
  EXPECT_EQ(Refusal(0, 'G'), "receipt does not begin with \"gpt2rcpt\"");
  EXPECT_EQ(Refusal(8, 2), "receipt has version 2, expected 1");
  EXPECT_EQ(Refusal(12, 0), "receipt has finish 0, expected 1 to 5");
  EXPECT_EQ(Refusal(12, 6), "receipt has finish 6, expected 1 to 5");
  EXPECT_EQ(Refusal(13, 8), "receipt has flags 8, expected at most 7");
  EXPECT_EQ(Refusal(13, 4), "receipt has an end token without its flag");
  EXPECT_EQ(Refusal(14, 3), "receipt has ids of 3 bytes, expected 2 or 4");
  EXPECT_EQ(Refusal(15, 1), "receipt has 1 at byte 15, expected 0");
  EXPECT_EQ(Refusal(84, 1), "receipt has other bytes than 0 in its reserved places");
  EXPECT_EQ(Refusal(279, 1), "receipt has other bytes than 0 in its reserved places");
  EXPECT_EQ(Refusal(95, 0xff), "receipt has a temperature out of range");
  EXPECT_EQ(Refusal(103, 0x7f), "receipt has a top_p out of range");
  EXPECT_EQ(Refusal(111, 0), "receipt has a repetition_penalty out of range");
  EXPECT_EQ(Refusal(119, 0x40), "receipt has a frequency_penalty out of range");
  EXPECT_EQ(Refusal(127, 0x40), "receipt has a presence_penalty out of range");
}

TEST(Receipt, HashesAreThoseOfThePage) {
  const TokenId ids[] = {1, 0x203};
  const uint8_t two[] = {1, 0, 3, 2}, four[] = {1, 0, 0, 0, 3, 2, 0, 0};
  EXPECT_EQ(HashOfIds(ids, 2), base::Sha256Of(two));
  EXPECT_EQ(HashOfIds(ids, 4), base::Sha256Of(four));
  const std::string texts[] = {"ab"};
  const uint8_t framed[] = {2, 0, 0, 0, 'a', 'b'};
  EXPECT_EQ(HashOfTexts(texts), base::Sha256Of(framed));
  EXPECT_EQ(HashOfTexts({}), base::Sha256Of({}));
}

}  // namespace
}  // namespace receipt
