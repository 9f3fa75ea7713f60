#include "cli/target.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/hex.h"
#include "cli/command.h"
#include "cli/http_client.h"

namespace cli {
namespace {

constexpr char kLocal[] = "http://127.0.0.1:8000";
constexpr char kMainnet[] = "https://icp-api.io";

// "http://127.0.0.1:8000", and "http://localhost:8000/" -> "http---127.0.0.1-8000"
std::string FileName(std::string text) {
  constexpr std::string_view kLocalhost = "//localhost:";
  if (const size_t at = text.find(kLocalhost); at != std::string::npos) {
    text.replace(at, kLocalhost.size(), "//127.0.0.1:");
  }
  while (text.ends_with('/')) text.pop_back();
  for (char& c : text) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.') c = '-';
  }
  return text;
}

base::Result<nlohmann::json> ReadIds(const std::string& path) {
  if (!std::filesystem::exists(path)) return nlohmann::json::object();
  auto ids = nlohmann::json::parse(TRY(ReadFile(path)), nullptr, false);
  if (!ids.is_object()) return base::Err(path, " is no JSON object of names and canister ids");
  return ids;
}

}  // namespace

void AddTarget(CLI::App* command, TargetOptions* options) {
  auto* network = command->add_option("--network", options->network,
                                      "local (default: http://127.0.0.1:8000), ic, or an address");
  command
      ->add_option("--state", options->state, "folder of a local network that runs in this process")
      ->excludes(network);
  command->add_option("--identity", options->identity,
                      "PEM file of the caller's key (default: anonymous)");
}

base::Result<std::optional<ic::Principal>> CanisterIds::Find(const std::string& name) const {
  const nlohmann::json ids = TRY(ReadIds(path_));
  const auto found = ids.find(name);
  if (found == ids.end() || !found->is_string()) return std::nullopt;
  return TRY(ic::Principal::FromText(found->get<std::string>()));
}

base::Status CanisterIds::Set(const std::string& name, const ic::Principal& id) const {
  nlohmann::json ids = TRY(ReadIds(path_));
  ids[name] = id.ToText();
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), error);
  // Aside and renamed: a reader sees the old file or the new one.
  const std::string part = path_ + ".part";
  std::ofstream(part) << ids.dump(2) << "\n";
  std::filesystem::rename(part, path_, error);
  if (error) return base::Err("cannot write ", path_, ": ", error.message());
  return {};
}

base::Result<std::map<std::string, ic::Principal>> CanisterIds::All() const {
  std::map<std::string, ic::Principal> all;
  for (const auto& [name, id] : TRY(ReadIds(path_)).items()) {
    if (id.is_string()) all.emplace(name, TRY(ic::Principal::FromText(id.get<std::string>())));
  }
  return all;
}

base::Result<ic::Identity> LoadIdentity(const std::string& pem_path) {
  if (pem_path.empty()) return ic::Identity();
  const auto key = ic::SigningKey::FromPem(TRY(ReadFile(pem_path)));
  if (!key) return base::Err(pem_path, ": ", key.error().message);
  return ic::Identity(*key);
}

base::Status Target::OpenState(const std::string& folder) {
  storage_ = TRY(runtime::DiskStorage::Open(folder));
  env_ = std::make_unique<runtime::SystemEnv>(storage_.get());
  runtime::ReplicaOptions options;
  options.cache_dir = CacheDir();
  options.call_wait_ns = uint64_t{3600} * 1'000'000'000;  // nobody else waits
  auto replica = runtime::Replica::Open(*env_, options);
  if (!replica) {
    return base::Err("the state in ", folder, " cannot be used: ", replica.error().message);
  }
  replica_ = std::move(*replica);
  service_ = std::make_unique<runtime::Service>(*replica_, runtime::ServiceOptions());
  transport_ = std::make_unique<InProcess>(*service_);
  return {};
}

CanisterIds IdsOfNetwork(const std::string& url) {
  return CanisterIds(base::StrCat(".gpt2ic/", FileName(url), ".ids.json"));
}

base::Result<std::unique_ptr<Target>> Target::Over(runtime::Service& service, CanisterIds ids) {
  std::unique_ptr<Target> target(new Target(std::move(ids)));
  target->transport_ = std::make_unique<InProcess>(service);
  target->agent_ = TRY(Agent::Connect(*target->transport_, ic::Identity(), {}));
  return target;
}

base::Result<std::unique_ptr<Target>> Target::Open(const TargetOptions& options) {
  ic::Identity identity = TRY(LoadIdentity(options.identity));
  base::Bytes root_key;
  if (!options.state.empty()) {
    std::unique_ptr<Target> target(new Target(CanisterIds(options.state + "/canister_ids.json")));
    TRY_STATUS(target->OpenState(options.state));
    target->agent_ = TRY(Agent::Connect(*target->transport_, std::move(identity), {}));
    return target;
  }
  const bool mainnet = options.network == "ic";
  const bool local = options.network.empty() || options.network == "local";
  const std::string url = mainnet ? kMainnet : local ? kLocal : options.network;
  std::unique_ptr<Target> target(new Target(IdsOfNetwork(mainnet ? "ic" : url)));
  target->is_mainnet_ = mainnet;
  target->transport_ = TRY(HttpClient::To(url));
  if (mainnet) root_key = MainnetRootKey();
  target->agent_ = TRY(Agent::Connect(*target->transport_, std::move(identity), root_key));
  return target;
}

base::Result<ic::Principal> Target::Canister(const std::string& name_or_id) const {
  if (const auto named = TRY(ids_.Find(name_or_id))) return *named;
  if (const auto id = ic::Principal::FromText(name_or_id)) return *id;
  return base::Err("'", name_or_id, "' is neither a canister id nor a name in ", ids_.path(),
                   "; deploy it first");
}

}  // namespace cli
