// gpt2ic exec: runs messages on one module, or replays metering vectors.
#include <fmt/core.h>

#include <memory>

#include "cli/command.h"
#include "cli/vectors.h"

namespace cli {
namespace {

struct ExecOptions {
  std::string vectors;
};

int RunExec(const ExecOptions& options) {
  std::string report;
  const auto result = ReplayVectors(options.vectors, &report);
  if (!result) return Complain(result.error().message, kExitUsage);
  fmt::print("{}{} passed, {} failed\n", report, result->passed, result->failed);
  return result->failed == 0 ? 0 : kExitFailed;
}

}  // namespace

void AddExec(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<ExecOptions>();
  CLI::App* command = app.add_subcommand("exec", "run messages on one module, metered");
  command->add_option("--vectors", options->vectors, "replay a file of metering vectors");
  command->callback([options, exit_code] { *exit_code = RunExec(*options); });
}

}  // namespace cli
