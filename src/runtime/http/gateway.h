#ifndef GPT2IC_RUNTIME_HTTP_GATEWAY_H_
#define GPT2IC_RUNTIME_HTTP_GATEWAY_H_

#include <expected>

#include "runtime/http/replica.h"

namespace runtime {

enum class Verification { kOff, kOn };

// A page of a canister that a browser asks for.
struct PageRequest {
  ic::Principal canister;
  Verification verification = Verification::kOn;  // off for hosts named "raw"
  ic::HttpRequest request;
};

struct StreamingCallback;

// The HTTP gateway protocol: a browser's request becomes a query of http_request, or the call
// http_request_update when the canister asks for an upgrade; long bodies are fetched by the
// canister's streaming callback; the response is verified (version 2) before it is passed on, so
// that a page works here only if it will work on the real network's gateways.
class Gateway {
 public:
  using Respond = std::function<void(ic::HttpResponse)>;

  Gateway(Replica& replica, Verification verification)
      : replica_(replica), verification_(verification) {}

  // Which canister is meant: the host <canister>.localhost or <canister>.raw.localhost, else
  // ?canisterId=, else the same of the page that the request comes from. On any thread.
  std::expected<PageRequest, ic::HttpResponse> Prepare(ic::HttpRequest request) const;
  // On the network's thread.
  void Serve(const PageRequest& page, const Respond& respond);

 private:
  struct Fetched;

  base::Result<Fetched> Fetch(const PageRequest& page, base::ByteSpan reply);
  base::Status Stream(const PageRequest& page, const StreamingCallback& callback, Fetched* fetched);
  void Upgrade(const PageRequest& page, const Respond& respond);
  ic::HttpResponse Verified(const PageRequest& page, Fetched fetched) const;

  Replica& replica_;
  const Verification verification_;
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_HTTP_GATEWAY_H_
