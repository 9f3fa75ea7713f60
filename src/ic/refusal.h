#ifndef GPT2IC_IC_REFUSAL_H_
#define GPT2IC_IC_REFUSAL_H_

#include <cstdint>
#include <expected>
#include <string>

#include "base/result.h"

namespace ic {

// The IC's answer to a request that it does not take in: an HTTP status, and a plain text that
// users and some clients read. Texts as in dfinity/ic (rs/validator, rs/http_endpoints/public).
struct Refusal {
  uint16_t status = 400;
  std::string text;
};

template <class T>
using OrRefusal = std::expected<T, Refusal>;

template <class... Parts>
std::unexpected<Refusal> Refuse(uint16_t status, const Parts&... parts) {
  return std::unexpected(Refusal{status, base::StrCat(parts...)});
}

// For a body that ParseEnvelope does not read.
inline Refusal MalformedBody(const base::Error& error) {
  return {400, base::StrCat("Failed to deserialize cbor request: ", error.message)};
}

// ns since 1970 as "2025-05-01 23:55:18.005285297 UTC".
std::string UtcText(uint64_t ns);

}  // namespace ic

#endif  // GPT2IC_IC_REFUSAL_H_
