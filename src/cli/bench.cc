// gpt2ic bench: what each step of a model's life costs, measured by the meter.
#include "cli/bench.h"

#include <fmt/core.h>

#include <memory>

#include "cli/command.h"
#include "cli/local.h"
#include "gpt2/make_model.h"

namespace cli {
namespace {

using Json = nlohmann::json;

struct BenchOptions {
  std::string shape = "gpt2";
  uint32_t context = 1024;
  bool exact = false, json = false, quick = false, native = false;
};

// Billions that the seeds took (docs/bench.md), rows as in kTablePrompts, for 1, 2, 4, 8 tokens.
constexpr uint32_t kTablePrompts[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
constexpr uint32_t kTableGenerated[] = {1, 2, 4, 8};
constexpr double kSeeds[][4] = {{1.12, 2.25, 4.49, 9.00},        {1.15, 2.27, 4.52, 9.02},
                                {1.72, 2.84, 5.09, 9.60},        {3.04, 4.17, 6.42, 10.93},
                                {5.70, 6.83, 9.09, 13.62},       {11.06, 12.20, 14.47, 19.01},
                                {22.15, 23.30, 25.59, 30.18},    {44.53, 45.72, 48.08, 52.82},
                                {91.77, 93.05, 95.58, 100.66},   {196.22, 197.77, 200.80, 206.88},
                                {445.26, 445.26, 445.26, 445.26}};

double Seeds(uint32_t prompt, uint32_t generated) {
  for (size_t row = 0; row < std::size(kTablePrompts); ++row) {
    for (size_t column = 0; column < std::size(kTableGenerated); ++column) {
      if (kTablePrompts[row] == prompt && kTableGenerated[column] == generated) {
        return kSeeds[row][column];
      }
    }
  }
  return 0;
}

std::string Number(const Json& value) { return Grouped(value.get<uint64_t>()); }

void PrintCost(const char* name, const Json& out) {
  if (!out.contains(name)) return;
  const Json& cost = out[name];
  fmt::print("{:<10}{:>18} + {:>14} page charges, {} message{}\n", name,
             Number(cost["instructions"]), Number(cost["page_charges"]),
             cost["messages"].get<uint64_t>(), cost["messages"] == 1 ? "" : "s");
}

void PrintRows(const Json& out) {
  for (const Json& row : out.value("decode", Json::array())) {
    fmt::print("decode at position {:>4} {:>14} + {:>13} page charges\n",
               row["position"].get<uint32_t>(), Number(row["instructions"]),
               Number(row["page_charges"]));
  }
  for (const Json& row : out.value("prefill", Json::array())) {
    fmt::print("prefill of {:>4} tokens   {:>14} a token + {:>13} page charges, {} message{}\n",
               row["tokens"].get<uint32_t>(), Number(row["instructions_per_token"]),
               Number(row["page_charges"]), row["messages"].get<uint64_t>(),
               row["messages"] == 1 ? "" : "s");
  }
  for (const auto& [what, phases] : out.value("phases", Json::object()).items()) {
    fmt::print("{:<8}", what);
    for (const auto& [phase, count] : phases.items()) {
      fmt::print("  {} {}", phase, Number(count));
    }
    fmt::print("\n");
  }
  for (const Json& row : out.value("kernels", Json::array())) {
    fmt::print("matrices alone, {:<18} {:>12} a token\n",
               row.contains("head") ? std::string("head")
                                    : fmt::format("{} at once", row["tokens_at_once"].dump()),
               Number(row["instructions_per_token"]));
  }
}

void PrintTable(const Json& out) {
  if (!out.contains("table")) return;
  fmt::print("\nbillions, page charges included (the seeds'); * more than one message\n");
  uint32_t prompt = 0;
  for (const Json& cell : out["table"]) {
    if (cell["prompt"] != prompt) {
      prompt = cell["prompt"].get<uint32_t>();
      fmt::print("{}prompt {:>4}", prompt == 1 ? "" : "\n", prompt);
    }
    fmt::print("  {:>6.2f} ({:>6.2f}){}", cell["instructions"].get<double>() / 1e9,
               Seeds(prompt, cell["generated"].get<uint32_t>()), cell["messages"] == 1 ? " " : "*");
  }
  fmt::print("\n");
}

void Print(const Json& out) {
  fmt::print("shape {}, mode {}, {} tokens at once in prefill\n", out["shape"].get<std::string>(),
             out["mode"].get<std::string>(), out["prefill_tokens_at_once"].get<uint32_t>());
  for (const char* name : {"pack", "hash", "load"}) PrintCost(name, out);
  if (out.contains("heap_bytes")) fmt::print("heap      {:>18} bytes\n", Number(out["heap_bytes"]));
  PrintRows(out);
  if (out.contains("sample")) {
    fmt::print("sampling, top-k 40, top-p 0.95 {:>12}\n", Number(out["sample"]["instructions"]));
  }
  if (out.contains("tokens_per_message")) {
    fmt::print("tokens in one message from a 1-token prompt {}; a whole context in {}\n",
               Number(out["tokens_per_message"]), Number(out["messages_for_a_whole_context"]));
  }
  if (out.contains("native")) {
    fmt::print("natively {:.1f} tokens a second, {:.2f} times float32\n",
               out["native"]["tokens_per_second"].get<double>(),
               out["native"]["ratio_to_float32"].get<double>());
  }
  PrintTable(out);
}

int Run(const BenchOptions& options) {
  const auto mode = options.exact ? gpt2::PackedMode::kExact : gpt2::PackedMode::kInt8;
  BenchPlan plan = BenchPlan::Full(options.shape, mode, options.context);
  plan.native = options.native;
  if (options.quick) {
    plan.table_prompts.clear();
    plan.message = plan.pack = plan.hash = false;
  }
  const auto out = RunBench(plan);
  if (!out) return Complain(out.error().message, kExitFailed);
  if (options.json) {
    fmt::print("{}\n", out->dump());
  } else {
    Print(*out);
  }
  return 0;
}

}  // namespace

BenchPlan BenchPlan::Full(const std::string& shape, gpt2::PackedMode mode, uint32_t context_max) {
  BenchPlan plan;
  plan.shape = shape;
  plan.mode = mode;
  const auto hparams = gpt2::ShapeByName(shape);
  if (!hparams) return plan;
  const bool small = hparams->n_layer <= 12;
  plan.pack = small;  // larger ones are loaded packed: their float32 files have up to 6 GB
  plan.kernels = shape == "gpt2";
  plan.message = small;
  const uint32_t context = std::min(hparams->n_ctx, context_max);
  const auto within = [&](std::initializer_list<uint32_t> numbers, uint32_t max) {
    std::vector<uint32_t> out;
    std::ranges::copy_if(numbers, std::back_inserter(out), [&](uint32_t n) { return n <= max; });
    return out;
  };
  plan.decode_positions = within({0, 1, 2, 4, 8, 16, 32, 63, 64, 128, 256, 512, 1023}, context - 1);
  plan.prefill_lengths = within({1, 8, 64, 128, 256, 512, 1024}, context);
  if (small) {
    plan.table_prompts = within({1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}, context);
    plan.table_generated = {1, 2, 4, 8};
  }
  return plan;
}

void AddBench(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command =
      app.add_subcommand("bench", "instruction counts of each step of a model's life");
  command->add_option("--shape", options->shape,
                      "tiny, gpt2 (default), gpt2-medium, gpt2-large or gpt2-xl");
  command->add_flag("--exact", options->exact, "weights of 12 bits instead of 7");
  command->add_flag("--quick", options->quick, "without packing, hashing and the table");
  command->add_option("--context", options->context, "only what takes so many tokens at most")
      ->check(CLI::Range(1, 1 << 20));
  command->add_flag("--native", options->native, "also the speed of this machine");
  command->add_flag("--json", options->json, "one JSON object");
  command->callback([options, exit_code] { *exit_code = Run(*options); });
}

}  // namespace cli
