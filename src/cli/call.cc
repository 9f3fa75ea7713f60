// gpt2ic call: one call of a canister's method, arguments and reply as Candid text.
// gpt2ic identity: make a key, or show whose it is.
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "base/hex.h"
#include "candid/decode.h"
#include "candid/did.h"
#include "candid/text.h"
#include "cli/command.h"
#include "cli/target.h"

namespace cli {
namespace {

struct CallOptions {
  TargetOptions target;
  std::string canister, method, argument = "()", argument_file, output = "text";
  bool query = false, update = false;
};

// The interface that the canister publishes; nullopt when it has none.
base::Result<std::optional<candid::DidFile>> InterfaceOf(Agent& agent, const ic::Principal& id) {
  if (id == ic::Principal()) return std::nullopt;
  const auto text = TRY(agent.Metadata(id, "candid:service"));
  if (!text) return std::nullopt;
  return TRY(candid::ParseDid(*text));
}

base::Result<std::string> Shown(const base::Bytes& reply, const std::string& output,
                                const std::optional<candid::DidFile>& did,
                                const std::optional<candid::DidFile::Method>& method) {
  if (output == "hex") return base::ToHex(reply);
  if (method) {
    const auto values = TRY(candid::Decode(reply, did->table, method->results));
    return candid::PrintArgs(values, did->table.labels());
  }
  const auto message = TRY(candid::DecodeAny(reply));
  return candid::PrintArgs(message.values, {});
}

// For calls to the management canister: the canister that the argument is about.
ic::Principal EffectiveId(const ic::Principal& callee, const base::Bytes& argument) {
  if (callee != ic::Principal()) return callee;
  const auto message = candid::DecodeAny(argument);
  if (!message || message->values.empty()) return callee;
  const candid::Value& record = message->values[0];
  for (const char* name : {"canister_id", "target_canister"}) {
    for (size_t i = 0; i < record.ids.size() && i < record.items.size(); ++i) {
      if (record.ids[i] != candid::LabelHash(name)) continue;
      const auto id = ic::Principal::FromBytes(base::AsBytes(record.items[i].text));
      if (id) return *id;
    }
  }
  return callee;
}

base::Result<std::string> Call(const CallOptions& options) {
  const auto target = TRY(Target::Open(options.target));
  const ic::Principal id = TRY(target->Canister(options.canister));
  const std::string text =
      options.argument_file.empty() ? options.argument : TRY(ReadFile(options.argument_file));
  Agent& agent = target->agent();
  const auto did = TRY(InterfaceOf(agent, id));
  std::optional<candid::DidFile::Method> method;
  if (did) method = did->FindMethod(options.method);
  if (did && !method) {
    return base::Err("the canister's interface has no method '", options.method, "'");
  }
  auto argument =
      method ? candid::EncodeText(text, did->table, method->arguments) : candid::EncodeText(text);
  if (!argument) return base::Err("argument: ", argument.error().message);
  const uint8_t queries = candid::kQueryFunc | candid::kCompositeQueryFunc;
  const bool query = options.query || (method && (method->modes & queries) != 0 && !options.update);
  const ic::Principal at = EffectiveId(id, *argument);
  const base::Bytes reply = query ? TRY(agent.Query(id, options.method, std::move(*argument), at))
                                  : TRY(agent.Update(id, options.method, std::move(*argument), at));
  return Shown(reply, options.output, did, method);
}

struct IdentityOptions {
  std::string path, scheme = "ed25519";
  bool make = false;
};

base::Status MakeIdentity(const IdentityOptions& options) {
  const bool ed25519 = options.scheme == "ed25519";
  const auto scheme = ed25519                         ? ic::KeyScheme::kEd25519
                      : options.scheme == "secp256k1" ? ic::KeyScheme::kSecp256k1
                                                      : ic::KeyScheme::kP256;
  const std::string pem = TRY(ic::SigningKey::Generate(scheme)).Pem();
  // Never over a key that is there already; for its owner only.
  const int file = open(options.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return base::Err("cannot make ", options.path, ": ", std::strerror(errno));
  const bool written = write(file, pem.data(), pem.size()) == static_cast<ssize_t>(pem.size());
  close(file);
  if (!written) return base::Err("cannot write ", options.path);
  return {};
}

base::Result<std::string> ShowIdentity(const IdentityOptions& options) {
  if (options.make) TRY_STATUS(MakeIdentity(options));
  return TRY(LoadIdentity(options.path)).sender().ToText();
}

}  // namespace

void AddCall(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<CallOptions>();
  CLI::App* command = app.add_subcommand("call", "call a canister's method");
  AddTarget(command, &options->target);
  command->add_option("canister", options->canister, "id, or the name it was deployed as")
      ->required();
  command->add_option("method", options->method)->required();
  command->add_option("argument", options->argument, "Candid text: '(\"hello\", 42)'");
  command->add_option("--argument-file", options->argument_file, "the same in a file");
  auto* query = command->add_flag("--query", options->query, "as a query");
  command->add_flag("--update", options->update, "as an update, also if it is a query")
      ->excludes(query);
  command->add_option("--output", options->output, "text (default) or hex")
      ->check(CLI::IsMember({"text", "hex"}));
  command->callback([options, exit_code] {
    const auto shown = Call(*options);
    if (!shown) {
      *exit_code = Complain(shown.error().message, kExitFailed);
      return;
    }
    fmt::print("{}\n", *shown);
  });
}

void AddIdentity(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<IdentityOptions>();
  CLI::App* command = app.add_subcommand("identity", "the principal of a key in a PEM file");
  command->add_option("file", options->path, "PEM file, as icp, dfx and OpenSSL write it")
      ->required();
  command->add_flag("--new", options->make, "make the key first");
  command->add_option("--scheme", options->scheme, "ed25519 (default), secp256k1 or p256")
      ->check(CLI::IsMember({"ed25519", "secp256k1", "p256"}));
  command->callback([options, exit_code] {
    const auto shown = ShowIdentity(*options);
    if (!shown) {
      *exit_code = Complain(shown.error().message, kExitFailed);
      return;
    }
    fmt::print("{}\n", *shown);
  });
}

}  // namespace cli
