#ifndef GPT2IC_IC_SIGNING_KEY_H_
#define GPT2IC_IC_SIGNING_KEY_H_

#include <memory>
#include <string>
#include <string_view>

#include "ic/envelope.h"
#include "ic/pem.h"

// Secret keys of users and nodes, natively only (OpenSSL).
namespace ic {

// Ed25519, P-256 or secp256k1. Copies share the key.
class SigningKey {
 public:
  static base::Result<SigningKey> FromSecret(KeyScheme scheme, base::ByteSpan secret);
  // The public key in the file, if it has one, must be the secret key's.
  static base::Result<SigningKey> FromPem(std::string_view pem);
  static base::Result<SigningKey> Generate(KeyScheme scheme);  // from the system's randomness

  std::string Pem() const { return ToPem(secret_); }
  const base::Bytes& public_key_der() const { return public_key_der_; }
  Principal principal() const { return SelfAuthenticating(public_key_der_); }
  // 64 bytes. Ed25519 is deterministic; ECDSA is not, and has a low s.
  base::Bytes Sign(base::ByteSpan message) const;

 private:
  struct Openssl;
  SigningKey() = default;

  SecretKey secret_;
  base::Bytes public_key_der_;
  std::shared_ptr<const Openssl> openssl_;
};

// Who sends a request: nobody in particular, a key, or a key on behalf of another.
class Identity {
 public:
  Identity() = default;  // anonymous
  explicit Identity(SigningKey key);
  // `chain` leads from `public_key_der` to `key`.
  Identity(SigningKey key, base::Bytes public_key_der, std::vector<SignedDelegation> chain);

  Principal sender() const { return sender_; }
  // Sets the sender of `content` and signs it.
  Envelope Sign(Content content) const;
  // `key` lets `delegation.pubkey` act for it.
  static SignedDelegation Delegate(const SigningKey& key, Delegation delegation);

 private:
  std::shared_ptr<const SigningKey> key_;
  base::Bytes public_key_der_;
  std::optional<std::vector<SignedDelegation>> chain_;
  Principal sender_ = Anonymous();
};

}  // namespace ic

#endif  // GPT2IC_IC_SIGNING_KEY_H_
