// What bounds the memory of chats in the canister `model`: their number, and the keys and values of
// those at work.
#include "canister/model/sessions.h"

#include <gtest/gtest.h>

#include "model_oracle.h"

namespace {

using model::ChatSession;
using model::Sessions;

candid::Principal Owner(uint8_t n) { return candid::Principal::FromBytes(base::Bytes{n}).value(); }

class SessionsTest : public ::testing::Test {
 protected:
  ChatSession& Open(uint8_t owner, uint64_t now_ns, uint64_t job) {
    ChatSession* session = sessions_.Open(Owner(owner), now_ns).value();
    session->job = job;
    return *session;
  }
  const gpt2::PackedModel& Model() { return model_test::Oracles()[0].model(); }

  Sessions sessions_;
};

TEST_F(SessionsTest, OnlySoManyRunAsWholeContextsFit) {
  const uint64_t context = Sessions::kCacheBytesMax / 2;
  ChatSession &a = Open(1, 1, 10), &b = Open(2, 2, 11), &c = Open(3, 3, 12);
  for (ChatSession* session : {&a, &b}) {
    EXPECT_TRUE(sessions_.MayRun(*session, context));
    sessions_.Engine(*session, Model(), context);
  }
  EXPECT_FALSE(sessions_.MayRun(c, context));
  EXPECT_TRUE(sessions_.MayRun(a, context));  // who has begun goes on
  a.job = 0;
  EXPECT_TRUE(sessions_.MayRun(c, context));
}

TEST_F(SessionsTest, ASingleJobAlwaysRuns) {
  const uint64_t context = 2 * Sessions::kCacheBytesMax;
  ChatSession &a = Open(1, 1, 10), &b = Open(2, 2, 11);
  EXPECT_TRUE(sessions_.MayRun(a, context));
  sessions_.Engine(a, Model(), context);
  EXPECT_FALSE(sessions_.MayRun(b, context));
}

// Whoever has little chats by the dozen could else have them all grow at once.
TEST_F(SessionsTest, WhatIsKeptOfAChatIsNoRightToRun) {
  const uint64_t context = Sessions::kCacheBytesMax / 2;
  std::vector<ChatSession*> chats;
  for (uint8_t i = 0; i < 10; ++i) chats.push_back(&Open(i, i, 0));
  for (ChatSession* chat : chats) sessions_.Engine(*chat, Model(), context);
  size_t running = 0;
  for (ChatSession* chat : chats) {
    chat->job = 10 + chat->id;
    if (!sessions_.MayRun(*chat, context)) continue;
    sessions_.Engine(*chat, Model(), context);
    ++running;
  }
  EXPECT_EQ(running, 2u);
  EXPECT_TRUE(sessions_.MayRun(*chats[0], context));
  chats[0]->job = 0;
  EXPECT_TRUE(sessions_.MayRun(*chats[9], context));
}

// What a job waiting for its turn was told is kept (its quota too) stays kept.
TEST_F(SessionsTest, WhatAWaitingJobCountsOnIsNotDropped) {
  const uint64_t context = Sessions::kCacheBytesMax;
  ChatSession &waiting = Open(1, 1, 0), &next = Open(2, 2, 11);
  waiting.tokens = {5, 6, 7};
  while (!sessions_.Engine(waiting, Model(), context).Prefilled()) {
    sessions_.Engine(waiting, Model(), context).Step();
  }
  waiting.job = 10;
  EXPECT_TRUE(sessions_.MayRun(next, context));
  sessions_.Engine(next, Model(), context);
  ASSERT_NE(sessions_.FindEngine(waiting.id), nullptr);
  EXPECT_EQ(sessions_.FindEngine(waiting.id)->run(), 3u);
  EXPECT_FALSE(sessions_.MayRun(waiting, context));
}

TEST_F(SessionsTest, ThePrivilegedDoNotWaitForTheRoomOfOthers) {
  const uint64_t context = Sessions::kCacheBytesMax / 2;
  ChatSession &a = Open(1, 1, 10), &b = Open(2, 2, 11), &own = Open(3, 3, 12),
              &more = Open(3, 4, 13);
  own.privileged = more.privileged = true;
  for (ChatSession* session : {&a, &b}) sessions_.Engine(*session, Model(), context);
  ASSERT_TRUE(sessions_.MayRun(own, context));
  sessions_.Engine(own, Model(), context);
  EXPECT_EQ(sessions_.FindEngine(a.id), nullptr);
  EXPECT_NE(sessions_.FindEngine(b.id), nullptr);
  EXPECT_FALSE(sessions_.MayRun(a, context));  // made again when there is room
  ASSERT_TRUE(sessions_.MayRun(more, context));
  sessions_.Engine(more, Model(), context);
  EXPECT_EQ(sessions_.FindEngine(b.id), nullptr);
  ChatSession& third = Open(3, 5, 14);
  third.privileged = true;
  EXPECT_FALSE(sessions_.MayRun(third, context));
  own.job = more.job = 0;
  EXPECT_TRUE(sessions_.MayRun(a, context));
}

TEST_F(SessionsTest, IdleOnesGiveWayToThoseAtWorkAndAreMadeAgain) {
  const uint64_t context = Sessions::kCacheBytesMax;
  ChatSession& idle = Open(1, 1, 0);
  idle.tokens = {5, 6, 7};
  EXPECT_EQ(sessions_.Engine(idle, Model(), context).size(), 3u);
  // It holds nothing yet, so it may stay beside the first; not with keys and values.
  while (!sessions_.Engine(idle, Model(), context).Prefilled()) {
    sessions_.Engine(idle, Model(), context).Step();
  }
  ChatSession& busy = Open(2, 2, 11);
  sessions_.Engine(busy, Model(), context);
  EXPECT_EQ(sessions_.FindEngine(idle.id), nullptr);
  EXPECT_NE(sessions_.FindEngine(busy.id), nullptr);
  EXPECT_EQ(sessions_.Engine(idle, Model(), context).size(), 3u);
}

TEST_F(SessionsTest, TheOneUsedLongestAgoMakesRoomUnlessAllAreAtWork) {
  std::vector<uint64_t> ids;
  for (uint64_t i = 0; i < Sessions::kPerCallerMax; ++i) ids.push_back(Open(1, 100 - i, 0).id);
  Open(1, 200, 0);
  EXPECT_EQ(sessions_.Find(ids.back()), nullptr);  // the oldest by use, not by number
  EXPECT_NE(sessions_.Find(ids.front()), nullptr);
  EXPECT_EQ(sessions_.size(), Sessions::kPerCallerMax);
  for (uint64_t i = 0; i < Sessions::kPerCallerMax; ++i) Open(2, 1, i + 1);
  const auto refused = sessions_.Open(Owner(2), 300);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "busy");
}

// A thousand principals are quickly made.
TEST_F(SessionsTest, ThoseOfTheAuthorizedGiveWayAfterAllOthers) {
  ChatSession& own = Open(1, 1, 0);
  own.privileged = true;
  const uint64_t id = own.id;
  for (size_t i = 0; i < 2 * Sessions::kMax; ++i) {
    const auto owner = static_cast<uint8_t>(2 + i % 200);
    ASSERT_TRUE(sessions_.Open(Owner(owner), 100 + i));
  }
  EXPECT_LE(sessions_.size(), Sessions::kMax);
  EXPECT_NE(sessions_.Find(id), nullptr);
}

}  // namespace
