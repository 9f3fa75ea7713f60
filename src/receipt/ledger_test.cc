#include "receipt/ledger.h"

#include <gtest/gtest.h>

namespace receipt {
namespace {

const candid::Principal kOne = *candid::Principal::FromBytes(base::Bytes{1}),
                        kTwo = *candid::Principal::FromBytes(base::Bytes{2});
constexpr uint64_t kDay = 86'400'000'000'000;

Entry Answer(const candid::Principal& caller, uint64_t finished_ns, uint32_t tokens = 3) {
  Entry entry;
  entry.caller = caller;
  entry.receipt.finished_ns = finished_ns;
  entry.receipt.max_tokens = 9;
  for (uint32_t i = 0; i < tokens; ++i) entry.input.push_back(i % 1000);
  entry.output = {7, 8};
  entry.stop = {"x"};
  return entry;
}

// The leaf is the receipt's hash, and nothing but what is kept is in the tree.
void ExpectTreeIsOf(Ledger& ledger) {
  ASSERT_EQ(ledger.tree().Labels().size(), ledger.all().size());
  for (const auto& [id, entry] : ledger.all()) {
    const auto leaf = ledger.tree().Value({{LabelOf(id)}});
    ASSERT_TRUE(leaf);
    const auto hash = base::Sha256Of(Encode(entry.receipt));
    EXPECT_EQ(*leaf, base::Bytes(hash.begin(), hash.end()));
  }
}

TEST(Ledger, AnAnswerGetsItsHashesAndAPlaceInTheTree) {
  Ledger ledger;
  EXPECT_EQ(ledger.Add(Answer(kOne, 5)), 1u);
  EXPECT_EQ(ledger.Add(Answer(kTwo, 6)), 2u);
  const Entry* entry = ledger.Find(2, 6);
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->receipt.input_tokens, 3u);
  EXPECT_EQ(entry->receipt.output, HashOfIds(entry->output, 2));
  EXPECT_EQ(entry->receipt.stop, HashOfTexts(entry->stop));
  EXPECT_EQ(ledger.Find(3, 6), nullptr);
  ExpectTreeIsOf(ledger);
}

TEST(Ledger, IsBoundedPerCallerInAllAndInTime) {
  Ledger ledger;
  for (size_t i = 0; i < Ledger::kPerCallerMax + 5; ++i) ledger.Add(Answer(kOne, 10));
  EXPECT_EQ(ledger.all().size(), Ledger::kPerCallerMax);
  EXPECT_EQ(ledger.all().begin()->first, 6u);
  for (size_t i = 0; i < Ledger::kMax; ++i) {
    const auto caller = candid::Principal::FromBytes(base::Bytes{3, static_cast<uint8_t>(i % 50)});
    ledger.Add(Answer(*caller, 20));
  }
  EXPECT_EQ(ledger.all().size(), Ledger::kMax);
  ExpectTreeIsOf(ledger);
  const uint64_t last = ledger.all().rbegin()->first;
  EXPECT_NE(ledger.Find(last, 20 + Ledger::kKeptNs), nullptr);
  EXPECT_EQ(ledger.Find(last, 21 + Ledger::kKeptNs), nullptr);
  for (size_t i = 0; i < Ledger::kPerCallerMax; ++i) ledger.Add(Answer(kTwo, 31 * kDay));
  EXPECT_EQ(ledger.all().size(), Ledger::kMax);
  ExpectTreeIsOf(ledger);
}

// A thousand answers by principals made for it cost a day's quota at most.
TEST(Ledger, ThoseOfThePrivilegedGiveWayLast) {
  Ledger ledger;
  Entry own = Answer(kOne, 10);
  own.privileged = true;
  const uint64_t id = ledger.Add(own);
  for (int upgrade = 0; upgrade < 2; ++upgrade) {
    for (size_t i = 0; i < Ledger::kMax; ++i) {
      ledger.Add(
          Answer(*candid::Principal::FromBytes(base::Bytes{3, static_cast<uint8_t>(i % 50)}), 20));
    }
    EXPECT_EQ(ledger.all().size(), Ledger::kMax);
    EXPECT_NE(ledger.Find(id, 20), nullptr) << upgrade;
    ledger = Ledger::Restore(ledger.Save(), 20).value();
  }
  // Among themselves the oldest goes, and then as all others after 30 days.
  for (size_t i = 0; i < Ledger::kMax; ++i) {
    own.caller = *candid::Principal::FromBytes(base::Bytes{4, static_cast<uint8_t>(i % 50)});
    ledger.Add(own);
  }
  EXPECT_EQ(ledger.Find(id, 20), nullptr);
  ExpectTreeIsOf(ledger);
}

TEST(Ledger, IsBoundedInBytesOfIds) {
  Ledger ledger;
  for (int i = 0; i < 12; ++i) ledger.Add(Answer(kOne, 10, 1 << 20));
  EXPECT_LE(ledger.all().size(), Ledger::kIdsBytesMax / (4 << 20));
  EXPECT_GT(ledger.all().size(), 5u);
  ExpectTreeIsOf(ledger);
}

TEST(Ledger, SurvivesAnUpgrade) {
  Ledger ledger;
  for (uint64_t i = 0; i < 20; ++i) ledger.Add(Answer(i % 3 == 0 ? kOne : kTwo, i, i));
  auto again = Ledger::Restore(ledger.Save(), 20);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->tree().hash(), ledger.tree().hash());
  EXPECT_EQ(again->Save(), ledger.Save());
  EXPECT_EQ(again->Find(5, 20)->input, ledger.Find(5, 20)->input);
  EXPECT_TRUE(Ledger::Restore(ledger.Save(), 40 * kDay)->all().empty());
}

// Whoever may install code may have another module's canister_pre_upgrade write this file, at the
// very time that becomes the next module's installed_ns.
TEST(Ledger, WhatTheModuleNowInstalledHasNotMadeDoesNotBearItsTime) {
  Ledger ledger;
  const auto add = [&](uint64_t installed_ns, uint64_t finished_ns) {
    Entry entry = Answer(kOne, finished_ns);
    entry.receipt.installed_ns = installed_ns;
    return ledger.Add(std::move(entry));
  };
  const uint64_t true_id = add(10, 19), of_now = add(20, 20), of_later = add(21, 22),
                 not_yet = add(10, 21);
  const auto again = Ledger::Restore(ledger.Save(), 20);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_NE(again->Find(true_id, 20), nullptr);
  for (const uint64_t id : {of_now, of_later, not_yet}) EXPECT_EQ(again->Find(id, 20), nullptr);
}

TEST(Ledger, AFileOfAnotherVersionOrADamagedOneIsRefused) {
  Ledger ledger;
  ledger.Add(Answer(kOne, 5));
  ledger.Add(Answer(kTwo, 6));
  const base::Bytes file = ledger.Save();
  base::Bytes newer = file;
  newer[8] = 3;
  EXPECT_EQ(Ledger::Restore(newer, 5).error().message,
            "the file of receipts has version 3, this canister knows 2");
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_FALSE(Ledger::Restore({file.data(), size}, 5)) << size;
  }
  base::Bytes longer = file;
  longer.push_back(0);
  EXPECT_EQ(Ledger::Restore(longer, 5).error().message,
            "the file of receipts has 1 bytes behind its end");
  base::Bytes order = file;
  order[24 + 16] = 9;  // the first receipt's id
  EXPECT_EQ(Ledger::Restore(order, 5).error().message,
            "the file of receipts has id 9 out of order or beyond 3");
}

}  // namespace
}  // namespace receipt
