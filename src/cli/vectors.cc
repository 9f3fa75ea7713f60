#include "cli/vectors.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/hex.h"
#include "cli/command.h"
#include "runtime/round/network.h"

namespace cli {
namespace {

using Json = nlohmann::json;

// What is allowed today and was not in October 2024, when the vectors were measured. A row whose
// module needs one of these and whose outcome was a refusal is skipped, and says so.
struct NewerRule {
  std::string_view word;   // in the module's text
  std::string_view entry;  // how the row's entry begins
  int refused_with;        // the error code that was measured
  std::string_view reason;
};
constexpr NewerRule kNewerRules[] = {
    {"return_call", "install", 505, "tail calls are allowed since 2025"},
    {"canister_on_low_wasm_memory", "install", 505, "it is a legal export since 2025"},
    {"root_key_", "install", 505, "root_key_size and root_key_copy are newer"},
    {"subnet_self_", "install", 505, "subnet_self_size and subnet_self_copy are newer"},
    {"env_var_", "install", 505, "environment variables are newer"},
    {"\"cost_", "install", 505, "the cost_ calls are newer"},
    {"canister_liquid_cycle_balance128", "install", 505, "it is newer"},
    {"msg_caller_info_", "install", 505, "it is newer"},
    {"msg_cycles_", "replicated query", 504, "cycles calls are allowed in replicated queries"},
    {"cycles_burn128", "replicated query", 504, "it is allowed in replicated queries"},
};

std::string Text(const Json& row, const char* name) {
  return row.contains(name) && row[name].is_string() ? row[name].get<std::string>() : "";
}

uint64_t Number(const Json& object, const char* name, uint64_t otherwise) {
  return object.contains(name) && object[name].is_number() ? object[name].get<uint64_t>()
                                                           : otherwise;
}

// One row: what happened when its message ran.
struct Observed {
  uint64_t instructions = 0;
  std::string outcome;  // "ok" "accepted" "reply HEX" "reject N TEXT" "error N"
};

std::string OutcomeOf(const runtime::Response& response) {
  if (!response.reject) return "reply " + base::ToHex(response.reply);
  const auto code = static_cast<int>(response.reject->error);
  if (response.reject->error == runtime::ErrorCode::kCanisterRejected) {
    return base::StrCat("reject ", response.reject->message);
  }
  return base::StrCat("error ", code);
}

std::string ExpectedOutcome(const Json& row) {
  if (row.contains("reply_hex")) return "reply " + Text(row, "reply_hex");
  if (row.contains("reject")) return "reject " + Text(row, "reject");
  if (row.contains("error_code")) return base::StrCat("error ", row["error_code"].get<int>());
  if (row.contains("ok")) return "ok";
  if (row.contains("accepted")) return "accepted";
  return "";
}

runtime::Principal UserTestId(uint8_t n) { return {n, 0, 0, 0, 0, 0, 0, 0, 0xfd, 0x01}; }

class Case {
 public:
  Case(const std::string& folder, const Json& config) : folder_(folder), env_(1) {
    runtime::NetworkOptions options;
    options.limits.page_overhead = 0;
    if (config.is_object()) Configure(config, options.limits);
    options.cache_dir = CacheDir();
    network_ = std::make_unique<runtime::Network>(env_, std::move(options));
    network_->OnExecution(
        [this](const runtime::ExecutionRecord& record) { executions_.push_back(record); });
    canister_ =
        network_->CreateCanister(UserTestId(1), runtime::Cycles{1'000'000'000'000'000'000}).value();
  }

  // Runs the message of `entry` and returns one entry per row that the step has.
  std::vector<Observed> Run(const std::string& entry, const base::Bytes& argument, size_t rows) {
    executions_.clear();
    const std::string outcome = Execute(entry, argument);
    std::vector<Observed> observed(rows);
    // The last row takes what is left: install steps, a callback with its cleanup, a query graph.
    for (size_t i = 0; i < executions_.size(); ++i) {
      observed[std::min(i, rows - 1)].instructions += executions_[i].instructions;
    }
    observed.back().outcome = outcome;
    return observed;
  }

 private:
  static void Configure(const Json& config, runtime::Limits& limits) {
    limits.message = Number(config, "instruction_limit", limits.message);
    limits.slice = Number(config, "slice_limit", limits.message);
    limits.query = Number(config, "query_limit", limits.query);
    limits.install = Number(config, "install_limit", limits.install);
    limits.install_slice = Number(config, "install_slice_limit", limits.install);
    limits.system_subnet = config.value("system_subnet", false);
  }

  std::string Execute(const std::string& entry, const base::Bytes& argument) {
    if (entry == "install") return Install(runtime::InstallMode::kInstall, argument);
    if (entry == "upgrade") return Install(runtime::InstallMode::kUpgrade, argument);
    if (entry == "reinstall") return Install(runtime::InstallMode::kReinstall, argument);
    if (entry == "heartbeat") return Task("canister_heartbeat");
    if (entry == "global_timer") return Task("canister_global_timer");
    if (entry.starts_with("on_low_wasm_memory")) return Task("canister_on_low_wasm_memory");
    const auto method = [&](std::string_view prefix) {
      const std::string rest = entry.substr(prefix.size());
      return rest.substr(0, rest.find(' '));
    };
    const auto user = UserTestId(1);
    if (entry.starts_with("inspect_message for ")) {
      return Inspect(method("inspect_message for "), argument);
    }
    if (entry.starts_with("update ")) {
      return OutcomeOf(network_->Call(user, canister_, method("update "), argument));
    }
    if (entry.starts_with("replicated query ")) {
      return OutcomeOf(network_->Call(user, canister_, method("replicated query "), argument));
    }
    runtime::QueryOptions options;
    if (entry.ends_with("(with certificate)")) options.data_certificate = base::Bytes(40, 7);
    const std::string prefix = entry.substr(0, entry.find(' ') + 1);
    return OutcomeOf(network_->Query(UserTestId(0), canister_, method(prefix), argument, options));
  }

  std::string Install(runtime::InstallMode mode, const base::Bytes& argument) {
    const auto text = ReadFile(folder_ + "/module.wat");
    if (!text) return text.error().message;
    const auto wasm = runtime::ParseWat(*text);
    if (!wasm) return base::StrCat("error 505 ", wasm.error().message);
    const auto error = network_->InstallCode(canister_, mode, *wasm, argument, UserTestId(1));
    return error ? base::StrCat("error ", static_cast<int>(error->code)) : "ok";
  }

  std::string Task(const std::string& method) {
    network_->RunSystemTask(canister_, method);
    return "";
  }

  std::string Inspect(const std::string& method, const base::Bytes& argument) {
    const auto reject = network_->Inspect(UserTestId(1), canister_, method, argument);
    return reject ? base::StrCat("error ", static_cast<int>(reject->error)) : "accepted";
  }

  std::string folder_;
  runtime::SimulatedEnv env_;
  std::unique_ptr<runtime::Network> network_;
  runtime::Principal canister_;
  std::vector<runtime::ExecutionRecord> executions_;
};

class Replay {
 public:
  Replay(std::string folder, std::string* report) : folder_(std::move(folder)), report_(*report) {}

  base::Result<ReplayResult> Run(const Json& rows) {
    for (size_t i = 0; i < rows.size();) {
      size_t end = i + 1;  // the rows of one step stand together
      while (end < rows.size() && Text(rows[end], "case") == Text(rows[i], "case") &&
             Number(rows[end], "step", 0) == Number(rows[i], "step", 0)) {
        ++end;
      }
      TRY_STATUS(Step(rows, i, end));
      i = end;
    }
    return result_;
  }

 private:
  base::Status Step(const Json& rows, size_t first, size_t end) {
    const Json& row = rows[first];
    const std::string name = Text(row, "case");
    if (name != name_) {
      name_ = name;
      module_text_ = ReadFile(folder_ + "/" + name + "/module.wat").value_or("");
      case_ = std::make_unique<Case>(folder_ + "/" + name,
                                     row.contains("config") ? row["config"] : Json());
    }
    const base::Bytes argument = TRY(base::FromHex(Text(row, "arg_hex")));
    const auto observed = case_->Run(Text(row, "entry"), argument, end - first);
    for (size_t i = first; i < end; ++i) Compare(rows[i], observed[i - first]);
    return {};
  }

  // Why the row's refusal does not hold any more; empty when it does, or was none.
  std::string NewerRuleOf(const Json& row, const Observed& observed) const {
    const std::string expected = ExpectedOutcome(row);
    if (expected == observed.outcome) return "";
    for (const NewerRule& rule : kNewerRules) {
      if (Text(row, "entry").starts_with(rule.entry) &&
          expected == base::StrCat("error ", rule.refused_with) &&
          module_text_.find(rule.word) != std::string::npos) {
        return std::string(rule.reason);
      }
    }
    return "";
  }

  void Compare(const Json& row, const Observed& observed) {
    const std::string where =
        base::StrCat(name_, " step ", Number(row, "step", 0), " ", Text(row, "entry"));
    if (const std::string reason = NewerRuleOf(row, observed); !reason.empty()) {
      report_ += base::StrCat("skipped: ", where, ": ", reason, "\n");
      ++result_.skipped;
      return;
    }
    const bool portable = !row.contains("portable") || row["portable"].get<bool>();
    const uint64_t want =
        Number(row, "expected_2026_without_pages", Number(row, "instructions", 0));
    const std::string outcome = ExpectedOutcome(row);
    bool same = true;
    if (portable && want != observed.instructions) {
      report_ +=
          base::StrCat(where, ": ", observed.instructions, " instructions, expected ", want, "\n");
      same = false;
    }
    if (outcome != observed.outcome) {
      report_ += base::StrCat(where, ": ", observed.outcome, ", expected ", outcome, "\n");
      same = false;
    }
    ++(same ? result_.passed : result_.failed);
  }

  std::string folder_;
  std::string& report_;
  std::string name_, module_text_;
  std::unique_ptr<Case> case_;
  ReplayResult result_;
};

}  // namespace

base::Result<ReplayResult> ReplayVectors(const std::string& path, std::string* report) {
  const std::string text = TRY(ReadFile(path));
  const Json document = Json::parse(text, nullptr, false);
  if (!document.is_array()) return base::Err(path, " is not a JSON list of vectors");
  return Replay(std::filesystem::path(path).parent_path().string(), report).Run(document);
}

}  // namespace cli
