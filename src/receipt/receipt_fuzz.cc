// Any bytes as a receipt: refused with a sentence, or the one form of what was read.
#include <algorithm>

#include "base/check.h"
#include "receipt/receipt.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const base::ByteSpan bytes(data, size);
  const auto read = receipt::Decode(bytes);
  if (!read) {
    CHECK(!read.error().message.empty());
    return 0;
  }
  CHECK(std::ranges::equal(receipt::Encode(*read), bytes));
  CHECK(!receipt::FinishReason(read->finish).empty());
  return 0;
}
