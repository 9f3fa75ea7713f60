#ifndef GPT2IC_IC_QUERY_VERIFY_H_
#define GPT2IC_IC_QUERY_VERIFY_H_

#include <map>

#include "ic/reply.h"
#include "ic/signing_key.h"

// Queries signed by nodes, natively only.
namespace ic {

// A node's signature over a reply, put behind those that it has.
void SignQueryReply(QueryReply& reply, const RequestId& id, uint64_t timestamp,
                    const SigningKey& node_key);

// The nodes of a subnet: id and DER key (Ed25519).
using NodeKeys = std::map<Principal, base::Bytes>;

// The node keys below /subnet/<subnet>/node of a verified certificate, which must tell all of them,
// and must put `canister_id` into the subnet's ranges.
base::Result<NodeKeys> NodeKeysOf(const HashTree& tree, const Principal& subnet_id,
                                  const Principal& canister_id);

// Whether a reply carries at least one signature and not more than nodes, each by a known node,
// each valid and no more than `age_max_ns` away from `now_ns`.
base::Status VerifyQueryReply(const QueryReply& reply, const RequestId& id, const NodeKeys& nodes,
                              uint64_t now_ns, uint64_t age_max_ns);

}  // namespace ic

#endif  // GPT2IC_IC_QUERY_VERIFY_H_
