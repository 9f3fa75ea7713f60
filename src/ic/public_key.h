#ifndef GPT2IC_IC_PUBLIC_KEY_H_
#define GPT2IC_IC_PUBLIC_KEY_H_

#include <string_view>

#include "base/bytes.h"

namespace ic {

enum class KeyScheme { kEd25519, kP256, kSecp256k1, kBls, kWebAuthn, kCanister };

// The contents of a DER public key (SubjectPublicKeyInfo).
struct PublicKey {
  KeyScheme scheme = KeyScheme::kEd25519;
  // Ed25519: 32 bytes. ECDSA: the uncompressed point, 65 bytes. BLS: 96 bytes. WebAuthn: the COSE
  // key. Canister signatures: length of the canister's id, the id, the seed.
  base::Bytes raw;
};

// Reads the DER forms of the interface specification, each in its one canonical encoding, as the
// IC does (a compressed point is refused, for one). Whether a point is on its curve shows only when
// the key is used. Other keys are an Error.
base::Result<PublicKey> ParsePublicKey(base::ByteSpan der);
base::Bytes EncodePublicKey(const PublicKey& key);

// The name of the IC's algorithm id, for error texts: "Ed25519", "EcdsaP256", ...
std::string_view Name(KeyScheme scheme);

// The two parts of a canister signature's key.
struct CanisterKey {
  base::Bytes canister_id;
  base::Bytes seed;
};
base::Result<CanisterKey> ParseCanisterKey(base::ByteSpan raw);

}  // namespace ic

#endif  // GPT2IC_IC_PUBLIC_KEY_H_
