#include "base/leb128.h"

namespace base {

Result<uint64_t> ReadUleb(ByteReader& in, unsigned bits) {
  const size_t start = in.position();
  uint64_t value = 0;
  for (unsigned shift = 0; shift < bits; shift += 7) {
    const uint8_t byte = TRY(in.U8());
    const unsigned left = bits - shift;  // bits of the value that this byte may still hold
    const uint8_t payload = byte & 0x7f;
    if (left < 7 && (payload >> left) != 0) break;
    value |= static_cast<uint64_t>(payload) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return Err("LEB128 number at byte ", start, " does not fit ", bits, " bits");
}

Result<int64_t> ReadSleb(ByteReader& in, unsigned bits) {
  const size_t start = in.position();
  uint64_t value = 0;
  for (unsigned shift = 0; shift < bits; shift += 7) {
    const uint8_t byte = TRY(in.U8());
    const unsigned left = bits - shift;
    const uint8_t payload = byte & 0x7f;
    if (left < 7) {
      // The unused bits must repeat the sign.
      const uint8_t high = static_cast<uint8_t>(payload >> (left - 1));
      const uint8_t ones = static_cast<uint8_t>(0x7f >> (left - 1));
      if (high != 0 && high != ones) break;
    }
    value |= static_cast<uint64_t>(payload) << shift;
    if ((byte & 0x80) == 0) {
      const unsigned used = shift + 7;
      if ((byte & 0x40) != 0 && used < 64) value |= ~uint64_t{0} << used;
      return static_cast<int64_t>(value);
    }
  }
  return Err("signed LEB128 number at byte ", start, " does not fit ", bits, " bits");
}

void AppendUleb(Bytes& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<uint8_t>(value) | 0x80);
    value >>= 7;
  }
  out.push_back(static_cast<uint8_t>(value));
}

void AppendSleb(Bytes& out, int64_t value) {
  for (;;) {
    const uint8_t byte = static_cast<uint8_t>(value) & 0x7f;
    value >>= 7;
    if ((value == 0 && (byte & 0x40) == 0) || (value == -1 && (byte & 0x40) != 0)) {
      out.push_back(byte);
      return;
    }
    out.push_back(byte | 0x80);
  }
}

}  // namespace base
