#include "base/str_cat.h"

namespace base {

void AppendTo(std::string& out, std::string_view text) { out.append(text); }

void AppendTo(std::string& out, uint64_t value) {
  char digits[20];
  size_t n = 0;
  do {
    digits[n++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (n > 0) out.push_back(digits[--n]);
}

void AppendTo(std::string& out, int64_t value) {
  if (value < 0) out.push_back('-');
  AppendTo(out, value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value));
}

std::string Printable(std::string_view text, size_t bytes_max) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (size_t i = 0; i < text.size() && i < bytes_max; ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x7f) {
      out.push_back(text[i]);
    } else {
      out += {'\\', kHex[c >> 4], kHex[c & 15]};
    }
  }
  if (text.size() > bytes_max) out += "...";
  return out;
}

}  // namespace base
