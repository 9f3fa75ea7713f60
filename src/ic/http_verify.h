#ifndef GPT2IC_IC_HTTP_VERIFY_H_
#define GPT2IC_IC_HTTP_VERIFY_H_

#include "ic/certificate_verify.h"
#include "ic/http_certification.h"

namespace ic {

// What of a response a gateway may pass on as certified.
struct VerifiedResponse {
  CertificationExpression expression;
  std::vector<HttpHeader> headers;  // none when the expression is kSkip: pass all on
};

// Whether the canister certified this response to this request: certificate (signature, time), tree
// (root in the canister's certified data), expression path, hashes. Natively only. Cost: one
// VerifyBls and the hash of the body.
base::Result<VerifiedResponse> VerifyHttpResponse(const HttpRequest& request,
                                                  const HttpResponse& response,
                                                  const Principal& canister_id,
                                                  base::ByteSpan root_key_der, uint64_t now_ns,
                                                  uint64_t offset_max_ns = kCertificateOffsetMax);

}  // namespace ic

#endif  // GPT2IC_IC_HTTP_VERIFY_H_
