#ifndef GPT2IC_IC_REQUEST_ID_H_
#define GPT2IC_IC_REQUEST_ID_H_

#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/sha256.h"

// The representation-independent hash of the interface specification: of what a message says, not
// of how it is encoded. Request ids, delegations, node signatures and HTTP certification use it.
namespace ic {

using base::Sha256Digest;
using RequestId = Sha256Digest;

// Hash of a map, field by field in any order. A name may come twice (HTTP headers do).
class MapHash {
 public:
  MapHash& Blob(std::string_view name, base::ByteSpan value);
  MapHash& Text(std::string_view name, std::string_view value);
  MapHash& Nat(std::string_view name, uint64_t value);
  // A nested map or array, by its own hash.
  MapHash& Digest(std::string_view name, const Sha256Digest& value);

  Sha256Digest Finish() const;

 private:
  std::vector<std::array<uint8_t, 64>> fields_;
};

// Hash of an array, from the hashes of its elements.
Sha256Digest HashOfArray(std::span<const Sha256Digest> elements);

// What is signed: the domain with its length in front, and the payload.
base::Bytes WithDomain(std::string_view domain, base::ByteSpan payload);

inline constexpr std::string_view kRequestDomain = "ic-request";
inline constexpr std::string_view kDelegationDomain = "ic-request-auth-delegation";
inline constexpr std::string_view kSenderInfoDomain = "ic-sender-info";
inline constexpr std::string_view kStateRootDomain = "ic-state-root";
inline constexpr std::string_view kResponseDomain = "ic-response";

}  // namespace ic

#endif  // GPT2IC_IC_REQUEST_ID_H_
