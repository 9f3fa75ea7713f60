#include "cli/command.h"

int main(int argc, char** argv) {
  CLI::App app("GPT-2 on the Internet Computer");
  app.require_subcommand(1);
  int exit_code = 0;
  cli::AddRun(app, &exit_code);
  cli::AddServe(app, &exit_code);
  cli::AddDeploy(app, &exit_code);
  cli::AddUpload(app, &exit_code);
  cli::AddCall(app, &exit_code);
  cli::AddIdentity(app, &exit_code);
  cli::AddExec(app, &exit_code);
  cli::AddMakeModel(app, &exit_code);
  cli::AddTokenize(app, &exit_code);
  cli::AddDecode(app, &exit_code);
  cli::AddPack(app, &exit_code);
  cli::AddReceipt(app, &exit_code);
  cli::AddVerify(app, &exit_code);
  cli::AddBench(app, &exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : cli::kExitUsage;
  }
  return exit_code;
}
