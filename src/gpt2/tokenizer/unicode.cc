#include "gpt2/tokenizer/unicode.h"

#include <array>

namespace gpt2 {
namespace {

bool InRanges(const CodePointRange* ranges, size_t count, uint32_t c) {
  size_t low = 0, high = count;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (ranges[middle].last < c) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < count && ranges[low].first <= c;
}

// Property White_Space of Unicode 15.
bool IsSpace(uint32_t c) {
  return (c >= 0x9 && c <= 0xd) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

CharClass Classify(uint32_t c) {
  if (IsSpace(c)) return CharClass::kSpace;
  if (InRanges(kLetterRanges, kLetterRangesCount, c)) return CharClass::kLetter;
  if (InRanges(kNumberRanges, kNumberRangesCount, c)) return CharClass::kNumber;
  return CharClass::kOther;
}

constexpr std::array<CharClass, 128> kAscii = [] {
  std::array<CharClass, 128> table{};
  for (uint32_t c = 0; c < 128; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool space = (c >= 0x9 && c <= 0xd) || c == ' ';
    table[c] = letter                 ? CharClass::kLetter
               : space                ? CharClass::kSpace
               : c >= '0' && c <= '9' ? CharClass::kNumber
                                      : CharClass::kOther;
  }
  return table;
}();

// Length of the sequence that a lead byte announces, and the bounds of its second byte, which rule
// out overlong forms, surrogates and what lies beyond U+10FFFF. Size 0: no lead byte.
struct Lead {
  uint8_t size, second_min, second_max;
};
Lead LeadOf(uint8_t byte) {
  if (byte >= 0xc2 && byte <= 0xdf) return {2, 0x80, 0xbf};
  if (byte == 0xe0) return {3, 0xa0, 0xbf};
  if (byte == 0xed) return {3, 0x80, 0x9f};
  if (byte >= 0xe1 && byte <= 0xef) return {3, 0x80, 0xbf};
  if (byte == 0xf0) return {4, 0x90, 0xbf};
  if (byte >= 0xf1 && byte <= 0xf3) return {4, 0x80, 0xbf};
  if (byte == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

}  // namespace

CharClass ClassOf(uint32_t code_point) {
  return code_point < 128 ? kAscii[code_point] : Classify(code_point);
}

Utf8Step DecodeUtf8(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[at + i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return {first, 1, true};
  const Lead lead = LeadOf(first);
  if (lead.size == 0) return {0xfffd, 1, false};
  uint32_t code_point = first & (0x7fu >> lead.size);
  for (uint32_t i = 1; i < lead.size; ++i) {
    const uint8_t min = i == 1 ? lead.second_min : 0x80, max = i == 1 ? lead.second_max : 0xbf;
    if (at + i >= text.size() || byte(i) < min || byte(i) > max) return {0xfffd, i, false};
    code_point = code_point << 6 | (byte(i) & 0x3f);
  }
  return {code_point, lead.size, true};
}

void AppendUtf8(std::string& out, uint32_t c) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3f)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += {static_cast<char>(0xc0 | c >> 6), tail(0)};
  } else if (c < 0x10000) {
    out += {static_cast<char>(0xe0 | c >> 12), tail(6), tail(0)};
  } else {
    out += {static_cast<char>(0xf0 | c >> 18), tail(12), tail(6), tail(0)};
  }
}

std::string ReplaceIllFormed(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = DecodeUtf8(text, at);
    if (step.valid) {
      out.append(text.substr(at, step.size));
    } else {
      AppendUtf8(out, 0xfffd);
    }
    at += step.size;
  }
  return out;
}

}  // namespace gpt2
