// gpt2ic run: one answer, from a canister on an embedded network or from the same code natively.
#include <fmt/core.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/local.h"
#include "cli/native_model.h"
#include "cli/target.h"

namespace cli {
namespace {

struct RunOptions {
  std::string prompt, model, canister = "model";
  TargetOptions target;
  uint32_t tokens = 40;
  double temperature = 0;
  uint64_t seed = 1;
  bool native = false, json = false;
};

struct Answer {
  std::string text;
  Usage usage;
  Usage setup;
};

// The seeds' own sequence of calls.
base::Status SetUp(Local& local, const std::string& model) {
  const auto file = [&](const char* name) { return base::StrCat(model, "/", name); };
  const auto call = [&](const char* method) { return local.Update(method, candid::EncodeArgs()); };
  TRY_STATUS(local.Upload("append_safetensors_bytes", file("model.safetensors")));
  TRY(call("store_safetensors_bytes_to_stable"));
  TRY(call("load_safetensors_bytes_from_stable"));
  TRY_STATUS(local.Upload("append_config_bytes", file("config.json")));
  const base::Bytes model_reply = TRY(call("setup_model"));
  const auto [model_done] = TRY(candid::DecodeArgs<base::Status>(model_reply));
  if (!model_done) return base::Err("setup_model: ", model_done.error().message);
  TRY_STATUS(local.Upload("append_tokenizer_bytes", file("tokenizer.json")));
  TRY(call("store_tokenizer_bytes_to_stable"));
  TRY(call("load_tokenizer_bytes_from_stable"));
  const base::Bytes tokenizer_reply = TRY(call("setup_tokenizer"));
  const auto [failure] = TRY(candid::DecodeArgs<std::optional<std::string>>(tokenizer_reply));
  if (failure) return base::Err("setup_tokenizer: ", *failure);
  return {};
}

base::Result<Answer> RunInCanister(const RunOptions& options) {
  const std::string wasm = TRY(CanisterWasm("model"));
  const auto local = TRY(Local::Deploy(wasm, options.seed));
  TRY_STATUS(SetUp(*local, options.model));
  Answer answer;
  answer.setup = local->TakeUsage();
  if (options.tokens > 255) return base::Err("--tokens is at most 255");
  const base::Bytes reply = TRY(local->Update(
      "generate", candid::EncodeArgs(options.prompt, static_cast<uint8_t>(options.tokens),
                                     options.temperature)));
  auto [text] = TRY(candid::DecodeArgs<base::Result<std::string>>(reply));
  answer.text = TRY(std::move(text));
  answer.usage = local->TakeUsage();
  return answer;
}

// The canister that is there already, on a network that others share: what it costs, it knows.
base::Result<Answer> RunOnNetwork(const RunOptions& options) {
  if (options.tokens > 255) return base::Err("--tokens is at most 255");
  const auto target = TRY(Target::Open(options.target));
  const base::Bytes reply = TRY(target->agent().Update(
      TRY(target->Canister(options.canister)), "generate",
      candid::EncodeArgs(options.prompt, static_cast<uint8_t>(options.tokens),
                         options.temperature)));
  auto [text] = TRY(candid::DecodeArgs<base::Result<std::string>>(reply));
  Answer answer;
  answer.text = TRY(std::move(text));
  return answer;
}

base::Result<Answer> RunNatively(const RunOptions& options) {
  const auto model = TRY(NativeModel::Load(options.model));
  Answer answer;
  answer.text =
      TRY(model->Generate(options.prompt, options.tokens, {options.temperature, options.seed}));
  return answer;
}

nlohmann::json ToJson(const Usage& usage) {
  return {{"messages", usage.messages},
          {"instructions", usage.instructions},
          {"page_charges", usage.page_charges},
          {"cycles", static_cast<uint64_t>(usage.cycles)},
          {"usd", Dollars(usage.cycles)}};
}

void PrintCost(const char* label, const Usage& usage) {
  fmt::print("{:<13}{:>16} instructions in {} message{} (page charges {} included)\n", label,
             Grouped(usage.instructions), usage.messages, usage.messages == 1 ? "" : "s",
             Grouped(usage.page_charges));
  fmt::print("{:<13}{:>16} cycles = ${:.6f}\n", "", Grouped(static_cast<uint64_t>(usage.cycles)),
             Dollars(usage.cycles));
}

void Print(const RunOptions& options, const Answer& answer) {
  if (options.json) {
    nlohmann::json out = {{"answer", answer.text}, {"native", options.native}};
    if (!options.native && answer.setup.messages != 0) {
      out.update(ToJson(answer.usage));
      out["setup"] = ToJson(answer.setup);
    }
    fmt::print("{}\n", out.dump());
    return;
  }
  fmt::print("{}\n", answer.text);
  if (options.native || answer.setup.messages == 0) return;
  fmt::print("\n");
  PrintCost("this answer", answer.usage);
  PrintCost("upload, setup", answer.setup);
}

int Run(RunOptions options) {
  if (options.model.empty()) options.model = RepositoryPath("models/demo");
  const bool elsewhere = !options.target.network.empty() || !options.target.state.empty();
  const auto answer = options.native ? RunNatively(options)
                      : elsewhere    ? RunOnNetwork(options)
                                     : RunInCanister(options);
  if (!answer) return Complain(answer.error().message, kExitFailed);
  Print(options, *answer);
  return 0;
}

}  // namespace

void AddRun(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "one answer from a model");
  command->add_option("prompt", options->prompt, "the question")->required();
  command->add_option("--model", options->model, "Hugging Face folder (default: models/demo)");
  command->add_option("--tokens", options->tokens, "at most so many tokens (default 40)");
  command->add_option("--temperature", options->temperature,
                      "0 (default) takes the likeliest token");
  command->add_option("--seed", options->seed, "of the random draws and of the embedded network");
  command->add_flag("--native", options->native, "without a network: the same code, natively");
  AddTarget(command, &options->target);
  command->add_option("--canister", options->canister,
                      "on --network or --state: id or name (default: model)");
  command->add_flag("--json", options->json, "one JSON object");
  command->callback([options, exit_code] { *exit_code = Run(*options); });
}

}  // namespace cli
