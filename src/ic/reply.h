#ifndef GPT2IC_IC_REPLY_H_
#define GPT2IC_IC_REPLY_H_

#include <optional>
#include <string>
#include <vector>

#include "ic/certificate.h"

// The bodies that the network answers with. All are self-described CBOR; fields that a reader does
// not know are left alone, since the network may be newer.
namespace ic {

// GET status.
struct StatusReply {
  base::Bytes root_key;               // DER
  std::string replica_health_status;  // "healthy"
  std::string impl_version;
};
base::Bytes EncodeStatusReply(const StatusReply& reply);
base::Result<StatusReply> ParseStatusReply(base::ByteSpan cbor);

struct Reject {
  uint64_t reject_code = 0;  // 1..5
  // Sent and hashed as UTF-8: what is none is replaced by U+FFFD.
  std::string reject_message;
  std::optional<std::string> error_code;  // "IC0503"
};

// POST call, v3 and v4, with status 200: a certificate that tells the outcome, or a rejection
// before the request was processed. (Status 202 has no body.) v2 knows the rejection only, without
// its `status`.
struct CallReply {
  std::optional<base::Bytes> certificate;
  std::optional<Reject> rejection;
};
enum class CallVersion { kV2, kV3 };
base::Bytes EncodeCallReply(const CallReply& reply, CallVersion version = CallVersion::kV3);
base::Result<CallReply> ParseCallReply(base::ByteSpan cbor);

// POST read_state.
base::Bytes EncodeReadStateReply(base::ByteSpan certificate);
base::Result<base::Bytes> ParseReadStateReply(base::ByteSpan cbor);

// POST query.
struct NodeSignature {
  uint64_t timestamp = 0;  // ns since 1970
  base::Bytes signature;   // Ed25519
  Principal identity;      // of the node
};
struct QueryReply {
  std::optional<base::Bytes> arg;  // replied
  std::optional<Reject> reject;    // else
  std::vector<NodeSignature> signatures;
};
base::Bytes EncodeQueryReply(const QueryReply& reply);
base::Result<QueryReply> ParseQueryReply(base::ByteSpan cbor);

// What a node signs of a reply.
Sha256Digest HashOf(const QueryReply& reply, const RequestId& id, uint64_t timestamp);
base::Bytes SignedBytes(const QueryReply& reply, const RequestId& id, uint64_t timestamp);

// What a certificate tells of a request.
struct RequestStatus {
  // "received", "processing", "replied", "rejected", "done"; empty: the network does not know it.
  std::string status;
  base::Bytes reply;
  Reject reject;
};
// An Error if the certificate leaves it open.
base::Result<RequestStatus> RequestStatusOf(const HashTree& tree, const RequestId& id);

// The subtree below /request_status/<id>.
HashTree RequestStatusTree(const RequestStatus& status);

}  // namespace ic

#endif  // GPT2IC_IC_REPLY_H_
