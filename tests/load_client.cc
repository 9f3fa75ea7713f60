#include "load_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "base/check.h"

namespace load {
namespace {

using Clock = std::chrono::steady_clock;

class Runner {
 public:
  Runner(uint16_t port, size_t clients, double seconds, Plan& plan)
      : plan_(plan),
        port_(port),
        until_(Clock::now() +
               std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        clients_(clients) {}
  ~Runner() { close(epoll_); }

  size_t Run() {
    for (size_t i = 0; i < clients_.size(); ++i) Begin(i);
    std::vector<epoll_event> events(1024);
    while (open_ > 0 || !again_.empty()) {
      for (const size_t i : std::exchange(again_, {})) Begin(i);
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                                   again_.empty() ? 100 : 0);
      for (int e = 0; e < count; ++e) {
        Handle(events[static_cast<size_t>(e)].data.u64, events[static_cast<size_t>(e)].events);
      }
      if (Clock::now() > until_) EndBadManners();
    }
    return failed_;
  }

 private:
  struct Client {
    int fd = -1;
    std::string out, in;
    size_t sent = 0;
  };

  void Begin(size_t i) {
    Client& client = clients_[i];
    client.out = RequestOf(i);
    client.sent = 0;
    client.in.clear();
    if (client.out.empty()) return;
    if (client.fd < 0 && !Connect(i)) {
      ++failed_;
      plan_.Lost(i);
      return;
    }
    Write(i);
  }

  std::string RequestOf(size_t i) {
    const Manner manner = plan_.MannerOf(i);
    if (manner != Manner::kGood && Clock::now() > until_) return "";
    std::string request = plan_.Next(i);
    if (manner == Manner::kStalls) request.resize(request.size() / 2);
    if (manner == Manner::kGarbage) {
      for (size_t at = 0; at < request.size(); at += 5) request[at] ^= 0x15;
    }
    return request;
  }

  bool Connect(size_t i) {
    Client& client = clients_[i];
    client.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client.fd < 0) return false;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(client.fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      close(client.fd);
      client.fd = -1;
      return false;
    }
    const int on = 1;
    setsockopt(client.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    fcntl(client.fd, F_SETFL, O_NONBLOCK);
    epoll_event event{EPOLLIN | EPOLLOUT | EPOLLET, {}};
    event.data.u64 = i;
    CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, client.fd, &event) == 0);
    ++open_;
    return true;
  }

  void Close(size_t i) {
    if (clients_[i].fd < 0) return;
    close(clients_[i].fd);
    clients_[i].fd = -1;
    --open_;
  }

  void Handle(size_t i, uint32_t events) {
    if (clients_[i].fd < 0) return;
    if ((events & EPOLLOUT) != 0) Write(i);
    if (clients_[i].fd >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) Read(i);
  }

  void Write(size_t i) {
    Client& client = clients_[i];
    while (client.sent < client.out.size()) {
      const ssize_t sent = send(client.fd, client.out.data() + client.sent,
                                client.out.size() - client.sent, MSG_NOSIGNAL);
      if (sent < 0) return;  // full, or gone: Read sees that
      client.sent += static_cast<size_t>(sent);
    }
    if (!client.out.empty() && plan_.MannerOf(i) == Manner::kCuts) {
      plan_.Lost(i);
      Close(i);
      again_.push_back(i);  // not at once: that would never return
    }
  }

  void Read(size_t i) {
    Client& client = clients_[i];
    char buffer[16384];
    ssize_t got = 0;
    while ((got = recv(client.fd, buffer, sizeof(buffer), 0)) > 0) {
      client.in.append(buffer, static_cast<size_t>(got));
    }
    const bool ended = got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    Answer answer;
    if (Whole(client.in, &answer)) {
      if (ended) Close(i);
      plan_.Take(i, std::move(answer));
      Begin(i);
      if (clients_[i].out.empty()) Close(i);
    } else if (ended) {
      Close(i);
      plan_.Lost(i);
      Begin(i);
    }
  }

  static bool Whole(const std::string& text, Answer* answer) {
    const size_t head = text.find("\r\n\r\n");
    if (head == text.npos) return false;
    const size_t at = text.find("Content-Length: ");
    const size_t length = at < head ? std::strtoul(text.c_str() + at + 16, nullptr, 10) : 0;
    if (text.size() < head + 4 + length) return false;
    answer->status = std::atoi(text.c_str() + 9);
    const auto body = base::AsBytes(std::string_view(text).substr(head + 4, length));
    answer->body.assign(body.begin(), body.end());
    return true;
  }

  void EndBadManners() {
    for (size_t i = 0; i < clients_.size(); ++i) {
      if (plan_.MannerOf(i) != Manner::kGood) Close(i);
    }
  }

  Plan& plan_;
  const uint16_t port_;
  const Clock::time_point until_;
  const int epoll_;
  std::vector<Client> clients_;
  std::vector<size_t> again_;  // clients whose next request is due
  size_t open_ = 0, failed_ = 0;
};

}  // namespace

size_t Run(uint16_t port, size_t clients, double seconds, Plan& plan) {
  return Runner(port, clients, seconds, plan).Run();
}

std::string PostRequest(const std::string& url, base::ByteSpan body) {
  return base::StrCat("POST ", url, " HTTP/1.1\r\nhost: localhost\r\ncontent-type: ",
                      "application/cbor\r\ncontent-length: ", body.size(), "\r\n\r\n",
                      base::AsText(body));
}

}  // namespace load
