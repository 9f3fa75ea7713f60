// gpt2ic serve: the local network over HTTP, until it is interrupted.
#include <fmt/core.h>
#include <pthread.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/hex.h"
#include "cli/command.h"
#include "cli/deploy.h"
#include "cli/target.h"
#include "ic/refusal.h"
#include "runtime/http/server.h"
#include "runtime/http/service.h"

namespace cli {
namespace {

struct ServeOptions {
  uint16_t port = 8000;
  std::string state, seed;
  bool quiet = false, trust_pages = false, demo = false;
};

// One JSON object a line.
void Log(const char* event, nlohmann::json fields) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  nlohmann::ordered_json line = {{"time", ic::UtcText(static_cast<uint64_t>(ns))},
                                 {"event", event}};
  line.update(fields);
  const auto replace = nlohmann::json::error_handler_t::replace;
  fmt::print(stderr, "{}\n", line.dump(-1, ' ', false, replace));
}

void LogRequest(const runtime::ServerEvent& event) {
  nlohmann::json fields = {{"client", event.client}, {"us", event.microseconds}};
  if (!event.request.empty()) fields["request"] = event.request.substr(0, 200);
  if (event.status != 0) fields["status"] = event.status;
  if (!event.problem.empty()) fields["problem"] = event.problem;
  fields["bytes_in"] = event.bytes_in;
  fields["bytes_out"] = event.bytes_out;
  Log(event.problem.empty() ? "request" : "cut off", std::move(fields));
}

base::Bytes SeedOf(const std::string& text) {
  if (text.empty()) return {};
  const base::Sha256Digest digest = base::Sha256Of(base::AsBytes(text));
  return {digest.begin(), digest.end()};
}

void PrintCanisters(runtime::Replica& replica, uint16_t port) {
  const auto& slots = replica.network().Slots();
  if (slots.empty()) fmt::print("nothing is deployed yet\n");
  for (const auto& [id, slot] : slots) {
    const std::string name = candid::PrincipalText(id);
    const auto& module = slot.state.module;
    fmt::print("canister   {}  module {}  http://{}.localhost:{}/\n", name,
               module ? base::ToHex(module->hash).substr(0, 16) : "none", name, port);
  }
}

// As many connections as the system allows.
void RaiseFileLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Deployed before the network is open to others. Its name is known to commands that use the state
// folder, and to those that use the address.
base::Result<ic::Principal> AddDemo(runtime::Service& service, const std::string& state,
                                    uint16_t port) {
  const CanisterIds by_address = IdsOfNetwork(base::StrCat("http://127.0.0.1:", port));
  const CanisterIds ids = state.empty() ? by_address : CanisterIds(state + "/canister_ids.json");
  const auto target = TRY(Target::Over(service, ids));
  TRY_STATUS(SetUpDemo(*target));
  const ic::Principal page = TRY(target->Canister("frontend"));
  TRY_STATUS(by_address.Set("frontend", page));
  TRY_STATUS(by_address.Set("model", TRY(target->Canister("model"))));
  return page;
}

base::Status Serve(const ServeOptions& options) {
  // Blocked in every thread, so that one thread can wait for them.
  sigset_t stop;
  sigemptyset(&stop);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&stop, signal);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  RaiseFileLimit();

  std::unique_ptr<runtime::DiskStorage> storage;
  if (!options.state.empty()) storage = TRY(runtime::DiskStorage::Open(options.state));
  runtime::SystemEnv env(storage.get());
  runtime::ReplicaOptions replica_options;
  replica_options.cache_dir = CacheDir();
  replica_options.seed = SeedOf(options.seed);
  auto replica = runtime::Replica::Open(env, replica_options);
  if (!replica) {
    return base::Err("the state in ", options.state, " cannot be used: ", replica.error().message);
  }
  runtime::ServiceOptions service_options;
  if (options.trust_pages) service_options.verification = runtime::Verification::kOff;
  runtime::Service service(**replica, service_options);
  runtime::ServerOptions server_options;
  server_options.port = options.port;
  const auto server = TRY(runtime::Server::Listen(
      server_options,
      [&](ic::HttpRequest request, runtime::Server::Respond respond) {
        service.Handle(std::move(request), std::move(respond));
      },
      options.quiet ? runtime::Server::Observer() : LogRequest));
  std::optional<ic::Principal> page;
  if (options.demo) page = TRY(AddDemo(service, options.state, server->port()));
  fmt::print("network    http://localhost:{}\n", server->port());
  fmt::print("root key   {}\n", base::ToHex((*replica)->state().keys().root.public_key_der()));
  PrintCanisters(**replica, server->port());
  if (page) fmt::print("chat page  http://{}.localhost:{}/\n", page->ToText(), server->port());
  std::fflush(stdout);
  Log("ready", {{"port", server->port()}, {"canisters", (*replica)->network().Slots().size()}});

  service.Start();
  std::thread waiter([&] {
    int signal = 0;
    sigwait(&stop, &signal);
    Log("stopping", {{"signal", signal}});
    server->Stop();
  });
  server->Run();
  service.Stop();
  waiter.join();
  Log("stopped", {{"canisters", (*replica)->network().Slots().size()}});
  return {};
}

}  // namespace

void AddServe(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = app.add_subcommand("serve", "the local network over HTTP");
  command->add_option("--port", options->port, "port on localhost (default 8000; 0: any)");
  command->add_option("--state", options->state, "folder that keeps the network over restarts");
  command->add_option("--seed", options->seed, "text that the network's keys are made from");
  command->add_flag("--demo", options->demo,
                    "with the canister model, models/demo on it, and the chat page");
  command->add_flag("--quiet", options->quiet, "no line in the log for each request");
  command->add_flag("--trust-pages", options->trust_pages,
                    "do not verify the pages that canisters serve");
  command->callback([options, exit_code] {
    const auto done = Serve(*options);
    if (!done) *exit_code = Complain(done.error().message, kExitFailed);
  });
}

}  // namespace cli
