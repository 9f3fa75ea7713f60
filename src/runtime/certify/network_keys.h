#ifndef GPT2IC_RUNTIME_CERTIFY_NETWORK_KEYS_H_
#define GPT2IC_RUNTIME_CERTIFY_NETWORK_KEYS_H_

#include "ic/signature.h"
#include "ic/signing_key.h"

namespace runtime {

// The keys of a network of one subnet, whose key is the root key: no delegation anywhere, and the
// subnet's id is the root key's own.
struct NetworkKeys {
  ic::BlsKey root;
  ic::SigningKey node;  // Ed25519, signs queries

  ic::Principal subnet_id() const { return ic::SelfAuthenticating(root.public_key_der()); }
  ic::Principal node_id() const { return node.principal(); }
};

// The same keys for the same seed of 32 bytes, which is what a network keeps of them.
base::Result<NetworkKeys> KeysFromSeed(base::ByteSpan seed);

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_CERTIFY_NETWORK_KEYS_H_
