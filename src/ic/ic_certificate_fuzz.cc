#include "base/check.h"
#include "ic/certificate.h"
#include "ic/certificate_verify.h"
#include "ic/reply.h"

namespace {

void CheckWitness(const ic::HashTree& tree) {
  // Paths to what is there, and to what is not.
  std::vector<ic::Path> paths = {ic::TextPath({"time"})};
  for (const base::Bytes& label : tree.Labels()) {
    paths.push_back({label});
    paths.push_back({label, base::Bytes{'x'}});
    base::Bytes next = label;
    next.push_back(0);
    paths.push_back({next});
    if (paths.size() > 20) break;
  }
  const ic::HashTree witness = tree.Witness(paths);
  CHECK(witness.hash() == tree.hash());
  for (const ic::Path& path : paths) {
    ic::HashTree a, b;
    const ic::Lookup lookup = tree.Find(path, &a);
    CHECK(witness.Find(path, &b) == lookup);
    if (lookup == ic::Lookup::kFound) CHECK(a.hash() == b.hash());
  }
}

}  // namespace

// Any bytes as a hash tree, as a certificate and as the network's replies.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const base::ByteSpan bytes(data, size);
  if (const auto tree = ic::HashTree::Decode(bytes)) {
    const auto again = ic::HashTree::Decode(tree->Encode());
    CHECK(again && again->hash() == tree->hash());
    CHECK(again->Encode() == tree->Encode());
    CheckWitness(*tree);
  }
  if (const auto certificate = ic::ParseCertificate(bytes)) {
    const base::Bytes written = ic::EncodeCertificate(*certificate);
    const auto again = ic::ParseCertificate(written);
    CHECK(again && ic::EncodeCertificate(*again) == written);
    CheckWitness(certificate->tree);
    static const base::Bytes root = ic::BlsKey::FromSeed(base::Bytes(32, 1))->public_key_der();
    static_cast<void>(ic::VerifyCertificate(*certificate, root, ic::Anonymous()));
    static_cast<void>(ic::CheckCertificateTime(certificate->tree, 0));
    static_cast<void>(ic::RequestStatusOf(certificate->tree, ic::RequestId()));
  }
  static_cast<void>(ic::ParseCanisterRanges(bytes));
  static_cast<void>(ic::ParseStatusReply(bytes));
  static_cast<void>(ic::ParseCallReply(bytes));
  static_cast<void>(ic::ParseReadStateReply(bytes));
  if (const auto reply = ic::ParseQueryReply(bytes)) {
    const auto again = ic::ParseQueryReply(ic::EncodeQueryReply(*reply));
    CHECK(again && ic::HashOf(*again, {}, 1) == ic::HashOf(*reply, {}, 1));
  }
  return 0;
}
