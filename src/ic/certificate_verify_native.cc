#include <algorithm>

#include "ic/certificate_verify.h"

namespace ic {
namespace {

using base::Err;

// The key that a certificate must be signed with.
base::Result<base::Bytes> SubnetKey(const Certificate& certificate, base::ByteSpan root_key_der,
                                    const Principal& canister_id) {
  if (!certificate.delegation) return base::Bytes(root_key_der.begin(), root_key_der.end());
  const auto& [subnet_id, cbor] = *certificate.delegation;
  const Certificate vouching = TRY(ParseCertificate(cbor));
  if (vouching.delegation) return Err("delegation of a certificate is delegated again");
  TRY_STATUS(VerifyBls(root_key_der, SignedBytes(vouching.tree), vouching.signature));
  if (canister_id != Principal()) {
    const auto ranges = TRY(CanisterRangesOf(vouching.tree, subnet_id, canister_id));
    if (!InRanges(ranges, canister_id)) {
      return Err("canister ", canister_id.ToText(), " is not in the ranges of subnet ",
                 subnet_id.ToText());
    }
  }
  const auto key = vouching.tree.Value(SubnetPath(subnet_id, "public_key"));
  if (!key) return Err("delegation does not tell the key of subnet ", subnet_id.ToText());
  return *key;
}

}  // namespace

Certificate SignCertificate(const BlsKey& key, HashTree tree) {
  Certificate certificate;
  certificate.signature = key.Sign(SignedBytes(tree));
  certificate.tree = std::move(tree);
  return certificate;
}

base::Status VerifyCertificate(const Certificate& certificate, base::ByteSpan root_key_der,
                               const Principal& canister_id) {
  const base::Bytes key = TRY(SubnetKey(certificate, root_key_der, canister_id));
  return VerifyBls(key, SignedBytes(certificate.tree), certificate.signature);
}

base::Status CheckCertificateTime(const HashTree& tree, uint64_t now_ns, uint64_t offset_max_ns) {
  const uint64_t time = TRY(TimeOf(tree));
  const bool old = time < now_ns;
  const uint64_t offset = old ? now_ns - time : time - now_ns;
  if (offset <= offset_max_ns) return {};
  return Err("certificate's time is ", offset / 1'000'000'000, " s ",
             old ? "in the past" : "in the future", ", expected at most ",
             offset_max_ns / 1'000'000'000);
}

base::Status VerifyCanisterSignature(const PublicKey& key, base::ByteSpan message,
                                     base::ByteSpan signature, base::ByteSpan root_key_der) {
  const CanisterKey parts = TRY(ParseCanisterKey(key.raw));
  const Principal canister_id = TRY(PrincipalOf(parts.canister_id, "signing canister"));
  const CborDocument document = TRY(CborDocument::Parse(signature));
  CborFields fields = TRY(CborFields::Of(document.root(), "canister signature"));
  const Certificate certificate = TRY(ParseCertificate(TRY(fields.Blob("certificate"))));
  const HashTree tree = TRY(HashTree::Read(TRY(fields.Need("tree"))));
  TRY_STATUS(VerifyCertificate(certificate, root_key_der, canister_id));
  const auto certified = certificate.tree.Value(CanisterPath(canister_id, "certified_data"));
  if (!certified || !std::ranges::equal(*certified, tree.hash())) {
    return Err("tree of the canister signature is not the certified data of canister ",
               canister_id.ToText());
  }
  const auto seed = base::Sha256Of(parts.seed);
  const auto digest = base::Sha256Of(message);
  Path path = TextPath({"sig"});
  path.emplace_back(seed.begin(), seed.end());
  path.emplace_back(digest.begin(), digest.end());
  const auto leaf = tree.Value(path);
  if (!leaf || !leaf->empty()) return Err("canister signature does not cover the message");
  return {};
}

}  // namespace ic
