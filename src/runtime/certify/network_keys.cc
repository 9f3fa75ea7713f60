#include "runtime/certify/network_keys.h"

namespace runtime {
namespace {

// One seed, two secrets that tell nothing of each other.
base::Sha256Digest Derive(base::ByteSpan seed, std::string_view purpose) {
  base::Sha256 hash;
  hash.Update(base::AsBytes(purpose));
  hash.Update(seed);
  return hash.Finish();
}

}  // namespace

base::Result<NetworkKeys> KeysFromSeed(base::ByteSpan seed) {
  if (seed.size() != 32) {
    return base::Err("seed of the network's keys has ", seed.size(), " bytes, expected 32");
  }
  ic::BlsKey root = TRY(ic::BlsKey::FromSeed(Derive(seed, "gpt2ic root key")));
  ic::SigningKey node =
      TRY(ic::SigningKey::FromSecret(ic::KeyScheme::kEd25519, Derive(seed, "gpt2ic node key")));
  return NetworkKeys{std::move(root), std::move(node)};
}

}  // namespace runtime
