#ifndef GPT2IC_RUNTIME_ENGINE_WASM_ENGINE_H_
#define GPT2IC_RUNTIME_ENGINE_WASM_ENGINE_H_

#include <wasmtime.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "runtime/engine/paged_region.h"
#include "runtime/instrument/rewrite.h"

namespace runtime {

// A function that the host gives to modules. `call` gets the arguments zero-extended to 64 bits and
// leaves its result in arguments[0]; false stops the execution (the reason is kept by `context`,
// the pointer that RunExport was given).
struct HostFunction {
  std::string module, name;
  base::Bytes params, results;  // value types; for a 32-bit module I is i32
  bool (*call)(const HostFunction& self, void* context, uint64_t* arguments);
  const void* data;
};

struct GlobalValue {
  uint8_t type;
  std::array<uint8_t, 16> bits;
  bool operator==(const GlobalValue&) const = default;
};

// How a call into wasm ended.
struct WasmTrap {
  enum class Kind : uint8_t {
    kHost,  // a host function said stop
    kUnreachable,
    kHeapOutOfBounds,
    kTableOutOfBounds,
    kStackOverflow,
    kIntegerDivByZero,
    kBadSignature,
    kOther,
  };
  Kind kind;
};

class WasmModule;

// wasmtime, configured as docs/metering.md says: NaN canonicalisation, a stack of 5 MiB, memories
// in our own regions. One for the whole process.
class WasmEngine {
 public:
  // `functions` may be imported by 32-bit (or memory-less) and by 64-bit modules respectively; they
  // must outlive the engine.
  WasmEngine(const std::vector<HostFunction>& functions32,
             const std::vector<HostFunction>& functions64);
  ~WasmEngine();
  WasmEngine(const WasmEngine&) = delete;
  WasmEngine& operator=(const WasmEngine&) = delete;

  // Compiles a metered module, or takes the result of an earlier run from the cache folder (key:
  // the bytes, the engine's version). Cost: about 1 s per 300 kB.
  base::Result<std::shared_ptr<WasmModule>> Compile(const Metered& metered, bool has_memory,
                                                    bool memory64);

  // The folder for compiled modules; empty switches the cache off.
  void SetCacheDir(std::string dir) { cache_dir_ = std::move(dir); }

 private:
  friend class WasmInstance;
  base::Result<wasmtime_module_t*> CompileCached(base::ByteSpan wasm);

  wasm_engine_t* engine_ = nullptr;
  wasmtime_linker_t* linkers_[2] = {nullptr, nullptr};
  std::string cache_dir_;
};

class WasmModule {
 public:
  ~WasmModule();

 private:
  friend class WasmEngine;
  friend class WasmInstance;
  wasm_engine_t* engine = nullptr;
  wasmtime_module_t* module = nullptr;
  wasmtime_instance_pre_t* pre = nullptr;
  bool has_memory = false;
  std::vector<std::string> global_exports;
};

// One message execution's instance: made, run once, thrown away.
class WasmInstance {
 public:
  // `heap` may be null for a module without memory. `context` is handed to host functions.
  static base::Result<std::unique_ptr<WasmInstance>> Create(const WasmModule& module,
                                                            PagedRegion* heap, void* context);
  ~WasmInstance();

  std::vector<GlobalValue> Globals() const;
  void SetGlobals(const std::vector<GlobalValue>& values);

  // Calls an exported function () -> (), or entry `index` of table 0 with an argument.
  // Requires: the export exists. nullopt is success.
  std::optional<WasmTrap> Call(const std::string& export_name);
  std::optional<WasmTrap> CallTable(uint64_t index, uint64_t argument, bool word64);

  // The engine's own handles, for tests that call exports with arguments.
  wasmtime_context_t* context() const { return context_; }
  const wasmtime_instance_t& instance() const { return instance_; }

 private:
  explicit WasmInstance(const WasmModule& module) : module_(module) {}
  std::optional<WasmTrap> CallFunction(const wasmtime_func_t& function, wasmtime_val_raw_t* args,
                                       size_t count);

  const WasmModule& module_;
  wasmtime_store_t* store_ = nullptr;
  wasmtime_context_t* context_ = nullptr;
  wasmtime_instance_t instance_{};
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_ENGINE_WASM_ENGINE_H_
