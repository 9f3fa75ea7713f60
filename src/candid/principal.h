#ifndef GPT2IC_CANDID_PRINCIPAL_H_
#define GPT2IC_CANDID_PRINCIPAL_H_

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace candid {

// The identity of a canister or a user: at most 29 bytes. A plain value, so that it can be a key.
// The default is the management canister, aaaaa-aa.
class Principal {
 public:
  static constexpr size_t kBytesMax = 29;

  Principal() = default;
  static base::Result<Principal> FromBytes(base::ByteSpan bytes);
  // The text form of the interface specification: lower case, groups of five, checksum verified.
  static base::Result<Principal> FromText(std::string_view text);

  base::ByteSpan bytes() const { return {bytes_.data(), size_}; }
  std::string ToText() const;

  auto operator<=>(const Principal&) const = default;

 private:
  uint8_t size_ = 0;
  std::array<uint8_t, kBytesMax> bytes_ = {};  // zeros behind size_
};

// The text form of any bytes, as for Principal::ToText. Raw bytes longer than a principal are
// printed too: a decoder's caller may want to show what it refused.
std::string PrincipalText(base::ByteSpan bytes);

}  // namespace candid

#endif  // GPT2IC_CANDID_PRINCIPAL_H_
