#include "canister/sdk/stable.h"

#include <algorithm>

#include "canister/sdk/ic0.h"

namespace sdk {

void StableRead(uint64_t offset, std::span<uint8_t> out) {
  for (uint64_t done = 0; done < out.size();) {
    const uint64_t n = std::min<uint64_t>(kCopyBytesMax, out.size() - done);
    ic0::stable64_read(reinterpret_cast<uintptr_t>(out.data()) + done, offset + done, n);
    done += n;
  }
}

void StableWrite(uint64_t offset, base::ByteSpan bytes) {
  for (uint64_t done = 0; done < bytes.size();) {
    const uint64_t n = std::min<uint64_t>(kCopyBytesMax, bytes.size() - done);
    ic0::stable64_write(offset + done, reinterpret_cast<uintptr_t>(bytes.data()) + done, n);
    done += n;
  }
}

uint64_t StablePages() { return ic0::stable64_size(); }

base::Status StableReserve(uint64_t pages) {
  const uint64_t have = StablePages();
  if (pages <= have) return {};
  if (ic0::stable64_grow(pages - have) == ~uint64_t{0}) {
    return base::Err("stable memory cannot grow from ", have, " to ", pages, " pages of 64 KiB");
  }
  return {};
}

}  // namespace sdk
