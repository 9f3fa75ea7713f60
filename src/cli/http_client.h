#ifndef GPT2IC_CLI_HTTP_CLIENT_H_
#define GPT2IC_CLI_HTTP_CLIENT_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cli/transport.h"

namespace cli {

// HTTP/1.1 over TCP or TLS (the system's certificates). Threads may share one: each request takes a
// connection of its own, and idle ones are kept.
class HttpClient : public Transport {
 public:
  // "http://127.0.0.1:8000", "https://icp-api.io".
  static base::Result<std::unique_ptr<HttpClient>> To(const std::string& url);
  ~HttpClient() override;

  base::Result<ic::HttpResponse> Send(const ic::HttpRequest& request) override;

 private:
  class Connection;
  HttpClient() = default;
  std::unique_ptr<Connection> TakeIdle();

  std::string host_, port_;
  bool tls_ = false;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace cli

#endif  // GPT2IC_CLI_HTTP_CLIENT_H_
