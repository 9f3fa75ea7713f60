#include "base/check.h"
#include "ic/authenticate.h"
#include "ic/pem.h"
#include "ic/public_key.h"

// Any bytes as a signed request with its chain of delegations, checked at the moment it expires; as
// a public key; and as a PEM file.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const base::ByteSpan bytes(data, size);
  using ic::RequestType;
  for (const RequestType type : {RequestType::kQuery, RequestType::kReadState}) {
    const auto envelope = ic::ParseEnvelope(bytes, type);
    if (!envelope) continue;
    const auto verdict = ic::Authenticate(*envelope, envelope->content.ingress_expiry, {});
    if (!verdict) CHECK(verdict.error().status == 400 && !verdict.error().text.empty());
  }
  if (const auto key = ic::ParsePublicKey(bytes)) {
    const base::Bytes again = ic::EncodePublicKey(*key);
    CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
  }
  if (const auto key = ic::ParsePem(base::AsText(bytes))) CHECK(key->secret.size() == 32);
  return 0;
}
