#include "runtime/http/api.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "base/hex.h"

namespace runtime {
namespace {

std::vector<std::string_view> Split(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    parts.push_back(path.substr(0, slash));
    path = slash == path.npos ? std::string_view() : path.substr(slash + 1);
  }
  return parts;
}

struct Address {
  std::string_view version, addressee, name;
  ApiKind kind;
};
constexpr std::array kAddresses = {
    Address{"v2", "canister", "call", ApiKind::kCall},
    Address{"v3", "canister", "call", ApiKind::kCall},
    Address{"v4", "canister", "call", ApiKind::kCall},
    Address{"v4", "subnet", "call", ApiKind::kCall},
    Address{"v2", "canister", "query", ApiKind::kQuery},
    Address{"v3", "canister", "query", ApiKind::kQuery},
    Address{"v3", "subnet", "query", ApiKind::kQuery},
    Address{"v2", "canister", "read_state", ApiKind::kReadState},
    Address{"v3", "canister", "read_state", ApiKind::kReadState},
    Address{"v2", "subnet", "read_state", ApiKind::kReadState},
    Address{"v3", "subnet", "read_state", ApiKind::kReadState},
};

ic::RequestType TypeOf(ApiKind kind) {
  switch (kind) {
    case ApiKind::kCall:
      return ic::RequestType::kCall;
    case ApiKind::kQuery:
      return ic::RequestType::kQuery;
    default:
      return ic::RequestType::kReadState;
  }
}

// "application/cbor; charset=x" is application/cbor.
bool IsCbor(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return EqualsIgnoringCase(type, "application/cbor");
}

}  // namespace

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view HeaderOf(const ic::HttpRequest& request, std::string_view name) {
  for (const ic::HttpHeader& header : request.headers) {
    if (EqualsIgnoringCase(header.name, name)) return header.value;
  }
  return {};
}

bool IsApiPath(std::string_view path) { return path.starts_with("/api/v"); }

ic::OrRefusal<ApiRoute> ParseApiRoute(std::string_view method, std::string_view path) {
  path = path.substr(0, path.find('?'));
  const std::vector<std::string_view> parts = Split(path.substr(1));
  ApiRoute route;
  if (path == "/api/v2/status") {
    if (method != "GET" && method != "HEAD") {
      return ic::Refuse(405, "The status is asked for with GET.");
    }
    return route;
  }
  const auto* found = parts.size() != 5
                          ? kAddresses.end()
                          : std::ranges::find_if(kAddresses, [&](const Address& address) {
                              return address.version == parts[1] && address.addressee == parts[2] &&
                                     address.name == parts[4];
                            });
  if (found == kAddresses.end()) {
    return ic::Refuse(404, "There is nothing at ", base::Printable(path), ".");
  }
  if (method != "POST") return ic::Refuse(405, "Requests to ", found->name, " are sent with POST.");
  const auto id = ic::Principal::FromText(parts[3]);
  if (!id) {
    return ic::Refuse(400, "Invalid effective ", found->addressee, " id: ", id.error().message);
  }
  route.kind = found->kind;
  route.version = static_cast<uint32_t>(found->version[1] - '0');
  route.addressee = found->addressee == "subnet" ? ApiAddressee::kSubnet : ApiAddressee::kCanister;
  route.effective_id = *id;
  return route;
}

ic::OrRefusal<ApiRequest> CheckApiRequest(const ApiRoute& route, const ic::HttpRequest& request,
                                          uint64_t now_ns, base::ByteSpan root_key_der) {
  if (!IsCbor(HeaderOf(request, "content-type"))) {
    return ic::Refuse(400, "Unexpected content-type, expected application/cbor.");
  }
  auto envelope = ic::ParseEnvelope(request.body, TypeOf(route.kind));
  if (!envelope) return std::unexpected(ic::MalformedBody(envelope.error()));
  ApiRequest out;
  out.id = ic::RequestIdOf(envelope->content);
  if (route.kind == ApiKind::kCall && request.body.size() > ic::kIngressBytesMax) {
    return ic::Refuse(413, "Request 0x", base::ToHex(out.id), " is too large. Message byte size ",
                      request.body.size(), " is larger than the max allowed ", ic::kIngressBytesMax,
                      ".");
  }
  const bool to_subnet = route.addressee == ApiAddressee::kSubnet;
  if (route.kind != ApiKind::kReadState && !to_subnet) {
    if (auto fits = ic::CheckEffectiveId(envelope->content, route.effective_id); !fits) {
      return std::unexpected(std::move(fits).error());
    }
  }
  if (route.kind != ApiKind::kReadState && to_subnet &&
      envelope->content.canister_id != ic::Principal()) {
    return ic::Refuse(400, "A subnet's address takes requests to the management canister only.");
  }
  auto sender = ic::Authenticate(*envelope, now_ns, root_key_der);
  if (!sender) return std::unexpected(std::move(sender).error());
  out.route = route;
  out.content = std::move(envelope->content);
  out.sender = std::move(*sender);
  return out;
}

ic::HttpResponse TextResponse(uint16_t status, std::string_view text) {
  ic::HttpResponse response;
  response.status_code = status;
  response.headers = {{"content-type", "text/plain; charset=utf-8"}};
  base::Append(response.body, text);
  return response;
}

ic::HttpResponse CborResponse(base::Bytes body) {
  ic::HttpResponse response;
  response.status_code = 200;
  response.headers = {{"content-type", "application/cbor"}};
  response.body = std::move(body);
  return response;
}

}  // namespace runtime
