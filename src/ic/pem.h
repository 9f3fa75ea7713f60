#ifndef GPT2IC_IC_PEM_H_
#define GPT2IC_IC_PEM_H_

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "ic/public_key.h"

namespace ic {

// A secret key as it stands in a PEM file.
struct SecretKey {
  KeyScheme scheme = KeyScheme::kEd25519;  // Ed25519, P-256 or secp256k1
  base::Bytes secret;                      // 32 bytes
  base::Bytes public_raw;                  // as PublicKey::raw; empty if the file has none
};

// Reads what icp, dfx and OpenSSL write: PKCS#8 of version 1 or 2 ("PRIVATE KEY"), SEC1 ("EC
// PRIVATE KEY", a block "EC PARAMETERS" may stand before it). Encrypted files are an Error.
base::Result<SecretKey> ParsePem(std::string_view pem);

// Ed25519 as PKCS#8 of version 1, the others as SEC1: what icp, dfx and OpenSSL all read.
std::string ToPem(const SecretKey& key);

}  // namespace ic

#endif  // GPT2IC_IC_PEM_H_
