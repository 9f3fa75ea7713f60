#include "runtime/http/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

namespace runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A client that sends what it likes.
class Client {
 public:
  explicit Client(uint16_t port, bool v6 = false) {
    socket_ = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in v4_address{};
    v4_address.sin_family = AF_INET;
    v4_address.sin_port = htons(port);
    v4_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 v6_address{};
    v6_address.sin6_family = AF_INET6;
    v6_address.sin6_port = htons(port);
    v6_address.sin6_addr = in6addr_loopback;
    connected_ =
        0 == (v6 ? connect(socket_, reinterpret_cast<sockaddr*>(&v6_address), sizeof(v6_address))
                 : connect(socket_, reinterpret_cast<sockaddr*>(&v4_address), sizeof(v4_address)));
  }
  ~Client() { close(socket_); }
  Client(const Client&) = delete;

  bool connected() const { return connected_; }
  void Send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<size_t>(sent));
    }
  }
  void EndSending() { shutdown(socket_, SHUT_WR); }
  // What comes until `end` has come, or until the server closes.
  std::string Read(std::string_view end = "") {
    std::string text;
    while (end.empty() || text.find(end) == text.npos) {
      pollfd poll_for = {socket_, POLLIN, 0};
      if (poll(&poll_for, 1, 10'000) <= 0) return text + " (nothing more in 10 s)";
      char buffer[4096];
      const ssize_t got = recv(socket_, buffer, sizeof(buffer), 0);
      if (got <= 0) break;
      text.append(buffer, static_cast<size_t>(got));
    }
    return text;
  }
  std::string Ask(std::string_view request) {
    Send(request);
    return Read();
  }

 private:
  int socket_ = -1;
  bool connected_ = false;
};

class ServerTest : public ::testing::Test {
 protected:
  void Start(ServerOptions options = {}) {
    auto server = Server::Listen(
        options,
        [this](ic::HttpRequest request, Server::Respond respond) {
          Handle(std::move(request), std::move(respond));
        },
        [this](const ServerEvent& event) {
          const std::lock_guard lock(mutex_);
          events_.push_back(event);
        });
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    thread_ = std::thread([this] { server_->Run(); });
  }
  ~ServerTest() override { Stop(); }
  void Stop() {
    if (!thread_.joinable()) return;
    server_->Stop();
    thread_.join();
  }
  virtual void Handle(ic::HttpRequest request, Server::Respond respond) {
    if (request.url == "/held") {
      const std::lock_guard lock(mutex_);
      held_.push_back(std::move(respond));
      return;
    }
    ic::HttpResponse response;
    response.status_code = 200;
    base::Append(response.body,
                 base::StrCat(request.method, " ", request.url, " ", base::AsText(request.body)));
    respond(std::move(response));
  }
  std::vector<Server::Respond> Held() {
    const std::lock_guard lock(mutex_);
    return held_;
  }
  std::string Problems() {
    const std::lock_guard lock(mutex_);
    std::string all;
    for (const ServerEvent& event : events_) all += event.problem + ";";
    return all;
  }
  uint16_t port() const { return server_->port(); }

  std::unique_ptr<Server> server_;
  std::thread thread_;
  std::mutex mutex_;
  std::vector<Server::Respond> held_;
  std::vector<ServerEvent> events_;
};

constexpr char kGet[] = "GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

TEST_F(ServerTest, ListensOnBothLoopbackAddresses) {
  Start();
  EXPECT_NE(port(), 0);
  EXPECT_THAT(Client(port()).Ask(kGet), HasSubstr("\r\n\r\nGET /a "));
  Client v6(port(), true);
  if (!v6.connected()) GTEST_SKIP() << "no IPv6 here";
  EXPECT_THAT(v6.Ask(kGet), HasSubstr("\r\n\r\nGET /a "));
}

TEST_F(ServerTest, SaysThatThePortIsTaken) {
  Start();
  ServerOptions same;
  same.port = port();
  const auto second = Server::Listen(same, nullptr, nullptr);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("of 127.0.0.1 is taken by another program"));
}

TEST_F(ServerTest, EveryAnswerLetsOtherOriginsReadIt) {
  Start();
  EXPECT_THAT(Client(port()).Ask(kGet), HasSubstr("access-control-allow-origin: *\r\n"));
  const std::string preflight =
      Client(port()).Ask("OPTIONS /api/v2/status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  EXPECT_THAT(preflight, StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(preflight, HasSubstr("access-control-allow-headers: content-type"));
  const std::string bad = Client(port()).Ask("NONSENSE\r\n\r\n");
  EXPECT_THAT(bad, HasSubstr("access-control-allow-origin: *\r\n"));
}

TEST_F(ServerTest, KeepsAConnectionAndTakesRequestsInTurn) {
  Start();
  Client client(port());
  client.Send("GET /1 HTTP/1.1\r\nhost: x\r\n\r\nGET /2 HTTP/1.1\r\nhost: x\r\n\r\n");
  EXPECT_THAT(client.Read("GET /2 "), HasSubstr("GET /1 "));
  client.Send("HEAD /3 HTTP/1.1\r\nhost: x\r\n\r\n");
  const std::string head = client.Read("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Content-Length: 8\r\n")) << "as GET would have";
  EXPECT_THAT(client.Ask(kGet), StartsWith("HTTP/1.1 200")) << "no body came for HEAD";
}

TEST_F(ServerTest, TakesBodiesInEveryForm) {
  Start();
  const std::string head = "POST /p HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
  EXPECT_THAT(Client(port()).Ask(head + "content-length: 5\r\n\r\nhello"),
              HasSubstr("POST /p hello"));
  EXPECT_THAT(Client(port()).Ask(head + "transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n"
                                        "0\r\n\r\n"),
              HasSubstr("POST /p hello"));
  Client waits(port());
  waits.Send(head + "content-length: 5\r\nexpect: 100-continue\r\n\r\n");
  EXPECT_THAT(waits.Read("\r\n\r\n"), StartsWith("HTTP/1.1 100 "));
  EXPECT_THAT(waits.Ask("hello"), HasSubstr("POST /p hello"));
}

TEST_F(ServerTest, RefusesWhatIsTooLargeOrNoHttp) {
  ServerOptions options;
  options.body_bytes_max = 1000;
  options.bodies_bytes_max = 1500;
  Start(options);
  const auto ask = [&](const std::string& text) { return Client(port()).Ask(text); };
  const std::string post = "POST /p HTTP/1.1\r\nhost: x\r\n";
  EXPECT_THAT(ask(post + "content-length: 1001\r\n\r\n" + std::string(1001, 'x')),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(ask(post + "transfer-encoding: chunked\r\n\r\n500\r\n" + std::string(0x500, 'x')),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(ask(post + "content-length: 99999999999999999999\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask(post + "content-length: 5\r\ncontent-length: 6\r\n\r\nhello"),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nx: " + std::string(70'000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(ask("\x16\x03\x01\x02 hello TLS\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  // Two bodies of 900 bytes at once are more than the server keeps.
  Client first(port());
  first.Send("POST /held HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n\r\n" +
             std::string(900, 'x'));
  while (Held().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_THAT(ask(post + "content-length: 900\r\n\r\n"), StartsWith("HTTP/1.1 503 "));
  Held()[0]({200, {}, {}});
}

TEST_F(ServerTest, CutsOffClientsThatAreSlowOrGone) {
  ServerOptions options;
  options.idle_seconds = 1;
  options.body_seconds = 1;
  Start(options);
  Client no_head(port()), no_body(port()), half(port());
  no_head.Send("GET / HT");
  no_body.Send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhe");
  half.Send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhe");
  half.EndSending();
  EXPECT_EQ(half.Read(), "");
  EXPECT_EQ(no_head.Read(), "");
  EXPECT_EQ(no_body.Read(), "");
  EXPECT_THAT(Client(port()).Ask(kGet), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Problems(), HasSubstr("timed out while its body was read;"));
  EXPECT_THAT(Problems(), HasSubstr("was gone while its body was read;"));
}

TEST_F(ServerTest, AnIdleConnectionGivesWayToANewOne) {
  ServerOptions options;
  options.connections_max = 2;
  Start(options);
  Client first(port()), second(port());
  second.Send("GET /held HTTP/1.1\r\nhost: x\r\n\r\n");
  while (Held().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_THAT(Client(port()).Ask(kGet), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(first.Read(), "") << "closed, since it was idle";
  Held()[0]({200, {}, {}});
  EXPECT_THAT(second.Read("\r\n\r\n"), StartsWith("HTTP/1.1 200 ")) << "it was not";
}

TEST_F(ServerTest, AnswersWhatIsUnderWayWhenItStops) {
  Start();
  Client idle(port()), asking(port());
  asking.Send("GET /held HTTP/1.1\r\nhost: x\r\n\r\n");
  while (Held().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  server_->Stop();
  EXPECT_EQ(idle.Read(), "");
  EXPECT_FALSE(Client(port()).connected());
  Held()[0]({200, {}, {}});
  const std::string answer = asking.Read();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  Stop();
}

}  // namespace
}  // namespace runtime
