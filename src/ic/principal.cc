#include "ic/principal.h"

#include <algorithm>

#include "base/check.h"
#include "base/sha256.h"

namespace ic {
namespace {

Principal Known(base::ByteSpan bytes) {
  auto principal = Principal::FromBytes(bytes);
  CHECK(principal);
  return *principal;
}

}  // namespace

Principal SelfAuthenticating(base::ByteSpan public_key_der) {
  const auto digest = base::Sha224Of(public_key_der);
  base::Bytes bytes(digest.begin(), digest.end());
  bytes.push_back(2);
  return Known(bytes);
}

Principal Anonymous() {
  static constexpr uint8_t kAnonymous[] = {4};
  return Known(kAnonymous);
}

bool BytesLess(const Principal& a, const Principal& b) {
  return std::ranges::lexicographical_compare(a.bytes(), b.bytes());
}

base::Result<Principal> PrincipalOf(base::ByteSpan bytes, std::string_view what) {
  if (bytes.size() > Principal::kBytesMax) {
    return base::Err(what, " has ", bytes.size(), " bytes, expected a principal of at most ",
                     Principal::kBytesMax);
  }
  return Principal::FromBytes(bytes);
}

}  // namespace ic
