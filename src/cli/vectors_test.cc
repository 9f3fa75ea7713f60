#include "cli/vectors.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

TEST(MeteringVectors, AreEqualToTheUnit) {
  std::string report;
  const auto result = ReplayVectors("tests/data/metering-vectors/vectors.json", &report);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->failed, 0) << report;
  EXPECT_EQ(result->passed, 264);
  EXPECT_EQ(result->skipped, 0);
}

}  // namespace
}  // namespace cli
