#ifndef GPT2IC_IC_ENVELOPE_H_
#define GPT2IC_IC_ENVELOPE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "ic/principal.h"
#include "ic/request_id.h"

// What a client posts: a call, a query or a read_state, with its signature. The names are those of
// the interface specification.
namespace ic {

enum class RequestType { kCall, kQuery, kReadState };

inline constexpr size_t kNonceBytesMax = 32;
inline constexpr size_t kPathsMax = 1000;
inline constexpr size_t kPathLabelsMax = 127;
inline constexpr size_t kDelegationsMax = 20;
inline constexpr size_t kDelegationTargetsMax = 1000;
inline constexpr size_t kIngressBytesMax = 2 << 20;  // the body of a request

using Path = std::vector<base::Bytes>;  // labels

struct SenderInfo {
  base::Bytes info;
  Principal signer;
  base::Bytes sig;
};

struct Content {
  RequestType request_type = RequestType::kCall;
  std::optional<base::Bytes> nonce;
  uint64_t ingress_expiry = 0;  // ns since 1970
  Principal sender;
  std::optional<SenderInfo> sender_info;
  // call and query
  Principal canister_id;
  std::string method_name;
  base::Bytes arg;
  // read_state
  std::vector<Path> paths;
};

struct Delegation {
  base::Bytes pubkey;       // DER
  uint64_t expiration = 0;  // ns since 1970
  std::optional<std::vector<Principal>> targets;
  std::optional<std::string> permissions;  // "queries" or "all"
};

struct SignedDelegation {
  Delegation delegation;
  base::Bytes signature;
};

struct Envelope {
  Content content;
  std::optional<base::Bytes> sender_pubkey;  // DER
  std::optional<base::Bytes> sender_sig;
  std::optional<std::vector<SignedDelegation>> sender_delegation;
};

// Reads a body of the given type. Shape and types only; what the IC refuses with a text of its own
// (sizes of nonce, paths and delegations, expiry, signatures) is Authenticate's (authenticate.h).
// Fields that are unknown, missing, twice there or of another type are an Error. The server bounds
// the body (kIngressBytesMax).
base::Result<Envelope> ParseEnvelope(base::ByteSpan body, RequestType expected);
// Self-described CBOR.
base::Bytes EncodeEnvelope(const Envelope& envelope);

RequestId RequestIdOf(const Content& content);
Sha256Digest HashOf(const Delegation& delegation);

// What the sender signs for a request, and what a delegating key signs.
base::Bytes SignedBytes(const RequestId& id);
base::Bytes SignedBytes(const Delegation& delegation);

std::string_view Name(RequestType type);  // "call", "query", "read_state"

}  // namespace ic

#endif  // GPT2IC_IC_ENVELOPE_H_
