#ifndef GPT2IC_RUNTIME_HTTP_TEST_SUPPORT_H_
#define GPT2IC_RUNTIME_HTTP_TEST_SUPPORT_H_

#include <gtest/gtest.h>

#include "ic/signing_key.h"
#include "runtime/http/service.h"
#include "runtime/instrument/validate.h"

// For the tests of this folder.
namespace runtime {

constexpr uint64_t kSecond = 1'000'000'000;

// `inc` counts up and replies with the count (4 bytes, little-endian), `get` reads it, `fail`
// traps, `echo` replies with its argument, `later` never answers; nobody may call `private`.
constexpr char kCounter[] = R"((module
  (import "ic0" "msg_reply" (func $msg_reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_arg_data_size" (func $arg_size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg_copy (param i32 i32 i32)))
  (import "ic0" "msg_method_name_size" (func $name_size (result i32)))
  (import "ic0" "accept_message" (func $accept))
  (memory 80)
  (func $reply_count
    (call $append (i32.const 0) (i32.const 4))
    (call $msg_reply))
  (func (export "canister_inspect_message")
    (if (i32.ne (call $name_size) (i32.const 7)) (then (call $accept))))
  (func (export "canister_update inc")
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
    (call $reply_count))
  (func (export "canister_query get") (call $reply_count))
  (func (export "canister_update private") (call $msg_reply))
  (func $echo
    (call $arg_copy (i32.const 8) (i32.const 0) (call $arg_size))
    (call $append (i32.const 8) (call $arg_size))
    (call $msg_reply))
  (func (export "canister_update echo") (call $echo))
  (func (export "canister_query peek") (call $echo))
  (func (export "canister_update fail") unreachable)
  (@custom "icp:public note" "hello")
  (@custom "icp:private secret" "s")))";

// A network with the counter on it.
class ReplicaTest : public ::testing::Test {
 protected:
  explicit ReplicaTest(ReplicaOptions options = {}) {
    options.seed = base::Bytes(32, 1);
    replica_ = Replica::Open(env_, options).value();
    id_ = Install(kCounter);
    service_ = std::make_unique<Service>(*replica_, ServiceOptions());
  }

  ic::Principal Install(std::string_view wat) {
    Network& network = replica_->network();
    const Principal id = network.CreateCanister({2}, Cycles{1'000'000'000'000'000}).value();
    const auto error =
        network.InstallCode(id, InstallMode::kInstall, ParseWat(wat).value(), {}, {2});
    EXPECT_FALSE(error) << error->message;
    replica_->Work();
    return *ic::Principal::FromBytes(id);
  }

  ic::Content Content(ic::RequestType type, std::string method = "inc", base::Bytes arg = {}) {
    ic::Content content;
    content.request_type = type;
    content.sender = ic::Anonymous();
    content.ingress_expiry = env_.NowNs() + 240 * kSecond;
    if (type == ic::RequestType::kReadState) return content;
    if (type == ic::RequestType::kCall) content.nonce = base::Bytes{++nonce_};
    content.canister_id = id_;
    content.method_name = std::move(method);
    content.arg = std::move(arg);
    return content;
  }

  static ic::HttpRequest Post(std::string url, base::Bytes body) {
    return {"POST", std::move(url), {{"Content-Type", "application/cbor"}}, std::move(body)};
  }
  std::string Url(std::string_view version, std::string_view what) {
    return base::StrCat("/api/", version, "/canister/", id_.ToText(), "/", what);
  }
  ic::HttpResponse Send(const std::string& url, const ic::Envelope& envelope) {
    return service_->HandleNow(Post(url, ic::EncodeEnvelope(envelope)));
  }
  ic::HttpResponse Send(const std::string& url, const ic::Content& content) {
    ic::Envelope envelope;
    envelope.content = content;
    return Send(url, envelope);
  }
  const base::Bytes& root_key() { return replica_->state().keys().root.public_key_der(); }

  // "400 text", as a client sees a refusal.
  static std::string Text(const ic::HttpResponse& response) {
    return base::StrCat(response.status_code, " ", base::AsText(response.body));
  }

  SystemEnv env_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<Service> service_;
  ic::Principal id_;
  uint8_t nonce_ = 0;
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_HTTP_TEST_SUPPORT_H_
