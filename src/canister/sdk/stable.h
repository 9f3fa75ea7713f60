#ifndef GPT2IC_CANISTER_SDK_STABLE_H_
#define GPT2IC_CANISTER_SDK_STABLE_H_

#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace sdk {

inline constexpr uint64_t kStablePageBytes = 65536;

// A single copy between heap and stable memory takes its page charges in one go, and the IC ends a
// message whose one step overshoots a slice of 2 B instructions: hence pieces of at most 128 MiB
// (bound: n < 2 B and 2.44 n < 2 B, docs/metering.md).
inline constexpr uint64_t kCopyBytesMax = 128 << 20;

// The range must lie within StablePages().
void StableRead(uint64_t offset, std::span<uint8_t> out);
void StableWrite(uint64_t offset, base::ByteSpan bytes);

uint64_t StablePages();
// Makes stable memory at least `pages` long; an Error when the IC has no more.
base::Status StableReserve(uint64_t pages);

}  // namespace sdk

#endif  // GPT2IC_CANISTER_SDK_STABLE_H_
