#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>

#include <algorithm>

#include "base/check.h"
#include "ic/openssl.h"
#include "ic/signing_key.h"

namespace ic {

struct SigningKey::Openssl {
  EvpKeyPtr key;
  EcGroupPtr group;  // of ECDSA keys
};

namespace {

using base::Err;

constexpr size_t kScalarBytes = 32;

base::Result<EvpKeyPtr> Ed25519Key(SecretKey& secret) {
  EvpKeyPtr key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, secret.secret.data(),
                                             secret.secret.size()));
  CHECK(key);
  base::Bytes raw(32);
  size_t size = raw.size();
  CHECK(EVP_PKEY_get_raw_public_key(key.get(), raw.data(), &size) == 1);
  secret.public_raw = std::move(raw);
  return key;
}

EvpKeyPtr KeyFromParameters(std::string_view group, const BIGNUM* scalar, base::ByteSpan point) {
  using BuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, OpensslFree<OSSL_PARAM_BLD_free>>;
  using ParametersPtr = std::unique_ptr<OSSL_PARAM, OpensslFree<OSSL_PARAM_free>>;
  const BuilderPtr builder(OSSL_PARAM_BLD_new());
  CHECK(builder);
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group.data(),
                                  group.size());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  const ParametersPtr parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const EvpKeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  CHECK(parameters && context);
  EVP_PKEY* key = nullptr;
  CHECK(EVP_PKEY_fromdata_init(context.get()) == 1);
  CHECK(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.get()) == 1);
  return EvpKeyPtr(key);
}

base::Result<EvpKeyPtr> EcKey(SecretKey& secret, const EC_GROUP* group, std::string_view name) {
  const BignumPtr scalar(BN_bin2bn(secret.secret.data(), kScalarBytes, nullptr));
  CHECK(scalar);
  if (BN_is_zero(scalar.get()) || BN_cmp(scalar.get(), EC_GROUP_get0_order(group)) >= 0) {
    return Err("private key is 0 or not below the order of ", name);
  }
  const EcPointPtr point(EC_POINT_new(group));
  CHECK(point);
  CHECK(EC_POINT_mul(group, point.get(), scalar.get(), nullptr, nullptr, nullptr) == 1);
  base::Bytes raw(65);
  CHECK(EC_POINT_point2oct(group, point.get(), POINT_CONVERSION_UNCOMPRESSED, raw.data(),
                           raw.size(), nullptr) == raw.size());
  EvpKeyPtr key = KeyFromParameters(name, scalar.get(), raw);
  secret.public_raw = std::move(raw);
  return key;
}

// r and s of an ASN.1 signature, s the lower of its two values: some verifiers want that.
base::Bytes Compact(base::ByteSpan der, const EC_GROUP* group) {
  const uint8_t* at = der.data();
  const EcdsaSignaturePtr parts(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  CHECK(parts);
  const BIGNUM* order = EC_GROUP_get0_order(group);
  const BignumPtr high(BN_dup(ECDSA_SIG_get0_s(parts.get())));
  const BignumPtr low(BN_new());
  CHECK(high && low && BN_sub(low.get(), order, high.get()) == 1);
  const BIGNUM* s = BN_cmp(low.get(), high.get()) < 0 ? low.get() : high.get();
  base::Bytes out(2 * kScalarBytes);
  CHECK(BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), out.data(), kScalarBytes) == kScalarBytes);
  CHECK(BN_bn2binpad(s, out.data() + kScalarBytes, kScalarBytes) == kScalarBytes);
  return out;
}

}  // namespace

base::Result<SigningKey> SigningKey::FromSecret(KeyScheme scheme, base::ByteSpan secret) {
  if (secret.size() != kScalarBytes) {
    return Err("private key has ", secret.size(), " bytes, expected ", kScalarBytes);
  }
  SigningKey key;
  key.secret_ = {scheme, {secret.begin(), secret.end()}, {}};
  auto openssl = std::make_shared<Openssl>();
  if (scheme == KeyScheme::kEd25519) {
    openssl->key = TRY(Ed25519Key(key.secret_));
  } else {
    const bool p256 = scheme == KeyScheme::kP256;
    CHECK(p256 || scheme == KeyScheme::kSecp256k1);
    openssl->group.reset(EC_GROUP_new_by_curve_name(p256 ? NID_X9_62_prime256v1 : NID_secp256k1));
    CHECK(openssl->group);
    openssl->key = TRY(EcKey(key.secret_, openssl->group.get(), p256 ? "prime256v1" : "secp256k1"));
  }
  key.openssl_ = std::move(openssl);
  key.public_key_der_ = EncodePublicKey({scheme, key.secret_.public_raw});
  return key;
}

base::Result<SigningKey> SigningKey::FromPem(std::string_view pem) {
  const SecretKey parsed = TRY(ParsePem(pem));
  SigningKey key = TRY(FromSecret(parsed.scheme, parsed.secret));
  // A compressed point is legal here; only whole ones are compared.
  const bool compressed = parsed.public_raw.size() == 33;
  if (!parsed.public_raw.empty() && !compressed && parsed.public_raw != key.secret_.public_raw) {
    return Err("PEM file has a public key that is not the private key's");
  }
  return key;
}

base::Result<SigningKey> SigningKey::Generate(KeyScheme scheme) {
  for (;;) {
    base::Bytes secret(kScalarBytes);
    if (RAND_priv_bytes(secret.data(), kScalarBytes) != 1) {
      return Err("the system gives no random numbers");
    }
    // Once in 2^32 a number is above P-256's order.
    if (auto key = FromSecret(scheme, secret)) return key;
  }
}

base::Bytes SigningKey::Sign(base::ByteSpan message) const {
  const bool ed25519 = secret_.scheme == KeyScheme::kEd25519;
  const EvpDigestContextPtr context(EVP_MD_CTX_new());
  CHECK(context);
  CHECK(EVP_DigestSignInit(context.get(), nullptr, ed25519 ? nullptr : EVP_sha256(), nullptr,
                           openssl_->key.get()) == 1);
  base::Bytes signature(128);
  size_t size = signature.size();
  CHECK(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) ==
        1);
  signature.resize(size);
  return ed25519 ? signature : Compact(signature, openssl_->group.get());
}

Identity::Identity(SigningKey key)
    : key_(std::make_shared<SigningKey>(std::move(key))),
      public_key_der_(key_->public_key_der()),
      sender_(key_->principal()) {}

Identity::Identity(SigningKey key, base::Bytes public_key_der, std::vector<SignedDelegation> chain)
    : key_(std::make_shared<SigningKey>(std::move(key))),
      public_key_der_(std::move(public_key_der)),
      chain_(std::move(chain)),
      sender_(SelfAuthenticating(public_key_der_)) {}

Envelope Identity::Sign(Content content) const {
  Envelope envelope;
  content.sender = sender_;
  if (key_) {
    envelope.sender_pubkey = public_key_der_;
    envelope.sender_sig = key_->Sign(SignedBytes(RequestIdOf(content)));
    envelope.sender_delegation = chain_;
  }
  envelope.content = std::move(content);
  return envelope;
}

SignedDelegation Identity::Delegate(const SigningKey& key, Delegation delegation) {
  base::Bytes signature = key.Sign(SignedBytes(delegation));
  return {std::move(delegation), std::move(signature)};
}

}  // namespace ic
