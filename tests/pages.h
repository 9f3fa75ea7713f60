// For tests only: the pages that the canister `model` serves, and what /metrics tells.
#ifndef GPT2IC_TESTS_PAGES_H_
#define GPT2IC_TESTS_PAGES_H_

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "candid/typed.h"
#include "cli/local.h"

namespace model_test {

struct HttpRequest {
  std::string method, url;
  std::vector<std::pair<std::string, std::string>> headers;
  base::Bytes body;
};
CANDID_RECORD(HttpRequest, method, url, headers, body)
struct HttpResponse {
  uint16_t status_code;
  std::vector<std::pair<std::string, std::string>> headers;
  base::Bytes body;
};
CANDID_RECORD(HttpResponse, status_code, headers, body)

inline HttpResponse Page(cli::Local& local, const std::string& url,
                         const std::string& method = "GET") {
  const auto reply =
      local.Query("http_request", candid::EncodeArgs(HttpRequest{method, url, {}, {}}));
  EXPECT_TRUE(reply) << reply.error().message;
  return std::get<0>(candid::DecodeArgs<HttpResponse>(*reply).value());
}
inline std::string Metrics(cli::Local& local) {
  return std::string(base::AsText(Page(local, "/metrics").body));
}

// Spent on receipts so far, page charges included.
inline uint64_t ReceiptInstructions(cli::Local& local) {
  const std::string page = Metrics(local);
  const size_t at = page.find("\ngpt2ic_receipt_instructions_total ");
  EXPECT_NE(at, std::string::npos);
  return std::stoull(page.substr(page.find(' ', at)));
}

}  // namespace model_test

#endif  // GPT2IC_TESTS_PAGES_H_
