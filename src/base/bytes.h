#ifndef GPT2IC_BASE_BYTES_H_
#define GPT2IC_BASE_BYTES_H_

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"

namespace base {

using Bytes = std::vector<uint8_t>;
using ByteSpan = std::span<const uint8_t>;

inline ByteSpan AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view AsText(ByteSpan bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Reads a byte string from front to back. Every read is checked; a short one is an Error that names
// the position. Numbers are little-endian.
class ByteReader {
 public:
  explicit ByteReader(ByteSpan bytes) : bytes_(bytes) {}

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }
  bool empty() const { return remaining() == 0; }

  // The next `size` bytes, which stay owned by the input.
  Result<ByteSpan> Take(uint64_t size) {
    if (size > remaining()) {
      return Err("input ends at byte ", bytes_.size(), ", expected ", size, " more at byte ",
                 position_);
    }
    const ByteSpan taken = bytes_.subspan(position_, static_cast<size_t>(size));
    position_ += static_cast<size_t>(size);
    return taken;
  }

  Result<uint8_t> U8() {
    if (empty()) return Err("input ends at byte ", position_, ", expected one more");
    return bytes_[position_++];
  }

  // The next byte without taking it; `otherwise` at the end.
  uint8_t Peek(uint8_t otherwise) const { return empty() ? otherwise : bytes_[position_]; }

  template <class T>
  Result<T> Fixed() {
    static_assert(std::is_trivially_copyable_v<T>);
    const ByteSpan raw = TRY(Take(sizeof(T)));
    T value;
    std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }

 private:
  ByteSpan bytes_;
  size_t position_ = 0;
};

inline void Append(Bytes& out, ByteSpan bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}
inline void Append(Bytes& out, std::string_view text) { Append(out, AsBytes(text)); }

// Appends a number little-endian, as it lies in memory on every machine this project knows.
template <class T>
  requires(std::is_arithmetic_v<T>)
void AppendFixed(Bytes& out, T value) {
  uint8_t raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  out.insert(out.end(), raw, raw + sizeof(T));
}

}  // namespace base

#endif  // GPT2IC_BASE_BYTES_H_
