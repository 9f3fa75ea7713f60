#include "candid/number.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/leb128.h"

namespace candid {
namespace {

Nat Decimal(std::string_view digits) { return Nat::FromDigits(digits).value(); }

TEST(Number, DecimalGoesBothWays) {
  for (const char* digits :
       {"0", "1", "18446744073709551615", "18446744073709551616",
        "340282366920938463463374607431768211456",
        "1000000000000000000000000000000000000000000000000000000000000000000"}) {
    EXPECT_EQ(Decimal(digits).ToDecimal(), digits);
  }
  EXPECT_EQ(Nat::FromDigits("ff_ff", 16), Nat(65535));
  EXPECT_FALSE(Nat::FromDigits("12a"));
  EXPECT_FALSE(Nat::FromDigits(std::string(Nat::kDigitsMax + 1, '9')));
}

TEST(Number, LebGoesBothWaysForAnySize) {
  EXPECT_TRUE(rc::check([](const std::vector<uint32_t>& limbs, bool negative) {
    const Nat nat = Nat::FromLimbs(limbs);
    base::Bytes out;
    AppendLeb(out, nat);
    RC_ASSERT(NatFromLeb(out) == nat);
    RC_ASSERT(out.size() == 1 || out.back() != 0);  // shortest form
    const Int number = Int::Make(negative, nat);
    base::Bytes signed_out;
    AppendSleb(signed_out, number);
    RC_ASSERT(IntFromSleb(signed_out) == number);
  }));
}

TEST(Number, SignedLebIsShortestAroundPowersOfTwo) {
  for (unsigned bit = 60; bit < 300; ++bit) {
    std::vector<uint32_t> limbs(bit / 32 + 1);
    limbs.back() = 1u << (bit % 32);
    const Nat power = Nat::FromLimbs(limbs);
    const auto size = [](const Int& number) {
      base::Bytes out;
      AppendSleb(out, number);
      EXPECT_EQ(IntFromSleb(out), number);
      return out.size();
    };
    EXPECT_EQ(size(Int::Make(false, power)), (bit + 2 + 6) / 7) << bit;  // bits and a sign
    EXPECT_EQ(size(Int::Make(true, power)), (bit + 1 + 6) / 7) << bit;
  }
}

TEST(Number, AgreesWith64Bits) {
  EXPECT_TRUE(rc::check([](int64_t value) {
    base::Bytes expected, found;
    base::AppendSleb(expected, value);
    AppendSleb(found, Int::From(value));
    RC_ASSERT(found == expected);
    RC_ASSERT(IntFromSleb(found).ToI64() == value);
    RC_ASSERT(Int::From(value).ToDecimal() == std::to_string(value));
  }));
}

TEST(Number, OverlongFormsHaveTheSameValue) {
  base::Bytes nat = {0x85};
  nat.insert(nat.end(), 40, 0x80);
  nat.push_back(0);
  EXPECT_EQ(NatFromLeb(nat), Nat(5));
  base::Bytes minus_one(40, 0xff);
  minus_one.push_back(0x7f);
  EXPECT_EQ(IntFromSleb(minus_one), Int::From(-1));
}

TEST(Number, Holds128Bits) {
  const unsigned __int128 max = ~static_cast<unsigned __int128>(0);
  EXPECT_TRUE(Nat::FromU128(max).ToU128() == max);
  EXPECT_EQ(Nat::FromU128(max).ToDecimal(), "340282366920938463463374607431768211455");
  EXPECT_FALSE(Decimal("340282366920938463463374607431768211456").ToU128());
  EXPECT_LT(Nat(5), Nat(6));
  EXPECT_LT(Nat(~uint64_t{0}), Nat::FromU128(max));
}

}  // namespace
}  // namespace candid
