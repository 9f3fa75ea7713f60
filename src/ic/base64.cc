#include "ic/base64.h"

namespace ic {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int DigitValue(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

}  // namespace

std::string ToBase64(base::ByteSpan bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t left = bytes.size() - i;
    const uint32_t group = static_cast<uint32_t>(bytes[i]) << 16 |
                           (left > 1 ? static_cast<uint32_t>(bytes[i + 1]) << 8 : 0) |
                           (left > 2 ? bytes[i + 2] : 0);
    out.push_back(kDigits[group >> 18]);
    out.push_back(kDigits[group >> 12 & 63]);
    out.push_back(left > 1 ? kDigits[group >> 6 & 63] : '=');
    out.push_back(left > 2 ? kDigits[group & 63] : '=');
  }
  return out;
}

base::Result<base::Bytes> FromBase64(std::string_view text) {
  const size_t length = text.size();
  for (int i = 0; i < 2 && length % 4 == 0 && text.ends_with('='); ++i) text.remove_suffix(1);
  base::Bytes out;
  out.reserve(text.size() * 3 / 4);
  uint32_t window = 0;
  int bits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const int digit = DigitValue(text[i]);
    if (digit < 0) {
      return base::Err("base64 has '", base::Printable(text.substr(i, 1)), "' at ", i);
    }
    window = window << 6 | static_cast<uint32_t>(digit);
    if ((bits += 6) >= 8) {
      bits -= 8;
      out.push_back(static_cast<uint8_t>(window >> bits));
      window &= (1u << bits) - 1;
    }
  }
  if (bits == 6 || window != 0) return base::Err("base64 of ", length, " digits is cut off");
  return out;
}

}  // namespace ic
