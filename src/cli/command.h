#ifndef GPT2IC_CLI_COMMAND_H_
#define GPT2IC_CLI_COMMAND_H_

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"

namespace cli {

// Exit codes: 0 done; 1 the thing asked for failed (a check, a reject, an Err); 2 the command line
// or its files are wrong.
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

// Each command adds itself to the parser and stores in `*exit_code` what it came to.
void AddRun(CLI::App& app, int* exit_code);
void AddServe(CLI::App& app, int* exit_code);
void AddDeploy(CLI::App& app, int* exit_code);
void AddUpload(CLI::App& app, int* exit_code);
void AddCall(CLI::App& app, int* exit_code);
void AddIdentity(CLI::App& app, int* exit_code);
void AddExec(CLI::App& app, int* exit_code);
void AddMakeModel(CLI::App& app, int* exit_code);
void AddTokenize(CLI::App& app, int* exit_code);
void AddDecode(CLI::App& app, int* exit_code);
void AddPack(CLI::App& app, int* exit_code);
void AddReceipt(CLI::App& app, int* exit_code);
void AddVerify(CLI::App& app, int* exit_code);
void AddBench(CLI::App& app, int* exit_code);

base::Result<std::string> ReadFile(const std::string& path);
// Prints "gpt2ic: <sentence>" on stderr and gives back `code`.
int Complain(const std::string& sentence, int code);
// The folder for compiled modules.
std::string CacheDir();

}  // namespace cli

#endif  // GPT2IC_CLI_COMMAND_H_
