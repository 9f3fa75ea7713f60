#include "cli/http_client.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>
#include <optional>

namespace cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using beast::error_code;

constexpr auto kConnectTime = std::chrono::seconds(10);
constexpr auto kAnswerTime = std::chrono::seconds(360);  // a call may be held open
constexpr size_t kBodyBytesMax = 64 << 20;
constexpr size_t kIdleMax = 8;

}  // namespace

// One connection with an event loop of its own, so that every step can time out.
class HttpClient::Connection {
 public:
  Connection() : resolver_(io_) {}

  base::Status Connect(const std::string& host, const std::string& port, bool tls);
  base::Result<ic::HttpResponse> Exchange(const ic::HttpRequest& request, const std::string& host);
  bool keep() const { return keep_; }

 private:
  using Request = http::request<http::vector_body<uint8_t>>;
  using Parser = http::response_parser<http::vector_body<uint8_t>>;

  beast::tcp_stream& lowest() { return tls_ ? beast::get_lowest_layer(*tls_) : *plain_; }
  // Starts something that ends with done(error), and waits for it.
  template <class F>
  error_code Wait(F start) {
    error_code result = asio::error::would_block;
    start([&result](error_code error, auto&&...) { result = error; });
    io_.restart();
    io_.run();
    return result;
  }
  template <class Stream>
  error_code Transfer(Stream& stream, Request& request, Parser& parser);

  asio::io_context io_{1};
  tcp::resolver resolver_;
  asio::ssl::context context_{asio::ssl::context::tls_client};
  std::optional<beast::tcp_stream> plain_;
  std::optional<beast::ssl_stream<beast::tcp_stream>> tls_;
  beast::flat_buffer buffer_;
  bool keep_ = false;
};

base::Status HttpClient::Connection::Connect(const std::string& host, const std::string& port,
                                             bool tls) {
  const auto failed = [&](const error_code& error) {
    return base::Err("cannot reach ", host, ", port ", port, ": ", error.message());
  };
  error_code error;
  const auto found = resolver_.resolve(host, port, error);
  if (error) return failed(error);
  if (tls) {
    context_.set_default_verify_paths(error);
    tls_.emplace(io_, context_);
    tls_->set_verify_mode(asio::ssl::verify_peer);
    tls_->set_verify_callback(asio::ssl::host_name_verification(host));
    SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str());
  } else {
    plain_.emplace(io_);
  }
  lowest().expires_after(kConnectTime);
  error = Wait([&](auto done) { lowest().async_connect(found, done); });
  if (!error) lowest().socket().set_option(tcp::no_delay(true), error);
  if (!error && tls) {
    error = Wait([&](auto done) { tls_->async_handshake(asio::ssl::stream_base::client, done); });
  }
  if (error) return failed(error);
  return {};
}

template <class Stream>
error_code HttpClient::Connection::Transfer(Stream& stream, Request& request, Parser& parser) {
  lowest().expires_after(kAnswerTime);
  const error_code error = Wait([&](auto done) { http::async_write(stream, request, done); });
  if (error) return error;
  return Wait([&](auto done) { http::async_read(stream, buffer_, parser, done); });
}

base::Result<ic::HttpResponse> HttpClient::Connection::Exchange(const ic::HttpRequest& from,
                                                                const std::string& host) {
  Request request;
  request.method_string({from.method.data(), from.method.size()});
  request.target(from.url);
  request.version(11);
  request.set(http::field::host, host);
  request.set(http::field::user_agent, "gpt2ic");
  for (const ic::HttpHeader& header : from.headers) request.set(header.name, header.value);
  request.body() = from.body;
  request.prepare_payload();
  Parser parser;
  parser.body_limit(kBodyBytesMax);
  keep_ = false;
  const error_code error =
      tls_ ? Transfer(*tls_, request, parser) : Transfer(*plain_, request, parser);
  if (error) return base::Err("no answer from ", host, ": ", error.message());
  auto message = parser.release();
  keep_ = message.keep_alive();
  ic::HttpResponse response;
  response.status_code = static_cast<uint16_t>(message.result_int());
  for (const auto& field : message) {
    response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  response.body = std::move(message.body());
  return response;
}

base::Result<std::unique_ptr<HttpClient>> HttpClient::To(const std::string& url) {
  std::unique_ptr<HttpClient> client(new HttpClient());
  const size_t scheme = url.find("://");
  const std::string kind = url.substr(0, scheme);
  if (scheme == url.npos || (kind != "http" && kind != "https")) {
    return base::Err("the network's address is ", url, ", expected http://... or https://...");
  }
  client->tls_ = kind == "https";
  std::string host = url.substr(scheme + 3);
  host = host.substr(0, host.find('/'));
  const size_t colon = host.rfind(':');
  const bool has_port = colon != host.npos && host.find(']', colon) == host.npos;
  client->port_ = has_port ? host.substr(colon + 1) : (client->tls_ ? "443" : "80");
  host = host.substr(0, has_port ? colon : host.npos);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) return base::Err("the network's address ", url, " has no host");
  client->host_ = host;
  return client;
}

HttpClient::~HttpClient() = default;

std::unique_ptr<HttpClient::Connection> HttpClient::TakeIdle() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return nullptr;
  auto connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

base::Result<ic::HttpResponse> HttpClient::Send(const ic::HttpRequest& request) {
  // A kept connection may have been closed by the server meanwhile: then the request, which is safe
  // to repeat, goes out on a new one.
  std::unique_ptr<Connection> connection = TakeIdle();
  base::Result<ic::HttpResponse> response = base::Err("not sent");
  if (connection) response = connection->Exchange(request, host_);
  if (!response) {
    connection = std::make_unique<Connection>();
    TRY_STATUS(connection->Connect(host_, port_, tls_));
    response = connection->Exchange(request, host_);
  }
  if (response && connection->keep()) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kIdleMax) idle_.push_back(std::move(connection));
  }
  return response;
}

}  // namespace cli
