// Any bytes as a receipt and as the file of receipts: refused with a sentence, or the one form of
// what was read.
#include <algorithm>

#include "base/check.h"
#include "receipt/ledger.h"

// The corpus's receipts were given a day before.
constexpr uint64_t kNow = 1'764'086'400'000'000'000;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const base::ByteSpan bytes(data, size);
  if (const auto read = receipt::Decode(bytes)) {
    CHECK(std::ranges::equal(receipt::Encode(*read), bytes));
    CHECK(!receipt::FinishReason(read->finish).empty());
  } else {
    CHECK(!read.error().message.empty());
  }
  if (auto ledger = receipt::Ledger::Restore(bytes, kNow)) {
    const base::Bytes saved = ledger->Save();
    auto again = receipt::Ledger::Restore(saved, kNow);
    CHECK(again && again->Save() == saved && again->tree().hash() == ledger->tree().hash());
  } else {
    CHECK(!ledger.error().message.empty());
  }
  return 0;
}
