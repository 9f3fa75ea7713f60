// The canister's messages. It has no state but what the module and the environment make it.
#include <memory>

#include "canister/frontend/environment.h"
#include "canister/frontend/site.h"
#include "canister/sdk/canister.h"
#include "canister/sdk/ic0.h"

namespace frontend {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequestArgs {
  std::string method, url;
  Headers headers;
  base::Bytes body;
};
CANDID_RECORD(HttpRequestArgs, method, url, headers, body)
struct HttpResponseArgs {
  uint16_t status_code = 200;
  Headers headers;
  base::Bytes body;
  std::optional<bool> upgrade;
};
CANDID_RECORD(HttpResponseArgs, status_code, headers, body, upgrade)

std::unique_ptr<Site> site;
std::string variables;  // that the site's cookie tells

void Build() {
  variables = PublicVariables();
  site = std::make_unique<Site>(Assets(), EnvironmentCookie(RootKey(), variables));
  ic0::certified_data_set(site->root_hash().data(),
                          static_cast<uint32_t>(site->root_hash().size()));
}

base::Bytes DataCertificate() {
  if (ic0::data_certificate_present() == 0) return {};
  base::Bytes certificate(ic0::data_certificate_size());
  ic0::data_certificate_copy(certificate.data(), 0, static_cast<uint32_t>(certificate.size()));
  return certificate;
}

ic::HttpRequest RequestOf(HttpRequestArgs args) {
  ic::HttpRequest request{std::move(args.method), std::move(args.url), {}, std::move(args.body)};
  for (auto& [name, value] : args.headers) {
    request.headers.push_back({std::move(name), std::move(value)});
  }
  return request;
}

HttpResponseArgs Serve(const ic::HttpRequest& request, const base::Bytes& certificate) {
  HttpResponseArgs response;
  auto answer = site->AnswerTo(request);
  if (!answer) {
    response.status_code = 400;
    response.body.assign(answer.error().message.begin(), answer.error().message.end());
    return response;
  }
  const Variant& variant = *answer->variant;
  response.status_code = variant.status_code;
  for (const ic::HttpHeader& header : variant.headers) {
    response.headers.emplace_back(header.name, header.value);
  }
  response.body.assign(variant.body.begin(), variant.body.end());
  if (!certificate.empty()) {
    answer->certificate.certificate = certificate;
    response.headers.emplace_back(std::string(ic::kCertificateHeader),
                                  ic::CertificateHeaderText(answer->certificate));
  }
  return response;
}

CANISTER_INIT() {
  __wasm_call_ctors();
  Build();
}
CANISTER_POST_UPGRADE() {
  __wasm_call_ctors();
  Build();
}

// A changed environment needs a new cookie in the certified pages, which only an update can give
// them: the gateway then asks http_request_update, and queries serve the new pages after it.
CANISTER_QUERY(http_request) {
  const ic::HttpRequest request = RequestOf(sdk::Argument<HttpRequestArgs>());
  if (PublicVariables() == variables) {
    sdk::Reply(Serve(request, DataCertificate()));
  } else {
    HttpResponseArgs response;
    response.upgrade = true;
    sdk::Reply(response);
  }
}

// Calls cost the canister, and only a changed environment needs one.
CANISTER_INSPECT() {
  if (sdk::InspectedMethod() == "http_request_update" && PublicVariables() != variables) {
    sdk::AcceptMessage();
  }
}

CANISTER_UPDATE(http_request_update) {
  const ic::HttpRequest request = RequestOf(sdk::Argument<HttpRequestArgs>());
  if (PublicVariables() != variables) Build();
  sdk::Reply(Serve(request, {}));
}

}  // namespace
}  // namespace frontend
