#ifndef GPT2IC_CANDID_CURSOR_H_
#define GPT2IC_CANDID_CURSOR_H_

#include "base/bytes.h"

namespace candid {

// Reads the binary format. A failure sticks: from then on every read gives zero or nothing, so the
// caller checks ok() once per value instead of once per byte. It is small and fast in a canister,
// where a base::Result per LEB128 number would be most of the cost of a message.
class Cursor {
 public:
  explicit Cursor(base::ByteSpan bytes) : bytes_(bytes) {}

  bool ok() const { return !failed_; }
  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }
  void Seek(size_t position) { position_ = position; }

  uint8_t U8() {
    if (remaining() == 0) return Fail();
    return bytes_[position_++];
  }

  base::ByteSpan Take(uint64_t size) {
    if (size > remaining()) return Fail(), base::ByteSpan();
    const base::ByteSpan taken = bytes_.subspan(position_, static_cast<size_t>(size));
    position_ += static_cast<size_t>(size);
    return taken;
  }

  // LEB128 that fits 64 bits; superfluous bytes within ten are accepted.
  uint64_t Uleb() {
    const uint8_t first = U8();
    return first < 0x80 ? first : UlebTail(first);
  }

  // A count of things that take at least `bytes_each` bytes, so that it cannot exceed the input.
  uint32_t Count(uint32_t bytes_each) {
    const uint64_t count = Uleb();
    return count <= remaining() / bytes_each ? static_cast<uint32_t>(count) : Fail();
  }

  // Signed LEB128 that fits 32 bits: a type.
  int32_t Sleb();

  // The bytes of one LEB128 number of any size up to `bytes_max`.
  base::ByteSpan Number(uint32_t bytes_max);

 private:
  uint64_t UlebTail(uint8_t first);
  uint8_t Fail() {
    failed_ = true;
    return 0;
  }

  base::ByteSpan bytes_;
  size_t position_ = 0;
  bool failed_ = false;
};

}  // namespace candid

#endif  // GPT2IC_CANDID_CURSOR_H_
