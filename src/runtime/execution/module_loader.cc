#include "runtime/execution/module_loader.h"

#include "runtime/system_api/table.h"

namespace runtime {

ModuleLoader::ModuleLoader(const Limits& limits, std::string cache_dir)
    : functions32_(HostFunctions(false)),
      functions64_(HostFunctions(true)),
      imports32_(ImportSignatures(false)),
      imports64_(ImportSignatures(true)),
      rules_{imports32_, imports64_, limits.heap64_bytes_max / kPageBytes},
      engine_(functions32_, functions64_) {
  engine_.SetCacheDir(std::move(cache_dir));
}

base::Result<std::shared_ptr<const InstalledModule>> ModuleLoader::Load(base::Bytes wasm) {
  const base::Sha256Digest hash = base::Sha256Of(wasm);
  if (auto known = in_use_[hash].lock()) return known;
  auto out = std::make_shared<InstalledModule>();
  out->hash = hash;
  out->binary = TRY(UnpackModule(wasm));
  out->wasm = std::move(wasm);
  Module module;
  out->info = TRY(ValidateModule(out->binary, rules_, &module));
  const Metered metered = TRY(Rewrite(module));
  out->compiled = TRY(engine_.Compile(metered, out->info.has_memory, out->info.memory64));
  in_use_[hash] = out;
  return std::shared_ptr<const InstalledModule>(std::move(out));
}

}  // namespace runtime
