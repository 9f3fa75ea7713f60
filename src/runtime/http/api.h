#ifndef GPT2IC_RUNTIME_HTTP_API_H_
#define GPT2IC_RUNTIME_HTTP_API_H_

#include <string_view>

#include "ic/authenticate.h"
#include "ic/http_certification.h"
#include "ic/refusal.h"

// The addresses of the IC's HTTP interface, and what is checked of a request before the network
// sees it. Pure functions: safe on any thread.
namespace runtime {

enum class ApiKind { kStatus, kCall, kQuery, kReadState };
enum class ApiAddressee { kCanister, kSubnet };

struct ApiRoute {
  ApiKind kind = ApiKind::kStatus;
  uint32_t version = 2;
  ApiAddressee addressee = ApiAddressee::kCanister;
  ic::Principal effective_id;
};

// Whether an address belongs to the interface, and not to a canister's page.
bool IsApiPath(std::string_view path);

// GET /api/v2/status; POST /api/{v2,v3,v4}/canister/<id>/call, .../v4/subnet/<id>/call,
// .../{v2,v3}/canister/<id>/query, .../v3/subnet/<id>/query,
// .../{v2,v3}/{canister,subnet}/<id>/read_state. Others: 404, a wrong method: 405.
ic::OrRefusal<ApiRoute> ParseApiRoute(std::string_view method, std::string_view path);

// A request whose sender is known.
struct ApiRequest {
  ApiRoute route;
  ic::Content content;
  ic::RequestId id{};
  ic::Authenticated sender;
};

// Content type, size (413), CBOR, effective id, signatures: everything that does not ask the
// network's state. Cost: a signature check or more (ic/authenticate.h).
ic::OrRefusal<ApiRequest> CheckApiRequest(const ApiRoute& route, const ic::HttpRequest& request,
                                          uint64_t now_ns, base::ByteSpan root_key_der);

// The value of a header, "" without; names in any case.
std::string_view HeaderOf(const ic::HttpRequest& request, std::string_view name);
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

ic::HttpResponse TextResponse(uint16_t status, std::string_view text);
ic::HttpResponse CborResponse(base::Bytes body);
inline ic::HttpResponse ToResponse(const ic::Refusal& refusal) {
  return TextResponse(refusal.status, refusal.text);
}

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_HTTP_API_H_
