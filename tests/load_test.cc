// Many clients at once: no acknowledged call is lost or executed twice, every reply is verified.
// GPT2IC_LOAD=2000,60 sets connections and seconds (make bench), and prints throughput.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <set>
#include <thread>

#include "base/check.h"
#include "ic/certificate_verify.h"
#include "ic/query_verify.h"
#include "load_client.h"
#include "runtime/http/server.h"
#include "runtime/http/test_support.h"

namespace {

using namespace runtime;
using load::Manner;
using Clock = std::chrono::steady_clock;

constexpr size_t kSenders = 20;

struct Size {
  size_t connections = 200;
  double seconds = 2;
  bool report = false;
};
Size SizeOfRun() {
  Size size;
  if (const char* text = std::getenv("GPT2IC_LOAD")) {
    size.report = std::sscanf(text, "%zu,%lf", &size.connections, &size.seconds) == 2;
  }
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return size;
}

void Report(const char* what, double per_second) {
  fmt::print("{:<50}{:>10.0f} a second {:>9.1f} us\n", what, per_second, 1e6 / per_second);
}

// One update to three queries. Certificates of the same root hash are verified once.
class Mix : public load::Plan {
 public:
  Mix(base::Bytes root_key, const ic::Principal& canister, ic::NodeKeys nodes, const Size& size)
      : root_key_(std::move(root_key)),
        canister_(canister),
        nodes_(std::move(nodes)),
        clients_(size.connections),
        until_(Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                  std::chrono::duration<double>(size.seconds))) {
    for (size_t i = 0; i < kSenders; ++i) {
      senders_.emplace_back(*ic::SigningKey::FromSecret(
          ic::KeyScheme::kEd25519, base::Bytes(32, static_cast<uint8_t>(i + 1))));
    }
  }

  std::string Next(size_t i) override {
    if (Clock::now() > until_) return "";
    Client& client = clients_[i];
    client.is_update = (i + client.requests++) % 4 == 0;
    ic::Content content;
    content.canister_id = canister_;
    content.ingress_expiry = SystemEnv().NowNs() + 240 * kSecond;
    content.nonce = ic::EncodeLeb(++nonce_);
    content.request_type = client.is_update ? ic::RequestType::kCall : ic::RequestType::kQuery;
    content.method_name = client.is_update ? "inc" : "peek";
    content.arg = *content.nonce;
    client.arg = content.arg;
    const ic::Envelope envelope = client.is_update ? senders_[i % kSenders].Sign(std::move(content))
                                                   : ic::Identity().Sign(std::move(content));
    client.id = ic::RequestIdOf(envelope.content);
    return load::PostRequest(
        base::StrCat("/api/", client.is_update ? "v4" : "v3", "/canister/", canister_.ToText(),
                     client.is_update ? "/call" : "/query"),
        ic::EncodeEnvelope(envelope));
  }

  void Take(size_t i, load::Answer answer) override {
    if (MannerOf(i) == Manner::kGarbage) return;
    if (answer.status == 503 || answer.status == 429) {
      ++busy;
      return;
    }
    if (trusting) {
      ++queries;
      return;
    }
    const auto checked =
        clients_[i].is_update ? TakeUpdate(clients_[i], answer) : TakeQuery(clients_[i], answer);
    if (!checked && problems++ < 5) ADD_FAILURE() << checked.error().message;
  }
  void Lost(size_t i) override {
    if (MannerOf(i) == Manner::kGood) ++lost;
  }

  std::set<uint32_t> counts;  // what the acknowledged updates have counted
  bool trusting = false;      // answers are counted, not verified
  size_t queries = 0, busy = 0, lost = 0, problems = 0, signatures = 0;

 private:
  struct Client {
    ic::RequestId id{};
    base::Bytes arg;
    size_t requests = 0;
    bool is_update = false;
  };

  base::Status TakeUpdate(const Client& client, const load::Answer& answer) {
    if (answer.status != 200) {
      return base::Err("call: ", answer.status, " ", base::AsText(answer.body));
    }
    const ic::CallReply reply = TRY(ic::ParseCallReply(answer.body));
    if (!reply.certificate) return base::Err("call: no certificate");
    const ic::Certificate certificate = TRY(ic::ParseCertificate(*reply.certificate));
    if (verified_.insert(certificate.tree.hash()).second) {
      ++signatures;
      TRY_STATUS(ic::VerifyCertificate(certificate, root_key_, canister_));
    }
    const auto status = TRY(ic::RequestStatusOf(certificate.tree, client.id));
    if (status.reply.size() != 4) return base::Err("call: status ", status.status);
    uint32_t count = 0;
    std::memcpy(&count, status.reply.data(), 4);
    if (!counts.insert(count).second) return base::Err("count ", count, " was given twice");
    return {};
  }

  base::Status TakeQuery(const Client& client, const load::Answer& answer) {
    if (answer.status != 200) {
      return base::Err("query: ", answer.status, " ", base::AsText(answer.body));
    }
    const ic::QueryReply reply = TRY(ic::ParseQueryReply(answer.body));
    TRY_STATUS(ic::VerifyQueryReply(reply, client.id, nodes_, SystemEnv().NowNs(), 300 * kSecond));
    if (reply.arg != client.arg) return base::Err("query: another answer than its argument");
    ++queries;
    return {};
  }

  const base::Bytes root_key_;
  const ic::Principal canister_;
  const ic::NodeKeys nodes_;
  std::vector<ic::Identity> senders_;
  std::vector<Client> clients_;
  std::set<ic::Sha256Digest> verified_;
  uint64_t nonce_ = 0;
  const Clock::time_point until_;
};

class BadMix : public Mix {
 public:
  using Mix::Mix;
  // Every tenth: a third of them each.
  Manner MannerOf(size_t i) const override {
    return i % 10 != 0 ? Manner::kGood : static_cast<Manner>(1 + i / 10 % 3);
  }
};

class LoadTest : public ReplicaTest {
 protected:
  template <class TheMix>
  void RunMix() {
    const Size size = SizeOfRun();
    const ic::NodeKeys nodes = {
        {replica_->state().keys().node_id(), replica_->state().keys().node.public_key_der()}};
    TheMix mix(root_key(), id_, nodes, size);
    ServerOptions options;
    options.body_seconds = options.idle_seconds = 2;
    const auto server = Server::Listen(
                            options,
                            [&](ic::HttpRequest request, Server::Respond respond) {
                              service_->Handle(std::move(request), std::move(respond));
                            },
                            nullptr)
                            .value();
    service_->Start();
    std::thread thread([&] { server->Run(); });
    const auto began = Clock::now();
    const size_t failed = load::Run(server->port(), size.connections, size.seconds, mix);
    const double spent = std::chrono::duration<double>(Clock::now() - began).count();
    server->Stop();
    thread.join();
    service_->Stop();
    EXPECT_EQ(failed, 0) << "connections";
    EXPECT_EQ(mix.lost, 0) << "good clients that were cut off";
    EXPECT_EQ(mix.problems, 0);
    EXPECT_GT(mix.queries, size.connections);
    ASSERT_FALSE(mix.counts.empty());
    CheckCounter(mix);
    if (size.report) {
      rusage usage{};
      getrusage(RUSAGE_SELF, &usage);
      fmt::print(
          "{} connections, {:.1f} s: {} updates and {} queries verified, {:.0f} requests/s, "
          "{} BLS signatures, {} busy, {} MB at most\n",
          size.connections, spent, mix.counts.size(), mix.queries,
          static_cast<double>(mix.counts.size() + mix.queries) / spent, mix.signatures, mix.busy,
          usage.ru_maxrss / 1024);
    }
  }

  // The canister has counted every acknowledged update, and without bad clients no other.
  void CheckCounter(const Mix& mix) {
    const Response reply = replica_->Query(id_, "get", {});
    uint32_t count = 0;
    ASSERT_EQ(reply.reply.size(), 4);
    std::memcpy(&count, reply.reply.data(), 4);
    EXPECT_LE(*mix.counts.rbegin(), count);
    const bool bad = mix.MannerOf(0) != Manner::kGood;
    if (bad) {
      EXPECT_GE(count, mix.counts.size());
    } else {
      EXPECT_EQ(count, mix.counts.size());
    }
  }
};

// For make bench: what verification and certification cost. The same server and canister, but
// requests are executed as they come: no signatures, no certificates, no ingress history.
TEST_F(LoadTest, WithoutVerificationAndCertification) {
  const Size size = SizeOfRun();
  if (!size.report) GTEST_SKIP() << "set GPT2IC_LOAD";
  Mix mix(root_key(), id_, {}, size);
  mix.trusting = true;
  const auto handle = [&](const ic::HttpRequest& request, const Server::Respond& respond) {
    const bool call = request.url.ends_with("/call");
    const auto envelope =
        ic::ParseEnvelope(request.body, call ? ic::RequestType::kCall : ic::RequestType::kQuery);
    const ic::Content& content = envelope->content;
    const Principal to(content.canister_id.bytes().begin(), content.canister_id.bytes().end());
    Network& network = replica_->network();
    Response reply = call ? network.Call({4}, to, content.method_name, content.arg)
                          : network.Query({4}, to, content.method_name, content.arg);
    respond(CborResponse(std::move(reply.reply)));
  };
  const auto server = Server::Listen({}, handle, nullptr).value();
  std::thread thread([&] { server->Run(); });
  const auto began = Clock::now();
  load::Run(server->port(), size.connections, size.seconds, mix);
  const double spent = std::chrono::duration<double>(Clock::now() - began).count();
  server->Stop();
  thread.join();
  Report("requests without verification and certification",
         static_cast<double>(mix.queries) / spent);
}

// For make bench: where the time of a request goes.
TEST_F(LoadTest, WhereTheTimeGoes) {
  if (!SizeOfRun().report) GTEST_SKIP() << "set GPT2IC_LOAD";
  const auto measure = [](const char* what, auto run) {
    constexpr int kTimes = 300;
    const auto began = Clock::now();
    for (int i = 0; i < kTimes; ++i) run();
    Report(what, kTimes / std::chrono::duration<double>(Clock::now() - began).count());
  };
  const ic::Identity identity(
      *ic::SigningKey::FromSecret(ic::KeyScheme::kEd25519, base::Bytes(32, 1)));
  const ic::Envelope envelope = identity.Sign(Content(ic::RequestType::kCall, "inc"));
  const ic::HttpRequest call = Post(Url("v4", "call"), ic::EncodeEnvelope(envelope));
  const ApiRoute route = ParseApiRoute("POST", call.url).value();
  measure("read a call and check its Ed25519 signature",
          [&] { CHECK(CheckApiRequest(route, call, env_.NowNs(), root_key())); });
  const Principal to(id_.bytes().begin(), id_.bytes().end());
  measure("execute a query", [&] { replica_->network().Query({4}, to, "peek", {1}); });
  measure("execute an update", [&] { replica_->network().Call({4}, to, "inc", {}); });
  ic::QueryReply reply;
  reply.arg = base::Bytes{1};
  measure("sign a query's answer", [&] {
    reply.signatures.clear();
    ic::SignQueryReply(reply, {}, env_.NowNs(), replica_->state().keys().node);
  });
  const std::vector<ic::Path> time = {ic::TextPath({"time"})};
  measure("certificate of a new state (once a round)", [&] {
    replica_->state().SetTime(env_.NowNs());
    replica_->state().Certify(time);
  });
  measure("certificate of the same state", [&] { replica_->state().Certify(time); });
}

TEST_F(LoadTest, NoAcknowledgedUpdateIsLostOrRunTwice) { RunMix<Mix>(); }

TEST_F(LoadTest, NorWhenEveryTenthClientStallsCutsOrSendsGarbage) { RunMix<BadMix>(); }

}  // namespace
