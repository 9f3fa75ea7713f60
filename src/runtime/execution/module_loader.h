#ifndef GPT2IC_RUNTIME_EXECUTION_MODULE_LOADER_H_
#define GPT2IC_RUNTIME_EXECUTION_MODULE_LOADER_H_

#include <map>
#include <memory>

#include "runtime/state/canister.h"

namespace runtime {

// Turns what an owner installs into what runs: unpacked, validated, metered, compiled. Modules in
// use are shared by their hash.
class ModuleLoader {
 public:
  ModuleLoader(const Limits& limits, std::string cache_dir);

  base::Result<std::shared_ptr<const InstalledModule>> Load(base::Bytes wasm);

 private:
  std::vector<HostFunction> functions32_, functions64_;
  std::vector<ImportSignature> imports32_, imports64_;
  ModuleRules rules_;
  WasmEngine engine_;
  std::map<base::Sha256Digest, std::weak_ptr<const InstalledModule>> in_use_;
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_EXECUTION_MODULE_LOADER_H_
