#include "cli/agent.h"

#include <openssl/rand.h>

#include <chrono>
#include <thread>

#include "base/check.h"
#include "base/hex.h"
#include "ic/certificate_verify.h"

namespace cli {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kExpiry = 240 * kSecond;  // leaves a minute for clocks that differ
constexpr int kTries = 7;                    // 0.25 s, 0.5 s, ... between them: 16 s in all
constexpr milliseconds kFirstWait{250};
constexpr auto kPollTime = std::chrono::minutes(10);

uint64_t NowNs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

// 429 and what a busy or restarting server answers.
bool IsPassing(uint16_t status) { return status == 429 || status == 502 || status == 503; }

std::string Sentence(const ic::Reject& reject) {
  return reject.error_code ? base::StrCat(reject.reject_message, " (", *reject.error_code, ")")
                           : reject.reject_message;
}

base::Result<base::Bytes> ReplyOf(ic::RequestStatus status) {
  if (status.status == "replied") return std::move(status.reply);
  if (status.status == "rejected") return std::unexpected(base::Error{Sentence(status.reject)});
  return base::Err("the network has answered the call and does not keep the answer any more");
}

ic::Content NewContent(ic::RequestType type, const ic::Principal& canister, std::string method,
                       base::Bytes argument) {
  ic::Content content;
  content.request_type = type;
  content.ingress_expiry = NowNs() + kExpiry;
  content.canister_id = canister;
  content.method_name = std::move(method);
  content.arg = std::move(argument);
  return content;
}

}  // namespace

const base::Bytes& MainnetRootKey() {
  static const base::Bytes key =
      base::FromHex(
          "308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100814c0e6ec71f"
          "ab583b08bd81373c255c3c371b2e84863c98a4f1e08b74235d14fb5d9c0cd546d9685f913a0c0b2cc53415"
          "83bf4b4392e467db96d65b9bb4cb717112f8472e0d5a4d14505ffd7484b01291091c5f87b98883463f9809"
          "1a0baaae")
          .value();
  return key;
}

base::Result<std::unique_ptr<Agent>> Agent::Connect(Transport& transport, ic::Identity identity,
                                                    base::Bytes root_key) {
  std::unique_ptr<Agent> agent(new Agent(transport, std::move(identity)));
  if (root_key.empty()) {
    const auto response = TRY(agent->SendRepeatedly({"GET", "/api/v2/status", {}, {}}));
    if (response.status_code != 200) {
      return base::Err("asked for its root key, the network answers with HTTP status ",
                       response.status_code);
    }
    root_key = TRY(ic::ParseStatusReply(response.body)).root_key;
  }
  agent->root_key_ = std::move(root_key);
  return agent;
}

base::Result<ic::HttpResponse> Agent::SendRepeatedly(const ic::HttpRequest& request) {
  milliseconds wait = kFirstWait;
  for (int tries = 1;; ++tries, wait *= 2) {
    auto response = transport_.Send(request);
    const bool settled = response && !IsPassing(response->status_code);
    if (settled || tries == kTries) return response;
    std::this_thread::sleep_for(wait);
  }
}

// An envelope may be sent again: the network executes a request id once.
base::Result<ic::HttpResponse> Agent::Post(const ic::Principal& effective_id,
                                           std::string_view version, std::string_view what,
                                           const ic::Envelope& envelope) {
  ic::HttpRequest request;
  request.method = "POST";
  request.url = base::StrCat("/api/", version, "/canister/", effective_id.ToText(), "/", what);
  request.headers = {{"content-type", "application/cbor"}};
  request.body = ic::EncodeEnvelope(envelope);
  auto response = TRY(SendRepeatedly(request));
  if (response.status_code >= 300) {
    return base::Err("the network refuses the ", what, " (HTTP status ", response.status_code,
                     "): ", base::Printable(base::AsText(response.body), 500));
  }
  return response;
}

base::Result<ic::HashTree> Agent::Verified(base::ByteSpan cbor, const ic::Principal& effective_id,
                                           ic::Principal* subnet) const {
  const ic::Certificate certificate = TRY(ic::ParseCertificate(cbor));
  TRY_STATUS(ic::VerifyCertificate(certificate, root_key_, effective_id));
  TRY_STATUS(ic::CheckCertificateTime(certificate.tree, NowNs()));
  if (subnet != nullptr) {
    *subnet = certificate.delegation ? certificate.delegation->subnet_id
                                     : ic::SelfAuthenticating(root_key_);
  }
  return certificate.tree;
}

base::Result<ic::HashTree> Agent::ReadState(const ic::Principal& effective_id,
                                            std::vector<ic::Path> paths) {
  const auto certificate = TRY(ReadStateCertificate(effective_id, std::move(paths)));
  return TRY(ic::ParseCertificate(certificate)).tree;
}

base::Result<base::Bytes> Agent::ReadStateCertificate(const ic::Principal& effective_id,
                                                      std::vector<ic::Path> paths) {
  ic::Content content = NewContent(ic::RequestType::kReadState, {}, "", {});
  content.paths = std::move(paths);
  const auto response = TRY(Post(effective_id, "v3", "read_state", identity_.Sign(content)));
  base::Bytes certificate = TRY(ic::ParseReadStateReply(response.body));
  TRY(Verified(certificate, effective_id));
  return certificate;
}

base::Result<base::Bytes> Agent::Update(const ic::Principal& canister, std::string method,
                                        base::Bytes argument,
                                        std::optional<ic::Principal> effective_id) {
  const ic::Principal at = effective_id.value_or(canister);
  ic::Content content =
      NewContent(ic::RequestType::kCall, canister, std::move(method), std::move(argument));
  content.nonce = base::Bytes(16);
  CHECK(RAND_bytes(content.nonce->data(), 16) == 1);
  const ic::Envelope envelope = identity_.Sign(std::move(content));
  const ic::RequestId id = ic::RequestIdOf(envelope.content);
  const auto response = TRY(Post(at, "v4", "call", envelope));
  if (response.status_code == 202) return Poll(id, at);
  const ic::CallReply reply = TRY(ic::ParseCallReply(response.body));
  if (reply.rejection) return std::unexpected(base::Error{Sentence(*reply.rejection)});
  if (!reply.certificate) return Poll(id, at);
  ic::RequestStatus status = TRY(ic::RequestStatusOf(TRY(Verified(*reply.certificate, at)), id));
  const bool done = status.status == "replied" || status.status == "rejected";
  return done ? ReplyOf(std::move(status)) : Poll(id, at);
}

base::Result<base::Bytes> Agent::Poll(const ic::RequestId& id, const ic::Principal& effective_id) {
  const auto until = std::chrono::steady_clock::now() + kPollTime;
  milliseconds wait{200};
  while (std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(wait);
    wait = std::min<milliseconds>(wait * 6 / 5, milliseconds(2000));
    const ic::HashTree tree = TRY(ReadState(effective_id, {ic::RequestStatusPath(id)}));
    ic::RequestStatus status = TRY(ic::RequestStatusOf(tree, id));
    const bool pending =
        status.status.empty() || status.status == "received" || status.status == "processing";
    if (!pending) return ReplyOf(std::move(status));
  }
  return base::Err("the call is not answered after 10 minutes; its request id is ",
                   base::ToHex(id));
}

base::Result<ic::NodeKeys> Agent::NodesOf(const ic::Principal& effective_id) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = nodes_.find(effective_id);
    if (known != nodes_.end() && known->second.until_ns > NowNs()) return known->second.keys;
  }
  ic::Content content = NewContent(ic::RequestType::kReadState, {}, "", {});
  content.paths = {ic::TextPath({"subnet"})};
  const auto response = TRY(Post(effective_id, "v2", "read_state", identity_.Sign(content)));
  ic::Principal subnet;
  const ic::HashTree tree =
      TRY(Verified(TRY(ic::ParseReadStateReply(response.body)), effective_id, &subnet));
  ic::NodeKeys keys = TRY(ic::NodeKeysOf(tree, subnet, effective_id));
  const std::lock_guard lock(mutex_);
  nodes_[effective_id] = {keys, NowNs() + 300 * kSecond};
  return keys;
}

base::Result<base::Bytes> Agent::Query(const ic::Principal& canister, std::string method,
                                       base::Bytes argument,
                                       std::optional<ic::Principal> effective_id) {
  const ic::Principal at = effective_id.value_or(canister);
  const ic::Envelope envelope = identity_.Sign(
      NewContent(ic::RequestType::kQuery, canister, std::move(method), std::move(argument)));
  const auto response = TRY(Post(at, "v3", "query", envelope));
  ic::QueryReply reply = TRY(ic::ParseQueryReply(response.body));
  const ic::NodeKeys nodes = TRY(NodesOf(at));
  TRY_STATUS(ic::VerifyQueryReply(reply, ic::RequestIdOf(envelope.content), nodes, NowNs(),
                                  300 * kSecond));
  if (reply.reject) return std::unexpected(base::Error{Sentence(*reply.reject)});
  return std::move(*reply.arg);
}

base::Result<std::optional<std::string>> Agent::Metadata(const ic::Principal& canister,
                                                         std::string_view name) {
  const ic::Path path = ic::MetadataPath(canister, name);
  const auto value = TRY(ReadState(canister, {path})).Value(path);
  if (!value) return std::nullopt;
  return std::string(base::AsText(*value));
}

}  // namespace cli
