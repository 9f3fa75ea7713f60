// http_request: /metrics for Prometheus and /health for load balancers and people. Certified as
// "skip": the gateway lets them through as they are, so nothing here is proved to the reader.
#include "canister/model/certified.h"
#include "canister/model/house.h"
#include "canister/sdk/canister.h"
#include "ic/http_certification.h"

namespace model {
namespace {

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

constexpr size_t kUrlBytesMax = 2'000;

// Cycles as decimal text: they may have more than 64 bits.
std::string Text(Cycles value) {
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value != 0);
  return digits;
}

// Prometheus text, version 0.0.4.
class Metrics {
 public:
  void Add(const char* name, const char* type, const char* help, const std::string& value,
           std::string_view labels = "") {
    text_ += base::StrCat("# HELP gpt2ic_", name, " ", help, "\n# TYPE gpt2ic_", name, " ", type,
                          "\ngpt2ic_", name, labels, " ", value, "\n");
  }
  void Gauge(const char* name, const char* help, Cycles value) {
    Add(name, "gauge", help, Text(value));
  }
  void Counter(const char* name, const char* help, uint64_t value) {
    Add(name, "counter", help, Text(value));
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string MetricsText() {
  const State& state = TheState();
  const Status status = StatusNow();
  Metrics out;
  out.Add("info", "gauge", "What runs.", "1",
          base::StrCat("{version=\"", status.version, "\",git_revision=\"", status.git_revision,
                       "\"}"));
  out.Gauge("ready", "1 when a model is loaded.", status.state == "ready" ? 1 : 0);
  out.Gauge("cycles", "Cycle balance.", status.cycles);
  out.Gauge("cycles_liquid", "Cycles above the freezing threshold.", sdk::LiquidBalance());
  out.Gauge("heap_bytes", "Heap memory.", status.heap_bytes);
  out.Gauge("stable_bytes", "Stable memory.", status.stable_bytes);
  out.Gauge("stable_free_bytes", "Of it, free for uploads.", status.stable_free_bytes);
  out.Gauge("sessions", "Sessions kept.", status.sessions);
  out.Gauge("jobs_queued", "Answers not finished.", status.queued);
  out.Gauge("jobs_running", "Of them, begun.", status.running);
  out.Gauge("receipts", "Receipts kept.", state.receipts.all().size());
  out.Gauge("tokens_today", "Tokens of today's quota used.", status.tokens_today);
  out.Counter("answers_total", "Answers finished since the last upgrade.", state.totals.answers);
  out.Counter("prompt_tokens_total", "Prompt tokens run for them.", state.totals.prompt_tokens);
  out.Counter("output_tokens_total", "Tokens of them.", state.totals.output_tokens);
  out.Counter("instructions_total", "Instructions for them.", state.totals.instructions);
  out.Counter("receipt_instructions_total", "For their receipts.",
              state.totals.receipt_instructions);
  return out.Take();
}

// The word that status has, or what is worse.
std::string Health() {
  const Status status = StatusNow();
  const bool low = status.state == "ready" && sdk::LiquidBalance() < kLowCycles;
  return low ? "low on cycles" : status.state;
}

HttpResponse Page(const HttpRequest& request) {
  const std::string path = request.url.substr(0, request.url.find('?'));
  HttpResponse response{200, {{"content-type", "text/plain; charset=utf-8"}}, {}};
  const auto say = [&](uint16_t code, std::string_view text) {
    response.status_code = code;
    base::Append(response.body, text);
  };
  if (request.url.size() > kUrlBytesMax) {
    say(414, "the address is too long\n");
  } else if (path != "/metrics" && path != "/health") {
    say(404, "there is /metrics and /health\n");
  } else if (request.method != "GET" && request.method != "HEAD") {
    say(405, "only GET and HEAD are answered\n");
  } else if (path == "/metrics") {
    response.headers[0].second = "text/plain; version=0.0.4; charset=utf-8";
    say(200, MetricsText());
  } else {
    const std::string health = Health();
    say(health == "ready" ? 200 : 503, health + "\n");
  }
  return response;
}

CANISTER_QUERY(http_request) {
  const auto request = sdk::Argument<HttpRequest>();
  HttpResponse response = Page(request);
  const ic::ExpressionPath path = ic::WildcardPath({});
  // A path that cannot be read has no page, and no proof that it has none.
  const auto segments = ic::UrlSegments(request.url).value_or(std::vector<std::string>());
  ic::HttpCertificate certificate;
  certificate.certificate = sdk::DataCertificate();
  certificate.tree = TheState().certified.Witness(ic::WitnessPaths(path, segments)).Encode();
  certificate.expr_path = path;
  response.headers.emplace_back("IC-CertificateExpression", SkipExpression());
  response.headers.emplace_back("IC-Certificate", ic::CertificateHeaderText(certificate));
  sdk::Reply(response);
}

}  // namespace

void WarnOfLowCycles(State& state) {
  constexpr uint64_t kEveryNs = 86'400'000'000'000;  // a day
  const Cycles left = sdk::LiquidBalance();
  const uint64_t now = sdk::NowNs();
  const bool warned = state.low_cycles_ns != 0 && now - state.low_cycles_ns < kEveryNs;
  if (left >= kLowCycles || warned) return;
  state.low_cycles_ns = now;
  state.log.Add(now, base::StrCat("cycles run low: ", Text(left),
                                  " are left above the freezing threshold, expected at least ",
                                  Text(kLowCycles)));
}

}  // namespace model
