#ifndef GPT2IC_IC_SIGNATURE_H_
#define GPT2IC_IC_SIGNATURE_H_

#include <array>

#include "base/bytes.h"
#include "ic/public_key.h"

// Signatures, natively only (OpenSSL, blst).
namespace ic {

// Whether `signature` is `key`'s over `message`: Ed25519 (64 bytes), or ECDSA over SHA-256 as r and
// s of 32 bytes each. A high s is accepted, as the IC accepts it (dfinity/ic,
// rs/crypto/internal/crypto_lib/basic_sig/ecdsa_secp256k1/src/api.rs). Cost: less than VerifyBls;
// secp256k1, for which OpenSSL has no code of its own, is the dearest.
base::Status VerifyBasic(const PublicKey& key, base::ByteSpan message, base::ByteSpan signature);

// BLS12-381 with the signature in G1 and the key in G2, as certificates are signed. Groups and
// infinity are checked. Cost: two pairings, the dearest check here.
base::Status VerifyBls(base::ByteSpan public_key_der, base::ByteSpan message,
                       base::ByteSpan signature);

// A canister signature: a certificate for the canister's certified data, and a tree with that root
// that has an empty leaf at sig/SHA-256(seed)/SHA-256(message). The certificate's age is not
// checked: the signature has no expiry of its own.
base::Status VerifyCanisterSignature(const PublicKey& key, base::ByteSpan message,
                                     base::ByteSpan signature, base::ByteSpan root_key_der);

// The secret key of a subnet.
class BlsKey {
 public:
  // Derived from at least 32 bytes of seed by the standard's KeyGen: the same key every time.
  static base::Result<BlsKey> FromSeed(base::ByteSpan seed);
  // 32 bytes, big-endian, neither 0 nor above the group's order.
  static base::Result<BlsKey> FromSecret(base::ByteSpan secret);

  const base::Bytes& public_key_der() const { return public_key_der_; }
  base::Bytes Sign(base::ByteSpan message) const;  // 48 bytes; deterministic

 private:
  BlsKey() = default;
  std::array<uint8_t, 32> secret_ = {};  // little-endian, as blst keeps scalars
  base::Bytes public_key_der_;
};

}  // namespace ic

#endif  // GPT2IC_IC_SIGNATURE_H_
