#ifndef GPT2IC_IC_CERTIFICATE_H_
#define GPT2IC_IC_CERTIFICATE_H_

#include <optional>
#include <vector>

#include "ic/hash_tree.h"
#include "ic/principal.h"

namespace ic {

// A subnet's key, vouched for by the root subnet.
struct CertificateDelegation {
  Principal subnet_id;
  base::Bytes certificate;  // CBOR
};

// Part of the state tree, signed by a subnet.
struct Certificate {
  HashTree tree;
  base::Bytes signature;  // BLS, 48 bytes
  std::optional<CertificateDelegation> delegation;
};

base::Result<Certificate> ParseCertificate(base::ByteSpan cbor);
base::Bytes EncodeCertificate(const Certificate& certificate);

// What a subnet signs: the root hash in the domain "ic-state-root".
base::Bytes SignedBytes(const HashTree& tree);

// The leaf /time, ns since 1970.
base::Result<uint64_t> TimeOf(const HashTree& tree);

// Canister ids from `first` to `last`, both included, by their bytes.
struct CanisterRange {
  Principal first;
  Principal last;
};
base::Bytes EncodeCanisterRanges(std::span<const CanisterRange> ranges);
base::Result<std::vector<CanisterRange>> ParseCanisterRanges(base::ByteSpan cbor);
bool InRanges(std::span<const CanisterRange> ranges, const Principal& canister_id);

// The ranges that `tree` gives a subnet for `canister_id`: of /canister_ranges/<subnet>/<first id>
// the shard with the greatest first id not above it, else /subnet/<subnet>/canister_ranges.
base::Result<std::vector<CanisterRange>> CanisterRangesOf(const HashTree& tree,
                                                          const Principal& subnet_id,
                                                          const Principal& canister_id);

// The lists of principals and the numbers of the state tree.
base::Bytes EncodePrincipals(std::span<const Principal> principals);  // controllers
base::Result<std::vector<Principal>> ParsePrincipals(base::ByteSpan cbor);
base::Bytes EncodeLeb(uint64_t value);  // time, reject_code
base::Result<uint64_t> ParseLeb(base::ByteSpan bytes, std::string_view what);

// Paths of the state tree.
Path SubnetPath(const Principal& subnet_id, std::string_view field);
Path NodeKeyPath(const Principal& subnet_id, const Principal& node_id);
Path CanisterRangesPath(const Principal& subnet_id, const Principal& first);
Path CanisterPath(const Principal& canister_id, std::string_view field);
Path MetadataPath(const Principal& canister_id, std::string_view name);
Path RequestStatusPath(const RequestId& id);
Path RequestStatusPath(const RequestId& id, std::string_view field);

}  // namespace ic

#endif  // GPT2IC_IC_CERTIFICATE_H_
