#include "simd/simd.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "simd/every_op.h"

namespace simd {
namespace {

// Numbers at which backends are known to differ: NaNs, both zeros, infinities, ends of the
// integers.
constexpr uint32_t kEdges[] = {0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000,
                               0xff800000, 0x7fc00000, 0xffc00000, 0x7fa00001, 0xffbfffff,
                               0x00000001, 0x807fffff, 0x7f7fffff, 0xff7fffff, 0x7fffffff,
                               0x80008000, 0xffffffff, 0x4b400000, 0x7fff8000, 0x80007fff};

void ExpectEqualOps(const uint32_t (&words)[16]) {
  const auto* input = reinterpret_cast<const uint8_t*>(words);
  const auto expected = scalar::EveryOp::Run(input);
  const auto found = EveryOp::Run(input);
  ASSERT_EQ(expected.size(), found.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(expected[i].bytes, found[i].bytes)
        << expected[i].op << " of " << std::hex << words[0] << " and " << words[4];
  }
}

TEST(SimdTest, EveryOperationEqualsTheScalarOneAtTheEdges) {
  for (const uint32_t a : kEdges) {
    for (const uint32_t b : kEdges) {
      uint32_t words[16];
      for (int i = 0; i < 16; ++i) words[i] = i / 4 % 2 == 0 ? a : b;
      ExpectEqualOps(words);
    }
  }
}

TEST(SimdTest, EveryOperationEqualsTheScalarOneAnywhere) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    uint32_t words[16];
    for (uint32_t& word : words) word = random();
    ExpectEqualOps(words);
  }
}

TEST(SimdTest, PminAndPmaxYieldTheFirstOperandForNanAndForEqualZeros) {
  const F32x4 nan = FromBits(Splat(int32_t{0x7fa00001}));
  const F32x4 one = Splat(1.0f), zero = Splat(0.0f), minus_zero = Splat(-0.0f);
  const auto bits = [](F32x4 a) { return std::bit_cast<uint32_t>(Lane<0>(a)); };
  EXPECT_EQ(bits(Pmin(one, nan)), bits(one));
  EXPECT_EQ(bits(Pmax(one, nan)), bits(one));
  EXPECT_EQ(bits(Pmin(zero, minus_zero)), bits(zero));
  EXPECT_EQ(bits(Pmax(minus_zero, zero)), bits(minus_zero));
}

TEST(SimdTest, DotOfExtremesIsExact) {
  int16_t low[8], high[8], lowest[8];
  std::fill_n(low, 8, int16_t{-32767});
  std::fill_n(high, 8, int16_t{32767});
  std::fill_n(lowest, 8, int16_t{-32768});
  int32_t out[4];
  Store(out, Dot(Load(low), Load(high)));
  EXPECT_EQ(out[3], -2 * 32767 * 32767);
  Store(out, Dot(Load(lowest), Load(low)));
  EXPECT_EQ(out[0], 2 * 32768 * 32767);
  Store(out, Dot(Load(lowest), Load(lowest)));  // 2^31 wraps
  EXPECT_EQ(out[0], INT32_MIN);
}

}  // namespace
}  // namespace simd
