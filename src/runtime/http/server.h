#ifndef GPT2IC_RUNTIME_HTTP_SERVER_H_
#define GPT2IC_RUNTIME_HTTP_SERVER_H_

#include <functional>
#include <memory>

#include "ic/http_certification.h"

namespace runtime {

struct ServerOptions {
  uint16_t port = 0;  // 0: any that is free
  size_t connections_max = 4096;
  size_t header_bytes_max = 32 << 10;
  size_t body_bytes_max = 5 << 20;              // of one request; the IC's limit
  size_t bodies_bytes_max = size_t{512} << 20;  // of all that are being read or answered
  uint32_t idle_seconds = 60;                   // between requests, and for the head of one
  uint32_t body_seconds = 60;                   // for the rest of a request
  uint32_t write_seconds = 60;                  // for a client to take its answer
  uint32_t stop_seconds = 10;                   // for requests under way when the server stops
};

// A request that was answered, or a client that was cut off.
struct ServerEvent {
  std::string client;   // "127.0.0.1:51234"
  std::string request;  // "POST /api/v4/canister/.../call"; empty: none was read
  uint16_t status = 0;  // 0: no answer was sent
  size_t bytes_in = 0, bytes_out = 0;
  uint64_t microseconds = 0;
  std::string problem;  // "timed out while its body was read", ...
};

// An HTTP/1.1 server on the loopback addresses 127.0.0.1 and, where there is one, ::1. Bounded in
// everything that a client can make large; a client that is slow or gone is cut off. One thread,
// that of Run. When all connections are taken, the one that has been idle for longest gives way.
class Server {
 public:
  // Called on any thread, once.
  using Respond = std::function<void(ic::HttpResponse)>;
  // Called on the server's thread; must not block.
  using Handler = std::function<void(ic::HttpRequest, Respond)>;
  using Observer = std::function<void(const ServerEvent&)>;

  // An Error says who has the port.
  static base::Result<std::unique_ptr<Server>> Listen(const ServerOptions& options, Handler handler,
                                                      Observer observer);
  ~Server();

  uint16_t port() const;
  // Until Stop was called and the requests under way are answered.
  void Run();
  // From any thread: no new connections or requests.
  void Stop();

 private:
  class Core;
  explicit Server(std::shared_ptr<Core> core) : core_(std::move(core)) {}
  std::shared_ptr<Core> core_;
};

// One whole request, read as the server reads it, without a connection: for fuzzing.
base::Result<ic::HttpRequest> ParseHttpRequest(base::ByteSpan bytes, const ServerOptions& options);

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_HTTP_SERVER_H_
