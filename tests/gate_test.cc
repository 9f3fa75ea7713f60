// Whom the canister `model` counts, and for how long: what bounds the day's list of callers.
#include "canister/model/gate.h"

#include <gtest/gtest.h>

namespace {

using model::Gate;
using model::Role;

constexpr uint64_t kNow = 1'800'000'000'000'000'000;

candid::Principal Caller(uint32_t n) {
  base::Bytes bytes;
  base::AppendFixed(bytes, n);
  return candid::Principal::FromBytes(bytes).value();
}

// Else ten thousand principals that ask and cancel shut out everyone new until midnight, and use
// none of the day's tokens.
TEST(Gate, ACallerWhoGotNothingTakesNoPlaceOfTheDay) {
  Gate gate;
  for (uint32_t i = 0; i < Gate::kCallersPerDayMax; ++i) {
    gate.Take(Caller(i), 10, kNow);
    gate.GiveBack(Caller(i), 10, kNow, kNow);
  }
  EXPECT_TRUE(gate.CheckQuota(Caller(1 << 20), Role::kAuthenticated, 1, kNow));
  EXPECT_EQ(gate.TokensToday(kNow), 0u);
}

TEST(Gate, OneMoreThanSoManyCallersADayIsRefused) {
  Gate gate;
  for (uint32_t i = 0; i < Gate::kCallersPerDayMax; ++i) gate.Take(Caller(i), 1, kNow);
  EXPECT_TRUE(gate.CheckQuota(Caller(5), Role::kAuthenticated, 1, kNow));
  EXPECT_FALSE(gate.CheckQuota(Caller(1 << 20), Role::kAuthenticated, 1, kNow));
  EXPECT_TRUE(gate.CheckQuota(Caller(1 << 20), Role::kAuthorized, 1, kNow));
  EXPECT_TRUE(gate.CheckQuota(Caller(1 << 20), Role::kAuthenticated, 1, kNow + 86'400'000'000'000));
}

// Two jobs of one caller: the second's tokens are still there to give back.
TEST(Gate, WhatIsNotUsedGoesBackOfEachJob) {
  Gate gate;
  gate.Take(Caller(1), 10, kNow);
  gate.GiveBack(Caller(1), 10, kNow, kNow);
  gate.Take(Caller(1), 7, kNow);
  gate.Take(Caller(1), 5, kNow);
  gate.GiveBack(Caller(1), 7, kNow, kNow);
  gate.GiveBack(Caller(1), 3, kNow, kNow);
  EXPECT_EQ(gate.TokensToday(kNow), 2u);
}

}  // namespace
