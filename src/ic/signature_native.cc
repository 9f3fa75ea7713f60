#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/check.h"
#include "ic/openssl.h"
#include "ic/signature.h"

namespace ic {
namespace {

using base::Err;

constexpr size_t kSignatureBytes = 64;

EvpKeyPtr OpensslKey(const PublicKey& key) {
  if (key.scheme == KeyScheme::kEd25519) {
    return EvpKeyPtr(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.raw.data(), key.raw.size()));
  }
  const base::Bytes der = EncodePublicKey(key);
  const uint8_t* at = der.data();
  return EvpKeyPtr(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
}

// r and s as the ASN.1 that OpenSSL reads. Empty when out of memory.
base::Bytes EcdsaDer(base::ByteSpan signature) {
  const EcdsaSignaturePtr parts(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(signature.data(), 32, nullptr);
  BIGNUM* s = BN_bin2bn(signature.data() + 32, 32, nullptr);
  CHECK(parts && r != nullptr && s != nullptr);
  CHECK(ECDSA_SIG_set0(parts.get(), r, s) == 1);
  const int size = i2d_ECDSA_SIG(parts.get(), nullptr);
  CHECK(size > 0);
  base::Bytes der(static_cast<size_t>(size));
  uint8_t* at = der.data();
  i2d_ECDSA_SIG(parts.get(), &at);
  return der;
}

}  // namespace

base::Status VerifyBasic(const PublicKey& key, base::ByteSpan message, base::ByteSpan signature) {
  const bool ed25519 = key.scheme == KeyScheme::kEd25519;
  CHECK(ed25519 || key.scheme == KeyScheme::kP256 || key.scheme == KeyScheme::kSecp256k1);
  if (signature.size() != kSignatureBytes) {
    return Err("signature has ", signature.size(), " bytes, expected ", kSignatureBytes);
  }
  const EvpKeyPtr openssl_key = OpensslKey(key);
  if (!openssl_key) {
    ERR_clear_error();
    return Err("public key is no point of the curve");
  }
  const EvpDigestContextPtr context(EVP_MD_CTX_new());
  CHECK(context);
  const EVP_MD* digest = ed25519 ? nullptr : EVP_sha256();
  CHECK(EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, openssl_key.get()) == 1);
  const base::Bytes encoded =
      ed25519 ? base::Bytes(signature.begin(), signature.end()) : EcdsaDer(signature);
  const int verdict = EVP_DigestVerify(context.get(), encoded.data(), encoded.size(),
                                       message.data(), message.size());
  ERR_clear_error();
  if (verdict != 1) return Err("verification failed");
  return {};
}

}  // namespace ic
