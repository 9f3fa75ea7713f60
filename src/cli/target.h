#ifndef GPT2IC_CLI_TARGET_H_
#define GPT2IC_CLI_TARGET_H_

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>

#include "cli/agent.h"
#include "runtime/http/service.h"
#include "runtime/state/disk_storage.h"

namespace cli {

// Which network a command talks to, and as whom.
struct TargetOptions {
  std::string network;   // "local", "ic" or an address; empty: --state, else local
  std::string state;     // a folder: the network runs in this process
  std::string identity;  // a PEM file; empty: anonymous
};
void AddTarget(CLI::App* command, TargetOptions* options);

// A network that runs in this process, reached by the same requests as over HTTP.
class InProcess : public Transport {
 public:
  explicit InProcess(runtime::Service& service) : service_(service) {}
  base::Result<ic::HttpResponse> Send(const ic::HttpRequest& request) override {
    const std::lock_guard lock(mutex_);
    return service_.HandleNow(request);
  }

 private:
  std::mutex mutex_;
  runtime::Service& service_;
};

// The names of deployed canisters: a JSON file {name: principal}, as icp keeps them.
class CanisterIds {
 public:
  explicit CanisterIds(std::string path) : path_(std::move(path)) {}
  base::Result<std::optional<ic::Principal>> Find(const std::string& name) const;
  base::Status Set(const std::string& name, const ic::Principal& id) const;
  base::Result<std::map<std::string, ic::Principal>> All() const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// An open network with everything that keeps it.
class Target {
 public:
  static base::Result<std::unique_ptr<Target>> Open(const TargetOptions& options);
  // A network of this process that somebody else keeps, and whose thread does not run.
  static base::Result<std::unique_ptr<Target>> Over(runtime::Service& service, CanisterIds ids);

  Agent& agent() { return *agent_; }
  const CanisterIds& ids() const { return ids_; }
  // On the real network canisters are created for cycles, with icp.
  bool is_mainnet() const { return is_mainnet_; }
  // A principal, or a name that was deployed here.
  base::Result<ic::Principal> Canister(const std::string& name_or_id) const;

 private:
  explicit Target(CanisterIds ids) : ids_(std::move(ids)) {}
  base::Status OpenState(const std::string& folder);

  CanisterIds ids_;
  bool is_mainnet_ = false;
  std::unique_ptr<runtime::DiskStorage> storage_;
  std::unique_ptr<runtime::SystemEnv> env_;
  std::unique_ptr<runtime::Replica> replica_;
  std::unique_ptr<runtime::Service> service_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Agent> agent_;
};

// Where the names of a network's canisters are kept: below the current folder.
CanisterIds IdsOfNetwork(const std::string& url);

base::Result<ic::Identity> LoadIdentity(const std::string& pem_path);

}  // namespace cli

#endif  // GPT2IC_CLI_TARGET_H_
