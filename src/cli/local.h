#ifndef GPT2IC_CLI_LOCAL_H_
#define GPT2IC_CLI_LOCAL_H_

#include <memory>
#include <string>

#include "base/bytes.h"
#include "candid/typed.h"
#include "runtime/round/network.h"

namespace cli {

// What calls have cost so far.
struct Usage {
  uint64_t messages = 0;
  uint64_t instructions = 0;  // page charges included
  uint64_t page_charges = 0;
  runtime::Cycles cycles = 0;  // as charged to the canister: base fees and ingress included
};

// An embedded network with one canister on it, called as its controller.
class Local {
 public:
  // Installs `wasm` (a path).
  static base::Result<std::unique_ptr<Local>> Deploy(const std::string& wasm, uint64_t seed);

  // Calls a method; an Error is the reject's text.
  base::Result<base::Bytes> Update(const std::string& method, base::Bytes argument);
  base::Result<base::Bytes> Query(const std::string& method, base::Bytes argument);

  // Sends a file through METHOD in chunks of 2,000,000 bytes, as the seeds' uploader does.
  base::Status Upload(const std::string& method, const std::string& path);

  // Since the last call of TakeUsage.
  Usage TakeUsage();
  runtime::Network& network() { return network_; }
  runtime::SimulatedEnv& env() { return env_; }
  const runtime::Principal& canister() const { return canister_; }

 private:
  explicit Local(uint64_t seed);

  runtime::SimulatedEnv env_;
  runtime::Network network_;
  runtime::Principal canister_;
  Usage usage_;
};

// The wasm file of one of our canisters: in $GPT2IC_WASM_DIR, or beside the native build.
base::Result<std::string> CanisterWasm(const std::string& name);
// The repository's folder, found from the program's own path; for models/demo.
std::string RepositoryPath(const std::string& path);

// A bar on stderr while a long step runs, when stderr is a terminal.
class Progress {
 public:
  Progress(std::string label, uint64_t total);
  ~Progress();
  void Set(uint64_t done);

 private:
  std::string label_;
  uint64_t total_;
  int shown_ = -1;
  bool terminal_;
};

// 1234567 -> "1,234,567"
std::string Grouped(uint64_t number);
double Dollars(runtime::Cycles cycles);

}  // namespace cli

#endif  // GPT2IC_CLI_LOCAL_H_
