#include "candid/utf8.h"

#include <cstring>

namespace candid {
namespace {

// Bytes of the character that starts at bytes[0], or 0 when it is malformed.
size_t CharacterSize(base::ByteSpan bytes) {
  const uint8_t lead = bytes[0];
  if (lead < 0x80) return 1;
  const size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || bytes.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((bytes[i] & 0xc0) != 0x80) return 0;
  }
  // The second byte rules out overlong forms, surrogates and what is above 0x10ffff.
  const uint8_t second = bytes[1];
  if (lead == 0xe0 && second < 0xa0) return 0;
  if (lead == 0xed && second >= 0xa0) return 0;
  if (lead == 0xf0 && second < 0x90) return 0;
  if (lead == 0xf4 && second >= 0x90) return 0;
  return size;
}

}  // namespace

bool IsUtf8(base::ByteSpan bytes) {
  while (!bytes.empty()) {
    while (bytes.size() >= 8) {  // eight ASCII characters at a time
      uint64_t word;
      std::memcpy(&word, bytes.data(), 8);
      if ((word & 0x8080808080808080u) != 0) break;
      bytes = bytes.subspan(8);
    }
    if (bytes.empty()) return true;
    const size_t size = CharacterSize(bytes);
    if (size == 0) return false;
    bytes = bytes.subspan(size);
  }
  return true;
}

bool AppendUtf8(std::string& out, uint32_t scalar) {
  if (scalar > 0x10ffff || (scalar >= 0xd800 && scalar < 0xe000)) return false;
  const auto tail = [&](unsigned shift) {
    out.push_back(static_cast<char>(0x80 | ((scalar >> shift) & 0x3f)));
  };
  if (scalar < 0x80) {
    out.push_back(static_cast<char>(scalar));
  } else if (scalar < 0x800) {
    out.push_back(static_cast<char>(0xc0 | (scalar >> 6)));
    tail(0);
  } else if (scalar < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | (scalar >> 12)));
    tail(6), tail(0);
  } else {
    out.push_back(static_cast<char>(0xf0 | (scalar >> 18)));
    tail(12), tail(6), tail(0);
  }
  return true;
}

}  // namespace candid
