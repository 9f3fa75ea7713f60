// The canister `pages`: certified pages of every kind that a gateway must tell apart.
//   /            certified
//   /streamed    certified, the body in three parts
//   /long        certified, the body in ten parts (more than gateways verify)
//   /changed     certified, but the body is another one
//   /bare        no certificate at all
//   /post        asks for an upgrade; its answer tells what came
//   /endless     a streaming callback that never ends
//   all others   certified as "skip", status 404
#include <algorithm>
#include <string>

#include "canister/sdk/canister.h"
#include "canister/sdk/ic0.h"
#include "ic/http_certification.h"

namespace {

using base::Bytes;
using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method, url;
  Headers headers;
  Bytes body;
};
CANDID_RECORD(Request, method, url, headers, body)
struct Token {
  std::string page;
  uint32_t part = 0;
};
CANDID_RECORD(Token, page, part)
struct Chunk {
  Bytes body;
  std::optional<Token> token;
};
CANDID_RECORD(Chunk, body, token)
using CallbackFunc =
    candid::Func<std::tuple<Token>, std::tuple<std::optional<Chunk>>, candid::kQueryFunc>;
struct Callback {
  CallbackFunc callback;
  Token token;
};
CANDID_RECORD(Callback, callback, token)
// The variant's label is "Callback".
struct StrategyOf {
  uint8_t which = 0;
  Callback Callback_;
};
CANDID_VARIANT(StrategyOf, which, Callback_)
struct Response {
  uint16_t status_code = 200;
  Headers headers;
  Bytes body;
  std::optional<bool> upgrade;
  std::optional<StrategyOf> streaming_strategy;
};
CANDID_RECORD(Response, status_code, headers, body, upgrade, streaming_strategy)

Bytes Text(std::string_view text) { return {text.begin(), text.end()}; }

// How many parts a page is sent in; the first is in the reply itself.
uint32_t PartsOf(const std::string& page) {
  if (page == "/streamed") return 3;
  return page == "/long" ? 10 : 1;
}
Bytes PartOf(const std::string& page, uint32_t part) {
  return Text(base::StrCat(page, " part ", part, "\n"));
}
Bytes BodyOf(const std::string& page) {
  Bytes body;
  for (uint32_t part = 0; part < PartsOf(page); ++part) base::Append(body, PartOf(page, part));
  return body;
}

ic::CertificationExpression Certified() {
  ic::CertificationExpression expression;
  expression.response_headers = {"content-type"};
  return expression;
}
std::string SkipText() {
  ic::CertificationExpression skip;
  skip.kind = ic::CertificationExpression::Kind::kSkip;
  return skip.Text();
}

const char* const kPages[] = {"/", "/streamed", "/long", "/changed", "/endless"};
ic::HashTree tree;

void Certify() {
  ic::TreeBuilder builder;
  for (const char* page : kPages) {
    ic::HttpResponse response;
    response.status_code = 200;
    response.headers = {{"content-type", "text/plain"},
                        {"IC-CertificateExpression", Certified().Text()}};
    response.body = BodyOf(page);
    const auto hash = ic::ResponseHash(response, Certified());
    builder.Set(
        ic::EntryPath(ic::ExactPath(*ic::UrlSegments(page)), Certified().Text(), nullptr, &hash),
        base::Bytes());
  }
  builder.Set(ic::EntryPath(ic::WildcardPath({}), SkipText(), nullptr, nullptr), base::Bytes());
  tree = builder.Build();
  ic0::certified_data_set(tree.hash().data(), static_cast<uint32_t>(tree.hash().size()));
}

std::string CertificateHeader(const ic::ExpressionPath& path,
                              const std::vector<std::string>& segments) {
  ic::HttpCertificate certificate;
  certificate.certificate.resize(ic0::data_certificate_size());
  ic0::data_certificate_copy(certificate.certificate.data(), 0,
                             static_cast<uint32_t>(certificate.certificate.size()));
  certificate.tree = tree.Witness(ic::WitnessPaths(path, segments)).Encode();
  certificate.expr_path = path;
  return ic::CertificateHeaderText(certificate);
}

Response Serve(const Request& request) {
  const std::string page = request.url.substr(0, request.url.find('?'));
  const auto segments = ic::UrlSegments(page).value_or(std::vector<std::string>());
  const bool known = std::ranges::any_of(kPages, [&](const char* one) { return page == one; });
  Response response;
  if (page == "/post") {
    response.upgrade = true;
    return response;
  }
  response.headers = {{"content-type", "text/plain"}, {"x-uncertified", "yes"}};
  if (page == "/bare") return response;
  const ic::ExpressionPath path = known ? ic::ExactPath(segments) : ic::WildcardPath({});
  response.headers.emplace_back("IC-CertificateExpression",
                                known ? Certified().Text() : SkipText());
  response.headers.emplace_back("IC-Certificate", CertificateHeader(path, segments));
  response.body = page == "/changed" ? Text("changed") : PartOf(page, 0);
  if (!known) response.status_code = 404;
  if (PartsOf(page) > 1 || page == "/endless") {
    const CallbackFunc callback{sdk::Self(), "http_request_streaming_callback"};
    response.streaming_strategy = StrategyOf{0, {callback, {page, 1}}};
  }
  return response;
}

CANISTER_INIT() {
  __wasm_call_ctors();
  Certify();
}
CANISTER_POST_UPGRADE() {
  __wasm_call_ctors();
  Certify();
}

CANISTER_QUERY(http_request) { sdk::Reply(Serve(sdk::Argument<Request>())); }

CANISTER_QUERY(http_request_streaming_callback) {
  const auto token = sdk::Argument<Token>();
  Chunk chunk{PartOf(token.page, token.part), std::nullopt};
  if (token.part + 1 < PartsOf(token.page) || token.page == "/endless") {
    chunk.token = Token{token.page, token.part + 1};
  }
  sdk::Reply(std::optional<Chunk>(std::move(chunk)));
}

CANISTER_UPDATE(http_request_update) {
  const auto request = sdk::Argument<Request>();
  Response response;
  response.status_code = 201;
  response.body =
      Text(base::StrCat(request.method, " ", request.url, " ", base::AsText(request.body)));
  sdk::Reply(response);
}

}  // namespace
