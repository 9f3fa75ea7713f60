// gpt2ic exec: runs messages on one module and prints what each cost, or replays metering vectors.
#include <fmt/core.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/hex.h"
#include "cli/command.h"
#include "cli/local.h"
#include "cli/vectors.h"
#include "runtime/state/disk_storage.h"

namespace cli {
namespace {

using Json = nlohmann::json;

struct ExecOptions {
  std::string module, init_arg, vectors, state;
  std::vector<std::string> messages;
  std::optional<uint64_t> page_overhead;
  bool json = false;
};

// update NAME[:HEX], query NAME[:HEX], upgrade [MODULE][:HEX]
struct Message {
  std::string kind, name;
  base::Bytes argument;
};

bool IsKind(const std::string& word) {
  return word == "update" || word == "query" || word == "upgrade";
}

base::Result<std::vector<Message>> ParseMessages(const std::vector<std::string>& words) {
  std::vector<Message> out;
  for (size_t i = 0; i < words.size(); ++i) {
    if (!IsKind(words[i])) {
      return base::Err("found '", words[i], "', expected update, query or upgrade");
    }
    Message message{words[i], "", {}};
    const bool has_name = i + 1 < words.size() && !IsKind(words[i + 1]);
    if (!has_name && message.kind != "upgrade") {
      return base::Err(words[i], " needs a method: NAME or NAME:HEX");
    }
    if (has_name) {
      const std::string& word = words[++i];
      const size_t colon = word.rfind(':');
      message.name = word.substr(0, colon);
      if (colon != std::string::npos) message.argument = TRY(base::FromHex(word.substr(colon + 1)));
    }
    out.push_back(std::move(message));
  }
  return out;
}

base::Result<base::Bytes> LoadModule(const std::string& path) {
  const std::string content = TRY(ReadFile(path));
  if (content.starts_with(std::string_view("\0asm", 4)) || content.starts_with("\x1f\x8b")) {
    return base::Bytes(content.begin(), content.end());
  }
  return runtime::ParseWat(content);
}

class Session {
 public:
  Session(const ExecOptions& options, runtime::Storage* storage)
      : options_(options), env_(1, kStartNs, storage), network_(env_, Settings(options)) {
    network_.OnExecution([this](const runtime::ExecutionRecord& r) { rows_.push_back(RowOf(r)); });
  }

  base::Status Run() {
    const std::vector<Message> messages = TRY(ParseMessages(options_.messages));
    TRY_STATUS(network_.Load());
    const auto known = network_.Canisters();
    if (!known.empty() && network_.Find(known[0])->state.module) {
      canister_ = known[0];  // of an earlier run with this --state
    } else {
      canister_ = TRY(network_.CreateCanister(kUser, runtime::Cycles{1'000'000'000'000'000}));
      TRY_STATUS(Install(runtime::InstallMode::kInstall, options_.module,
                         TRY(base::FromHex(options_.init_arg))));
    }
    for (const Message& message : messages) TRY_STATUS(Execute(message));
    return {};
  }

  const Json& rows() const { return rows_; }
  bool failed() const { return failed_; }

 private:
  static inline const runtime::Principal kUser = {2};
  static constexpr uint64_t kStartNs = 1'700'000'000'000'000'000;

  static runtime::NetworkOptions Settings(const ExecOptions& options) {
    runtime::NetworkOptions settings;
    settings.cache_dir = CacheDir();
    if (options.page_overhead) settings.limits.page_overhead = *options.page_overhead;
    return settings;
  }

  base::Status Execute(const Message& message) {
    if (message.kind == "upgrade") {
      const std::string& module = message.name.empty() ? options_.module : message.name;
      return Install(runtime::InstallMode::kUpgrade, module, message.argument);
    }
    const size_t before = rows_.size();
    const bool query = message.kind == "query";
    const runtime::Response response =
        query ? network_.Query(kUser, canister_, message.name, message.argument)
              : network_.Call(kUser, canister_, message.name, message.argument);
    // Refused before it ran: a row without cost.
    if (rows_.size() == before) rows_.push_back(EmptyRow(message.kind + " " + message.name));
    Json& row = rows_.back();
    if (!response.reject) {
      row["reply_hex"] = base::ToHex(response.reply);
    } else if (response.reject->error == runtime::ErrorCode::kCanisterRejected) {
      row["reject"] = response.reject->message;
    } else {
      SetError(row, response.reject->error, response.reject->message);
    }
    return {};
  }

  static Json RowOf(const runtime::ExecutionRecord& record) {
    return {{"entry", record.entry},
            {"instructions", record.instructions - record.page_charges},
            {"page_charges", record.page_charges},
            {"total", record.instructions}};
  }

  static void AddCosts(const Json& from, Json& to) {
    for (const char* key : {"instructions", "page_charges", "total"}) {
      to[key] = to[key].get<uint64_t>() + from[key].get<uint64_t>();
    }
  }

  static Json EmptyRow(const std::string& entry) {
    return {{"entry", entry}, {"instructions", 0}, {"page_charges", 0}, {"total", 0}};
  }

  void SetError(Json& row, runtime::ErrorCode code, const std::string& message) {
    row["error_code"] = fmt::format("IC{:04}", static_cast<int>(code));
    row["message"] = message;
    failed_ = true;
  }

  // One row for all executions of an installation.
  base::Status Install(runtime::InstallMode mode, const std::string& path,
                       const base::Bytes& argument) {
    const base::Bytes wasm = TRY(LoadModule(path));
    const size_t first = rows_.size();
    const auto error = network_.InstallCode(canister_, mode, wasm, argument, kUser);
    Json row = EmptyRow(mode == runtime::InstallMode::kUpgrade ? "upgrade" : "install");
    for (size_t i = first; i < rows_.size(); ++i) AddCosts(rows_[i], row);
    rows_.erase(rows_.begin() + static_cast<ptrdiff_t>(first), rows_.end());
    if (error) SetError(row, error->code, error->message);
    rows_.push_back(std::move(row));
    if (error && mode == runtime::InstallMode::kInstall) {
      return base::Err(path, ": ", error->message);
    }
    return {};
  }

  const ExecOptions& options_;
  runtime::SimulatedEnv env_;
  runtime::Network network_;
  runtime::Principal canister_;
  Json rows_ = Json::array();
  bool failed_ = false;
};

std::string OutcomeText(const Json& row) {
  if (row.contains("reply_hex")) return "reply " + row["reply_hex"].get<std::string>();
  if (row.contains("reject")) return "reject " + row["reject"].get<std::string>();
  if (row.contains("error_code")) {
    return row["error_code"].get<std::string>() + " " + row["message"].get<std::string>();
  }
  return "";
}

void PrintRows(const Json& rows) {
  for (const Json& row : rows) {
    fmt::print("{:<28} {:>18} + {:>14} page charges  {}\n", row["entry"].get<std::string>(),
               Grouped(row["instructions"].get<uint64_t>()),
               Grouped(row["page_charges"].get<uint64_t>()), OutcomeText(row));
  }
}

int RunMessages(const ExecOptions& options) {
  if (options.module.empty()) return Complain("exec needs a module or --vectors", kExitUsage);
  std::unique_ptr<runtime::DiskStorage> storage;
  if (!options.state.empty()) {
    auto opened = runtime::DiskStorage::Open(options.state);
    if (!opened) return Complain(opened.error().message, kExitUsage);
    storage = std::move(*opened);
  }
  Session session(options, storage.get());
  const base::Status done = session.Run();
  if (options.json) {
    fmt::print("{}\n", session.rows().dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    PrintRows(session.rows());
  }
  if (!done) return Complain(done.error().message, session.failed() ? kExitFailed : kExitUsage);
  return session.failed() ? kExitFailed : 0;
}

int ReplayFile(const std::string& path) {
  std::string report;
  const auto result = ReplayVectors(path, &report);
  if (!result) return Complain(result.error().message, kExitUsage);
  fmt::print("{}{} passed, {} failed\n", report, result->passed, result->failed);
  return result->failed == 0 ? 0 : kExitFailed;
}

}  // namespace

void AddExec(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<ExecOptions>();
  CLI::App* command = app.add_subcommand("exec", "run messages on one module, metered");
  auto* vectors =
      command->add_option("--vectors", options->vectors, "replay a file of metering vectors");
  command->add_option("module", options->module, "module in binary, gzip or text form")
      ->excludes(vectors);
  command->add_option("messages", options->messages,
                      "update NAME[:HEX], query NAME[:HEX], upgrade [MODULE][:HEX], in order");
  command->add_option("--init-arg", options->init_arg, "argument of canister_init, in hex");
  command->add_option("--page-overhead", options->page_overhead,
                      "instructions for the first access, and the first write, of a 64 KiB page");
  command->add_option("--state", options->state,
                      "folder that keeps the canister: a later run goes on with it");
  command->add_flag("--json", options->json, "one JSON list");
  command->callback([options, exit_code] {
    *exit_code = options->vectors.empty() ? RunMessages(*options) : ReplayFile(options->vectors);
  });
}

}  // namespace cli
