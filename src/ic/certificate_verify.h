#ifndef GPT2IC_IC_CERTIFICATE_VERIFY_H_
#define GPT2IC_IC_CERTIFICATE_VERIFY_H_

#include "ic/certificate.h"
#include "ic/signature.h"

// Certificates made and checked, natively only (blst).
namespace ic {

inline constexpr uint64_t kCertificateOffsetMax = 300'000'000'000;  // ns: 5 minutes

// `tree` (a witness of the state tree, or all of it) with the subnet's signature over its root.
Certificate SignCertificate(const BlsKey& key, HashTree tree);

// Checks the signature under the root key, over at most one delegation, whose subnet must hold
// `canister_id` (the management canister's, which is the default Principal, is held by all). No
// other rule is checked without a delegation. Cost: one VerifyBls a signature.
base::Status VerifyCertificate(const Certificate& certificate, base::ByteSpan root_key_der,
                               const Principal& canister_id);

// /time within `offset_max_ns` of `now_ns`, in either direction.
base::Status CheckCertificateTime(const HashTree& tree, uint64_t now_ns,
                                  uint64_t offset_max_ns = kCertificateOffsetMax);

}  // namespace ic

#endif  // GPT2IC_IC_CERTIFICATE_VERIFY_H_
