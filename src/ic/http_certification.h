#ifndef GPT2IC_IC_HTTP_CERTIFICATION_H_
#define GPT2IC_IC_HTTP_CERTIFICATION_H_

#include <string>
#include <string_view>
#include <vector>

#include "ic/hash_tree.h"
#include "ic/http_expression.h"

// Response verification v2 of the HTTP gateway protocol, but for the certificate: what a canister
// needs to certify its pages, and a gateway to check them.
namespace ic {

struct HttpHeader {
  std::string name;
  std::string value;
};

struct HttpRequest {
  std::string method;
  std::string url;  // path and query, or absolute
  std::vector<HttpHeader> headers;
  base::Bytes body;
};

struct HttpResponse {
  uint16_t status_code = 0;
  std::vector<HttpHeader> headers;
  base::Bytes body;
};

inline constexpr std::string_view kExpressionHeader = "ic-certificateexpression";
inline constexpr std::string_view kCertificateHeader = "ic-certificate";

// Request hash, for an expression of kind kFull.
Sha256Digest RequestHash(const HttpRequest& request, const CertificationExpression& expression);
// Response hash. The response has its IC-CertificateExpression header already, which is hashed in
// any case; IC-Certificate never is.
Sha256Digest ResponseHash(const HttpResponse& response, const CertificationExpression& expression);
// The headers that ResponseHash covers, in their order and spelling.
std::vector<HttpHeader> CertifiedHeaders(const HttpResponse& response,
                                         const CertificationExpression& expression);

// An expression path: "http_expr", segments, "<$>" (this path) or "<*>" (all below).
using ExpressionPath = std::vector<std::string>;

// The path of a URL, percent-decoded once, as segments: "/a//b" is a, b; "/app/" is app, "".
// More than 256 segments are an Error.
base::Result<std::vector<std::string>> UrlSegments(std::string_view url);
ExpressionPath ExactPath(std::vector<std::string> segments);
ExpressionPath WildcardPath(std::vector<std::string> segments);

// Where an entry stands in the tree: an empty leaf. Without response hash: kSkip. Without request
// hash: kResponseOnly.
Path EntryPath(const ExpressionPath& path, std::string_view expression_text,
               const Sha256Digest* request_hash, const Sha256Digest* response_hash);

// What a witness must reveal so that `path` may answer a request for `segments`: the path itself,
// and the absence of all that would be more specific.
std::vector<Path> WitnessPaths(const ExpressionPath& path,
                               const std::vector<std::string>& segments);

// Whether `tree` lets `path` answer for `segments`: the path is there, and what is more specific is
// absent.
base::Status CheckExpressionPath(const ExpressionPath& path,
                                 const std::vector<std::string>& segments, const HashTree& tree);

// The IC-Certificate header.
struct HttpCertificate {
  base::Bytes certificate;  // CBOR
  base::Bytes tree;         // CBOR
  ExpressionPath expr_path;
};
std::string CertificateHeaderText(const HttpCertificate& certificate);
// Version 2 only.
base::Result<HttpCertificate> ParseCertificateHeader(std::string_view text);

}  // namespace ic

#endif  // GPT2IC_IC_HTTP_CERTIFICATION_H_
