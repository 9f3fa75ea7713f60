#include "candid/principal.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace candid {
namespace {

TEST(Principal, KnowsTheSpecificationsExamples) {
  EXPECT_EQ(Principal().ToText(), "aaaaa-aa");
  EXPECT_EQ(Principal::FromBytes(base::Bytes{0x04})->ToText(), "2vxsx-fae");
  EXPECT_EQ(Principal::FromBytes(base::Bytes{0xab, 0xcd, 0x01})->ToText(), "em77e-bvlzu-aq");
}

TEST(Principal, TextGoesBothWays) {
  EXPECT_TRUE(rc::check([](const std::vector<uint8_t>& any) {
    const base::Bytes bytes(any.begin(), any.begin() + std::min<ptrdiff_t>(any.size(), 29));
    const Principal principal = Principal::FromBytes(bytes).value();
    const auto back = Principal::FromText(principal.ToText());
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back == principal);
  }));
}

TEST(Principal, RefusesEveryOtherSpelling) {
  for (const char* text : {"", "aaaaa", "aaaaa-ab", "AAAAA-AA", "aaaaaaa", "aaaaa-aa-",
                           "em77e-bvlzu-ar", "a1aaa-aa", "em77ebvlzuaq", "em77e_bvlzu_aq"}) {
    EXPECT_FALSE(Principal::FromText(text)) << text;
  }
  EXPECT_FALSE(Principal::FromText(PrincipalText(base::Bytes(30, 1))));
  EXPECT_FALSE(Principal::FromText(std::string(100000, 'a')));
  EXPECT_FALSE(Principal::FromBytes(base::Bytes(30, 1)));
}

}  // namespace
}  // namespace candid
