// The bytes that a client sends, up to the network's answer: HTTP, addresses, envelopes, pages.
#include "base/check.h"
#include "runtime/http/server.h"
#include "runtime/http/service.h"
#include "runtime/instrument/validate.h"

namespace {

using namespace runtime;

// `go` replies with its argument; so does http_request, which is no valid response.
constexpr char kEcho[] = R"((module
  (import "ic0" "msg_reply" (func $msg_reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_arg_data_size" (func $arg_size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg_copy (param i32 i32 i32)))
  (memory 100)
  (func $echo
    (call $arg_copy (i32.const 0) (i32.const 0) (call $arg_size))
    (call $append (i32.const 0) (call $arg_size))
    (call $msg_reply))
  (func (export "canister_update hello") (call $echo))
  (func (export "canister_query get") (call $echo))
  (func (export "canister_query http_request") (call $echo))))";

struct World {
  // The time of the requests in the corpus.
  SimulatedEnv env{1, 1'795'361'760'000'000'000};
  std::unique_ptr<Replica> replica;
  std::unique_ptr<Service> service;

  World() {
    ReplicaOptions options;
    options.seed = base::Bytes(32, 1);
    options.call_wait_ns = 0;
    replica = Replica::Open(env, options).value();
    const Principal id = replica->network().CreateCanister({2}, Cycles{1} << 80).value();
    CHECK(!replica->network().InstallCode(id, InstallMode::kInstall, ParseWat(kEcho).value(), {},
                                          {2}));
    service = std::make_unique<Service>(*replica, ServiceOptions());
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static World& world = *new World();
  auto request = ParseHttpRequest({data, size}, ServerOptions());
  if (!request) return 0;
  const ic::HttpResponse response = world.service->HandleNow(std::move(*request));
  CHECK(response.status_code >= 100 && response.status_code <= 999);
  return 0;
}
