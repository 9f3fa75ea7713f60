#include "candid/principal.h"

#include <algorithm>

namespace candid {
namespace {

constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";  // RFC 4648, lower case

// CRC-32 of ISO 3309 bit by bit: principals are short and a table would be 1 KiB of canister.
uint32_t Crc32(base::ByteSpan bytes) {
  uint32_t crc = ~0u;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1)));
  }
  return ~crc;
}

}  // namespace

base::Result<Principal> Principal::FromBytes(base::ByteSpan bytes) {
  if (bytes.size() > kBytesMax) {
    return base::Err("principal has ", bytes.size(), " bytes, expected at most ", kBytesMax);
  }
  Principal principal;
  principal.size_ = static_cast<uint8_t>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), principal.bytes_.begin());
  return principal;
}

std::string PrincipalText(base::ByteSpan bytes) {
  const uint32_t crc = Crc32(bytes);
  base::Bytes all = {static_cast<uint8_t>(crc >> 24), static_cast<uint8_t>(crc >> 16),
                     static_cast<uint8_t>(crc >> 8), static_cast<uint8_t>(crc)};
  base::Append(all, bytes);
  std::string text;
  uint32_t window = 0;
  int bits = 0;
  const auto emit = [&](uint32_t digit) {
    if (text.size() % 6 == 5) text.push_back('-');
    text.push_back(kBase32[digit & 31]);
  };
  for (const uint8_t byte : all) {
    window = (window << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) emit(window >> (bits - 5));
  }
  if (bits > 0) emit(window << (5 - bits));
  return text;
}

std::string Principal::ToText() const { return PrincipalText(bytes()); }

base::Result<Principal> Principal::FromText(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return base::Err("principal \"", base::Printable(text, 80), "\" ", why);
  };
  if (text.size() > 63) return refuse("is too long, expected at most 63 characters");
  uint8_t raw[kBytesMax + 4 + 1];
  size_t size = 0;
  uint32_t window = 0;
  int bits = 0;
  for (const char c : text) {
    if (c == '-') continue;
    const size_t digit = kBase32.find(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
    if (digit == std::string_view::npos) return refuse("is not base32");
    window = (window << 5) | static_cast<uint32_t>(digit);
    if ((bits += 5) >= 8) {
      if (size >= kBytesMax + 4) return refuse("is too long");
      raw[size++] = static_cast<uint8_t>(window >> (bits -= 8));
    }
  }
  if (size < 4) return refuse("is too short");
  const Principal principal = TRY(FromBytes({raw + 4, size - 4}));
  // Comparing the whole text checks the checksum, the groups, the case and the padding bits at
  // once.
  if (principal.ToText() != text) return refuse("has a wrong checksum or form");
  return principal;
}

}  // namespace candid
