// gpt2ic deploy: a canister of this project, or any wasm file, onto a network.
#include "cli/deploy.h"

#include <fmt/core.h>

#include <filesystem>
#include <memory>

#include "base/hex.h"
#include "candid/did.h"
#include "candid/text.h"
#include "cli/command.h"
#include "cli/local.h"
#include "runtime/round/management_types.h"

namespace cli {
namespace {

namespace did = runtime::ic_did;
using base::Bytes;

constexpr size_t kMessageBytesMax = (2 << 20) - 1024;  // of install_code: envelope beside it
constexpr size_t kChunkBytes = 1 << 20;
const ic::Principal kManagement;

template <class Result, class... Args>
base::Result<Result> Manage(Agent& agent, const ic::Principal& about, const char* method,
                            const Args&... args) {
  const auto reply = agent.Update(kManagement, method, candid::EncodeArgs(args...), about);
  if (!reply) return base::Err(method, ": ", reply.error().message);
  auto [value] = TRY(candid::DecodeArgs<Result>(*reply));
  return std::move(value);
}

base::Status ManageOnly(Agent& agent, const ic::Principal& about, const char* method,
                        const Bytes& argument) {
  const auto reply = agent.Update(kManagement, method, argument, about);
  if (!reply) return base::Err(method, ": ", reply.error().message);
  return {};
}

base::Status InstallChunked(Agent& agent, const did::Mode& mode, const ic::Principal& id,
                            const Bytes& wasm, Bytes argument) {
  const Bytes about = candid::EncodeArgs(did::CanisterId{id});
  TRY_STATUS(ManageOnly(agent, id, "clear_chunk_store", about));
  did::InstallChunkedArgs args{mode, id, std::nullopt, {}, {}, std::move(argument)};
  Progress progress("sending the module", wasm.size());
  for (size_t at = 0; at < wasm.size(); at += kChunkBytes) {
    const size_t end = std::min(wasm.size(), at + kChunkBytes);
    const did::UploadChunkArgs chunk{id, Bytes(wasm.begin() + static_cast<ptrdiff_t>(at),
                                               wasm.begin() + static_cast<ptrdiff_t>(end))};
    args.chunk_hashes_list.push_back(TRY(Manage<did::ChunkHash>(agent, id, "upload_chunk", chunk)));
    progress.Set(end);
  }
  const base::Sha256Digest hash = base::Sha256Of(wasm);
  args.wasm_module_hash.assign(hash.begin(), hash.end());
  TRY_STATUS(ManageOnly(agent, id, "install_chunked_code", candid::EncodeArgs(args)));
  return ManageOnly(agent, id, "clear_chunk_store", about);
}

base::Result<std::optional<Bytes>> ModuleHash(Agent& agent, const ic::Principal& id) {
  const ic::Path path = ic::CanisterPath(id, "module_hash");
  return TRY(agent.ReadState(id, {path})).Value(path);
}

base::Result<bool> Exists(Agent& agent, const ic::Principal& id) {
  const ic::Path path = ic::CanisterPath(id, "controllers");
  return TRY(agent.ReadState(id, {path})).Value(path).has_value();
}

base::Result<ic::Principal> Create(Target& target, const std::string& name) {
  if (target.is_mainnet()) {
    return base::Err("there is no canister '", name, "' in ", target.ids().path(),
                     "; on the real network create it with `icp canister create`, which pays for "
                     "it, and write its id there (docs/deploy.md)");
  }
  const auto created = TRY(Manage<did::CanisterId>(
      target.agent(), kManagement, "provisional_create_canister_with_cycles", did::CreateArgs()));
  TRY_STATUS(target.ids().Set(name, created.canister_id));
  return created.canister_id;
}

// As icp does: a canister finds the others of its project in its environment. The page's canister
// does nothing without.
base::Status NameOthers(Target& target, const ic::Principal& id) {
  did::UpdateSettingsArgs args{id, {}};
  args.settings.environment_variables.emplace();
  for (const auto& [name, other] : TRY(target.ids().All())) {
    args.settings.environment_variables->push_back(
        {base::StrCat("PUBLIC_CANISTER_ID:", name), other.ToText()});
  }
  return ManageOnly(target.agent(), id, "update_settings", candid::EncodeArgs(args));
}

}  // namespace

base::Result<Deployed> Deploy(Target& target, const std::string& name, Bytes wasm, Bytes argument,
                              DeployMode mode) {
  Agent& agent = target.agent();
  Deployed out;
  auto known = TRY(target.ids().Find(name));
  if (!known) {
    if (const auto id = ic::Principal::FromText(name)) known = *id;
  }
  // A local network that was started anew does not know the canisters of the last one.
  if (known && !target.is_mainnet() && !TRY(Exists(agent, *known))) known.reset();
  out.created = !known;
  out.id = known ? *known : TRY(Create(target, name));
  if (name == "frontend") TRY_STATUS(NameOthers(target, out.id));
  const bool empty = !TRY(ModuleHash(agent, out.id));
  out.upgraded = mode == DeployMode::kUpgrade || (mode == DeployMode::kAuto && !empty);
  did::Mode how;
  how.which = out.upgraded                     ? did::ModeTag::kUpgrade
              : mode == DeployMode::kReinstall ? did::ModeTag::kReinstall
                                               : did::ModeTag::kInstall;
  const base::Sha256Digest hash = base::Sha256Of(wasm);
  if (wasm.size() + argument.size() > kMessageBytesMax) {
    TRY_STATUS(InstallChunked(agent, how, out.id, wasm, std::move(argument)));
  } else {
    const did::InstallCodeArgs args{how, out.id, std::move(wasm), std::move(argument)};
    TRY_STATUS(ManageOnly(agent, out.id, "install_code", candid::EncodeArgs(args)));
  }
  const auto installed = TRY(ModuleHash(agent, out.id));
  if (!installed || !std::ranges::equal(*installed, hash)) {
    return base::Err("the network's certificate shows another module hash than the file has");
  }
  out.module_hash = *installed;
  return out;
}

namespace {

struct DeployOptions {
  TargetOptions target;
  std::string canister = "model", argument, wasm;
  DeployMode mode = DeployMode::kAuto;
};

base::Result<std::string> Run(const DeployOptions& options) {
  const bool is_file = options.canister.ends_with(".wasm") || options.canister.ends_with(".gz");
  const std::string name =
      is_file ? std::filesystem::path(options.canister).stem().string() : options.canister;
  std::string path = options.wasm;
  if (path.empty()) path = is_file ? options.canister : TRY(CanisterWasm(name));
  const std::string module = TRY(ReadFile(path));
  const auto target = TRY(Target::Open(options.target));
  Bytes argument = {};
  if (!options.argument.empty()) argument = TRY(candid::EncodeText(options.argument));
  const Deployed done = TRY(Deploy(*target, name, Bytes(module.begin(), module.end()),
                                   std::move(argument), options.mode));
  return fmt::format("{} {} as {}\nmodule {}\n",
                     done.upgraded  ? "upgraded"
                     : done.created ? "created and installed"
                                    : "installed",
                     name, done.id.ToText(), base::ToHex(done.module_hash));
}

}  // namespace

void AddDeploy(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<DeployOptions>();
  CLI::App* command = app.add_subcommand("deploy", "install or upgrade a canister");
  AddTarget(command, &options->target);
  command->add_option("canister", options->canister, "name, id or .wasm file (default: model)");
  command->add_option("--wasm", options->wasm, "the module (default: build/wasm/CANISTER.wasm)");
  command->add_option("--argument", options->argument, "Candid text for its start");
  const std::map<std::string, DeployMode> modes = {{"auto", DeployMode::kAuto},
                                                   {"install", DeployMode::kInstall},
                                                   {"reinstall", DeployMode::kReinstall},
                                                   {"upgrade", DeployMode::kUpgrade}};
  command->add_option("--mode", options->mode, "auto, install, reinstall or upgrade")
      ->transform(CLI::CheckedTransformer(modes));
  command->callback([options, exit_code] {
    const auto done = Run(*options);
    if (!done) {
      *exit_code = Complain(done.error().message, kExitFailed);
      return;
    }
    fmt::print("{}", *done);
  });
}

}  // namespace cli
