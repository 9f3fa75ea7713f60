#include "canister/frontend/site.h"

#include <algorithm>

#include "base/check.h"
#include "base/hex.h"

namespace frontend {
namespace {

using Headers = std::vector<ic::HttpHeader>;

// What the official asset canister sends when asked to be strict, and stricter where this page can
// be: nothing inline, no other host, no markup made of strings. Its `upgrade-insecure-requests` is
// missing, because local networks have no TLS and the page asks for nothing by an absolute address.
constexpr const char* kContentSecurityPolicy =
    "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;"
    "connect-src 'self' https://icp0.io https://*.icp0.io https://icp-api.io;base-uri "
    "'none';form-action 'none';frame-ancestors 'none';"
    "require-trusted-types-for 'script';trusted-types 'none'";
constexpr const char* kPermissionsPolicy =
    "accelerometer=(), autoplay=(), camera=(), clipboard-read=(), "
    "clipboard-write=(self), display-capture=(), encrypted-media=(), fullscreen=(), gamepad=(), "
    "geolocation=(), gyroscope=(), hid=(), idle-detection=(), magnetometer=(), microphone=(), "
    "midi=(), payment=(), picture-in-picture=(), publickey-credentials-get=(), "
    "screen-wake-lock=(), serial=(), sync-xhr=(), usb=(), xr-spatial-tracking=()";

Headers SecurityHeaders() {
  return {{"x-content-type-options", "nosniff"},
          {"referrer-policy", "same-origin"},
          {"strict-transport-security", "max-age=31536000; includeSubDomains"},
          {"cross-origin-opener-policy", "same-origin"},
          {"cross-origin-resource-policy", "same-origin"}};
}

Headers DocumentHeaders(const std::string& cookie) {
  return {{"content-security-policy", kContentSecurityPolicy},
          {"permissions-policy", kPermissionsPolicy},
          {"x-frame-options", "DENY"},
          {"x-xss-protection", "1; mode=block"},
          {"set-cookie", cookie}};
}

ic::CertificationExpression ExpressionOf(const Headers& headers) {
  ic::CertificationExpression expression;
  for (const ic::HttpHeader& header : headers) expression.response_headers.push_back(header.name);
  return expression;
}

// A response to the request that has `etag`, so that nobody else can be told "not modified".
ic::CertificationExpression NotModifiedExpression(const Headers& headers) {
  ic::CertificationExpression expression = ExpressionOf(headers);
  expression.kind = ic::CertificationExpression::Kind::kFull;
  expression.request_headers = {"if-none-match"};
  return expression;
}

Variant WithExpression(Variant variant, const ic::CertificationExpression& expression) {
  variant.headers.push_back({std::string(ic::kExpressionHeader), expression.Text()});
  return variant;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower;
}

std::string_view HeaderOf(const ic::HttpRequest& request, std::string_view lower_name) {
  for (const ic::HttpHeader& header : request.headers) {
    if (Lower(header.name) == lower_name) return header.value;
  }
  return "";
}

// RFC 9110, 12.5.3, as far as gzip goes: it is named with a weight that is not 0.
bool AcceptsGzip(std::string_view accepted) {
  const std::string text = Lower(accepted);
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    std::string item = text.substr(at, end - at);
    std::erase_if(item, [](char c) { return c == ' ' || c == '\t'; });
    const size_t weight = item.find(";q=");
    const bool zero = weight != item.npos && item.find_first_not_of("0.", weight + 3) == item.npos;
    if (item.substr(0, item.find(';')) == "gzip") return !zero;
    at = end + 1;
  }
  return false;
}

ic::HttpResponse ResponseOf(const Variant& variant) {
  return {variant.status_code, variant.headers,
          base::Bytes(variant.body.begin(), variant.body.end())};
}

// All headers but the expression itself, which certifies them.
ic::CertificationExpression ExpressionIn(const Variant& variant) {
  return *ic::ParseExpression(variant.headers.back().value);
}

bool IsFile(const std::vector<std::string>& segments) {
  return !segments.empty() && segments.back().find('.') != std::string::npos;
}

}  // namespace

Site::Place Site::PlaceOf(const Asset& asset, ic::ExpressionPath path, const std::string& cookie) {
  const bool document = asset.content_type.starts_with("text/html");
  base::Sha256 hash;
  hash.Update(asset.identity);
  if (document) hash.Update(base::AsBytes(cookie));
  Place place;
  place.path = std::move(path);
  // Weak: the same for both encodings.
  place.etag = base::StrCat("W/\"", base::ToHex(hash.Finish()).substr(0, 32), "\"");
  const Headers caching = {
      {"etag", place.etag},
      {"cache-control", asset.hashed ? "public, max-age=31536000, immutable" : "no-cache"},
      {"vary", "accept-encoding"}};
  Variant identity{200, {{"content-type", std::string(asset.content_type)}}, asset.identity};
  const auto add = [](Headers& to, Headers more) { to.insert(to.end(), more.begin(), more.end()); };
  add(identity.headers, caching);
  add(identity.headers, SecurityHeaders());
  if (document) add(identity.headers, DocumentHeaders(cookie));
  if (!asset.gzip.empty()) {
    Variant gzip = identity;
    gzip.body = asset.gzip;
    gzip.headers.push_back({"content-encoding", "gzip"});
    place.gzip = WithExpression(gzip, ExpressionOf(gzip.headers));
  }
  place.identity = WithExpression(identity, ExpressionOf(identity.headers));
  place.not_modified = WithExpression(Variant{304, caching, {}}, NotModifiedExpression(caching));
  return place;
}

Site::Place Site::Missing() {
  Place place;
  place.path = ic::WildcardPath({});
  Variant missing{404, SecurityHeaders(), base::AsBytes("There is no such file here.\n")};
  missing.headers.push_back({"content-type", "text/plain; charset=utf-8"});
  missing.headers.push_back({"cache-control", "no-store"});
  place.identity = WithExpression(missing, ExpressionOf(missing.headers));
  return place;
}

void Site::Certify(const Place& place, ic::TreeBuilder& tree) {
  const auto add = [&](const Variant& variant, const ic::HttpRequest* request) {
    const ic::CertificationExpression expression = ExpressionIn(variant);
    const ic::Sha256Digest response = ic::ResponseHash(ResponseOf(variant), expression);
    std::optional<ic::Sha256Digest> asked;
    if (request != nullptr) asked = ic::RequestHash(*request, expression);
    const ic::Path path = ic::EntryPath(place.path, variant.headers.back().value,
                                        asked ? &*asked : nullptr, &response);
    tree.Set(path, base::Bytes());
  };
  add(place.identity, nullptr);
  if (place.gzip) add(*place.gzip, nullptr);
  if (place.not_modified) {
    const ic::HttpRequest request{"GET", "/", {{"if-none-match", place.etag}}, {}};
    add(*place.not_modified, &request);
  }
}

Site::Site(std::span<const Asset> assets, std::string cookie) {
  ic::TreeBuilder tree;
  for (const Asset& asset : assets) {
    const Segments segments = *ic::UrlSegments(asset.path);
    places_.emplace(segments, PlaceOf(asset, ic::ExactPath(segments), cookie));
    if (asset.path == "/index.html") {
      places_.emplace(Segments{""}, PlaceOf(asset, ic::ExactPath({""}), cookie));
      page_ = PlaceOf(asset, ic::WildcardPath({}), cookie);
    }
  }
  CHECK(!page_.path.empty());
  missing_ = Missing();
  for (const auto& [segments, place] : places_) Certify(place, tree);
  Certify(page_, tree);
  Certify(missing_, tree);
  tree_ = tree.Build();
}

const Site::Place& Site::PlaceFor(const Segments& segments) const {
  const auto found = places_.find(segments);
  if (found != places_.end()) return found->second;
  return IsFile(segments) ? missing_ : page_;
}

base::Result<Site::Answer> Site::AnswerTo(const ic::HttpRequest& request) const {
  const Segments segments = TRY(ic::UrlSegments(request.url));
  const Place& place = PlaceFor(segments);
  Answer answer;
  answer.variant = &place.identity;
  if (place.gzip && AcceptsGzip(HeaderOf(request, "accept-encoding")))
    answer.variant = &*place.gzip;
  const bool known = place.not_modified && request.method == "GET" && request.body.empty() &&
                     HeaderOf(request, "if-none-match") == place.etag;
  if (known) answer.variant = &*place.not_modified;
  answer.certificate.expr_path = place.path;
  answer.certificate.tree = tree_.Witness(ic::WitnessPaths(place.path, segments)).Encode();
  return answer;
}

}  // namespace frontend
