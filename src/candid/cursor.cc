#include "candid/cursor.h"

namespace candid {

uint64_t Cursor::UlebTail(uint8_t first) {
  uint64_t value = first & 0x7f;
  for (unsigned shift = 7; shift < 70; shift += 7) {
    const uint8_t byte = U8();
    if (failed_) return 0;
    if (shift == 63 && (byte & 0x7f) > 1) break;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return Fail();
}

int32_t Cursor::Sleb() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    const uint8_t byte = U8();
    if (failed_) return 0;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte >= 0x80) continue;
    const unsigned sign = 64 - (shift + 7);
    const int64_t wide = static_cast<int64_t>(value << sign) >> sign;
    if (wide != static_cast<int32_t>(wide)) break;
    return static_cast<int32_t>(wide);
  }
  return Fail();
}

base::ByteSpan Cursor::Number(uint32_t bytes_max) {
  const size_t start = position_;
  uint8_t byte;
  do {
    byte = U8();
    if (position_ - start > bytes_max) Fail();
    if (failed_) return {};
  } while (byte >= 0x80);
  return bytes_.subspan(start, position_ - start);
}

}  // namespace candid
