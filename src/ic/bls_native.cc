#include <blst.h>

#include <algorithm>

#include "ic/signature.h"

namespace ic {
namespace {

using base::Err;

// The suite of the basic scheme, which is the domain of hash_to_curve.
constexpr std::string_view kSuite = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";

blst_p1 HashToG1(base::ByteSpan message) {
  blst_p1 point;
  const base::ByteSpan dst = base::AsBytes(kSuite);
  blst_hash_to_g1(&point, message.data(), message.size(), dst.data(), dst.size(), nullptr, 0);
  return point;
}

base::Bytes PublicKeyOf(const blst_scalar& secret) {
  blst_p2 point;
  blst_sk_to_pk_in_g2(&point, &secret);
  PublicKey key{KeyScheme::kBls, base::Bytes(96)};
  blst_p2_compress(key.raw.data(), &point);
  return EncodePublicKey(key);
}

}  // namespace

base::Status VerifyBls(base::ByteSpan public_key_der, base::ByteSpan message,
                       base::ByteSpan signature) {
  const PublicKey key = TRY(ParsePublicKey(public_key_der));
  if (key.scheme != KeyScheme::kBls) {
    return Err("key of a certificate is ", Name(key.scheme), ", expected BLS12-381");
  }
  if (signature.size() != 48) {
    return Err("BLS signature has ", signature.size(), " bytes, expected 48");
  }
  blst_p2_affine public_point;
  if (blst_p2_uncompress(&public_point, key.raw.data()) != BLST_SUCCESS ||
      blst_p2_affine_is_inf(&public_point) || !blst_p2_affine_in_g2(&public_point)) {
    return Err("BLS public key is no point of the group");
  }
  blst_p1_affine point;
  if (blst_p1_uncompress(&point, signature.data()) != BLST_SUCCESS ||
      blst_p1_affine_is_inf(&point) || !blst_p1_affine_in_g1(&point)) {
    return Err("BLS signature is no point of the group");
  }
  const base::ByteSpan dst = base::AsBytes(kSuite);
  const BLST_ERROR error =
      blst_core_verify_pk_in_g2(&public_point, &point, /*hash_or_encode=*/true, message.data(),
                                message.size(), dst.data(), dst.size(), nullptr, 0);
  if (error != BLST_SUCCESS) return Err("BLS signature does not verify");
  return {};
}

base::Result<BlsKey> BlsKey::FromSeed(base::ByteSpan seed) {
  if (seed.size() < 32) return Err("BLS seed has ", seed.size(), " bytes, expected 32 or more");
  blst_scalar secret;
  blst_keygen(&secret, seed.data(), seed.size(), nullptr, 0);
  BlsKey key;
  std::ranges::copy(secret.b, key.secret_.begin());
  key.public_key_der_ = PublicKeyOf(secret);
  return key;
}

base::Result<BlsKey> BlsKey::FromSecret(base::ByteSpan secret) {
  if (secret.size() != 32) return Err("BLS secret has ", secret.size(), " bytes, expected 32");
  blst_scalar scalar;
  blst_scalar_from_bendian(&scalar, secret.data());
  if (!blst_sk_check(&scalar)) return Err("BLS secret is 0 or not below the group's order");
  BlsKey key;
  std::ranges::copy(scalar.b, key.secret_.begin());
  key.public_key_der_ = PublicKeyOf(scalar);
  return key;
}

base::Bytes BlsKey::Sign(base::ByteSpan message) const {
  blst_scalar secret;
  std::ranges::copy(secret_, secret.b);
  const blst_p1 hash = HashToG1(message);
  blst_p1 point;
  blst_sign_pk_in_g2(&point, &hash, &secret);
  base::Bytes signature(48);
  blst_p1_compress(signature.data(), &point);
  return signature;
}

}  // namespace ic
