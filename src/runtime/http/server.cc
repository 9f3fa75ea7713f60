#include "runtime/http/server.h"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "base/check.h"

namespace runtime {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using beast::error_code;
using Clock = std::chrono::steady_clock;
using Body = http::vector_body<uint8_t>;

// What a browser needs to let a page of another origin use the interface (docs/http.md).
constexpr std::pair<const char*, const char*> kCors[] = {
    {"access-control-allow-origin", "*"},
    {"access-control-allow-methods", "HEAD, GET, POST, PUT, DELETE, PATCH, OPTIONS"},
    {"access-control-allow-headers",
     "content-type, cache-control, cookie, range, user-agent, dnt, if-none-match, "
     "if-modified-since, x-requested-with, x-ic-canister-id"},
    {"access-control-expose-headers",
     "accept-ranges, content-length, content-range, x-request-id, x-ic-canister-id"},
    {"access-control-max-age", "600"},
};

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

// What is wrong with a request that could not be read; 0: the client is gone.
std::pair<uint16_t, std::string> ProblemOf(error_code error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return {431, "The head of the request is too large."};
  if (error == http::error::body_limit) return {413, "The body of the request is too large."};
  const bool malformed =
      error.category() == http::make_error_code(http::error::bad_method).category();
  if (malformed && error != http::error::end_of_stream && error != http::error::partial_message)
    return {400, "This is no HTTP/1.1 request: " + error.message() + "."};
  return {0, ""};
}

using Parser = http::request_parser<Body>;

void SetLimits(const ServerOptions& options, Parser& parser) {
  parser.header_limit(static_cast<uint32_t>(options.header_bytes_max));
  parser.body_limit(options.body_bytes_max);
}

ic::HttpRequest ToRequest(Parser::value_type message) {
  ic::HttpRequest request;
  request.method = std::string(View(message.method_string()));
  request.url = std::string(View(message.target()));
  for (const auto& field : message) {
    request.headers.push_back(
        {std::string(View(field.name_string())), std::string(View(field.value()))});
  }
  request.body = std::move(message.body());
  return request;
}

}  // namespace

base::Result<ic::HttpRequest> ParseHttpRequest(base::ByteSpan bytes, const ServerOptions& options) {
  Parser parser;
  SetLimits(options, parser);
  parser.eager(true);
  error_code error;
  while (!bytes.empty() && !parser.is_done() && !error) {
    const size_t used = parser.put(asio::buffer(bytes.data(), bytes.size()), error);
    if (used == 0 && !error) break;
    bytes = bytes.subspan(used);
  }
  if (error) return base::Err(error.message());
  if (!parser.is_done()) return base::Err("the request is not complete");
  return ToRequest(parser.release());
}

class Server::Core : public std::enable_shared_from_this<Server::Core> {
 public:
  class Connection;

  Core(const ServerOptions& options, Handler handler, Observer observer)
      : options_(options), handler_(std::move(handler)), observer_(std::move(observer)) {}

  base::Status Listen();
  uint16_t port() const { return port_; }
  void Run();
  void Stop() {
    asio::post(io_, [self = shared_from_this()] { self->BeginStop(); });
  }

 private:
  using Acceptor = tcp::acceptor;
  struct Listener {
    explicit Listener(asio::io_context& io) : acceptor(io), retry(io) {}
    Acceptor acceptor;
    asio::steady_timer retry;
  };

  error_code Bind(const asio::ip::address& address, uint16_t port);
  void Accept(Listener& listener);
  void Accepted(Listener& listener, error_code error, tcp::socket socket);
  void MakeRoom();
  void BeginStop();
  void Forget(Connection& connection);

  const ServerOptions options_;
  const Handler handler_;
  const Observer observer_;
  asio::io_context io_{1};
  std::vector<std::unique_ptr<Listener>> listeners_;
  asio::steady_timer stop_timer_{io_};
  std::map<uint64_t, std::weak_ptr<Connection>> connections_;
  uint64_t next_connection_ = 0;
  size_t bodies_bytes_ = 0;
  uint16_t port_ = 0;
  bool stopping_ = false;
};

// ---- one client --------------------------------------------------------------------------------

class Server::Core::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Core> core, uint64_t number, tcp::socket socket)
      : core_(std::move(core)), number_(number), stream_(std::move(socket)) {
    error_code ignored;
    stream_.socket().set_option(tcp::no_delay(true), ignored);
    const auto remote = stream_.socket().remote_endpoint(ignored);
    client_ = remote.address().to_string(ignored) + ":" + std::to_string(remote.port());
    buffer_.max_size(std::max<size_t>(core_->options_.header_bytes_max, 64 << 10));
  }
  ~Connection() {
    ReturnBudget();
    core_->Forget(*this);
  }

  uint64_t number() const { return number_; }
  bool idle() const { return idle_; }
  Clock::time_point since() const { return since_; }
  void Close() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
    core_->Forget(*this);
  }
  void ReadHead();

 private:
  void HeadRead(error_code error);
  void Continue();
  void ReadBody();
  void BodyRead(error_code error);
  void Failed(error_code error, const char* during);
  void Answer(ic::HttpResponse response);
  void Write();
  void Written(error_code error, size_t bytes);
  void Drain();
  void DrainMore();
  bool TakeBudget();
  void ReturnBudget() { core_->bodies_bytes_ -= std::exchange(budget_, 0); }
  void Report(uint16_t status, size_t bytes_out, std::string problem);

  std::shared_ptr<Core> core_;
  const uint64_t number_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::string client_, request_line_;
  std::optional<Parser> parser_;
  std::optional<http::response<Body>> response_;
  std::optional<http::response_serializer<Body>> serializer_;
  http::response<http::empty_body> continue_;
  Clock::time_point since_ = Clock::now();
  size_t budget_ = 0, bytes_in_ = 0;
  bool idle_ = true, head_only_ = false, keep_alive_ = false;
};

void Server::Core::Connection::ReadHead() {
  if (core_->stopping_) return Close();
  idle_ = buffer_.size() == 0;
  since_ = Clock::now();
  request_line_.clear();
  bytes_in_ = 0;
  parser_.emplace();
  SetLimits(core_->options_, *parser_);
  stream_.expires_after(std::chrono::seconds(core_->options_.idle_seconds));
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](error_code error, size_t) { self->HeadRead(error); });
}

void Server::Core::Connection::HeadRead(error_code error) {
  if (error) return Failed(error, "its request was read");
  idle_ = false;
  since_ = Clock::now();
  const auto& head = parser_->get();
  head_only_ = head.method() == http::verb::head;
  keep_alive_ = head.keep_alive();
  request_line_ = std::string(View(head.method_string())) + " " + std::string(View(head.target()));
  if (!TakeBudget()) {
    keep_alive_ = false;
    ic::HttpResponse busy;
    busy.status_code = 503;
    base::Append(busy.body, "Service is overloaded, try again later.");
    return Answer(std::move(busy));
  }
  if (beast::iequals(head[http::field::expect], "100-continue")) return Continue();
  ReadBody();
}

// The room that the body may take. It is given back when the request is answered.
bool Server::Core::Connection::TakeBudget() {
  const auto length = parser_->content_length();
  const bool chunked = parser_->chunked();
  const size_t wanted =
      length ? static_cast<size_t>(*length) : (chunked ? core_->options_.body_bytes_max : 0);
  if (core_->bodies_bytes_ + wanted > core_->options_.bodies_bytes_max) return false;
  budget_ = wanted;
  core_->bodies_bytes_ += wanted;
  return true;
}

void Server::Core::Connection::Continue() {
  continue_ = {http::status::continue_, 11};
  http::async_write(stream_, continue_, [self = shared_from_this()](error_code error, size_t) {
    if (error) return self->Failed(error, "it was told to go on");
    self->ReadBody();
  });
}

void Server::Core::Connection::ReadBody() {
  stream_.expires_after(std::chrono::seconds(core_->options_.body_seconds));
  http::async_read(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](error_code error, size_t) { self->BodyRead(error); });
}

void Server::Core::Connection::BodyRead(error_code error) {
  if (error) return Failed(error, "its body was read");
  stream_.expires_never();
  ic::HttpRequest request = ToRequest(parser_->release());
  bytes_in_ = request.body.size();
  if (request.method == "OPTIONS") {
    ic::HttpResponse preflight;
    preflight.status_code = 204;
    return Answer(std::move(preflight));
  }
  // The connection lives as long as somebody may answer.
  core_->handler_(std::move(request), [self = shared_from_this()](ic::HttpResponse response) {
    asio::post(self->core_->io_,
               [self, answer = std::move(response)]() mutable { self->Answer(std::move(answer)); });
  });
}

void Server::Core::Connection::Failed(error_code error, const char* during) {
  const auto [status, text] = ProblemOf(error);
  if (status != 0) {
    keep_alive_ = false;
    ic::HttpResponse refusal;
    refusal.status_code = status;
    base::Append(refusal.body, text);
    return Answer(std::move(refusal));
  }
  const bool quiet = idle_ && buffer_.size() == 0;  // nothing was asked
  if (!quiet) {
    const bool late = error == beast::error::timeout;
    Report(0, 0, std::string(late ? "timed out while " : "was gone while ") + during);
  }
  Close();
}

void Server::Core::Connection::Answer(ic::HttpResponse from) {
  response_.emplace();
  auto& to = *response_;
  to.version(11);
  to.result(from.status_code);
  for (const auto& [name, value] : kCors) to.set(name, value);
  bool typed = false;
  for (const ic::HttpHeader& header : from.headers) {
    typed = typed || beast::iequals(header.name, "content-type");
    // A canister's answer may have any bytes in its headers; those that would end one are cut.
    const size_t end = header.value.find_first_of(std::string_view("\r\n\0", 3));
    to.insert(header.name,
              beast::string_view(header.value.data(), std::min(end, header.value.size())));
  }
  if (!typed && !from.body.empty()) to.set(http::field::content_type, "text/plain; charset=utf-8");
  keep_alive_ = keep_alive_ && !core_->stopping_;
  to.keep_alive(keep_alive_);
  to.body() = std::move(from.body);
  const unsigned status = from.status_code;
  if (status != 204 && status != 304 && status >= 200) to.content_length(to.body().size());
  serializer_.emplace(to);
  Write();
}

void Server::Core::Connection::Write() {
  stream_.expires_after(std::chrono::seconds(core_->options_.write_seconds));
  auto done = [self = shared_from_this()](error_code error, size_t bytes) {
    self->Written(error, bytes);
  };
  const unsigned status = response_->result_int();
  if (head_only_ || status == 204 || status == 304) {
    serializer_->split(true);
    http::async_write_header(stream_, *serializer_, std::move(done));
  } else {
    http::async_write(stream_, *serializer_, std::move(done));
  }
}

void Server::Core::Connection::Written(error_code error, size_t bytes) {
  ReturnBudget();
  const uint16_t status = static_cast<uint16_t>(response_->result_int());
  serializer_.reset();
  response_.reset();
  parser_.reset();
  if (error) {
    Report(0, bytes,
           error == beast::error::timeout ? "timed out while it was answered"
                                          : "was gone while it was answered");
    return Close();
  }
  Report(status, bytes, "");
  if (!keep_alive_) return Drain();
  ReadHead();
}

// Closing while the client still sends would reset the connection before it has read the answer: it
// gets a moment.
void Server::Core::Connection::Drain() {
  error_code ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  stream_.expires_after(std::chrono::seconds(1));
  idle_ = true;
  DrainMore();
}

void Server::Core::Connection::DrainMore() {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(32 << 10),
                          [self = shared_from_this()](error_code error, size_t) {
                            if (error) return self->Close();
                            self->DrainMore();
                          });
}

void Server::Core::Connection::Report(uint16_t status, size_t bytes_out, std::string problem) {
  if (!core_->observer_) return;
  const auto spent =
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - since_).count();
  core_->observer_({client_, request_line_, status, bytes_in_, bytes_out,
                    static_cast<uint64_t>(spent), std::move(problem)});
}

// ---- the server --------------------------------------------------------------------------------

error_code Server::Core::Bind(const asio::ip::address& address, uint16_t port) {
  error_code error;
  const tcp::endpoint endpoint(address, port);
  auto listener = std::make_unique<Listener>(io_);
  Acceptor& acceptor = listener->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Acceptor::reuse_address(true), error);
  if (!error && address.is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) port_ = acceptor.local_endpoint(error).port();
  if (!error) listeners_.push_back(std::move(listener));
  return error;
}

base::Status Server::Core::Listen() {
  const uint16_t wanted = options_.port;
  for (int tries = 0;; ++tries) {
    listeners_.clear();
    if (const error_code error = Bind(asio::ip::address_v4::loopback(), wanted)) {
      if (error == asio::error::address_in_use) {
        return base::Err("port ", wanted,
                         " of 127.0.0.1 is taken by another program; give another with --port, or "
                         "--port 0 for any that is free");
      }
      return base::Err("cannot listen on 127.0.0.1, port ", wanted, ": ", error.message());
    }
    const error_code error = Bind(asio::ip::address_v6::loopback(), port_);
    // Without IPv6 on the machine, IPv4 is enough.
    if (error != asio::error::address_in_use) return {};
    if (wanted != 0 || tries == 20) {
      return base::Err("port ", port_,
                       " of ::1 is taken by another program; give another with --port");
    }
  }
}

void Server::Core::Run() {
  for (const auto& listener : listeners_) Accept(*listener);
  io_.run();
}

void Server::Core::Accept(Listener& listener) {
  if (stopping_) return;
  listener.acceptor.async_accept([this, &listener](error_code error, tcp::socket socket) {
    if (stopping_ || error == asio::error::operation_aborted) return;  // the listener is gone
    Accepted(listener, error, std::move(socket));
  });
}

void Server::Core::Accepted(Listener& listener, error_code error, tcp::socket socket) {
  if (error) {  // no file descriptors are left, for one: wait for some to come back
    MakeRoom();
    listener.retry.expires_after(std::chrono::milliseconds(50));
    listener.retry.async_wait([this, &listener](error_code stopped) {
      if (!stopped) Accept(listener);
    });
    return;
  }
  if (connections_.size() >= options_.connections_max) MakeRoom();
  if (connections_.size() < options_.connections_max) {
    const uint64_t number = next_connection_++;
    auto connection = std::make_shared<Connection>(shared_from_this(), number, std::move(socket));
    connections_[number] = connection;
    connection->ReadHead();
  }  // else it is closed: nobody is idle
  Accept(listener);
}

// Closes the connection that has been idle for longest.
void Server::Core::MakeRoom() {
  std::shared_ptr<Connection> oldest;
  for (const auto& [number, weak] : connections_) {
    auto connection = weak.lock();
    if (!connection || !connection->idle()) continue;
    if (!oldest || connection->since() < oldest->since()) oldest = std::move(connection);
  }
  if (!oldest) return;
  connections_.erase(oldest->number());
  oldest->Close();
}

void Server::Core::Forget(Connection& connection) { connections_.erase(connection.number()); }

void Server::Core::BeginStop() {
  if (std::exchange(stopping_, true)) return;
  listeners_.clear();
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& [number, weak] : connections_) {
    if (auto connection = weak.lock()) all.push_back(std::move(connection));
  }
  for (const auto& connection : all) {
    if (connection->idle()) connection->Close();
  }
  // The timer keeps nothing waiting when all are done: Run ends as soon as no connection is left.
  stop_timer_.expires_after(std::chrono::milliseconds(10));
  const auto until = Clock::now() + std::chrono::seconds(options_.stop_seconds);
  struct Check {
    Core* core;
    Clock::time_point until;
    void operator()(error_code) const {
      if (core->connections_.empty() || Clock::now() > until) return core->io_.stop();
      core->stop_timer_.expires_after(std::chrono::milliseconds(10));
      core->stop_timer_.async_wait(*this);
    }
  };
  stop_timer_.async_wait(Check{this, until});
}

base::Result<std::unique_ptr<Server>> Server::Listen(const ServerOptions& options, Handler handler,
                                                     Observer observer) {
  auto core = std::make_shared<Core>(options, std::move(handler), std::move(observer));
  TRY_STATUS(core->Listen());
  return std::unique_ptr<Server>(new Server(std::move(core)));
}

Server::~Server() = default;
uint16_t Server::port() const { return core_->port(); }
void Server::Run() { core_->Run(); }
void Server::Stop() { core_->Stop(); }

}  // namespace runtime
