#ifndef GPT2IC_RUNTIME_CERTIFY_STATE_TREE_H_
#define GPT2IC_RUNTIME_CERTIFY_STATE_TREE_H_

#include "ic/certificate.h"
#include "ic/labeled_level.h"
#include "ic/reply.h"
#include "runtime/certify/network_keys.h"
#include "runtime/state/canister.h"

namespace runtime {

// The state tree of a network of one subnet (docs/ic-protocol.md), kept up to date change by
// change, and its certificates. Cost: a change of one canister or request costs about log2 of their
// number in hashes; the first certificate after a change costs one BLS signature, the
// next ones of the same state only what they reveal.
class StateTree {
 public:
  // `ranges`: the canister ids of this subnet. `type`: "application", "system", "cloud_engine", ...
  StateTree(NetworkKeys keys, std::span<const ic::CanisterRange> ranges, std::string_view type);

  void SetTime(uint64_t time_ns);
  uint64_t time_ns() const { return time_ns_; }

  // certified_data, controllers, module_hash and metadata.
  void SetCanister(const Canister& canister);
  void EraseCanister(const Principal& id);

  void SetRequest(const ic::RequestId& id, const ic::RequestStatus& status);
  void EraseRequest(const ic::RequestId& id);

  // A certificate (CBOR) that tells of `paths`, and /time in any case. Whether they may be read is
  // not asked here.
  base::Bytes Certify(std::vector<ic::Path> paths);
  // What ic0.data_certificate gives a query: /time and the canister's certified data.
  base::Bytes DataCertificate(const Principal& id);

  const ic::HashTree& tree();
  const NetworkKeys& keys() const { return keys_; }

 private:
  NetworkKeys keys_;
  ic::HashTree subnet_, canister_ranges_;  // never change
  ic::LabeledLevel canisters_, requests_;
  uint64_t time_ns_ = 0;

  std::optional<ic::HashTree> tree_;  // of the state as it is; none since the last change
  base::Bytes signature_;             // over it; empty: not asked for yet
  void Changed();
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_CERTIFY_STATE_TREE_H_
