#include <algorithm>

#include "ic/http_verify.h"

namespace ic {
namespace {

using base::Err;

bool NameIs(std::string_view name, std::string_view lower_name) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(name, lower_name, {}, lower);
}

base::Result<std::string_view> OnlyHeader(const HttpResponse& response,
                                          std::string_view lower_name) {
  const HttpHeader* found = nullptr;
  for (const HttpHeader& header : response.headers) {
    if (!NameIs(header.name, lower_name)) continue;
    if (found != nullptr) return Err("response has the header ", lower_name, " twice");
    found = &header;
  }
  if (found == nullptr) return Err("response has no header ", lower_name);
  return std::string_view(found->value);
}

}  // namespace

base::Result<VerifiedResponse> VerifyHttpResponse(const HttpRequest& request,
                                                  const HttpResponse& response,
                                                  const Principal& canister_id,
                                                  base::ByteSpan root_key_der, uint64_t now_ns,
                                                  uint64_t offset_max_ns) {
  using Kind = CertificationExpression::Kind;
  const std::string_view header = TRY(OnlyHeader(response, kCertificateHeader));
  const HttpCertificate parts = TRY(ParseCertificateHeader(header));
  const std::string_view text = TRY(OnlyHeader(response, kExpressionHeader));
  VerifiedResponse verified;
  verified.expression = TRY(ParseExpression(text));

  const Certificate certificate = TRY(ParseCertificate(parts.certificate));
  const HashTree tree = TRY(HashTree::Decode(parts.tree));
  TRY_STATUS(CheckCertificateTime(certificate.tree, now_ns, offset_max_ns));
  TRY_STATUS(VerifyCertificate(certificate, root_key_der, canister_id));
  const auto certified = certificate.tree.Value(CanisterPath(canister_id, "certified_data"));
  if (!certified || !std::ranges::equal(*certified, tree.hash())) {
    return Err("tree of the response is not the certified data of canister ", canister_id.ToText());
  }
  // Beyond this point the tree is the canister's own word.
  const auto segments = TRY(UrlSegments(request.url));
  TRY_STATUS(CheckExpressionPath(parts.expr_path, segments, tree));

  const bool skip = verified.expression.kind == Kind::kSkip;
  Sha256Digest request_hash = {}, response_hash = {};
  const Sha256Digest* for_request = nullptr;
  if (verified.expression.kind == Kind::kFull) {
    request_hash = RequestHash(request, verified.expression);
    for_request = &request_hash;
  }
  if (!skip) response_hash = ResponseHash(response, verified.expression);
  const Path entry = EntryPath(parts.expr_path, text, for_request, skip ? nullptr : &response_hash);
  HashTree found;
  if (tree.Find(entry, &found) != Lookup::kFound) {
    return Err(skip ? "expression of the response is not in the tree"
                    : "hash of the response or its request is not in the tree");
  }
  if (skip) return verified;
  if (found.kind() != HashTree::Kind::kLeaf || !found.contents().empty()) {
    return Err("entry of the response in the tree is not an empty leaf");
  }
  verified.headers = CertifiedHeaders(response, verified.expression);
  return verified;
}

}  // namespace ic
