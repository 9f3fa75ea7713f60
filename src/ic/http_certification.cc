#include "ic/http_certification.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/hex.h"
#include "candid/utf8.h"
#include "ic/base64.h"

namespace ic {
namespace {

using base::Err;

constexpr std::string_view kPrefix = "http_expr";
constexpr std::string_view kExact = "<$>";
constexpr std::string_view kWildcard = "<*>";

// The work of looking for more specific paths grows with the square of the segments.
constexpr size_t kSegmentsMax = 256;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return lower;
}

bool Listed(const std::vector<std::string>& names, std::string_view lower_name) {
  return std::ranges::any_of(names, [&](const auto& name) { return Lower(name) == lower_name; });
}

// A URL in its parts, without scheme, host and fragment.
struct Url {
  std::string_view path;
  std::string_view query;
};

Url SplitUrl(std::string_view url) {
  url = url.substr(0, url.find('#'));
  const size_t scheme = url.find("://");
  if (scheme != std::string_view::npos && url.find_first_of("/?") > scheme) {
    url.remove_prefix(scheme + 3);
    const size_t host_end = url.find_first_of("/?");
    url = host_end == std::string_view::npos ? "" : url.substr(host_end);
  }
  const size_t question = url.find('?');
  if (question == std::string_view::npos) return {url, ""};
  return {url.substr(0, question), url.substr(question + 1)};
}

// The certified parameters as they stand in the query, joined by &.
std::string CertifiedQuery(std::string_view query, const std::vector<std::string>& names) {
  std::string certified;
  while (!query.empty()) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(parameter.size() + 1, query.size()));
    const std::string_view name = parameter.substr(0, parameter.find('='));
    if (std::ranges::find(names, name) == names.end()) continue;
    if (!certified.empty()) certified += "&";
    certified += parameter;
  }
  return certified;
}

Sha256Digest WithBody(const MapHash& head, base::ByteSpan body) {
  return HashOfArray(std::array{head.Finish(), base::Sha256Of(body)});
}

int HexValue(char c) {
  const auto digit = base::FromHex(base::StrCat('0', c));
  return digit ? (*digit)[0] : -1;
}

// A wildcard that is more specific than the one that answered, ..., least specific last. From the
// whole path upwards: all below it, then all below its folder's own page, then one segment less.
std::vector<ExpressionPath> MoreSpecificWildcards(const std::vector<std::string>& segments,
                                                  const std::vector<std::string>& responding) {
  std::vector<ExpressionPath> wildcards;
  std::vector<std::string> path = segments;
  const auto same_end = [&] {
    if (path.empty() || responding.empty()) return path.empty() && responding.empty();
    return path.back() == responding.back();
  };
  while (path.size() > responding.size() || !same_end()) {
    wildcards.push_back(WildcardPath(path));
    if (path.empty()) break;
    const bool folder = path.back().empty();
    path.pop_back();
    if (!folder) path.emplace_back();
  }
  return wildcards;
}

Path Labels(const ExpressionPath& path) {
  Path labels;
  for (const std::string& part : path) labels.emplace_back(part.begin(), part.end());
  return labels;
}

std::string Shown(const ExpressionPath& path) {
  std::string text;
  for (const std::string& part : path) text += (text.empty() ? "" : "/") + part;
  return base::Printable(text, 120);
}

std::vector<std::string> Inner(const ExpressionPath& path) {
  return {path.begin() + 1, path.end() - 1};
}

bool StartsWith(const std::vector<std::string>& whole, std::span<const std::string> start) {
  return whole.size() >= start.size() &&
         std::ranges::equal(start, std::span(whole).first(start.size()));
}

bool WildcardCovers(std::span<const std::string> wildcard,
                    const std::vector<std::string>& segments) {
  if (StartsWith(segments, wildcard)) return true;
  // "/app/" + <*> covers what is below /app.
  return !wildcard.empty() && wildcard.back().empty() &&
         StartsWith(segments, wildcard.first(wildcard.size() - 1));
}

Lookup Find(const HashTree& tree, const ExpressionPath& path) {
  HashTree unused;
  return tree.Find(Labels(path), &unused);
}

}  // namespace

Sha256Digest RequestHash(const HttpRequest& request, const CertificationExpression& expression) {
  MapHash head;
  for (const HttpHeader& header : request.headers) {
    const std::string name = Lower(header.name);
    if (Listed(expression.request_headers, name)) head.Text(name, header.value);
  }
  head.Text(":ic-cert-method", request.method);
  const std::string query =
      CertifiedQuery(SplitUrl(request.url).query, expression.query_parameters);
  if (!query.empty()) head.Text(":ic-cert-query", query);
  return WithBody(head, request.body);
}

std::vector<HttpHeader> CertifiedHeaders(const HttpResponse& response,
                                         const CertificationExpression& expression) {
  const bool only = expression.response_headers_are == CertificationExpression::Headers::kOnly;
  std::vector<HttpHeader> certified;
  for (const HttpHeader& header : response.headers) {
    const std::string name = Lower(header.name);
    if (name == kCertificateHeader) continue;
    const bool listed = Listed(expression.response_headers, name);
    if (name == kExpressionHeader || listed == only) certified.push_back(header);
  }
  return certified;
}

Sha256Digest ResponseHash(const HttpResponse& response, const CertificationExpression& expression) {
  MapHash head;
  for (const HttpHeader& header : CertifiedHeaders(response, expression)) {
    head.Text(Lower(header.name), header.value);
  }
  head.Nat(":ic-cert-status", response.status_code);
  return WithBody(head, response.body);
}

base::Result<std::vector<std::string>> UrlSegments(std::string_view url) {
  const std::string_view path = SplitUrl(url).path;
  std::string decoded;
  for (size_t i = 0; i < path.size(); ++i) {
    const bool escape = path[i] == '%' && i + 2 < path.size();
    const int high = escape ? HexValue(path[i + 1]) : -1;
    const int low = escape ? HexValue(path[i + 2]) : -1;
    if (high < 0 || low < 0) {
      decoded.push_back(path[i]);
    } else {
      decoded.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  if (!candid::IsUtf8(base::AsBytes(decoded))) return Err("path of the URL is not UTF-8");
  std::vector<std::string> segments;
  std::string_view rest = decoded;
  while (!rest.empty()) {
    const std::string_view segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(segment.size() + 1, rest.size()));
    if (segment.empty()) continue;
    if (segments.size() == kSegmentsMax) {
      return Err("path of the URL has more than ", kSegmentsMax, " segments");
    }
    segments.emplace_back(segment);
  }
  if (decoded.empty() || decoded.ends_with('/')) segments.emplace_back();
  return segments;
}

ExpressionPath ExactPath(std::vector<std::string> segments) {
  segments.insert(segments.begin(), std::string(kPrefix));
  segments.emplace_back(kExact);
  return segments;
}

ExpressionPath WildcardPath(std::vector<std::string> segments) {
  segments.insert(segments.begin(), std::string(kPrefix));
  segments.emplace_back(kWildcard);
  return segments;
}

Path EntryPath(const ExpressionPath& path, std::string_view expression_text,
               const Sha256Digest* request_hash, const Sha256Digest* response_hash) {
  Path entry = Labels(path);
  const auto add = [&](const Sha256Digest& hash) { entry.emplace_back(hash.begin(), hash.end()); };
  add(base::Sha256Of(base::AsBytes(expression_text)));
  CHECK(request_hash == nullptr || response_hash != nullptr);
  if (response_hash == nullptr) return entry;
  if (request_hash != nullptr) {
    add(*request_hash);
  } else {
    entry.emplace_back();
  }
  add(*response_hash);
  return entry;
}

std::vector<Path> WitnessPaths(const ExpressionPath& path,
                               const std::vector<std::string>& segments) {
  std::vector<Path> paths = {Labels(path)};
  if (path.size() < 2 || path.back() != kWildcard) return paths;
  paths.push_back(Labels(ExactPath(segments)));
  for (const auto& wildcard : MoreSpecificWildcards(segments, Inner(path))) {
    paths.push_back(Labels(wildcard));
  }
  return paths;
}

base::Status CheckExpressionPath(const ExpressionPath& path,
                                 const std::vector<std::string>& segments, const HashTree& tree) {
  if (path.size() < 2 || path.front() != kPrefix ||
      (path.back() != kExact && path.back() != kWildcard)) {
    return Err("expr_path is ", Shown(path), ", expected http_expr/.../<$> or <*>");
  }
  const ExpressionPath exact = ExactPath(segments);
  if (path.back() == kExact) {
    if (path != exact) {
      return Err("expr_path is ", Shown(path), ", but the request is for ", Shown(exact));
    }
  } else {
    const std::vector<std::string> wildcard = Inner(path);
    if (!WildcardCovers(wildcard, segments)) {
      return Err("expr_path is ", Shown(path), ", which does not cover the request for ",
                 Shown(exact));
    }
    std::vector<ExpressionPath> better = MoreSpecificWildcards(segments, wildcard);
    better.push_back(exact);
    for (const ExpressionPath& other : better) {
      if (Find(tree, other) == Lookup::kAbsent) continue;
      return Err("expr_path is ", Shown(path), ", but the more specific ", Shown(other),
                 " may exist in the tree");
    }
  }
  if (Find(tree, path) == Lookup::kFound) return {};
  return Err("expr_path ", Shown(path), " is not in the tree");
}

std::string CertificateHeaderText(const HttpCertificate& certificate) {
  CborWriter path;
  path.SelfDescribed().Array(certificate.expr_path.size());
  for (const std::string& part : certificate.expr_path) path.Text(part);
  return base::StrCat("certificate=:", ToBase64(certificate.certificate),
                      ":, tree=:", ToBase64(certificate.tree),
                      ":, version=2, expr_path=:", ToBase64(path.Take()), ":");
}

namespace {

base::Result<base::Bytes> Binary(std::optional<std::string_view> value, std::string_view name) {
  if (!value) return Err("IC-Certificate header has no ", name);
  if (value->size() < 2 || !value->starts_with(':') || !value->ends_with(':')) {
    return Err(name, " of the IC-Certificate header is not between colons");
  }
  return FromBase64(value->substr(1, value->size() - 2));
}

}  // namespace

base::Result<HttpCertificate> ParseCertificateHeader(std::string_view text) {
  static constexpr std::string_view kNames[] = {"certificate", "tree", "version", "expr_path"};
  std::optional<std::string_view> values[4];
  while (!text.empty()) {
    std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const auto known = std::ranges::find(kNames, part.substr(0, equals));
    if (known == std::end(kNames)) continue;  // later versions may say more
    auto& value = values[known - std::begin(kNames)];
    if (value) return Err("IC-Certificate header has ", *known, " twice");
    value = part.substr(equals + 1);
  }
  if (values[2] != "2") {
    return Err("IC-Certificate header has version ", base::Printable(values[2].value_or("1")),
               ", expected 2");
  }
  HttpCertificate certificate;
  certificate.certificate = TRY(Binary(values[0], kNames[0]));
  certificate.tree = TRY(Binary(values[1], kNames[1]));
  const base::Bytes path = TRY(Binary(values[3], kNames[3]));
  const CborDocument document = TRY(CborDocument::Parse(path));
  for (const CborItem part : TRY(CborArray(document.root(), "expr_path"))) {
    certificate.expr_path.emplace_back(TRY(CborText(part, "a part of expr_path")));
  }
  return certificate;
}

}  // namespace ic
