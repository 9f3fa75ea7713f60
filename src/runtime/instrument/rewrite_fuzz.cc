#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "runtime/deps.h"
#include "runtime/engine/meter.h"
#include "runtime/engine/wasm_engine.h"
#include "runtime/instrument/rewrite.h"
#include "runtime/instrument/validate.h"

// Random valid modules, metered: each must compile, and compute what the plain module computes.
// What is compared: how every exported function without parameters ends, and its results.
namespace {

using namespace runtime;

bool Pass(const HostFunction&, void*, uint64_t*) { return true; }

std::vector<HostFunction> Hooks(uint8_t word) {
  return {{kHookModule, kHookTryGrowMemory, {word, word}, {word}, Pass, nullptr}};
}

// The rewriting leaves active data segments to the install.
void WriteData(const ModuleInfo& info, PagedRegion* heap) {
  for (const DataSegment& segment : info.active_data) {
    if (!segment.bytes.empty()) heap->Write(segment.offset, segment.bytes);
  }
}

struct Ending {
  bool trapped = false;
  std::vector<std::array<uint8_t, 16>> values;
  bool operator==(const Ending&) const = default;
};

Ending Call(wasmtime_context_t* context, const wasmtime_instance_t& instance,
            const std::string& name, size_t results) {
  wasmtime_extern_t item;
  CHECK(wasmtime_instance_export_get(context, &instance, name.data(), name.size(), &item));
  std::vector<wasmtime_val_t> values(results);
  wasm_trap_t* trap = nullptr;
  wasmtime_error_t* error =
      wasmtime_func_call(context, &item.of.func, nullptr, 0, values.data(), values.size(), &trap);
  CHECK(error == nullptr);
  Ending ending;
  ending.trapped = trap != nullptr;
  if (trap != nullptr) wasm_trap_delete(trap);
  for (const wasmtime_val_t& value : values) {
    auto& bits = ending.values.emplace_back();
    const bool reference = value.kind == WASMTIME_FUNCREF || value.kind == WASMTIME_EXTERNREF;
    const size_t size = value.kind == WASMTIME_V128                                ? 16
                        : value.kind == WASMTIME_I32 || value.kind == WASMTIME_F32 ? 4
                                                                                   : 8;
    if (!reference && !ending.trapped) std::memcpy(bits.data(), &value.of, size);
  }
  return ending;
}

wasm_engine_t* PlainEngine() {
  wasm_config_t* config = wasm_config_new();
  wasmtime_config_cranelift_nan_canonicalization_set(config, true);
  wasmtime_config_wasm_memory64_set(config, true);
  wasmtime_config_async_stack_size_set(config, 10 << 20);
  wasmtime_config_max_wasm_stack_set(config, 5 << 20);  // as the network's
  return wasm_engine_new_with_config(config);
}

void Compare(const Module& module, const ModuleInfo& info, const base::Bytes& wasm) {
  static const auto hooks32 = Hooks(kTypeI32);
  static const auto hooks64 = Hooks(kTypeI64);
  static WasmEngine engine(hooks32, hooks64);
  static wasm_engine_t* const plain = PlainEngine();
  const auto metered = Rewrite(module);
  CHECK(metered.has_value());
  const auto compiled = engine.Compile(*metered, info.has_memory, info.memory64);
  CHECK(compiled.has_value());
  std::unique_ptr<PagedRegion> heap;
  if (info.has_memory) {
    // A region has an end; where plain wasmtime would grow on, there is nothing to compare.
    const uint64_t pages = module.memory->pages_max.value_or(65536);
    if (pages > 65536 || (info.memory64 && !module.memory->pages_max)) return;
    heap = PagedRegion::Create(pages * kPageBytes, kHeapGuardBytes).value();
    CHECK(heap->Grow(info.heap_pages_min));
    WriteData(info, heap.get());
  }
  wasmtime_module_t* original = nullptr;
  CHECK(wasmtime_module_new(plain, wasm.data(), wasm.size(), &original) == nullptr);
  wasmtime_store_t* store = wasmtime_store_new(plain, nullptr, nullptr);
  wasmtime_instance_t instance;
  wasm_trap_t* trap = nullptr;
  wasmtime_error_t* error =
      wasmtime_instance_new(wasmtime_store_context(store), original, nullptr, 0, &instance, &trap);
  auto ours = WasmInstance::Create(**compiled, heap.get(), nullptr);
  CHECK((error == nullptr && trap == nullptr) == ours.has_value());
  if (error != nullptr) wasmtime_error_delete(error);
  if (trap != nullptr) wasm_trap_delete(trap);
  for (const Export& e : module.exports) {
    if (!ours || e.kind != ExternKind::kFunc) continue;
    const FuncType& type = module.types[module.functions[e.index]];
    if (!type.params.empty()) continue;
    const Ending want = Call(wasmtime_store_context(store), instance, e.name, type.results.size());
    PageMeter meter;
    *Meter::Counter() = 1'000'000'000;
    *Meter::PagesCharged() = 0;
    if (heap) heap->BeginExecution(&meter);
    const Ending got = Call((*ours)->context(), (*ours)->instance(), e.name, type.results.size());
    if (heap) heap->EndExecution();
    CHECK(got == want);
  }
  wasmtime_store_delete(store);
  wasmtime_module_delete(original);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const gpt2ic_bytes made = gpt2ic_wasm_smith(data, size, 1000);
  const base::Bytes wasm(made.data, made.data + made.len);
  gpt2ic_bytes_free(made);
  Module module;
  if (wasm.empty()) return 0;
  const auto info = ValidateModule(wasm, {{}, {}, 98304}, &module);
  if (!info || info->has_start) return 0;
  Compare(module, *info, wasm);
  return 0;
}
