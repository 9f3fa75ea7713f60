#include "ic/query_verify.h"
#include "ic/signature.h"

namespace ic {

using base::Err;

void SignQueryReply(QueryReply& reply, const RequestId& id, uint64_t timestamp,
                    const SigningKey& node_key) {
  reply.signatures.push_back(
      {timestamp, node_key.Sign(SignedBytes(reply, id, timestamp)), node_key.principal()});
}

base::Result<NodeKeys> NodeKeysOf(const HashTree& tree, const Principal& subnet_id,
                                  const Principal& canister_id) {
  const auto ranges = TRY(CanisterRangesOf(tree, subnet_id, canister_id));
  if (!InRanges(ranges, canister_id)) {
    return Err("canister ", canister_id.ToText(), " is not in the ranges of subnet ",
               subnet_id.ToText());
  }
  HashTree nodes;
  if (tree.Find(SubnetPath(subnet_id, "node"), &nodes) != Lookup::kFound || nodes.has_pruned()) {
    return Err("certificate does not tell all nodes of subnet ", subnet_id.ToText());
  }
  NodeKeys keys;
  for (const base::Bytes& label : nodes.Labels()) {
    const Principal node_id = TRY(PrincipalOf(label, "id of a node"));
    auto key = tree.Value(NodeKeyPath(subnet_id, node_id));
    if (!key) return Err("certificate does not tell the key of node ", node_id.ToText());
    keys[node_id] = *std::move(key);
  }
  return keys;
}

base::Status VerifyQueryReply(const QueryReply& reply, const RequestId& id, const NodeKeys& nodes,
                              uint64_t now_ns, uint64_t age_max_ns) {
  if (reply.signatures.empty() || reply.signatures.size() > nodes.size()) {
    return Err("reply to a query has ", reply.signatures.size(), " signatures, expected 1 to ",
               nodes.size());
  }
  for (const NodeSignature& signature : reply.signatures) {
    const auto node = nodes.find(signature.identity);
    if (node == nodes.end()) {
      return Err("reply to a query is signed by ", signature.identity.ToText(),
                 ", which is no node of the subnet");
    }
    const uint64_t age =
        now_ns > signature.timestamp ? now_ns - signature.timestamp : signature.timestamp - now_ns;
    if (age > age_max_ns) {
      return Err("reply to a query was signed ", age / 1'000'000'000,
                 " s away from now, expected at most ", age_max_ns / 1'000'000'000);
    }
    const PublicKey key = TRY(ParsePublicKey(node->second));
    if (key.scheme != KeyScheme::kEd25519) {
      return Err("key of node ", signature.identity.ToText(), " is ", Name(key.scheme),
                 ", expected Ed25519");
    }
    TRY_STATUS(VerifyBasic(key, SignedBytes(reply, id, signature.timestamp), signature.signature));
  }
  return {};
}

}  // namespace ic
