#ifndef GPT2IC_RUNTIME_EXECUTION_INSTALL_H_
#define GPT2IC_RUNTIME_EXECUTION_INSTALL_H_

#include <memory>

#include "runtime/state/canister.h"
#include "runtime/system_api/execution.h"

namespace runtime {

enum class InstallMode : uint8_t { kInstall, kReinstall, kUpgrade };

struct InstallArgs {
  InstallMode mode = InstallMode::kInstall;
  std::shared_ptr<const InstalledModule> module;
  base::Bytes argument;
  Principal sender;
  bool skip_pre_upgrade = false;
  bool keep_heap = false;  // wasm_memory_persistence = keep
};

// One of the executions of an installation, in order.
struct InstallStep {
  const char* entry;  // "start" "init" "pre_upgrade" "post_upgrade"
  Outcome outcome;
};

struct InstallResult {
  std::optional<ExecutionError> error;
  std::vector<InstallStep> steps;
  uint64_t instructions = 0;  // of all steps; the limit is shared
};

// Installs, reinstalls or upgrades: all of it or nothing. On success memory, globals, certified
// data and the timer are those of the new module and the transaction on both memories is still
// open: the caller commits. On failure the canister is as it was. Fees are the caller's business.
InstallResult Install(Canister& canister, const InstallArgs& args, const Surroundings& around);

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_EXECUTION_INSTALL_H_
