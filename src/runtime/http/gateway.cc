#include "runtime/http/gateway.h"

#include <algorithm>
#include <array>

#include "candid/decode.h"
#include "candid/encode.h"
#include "candid/typed.h"
#include "ic/http_verify.h"

namespace runtime {
namespace {

using candid::FieldId;
using candid::Kind;
using candid::TypeRef;
using candid::Value;

constexpr int kCallbacksMax = 1000;
constexpr int kCallbacksVerified = 4;  // longer bodies are passed on unverified, as elsewhere
constexpr size_t kBodyBytesMax = 128 << 20;

struct HttpRequestArgs {
  std::string method, url;
  std::vector<std::pair<std::string, std::string>> headers;
  base::Bytes body;
  std::optional<uint16_t> certificate_version;
};
CANDID_RECORD(HttpRequestArgs, method, url, headers, body, certificate_version)

struct HttpResponseArgs {
  uint16_t status_code = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  base::Bytes body;
  std::optional<bool> upgrade;
};
CANDID_RECORD(HttpResponseArgs, status_code, headers, body, upgrade)

// Fields of values whose types only the canister knows (streaming tokens).
struct Part {
  const Value* value = nullptr;
  TypeRef type;
};

Part FieldOf(const candid::TypeTable& table, const Part& of, std::string_view name) {
  const FieldId id = candid::LabelHash(name);
  const Kind kind = of.value == nullptr ? Kind::kNull : table.KindOf(of.type);
  if (kind != Kind::kRecord && kind != Kind::kVariant) return {};
  const auto found = std::ranges::find(of.value->ids, id);
  if (found == of.value->ids.end()) return {};
  Part part{&of.value->items[static_cast<size_t>(found - of.value->ids.begin())], {}};
  for (const auto& field : table.Fields(table.node(of.type))) {
    if (field.id == id) part.type = field.type;
  }
  return part;
}

// What is in an opt; nothing if it is null.
Part Inside(const candid::TypeTable& table, const Part& of) {
  if (of.value == nullptr || table.KindOf(of.type) != Kind::kOpt || of.value->items.empty()) {
    return {};
  }
  return {of.value->items.data(), table.node(of.type).element};
}

base::Bytes EncodeRequest(const ic::HttpRequest& request, std::optional<uint16_t> version) {
  HttpRequestArgs args{request.method, request.url, {}, request.body, version};
  bool encoding = false;
  for (const ic::HttpHeader& header : request.headers) {
    if (EqualsIgnoringCase(header.name, "x-request-id")) continue;
    std::string value = header.value;
    if (EqualsIgnoringCase(header.name, "accept-encoding")) {
      encoding = true;
      if (value.find("identity") == value.npos) value += ", identity";
    }
    args.headers.emplace_back(header.name, std::move(value));
  }
  if (!encoding) args.headers.emplace_back("accept-encoding", "identity");
  return candid::EncodeArgs(args);
}

// A host as "canister.raw.localhost:8000" names one.
bool TakeHost(std::string_view host, PageRequest* page) {
  host = host.substr(0, host.find(':'));
  if (!host.ends_with(".localhost")) return false;
  const size_t dot = host.find('.');
  const auto id = ic::Principal::FromText(host.substr(0, dot));
  if (!id) return false;
  page->canister = *id;
  if (host.substr(dot).starts_with(".raw.")) page->verification = Verification::kOff;
  return true;
}

bool TakeParameter(std::string_view url, PageRequest* page) {
  size_t at = url.find('?');
  while (at != url.npos) {
    std::string_view item = url.substr(at + 1);
    item = item.substr(0, item.find_first_of("&#"));
    if (item.starts_with("canisterId=")) {
      const auto id = ic::Principal::FromText(item.substr(11));
      if (id) page->canister = *id;
      return id.has_value();
    }
    at = url.find('&', at + 1);
  }
  return false;
}

bool TakeReferer(std::string_view referer, PageRequest* page) {
  const size_t scheme = referer.find("://");
  if (scheme == referer.npos) return false;
  const std::string_view rest = referer.substr(scheme + 3);
  return TakeHost(rest.substr(0, rest.find('/')), page) || TakeParameter(rest, page);
}

// Those that are about the way from the canister to here.
bool IsOwnHeader(std::string_view name) {
  constexpr std::array<std::string_view, 4> kOwn = {"content-length", "transfer-encoding",
                                                    "connection", "keep-alive"};
  return std::ranges::any_of(kOwn, [&](auto own) { return EqualsIgnoringCase(name, own); });
}

ic::HttpResponse Problem(uint16_t status, const PageRequest& page, std::string_view sentence) {
  return TextResponse(status, base::StrCat("Canister ", page.canister.ToText(),
                                           " has not served this page: ", sentence, "\n"));
}

ic::HttpResponse Rejected(const PageRequest& page, uint64_t code, std::string_view message) {
  return Problem(code == 3 ? 404 : 502, page, message);
}

}  // namespace

struct StreamingCallback {
  ic::Principal canister;
  std::string method;
  base::Bytes token;  // an encoded message
};

struct Gateway::Fetched {
  ic::HttpResponse response;
  bool upgrade = false;
  int callbacks = 0;
};

std::expected<PageRequest, ic::HttpResponse> Gateway::Prepare(ic::HttpRequest request) const {
  PageRequest page;
  page.verification = verification_;
  const bool found = TakeHost(HeaderOf(request, "host"), &page) ||
                     TakeParameter(request.url, &page) ||
                     TakeReferer(HeaderOf(request, "referer"), &page);
  if (!found) {
    return std::unexpected(TextResponse(
        400,
        "This address names no canister. Pages are at http://<canister>.localhost:PORT/ and at "
        "/?canisterId=<canister>; programs talk to /api/v2/status and its neighbours.\n"));
  }
  page.request = std::move(request);
  return page;
}

namespace {

// The callback and token of a response's streaming strategy; nullopt without.
base::Result<std::optional<StreamingCallback>> StrategyOf(base::ByteSpan reply) {
  const candid::DecodedMessage message = TRY(candid::DecodeAny(reply));
  if (message.values.empty()) return std::nullopt;
  const auto& table = message.table;
  const Part root{message.values.data(), message.types[0]};
  const Part strategy = Inside(table, FieldOf(table, root, "streaming_strategy"));
  const Part variant = FieldOf(table, strategy, "Callback");
  const Part callback = FieldOf(table, variant, "callback");
  const Part token = FieldOf(table, variant, "token");
  if (callback.value == nullptr || token.value == nullptr) return std::nullopt;
  StreamingCallback out;
  out.canister = TRY(ic::Principal::FromBytes(base::AsBytes(callback.value->text)));
  out.method = callback.value->method;
  out.token = TRY(candid::Encode(table, {&token.type, 1}, {token.value, 1}));
  return out;
}

// What a callback gave: a part of the body, and the next token unless it was the last.
base::Result<std::optional<base::Bytes>> TakeChunk(base::ByteSpan reply, base::Bytes* body) {
  const candid::DecodedMessage message = TRY(candid::DecodeAny(reply));
  if (message.values.empty()) return std::nullopt;
  const auto& table = message.table;
  Part root{message.values.data(), message.types[0]};
  if (table.KindOf(root.type) == Kind::kOpt) root = Inside(table, root);
  const Part chunk = FieldOf(table, root, "body");
  if (chunk.value == nullptr) return std::nullopt;
  base::Append(*body, chunk.value->text);
  const Part next = Inside(table, FieldOf(table, root, "token"));
  if (next.value == nullptr) return std::nullopt;
  return TRY(candid::Encode(table, {&next.type, 1}, {next.value, 1}));
}

}  // namespace

base::Status Gateway::Stream(const PageRequest& page, const StreamingCallback& callback,
                             Fetched* fetched) {
  if (callback.canister != page.canister) {
    return base::Err("its streaming callback belongs to another canister");
  }
  std::optional<base::Bytes> token = callback.token;
  while (token) {
    if (++fetched->callbacks > kCallbacksMax) {
      return base::Err("its body has not ended after ", kCallbacksMax, " streaming callbacks");
    }
    const Response part = replica_.Query(page.canister, callback.method, std::move(*token));
    if (part.reject) return base::Err("its streaming callback fails: ", part.reject->message);
    token = TRY(TakeChunk(part.reply, &fetched->response.body));
    if (fetched->response.body.size() > kBodyBytesMax) {
      return base::Err("its body is larger than ", kBodyBytesMax, " bytes");
    }
  }
  return {};
}

base::Result<Gateway::Fetched> Gateway::Fetch(const PageRequest& page, base::ByteSpan reply) {
  auto [args] = TRY(candid::DecodeArgs<HttpResponseArgs>(reply));
  Fetched fetched;
  fetched.upgrade = args.upgrade.value_or(false);
  if (args.status_code < 100 || args.status_code > 999) {
    return base::Err("its status code is ", args.status_code);
  }
  fetched.response.status_code = args.status_code;
  for (auto& [name, value] : args.headers) {
    fetched.response.headers.push_back({std::move(name), std::move(value)});
  }
  fetched.response.body = std::move(args.body);
  if (fetched.upgrade) return fetched;
  if (const auto callback = TRY(StrategyOf(reply))) {
    TRY_STATUS(Stream(page, *callback, &fetched));
  }
  return fetched;
}

void Gateway::Serve(const PageRequest& page, const Respond& respond) {
  const Response reply =
      replica_.Query(page.canister, "http_request", EncodeRequest(page.request, 2));
  if (reply.reject) {
    return respond(
        Rejected(page, static_cast<uint64_t>(reply.reject->code), reply.reject->message));
  }
  auto fetched = Fetch(page, reply.reply);
  if (!fetched) return respond(Problem(502, page, fetched.error().message));
  if (fetched->upgrade) return Upgrade(page, respond);
  respond(Verified(page, std::move(*fetched)));
}

// The answer of a call is certified as a whole.
void Gateway::Upgrade(const PageRequest& page, const Respond& respond) {
  PageRequest unverified = page;
  unverified.verification = Verification::kOff;
  replica_.Call(page.canister, "http_request_update", EncodeRequest(page.request, std::nullopt),
                [this, unverified, respond](const ic::RequestStatus& status) {
                  if (status.status != "replied") {
                    return respond(Rejected(unverified, status.reject.reject_code,
                                            status.reject.reject_message));
                  }
                  auto fetched = Fetch(unverified, status.reply);
                  if (!fetched) return respond(Problem(502, unverified, fetched.error().message));
                  respond(Verified(unverified, std::move(*fetched)));
                });
}

ic::HttpResponse Gateway::Verified(const PageRequest& page, Fetched fetched) const {
  ic::HttpResponse& response = fetched.response;
  const bool verify =
      page.verification == Verification::kOn && fetched.callbacks <= kCallbacksVerified;
  if (verify) {
    const auto verified = ic::VerifyHttpResponse(page.request, response, page.canister,
                                                 replica_.state().keys().root.public_key_der(),
                                                 replica_.env().NowNs());
    if (!verified) {
      return Problem(500, page,
                     base::StrCat("Response verification failed: ", verified.error().message,
                                  ". The host <canister>.raw.localhost shows it unverified."));
    }
    if (verified->expression.kind != ic::CertificationExpression::Kind::kSkip) {
      const auto certified = [&](const ic::HttpHeader& header) {
        return EqualsIgnoringCase(header.name, ic::kCertificateHeader) ||
               EqualsIgnoringCase(header.name, ic::kExpressionHeader) ||
               std::ranges::any_of(verified->headers, [&](const ic::HttpHeader& other) {
                 return EqualsIgnoringCase(other.name, header.name);
               });
      };
      std::erase_if(response.headers, [&](const auto& header) { return !certified(header); });
    }
  }
  std::erase_if(response.headers, [](const auto& header) { return IsOwnHeader(header.name); });
  response.headers.push_back({"x-ic-canister-id", page.canister.ToText()});
  return std::move(response);
}

}  // namespace runtime
