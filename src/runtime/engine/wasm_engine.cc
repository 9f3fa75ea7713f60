#include "runtime/engine/wasm_engine.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/check.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "runtime/engine/meter.h"

namespace runtime {
namespace {

constexpr uint64_t kWasmStackBytes = 5 << 20;  // MAX_WASM_STACK_SIZE of the IC
constexpr uint64_t kReservation = uint64_t{4} << 30;
constexpr char kCacheVersion[] = "wasmtime-48.0.8/1";

std::string TakeMessage(wasmtime_error_t* error) {
  wasm_byte_vec_t text;
  wasmtime_error_message(error, &text);
  std::string message(text.data, text.size);
  wasm_byte_vec_delete(&text);
  wasmtime_error_delete(error);
  return message;
}

// The memories of the instance being made, in order of their index: the canister's heap, if it has
// one, then the meter. The engine asks for them one by one.
struct Pending {
  PagedRegion* heap = nullptr;
  bool has_memory = false;
  int next = 0;
};
thread_local Pending g_pending;

uint8_t* GetHeap(void* env, size_t* size, size_t* capacity) {
  auto* heap = static_cast<PagedRegion*>(env);
  *size = heap->bytes();
  *capacity = heap->bytes_max();
  return heap->base();
}

wasmtime_error_t* GrowHeap(void* env, size_t new_size) {
  auto* heap = static_cast<PagedRegion*>(env);
  if (heap->Grow((new_size - heap->bytes()) / kPageBytes)) return nullptr;
  return wasmtime_error_new("heap limit");
}

uint8_t* GetMeter(void*, size_t* size, size_t* capacity) {
  *size = *capacity = kPageBytes;
  return Meter::Base();
}

wasmtime_error_t* GrowMeter(void*, size_t) { return wasmtime_error_new("the meter does not grow"); }

// For modules with references the engine makes one memory more, for the objects of its collector.
struct OwnMemory {
  uint8_t* base;
  size_t size, capacity, reserved;
};

uint8_t* GetOwn(void* env, size_t* size, size_t* capacity) {
  const auto* own = static_cast<OwnMemory*>(env);
  *size = own->size;
  *capacity = own->capacity;
  return own->base;
}

wasmtime_error_t* GrowOwn(void* env, size_t new_size) {
  auto* own = static_cast<OwnMemory*>(env);
  if (new_size > own->capacity) return wasmtime_error_new("no more memory");
  CHECK(mprotect(own->base, new_size, PROT_READ | PROT_WRITE) == 0);
  own->size = new_size;
  return nullptr;
}

void FreeOwn(void* env) {
  auto* own = static_cast<OwnMemory*>(env);
  munmap(own->base, own->reserved);
  delete own;
}

wasmtime_error_t* NewOwnMemory(size_t minimum, wasmtime_linear_memory_t* out) {
  constexpr size_t kReserved = kReservation + kHeapGuardBytes;
  void* base =
      mmap(nullptr, kReserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return wasmtime_error_new("no address space left");
  auto* own = new OwnMemory{static_cast<uint8_t*>(base), 0, kReservation, kReserved};
  *out = {own, GetOwn, GrowOwn, FreeOwn};
  return GrowOwn(own, minimum);
}

// Which memory is asked for: those of the module have a maximum, the rewriting sees to that, and
// the collector's has none. It may come before, between or behind them.
wasmtime_error_t* NewMemory(void*, const wasm_memorytype_t* type, size_t minimum, size_t, size_t,
                            size_t, wasmtime_linear_memory_t* out) {
  uint64_t maximum = 0;
  if (!wasmtime_memorytype_maximum(type, &maximum)) return NewOwnMemory(minimum, out);
  const bool is_heap = g_pending.has_memory && g_pending.next == 0;
  const bool is_meter = g_pending.next == (g_pending.has_memory ? 1 : 0);
  ++g_pending.next;
  if (!is_heap && !is_meter) return wasmtime_error_new("a memory that no module has");
  out->finalizer = nullptr;
  out->env = is_heap ? g_pending.heap : nullptr;
  out->get_memory = is_heap ? GetHeap : GetMeter;
  out->grow_memory = is_heap ? GrowHeap : GrowMeter;
  return nullptr;
}

wasm_config_t* MakeConfig() {
  wasm_config_t* config = wasm_config_new();
  wasmtime_config_cranelift_nan_canonicalization_set(config, true);
  wasmtime_config_cranelift_opt_level_set(config, WASMTIME_OPT_LEVEL_SPEED);
  wasmtime_config_async_stack_size_set(config, 2 * kWasmStackBytes);  // the other bounds this one
  wasmtime_config_max_wasm_stack_set(config, kWasmStackBytes);
  wasmtime_config_wasm_relaxed_simd_set(config, false);
  wasmtime_config_wasm_memory64_set(config, true);
  wasmtime_config_wasm_multi_memory_set(config, true);
  wasmtime_config_memory_may_move_set(config, false);
  wasmtime_config_memory_init_cow_set(config, false);
  wasmtime_config_memory_reservation_set(config, kReservation);
  wasmtime_config_memory_guard_size_set(config, kHeapGuardBytes);
  wasmtime_config_native_unwind_info_set(config, false);
  wasmtime_memory_creator_t creator = {nullptr, NewMemory, nullptr};
  wasmtime_config_host_memory_creator_set(config, &creator);
  return config;
}

wasm_valkind_t KindOfType(uint8_t type) {
  switch (type) {
    case kTypeI32:
      return WASM_I32;
    case kTypeF32:
      return WASM_F32;
    case kTypeF64:
      return WASM_F64;
    default:
      return WASM_I64;
  }
}

wasm_valtype_vec_t ValueTypes(base::ByteSpan types) {
  wasm_valtype_vec_t out;
  wasm_valtype_vec_new_uninitialized(&out, types.size());
  for (size_t i = 0; i < types.size(); ++i) {
    out.data[i] = wasm_valtype_new(KindOfType(types[i]));
  }
  return out;
}

constexpr size_t kArgumentsMax = 8;

// Called for every host function: widens the arguments, narrows the result.
wasm_trap_t* Dispatch(void* env, wasmtime_caller_t* caller, wasmtime_val_raw_t* values, size_t) {
  const auto& function = *static_cast<const HostFunction*>(env);
  uint64_t arguments[kArgumentsMax];
  for (size_t i = 0; i < function.params.size(); ++i) {
    arguments[i] = function.params[i] == kTypeI32 ? static_cast<uint32_t>(values[i].i32)
                                                  : static_cast<uint64_t>(values[i].i64);
  }
  void* context = wasmtime_context_get_data(wasmtime_caller_context(caller));
  if (!function.call(function, context, arguments)) return wasmtime_trap_new("stopped", 7);
  if (!function.results.empty()) values[0].i64 = static_cast<int64_t>(arguments[0]);
  return nullptr;
}

wasmtime_linker_t* MakeLinker(wasm_engine_t* engine, const std::vector<HostFunction>& functions) {
  wasmtime_linker_t* linker = wasmtime_linker_new(engine);
  for (const HostFunction& f : functions) {
    CHECK(f.params.size() <= kArgumentsMax);
    wasm_valtype_vec_t params = ValueTypes(f.params), results = ValueTypes(f.results);
    wasm_functype_t* type = wasm_functype_new(&params, &results);
    wasmtime_error_t* error = wasmtime_linker_define_func_unchecked(
        linker, f.module.data(), f.module.size(), f.name.data(), f.name.size(), type, Dispatch,
        const_cast<HostFunction*>(&f), nullptr);
    CHECK(error == nullptr);
    wasm_functype_delete(type);
  }
  return linker;
}

// Written aside and renamed, so that a reader never sees half a file.
void StoreFile(const std::string& path, const wasm_byte_vec_t& bytes) {
  const std::string part = base::StrCat(path, ".", getpid(), ".part");
  std::ofstream out(part, std::ios::binary);
  out.write(bytes.data, static_cast<std::streamsize>(bytes.size));
  out.close();
  std::error_code ignored;  // a cache that cannot be written only costs time
  if (out) std::filesystem::rename(part, path, ignored);
}

WasmTrap::Kind KindOf(const wasm_trap_t* trap) {
  using enum WasmTrap::Kind;
  wasmtime_trap_code_t code;
  if (!wasmtime_trap_code(trap, &code)) return kHost;
  switch (code) {
    case WASMTIME_TRAP_CODE_STACK_OVERFLOW:
      return kStackOverflow;
    case WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS:
      return kHeapOutOfBounds;
    case WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS:
      return kTableOutOfBounds;
    case WASMTIME_TRAP_CODE_BAD_SIGNATURE:
      return kBadSignature;
    case WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO:
      return kIntegerDivByZero;
    case WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED:
      return kUnreachable;
    default:
      return kOther;
  }
}

}  // namespace

WasmEngine::WasmEngine(const std::vector<HostFunction>& functions32,
                       const std::vector<HostFunction>& functions64)
    : engine_(wasm_engine_new_with_config(MakeConfig())) {
  InstallFaultHandler();
  linkers_[0] = MakeLinker(engine_, functions32);
  linkers_[1] = MakeLinker(engine_, functions64);
}

WasmEngine::~WasmEngine() {
  for (wasmtime_linker_t* linker : linkers_) wasmtime_linker_delete(linker);
  wasm_engine_delete(engine_);
}

base::Result<wasmtime_module_t*> WasmEngine::CompileCached(base::ByteSpan wasm) {
  std::string path;
  wasmtime_module_t* module = nullptr;
  if (!cache_dir_.empty()) {
    base::Sha256 key;
    key.Update(base::AsBytes(kCacheVersion));
    key.Update(wasm);
    path = base::StrCat(cache_dir_, "/", base::ToHex(key.Finish()), ".cwasm");
    if (access(path.c_str(), R_OK) == 0) {
      wasmtime_error_t* error = wasmtime_module_deserialize_file(engine_, path.c_str(), &module);
      if (error == nullptr) return module;
      wasmtime_error_delete(error);  // of another machine or version: compile again
    }
  }
  if (wasmtime_error_t* error = wasmtime_module_new(engine_, wasm.data(), wasm.size(), &module)) {
    return base::Err(TakeMessage(error));
  }
  wasm_byte_vec_t bytes;
  if (!path.empty() && wasmtime_module_serialize(module, &bytes) == nullptr) {
    std::error_code ignored;
    std::filesystem::create_directories(cache_dir_, ignored);
    StoreFile(path, bytes);
    wasm_byte_vec_delete(&bytes);
  }
  return module;
}

base::Result<std::shared_ptr<WasmModule>> WasmEngine::Compile(const Metered& metered,
                                                              bool has_memory, bool memory64) {
  auto out = std::make_shared<WasmModule>();
  out->engine = engine_;
  out->module = TRY(CompileCached(metered.wasm));
  out->has_memory = has_memory;
  out->global_exports = metered.global_exports;
  wasmtime_error_t* error =
      wasmtime_linker_instantiate_pre(linkers_[memory64 ? 1 : 0], out->module, &out->pre);
  if (error != nullptr) return base::Err(TakeMessage(error));
  return out;
}

WasmModule::~WasmModule() {
  if (pre != nullptr) wasmtime_instance_pre_delete(pre);
  if (module != nullptr) wasmtime_module_delete(module);
}

base::Result<std::unique_ptr<WasmInstance>> WasmInstance::Create(const WasmModule& module,
                                                                 PagedRegion* heap, void* context) {
  std::unique_ptr<WasmInstance> out(new WasmInstance(module));
  out->store_ = wasmtime_store_new(module.engine, context, nullptr);
  out->context_ = wasmtime_store_context(out->store_);
  g_pending = {heap, module.has_memory, 0};
  wasm_trap_t* trap = nullptr;
  wasmtime_error_t* error =
      wasmtime_instance_pre_instantiate(module.pre, out->context_, &out->instance_, &trap);
  if (error != nullptr) return base::Err(TakeMessage(error));
  if (trap != nullptr) {
    wasm_trap_delete(trap);
    return base::Err("an element segment lies outside its table");
  }
  return out;
}

WasmInstance::~WasmInstance() {
  if (store_ != nullptr) wasmtime_store_delete(store_);
}

std::vector<GlobalValue> WasmInstance::Globals() const {
  std::vector<GlobalValue> values;
  values.reserve(module_.global_exports.size());
  for (const std::string& name : module_.global_exports) {
    wasmtime_extern_t item;
    CHECK(wasmtime_instance_export_get(context_, &instance_, name.data(), name.size(), &item));
    wasmtime_val_t value;
    wasmtime_global_get(context_, &item.of.global, &value);
    GlobalValue out{value.kind, {}};
    std::memcpy(out.bits.data(), &value.of, 16);
    values.push_back(out);
  }
  return values;
}

void WasmInstance::SetGlobals(const std::vector<GlobalValue>& values) {
  CHECK(values.size() == module_.global_exports.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string& name = module_.global_exports[i];
    wasmtime_extern_t item;
    CHECK(wasmtime_instance_export_get(context_, &instance_, name.data(), name.size(), &item));
    wasmtime_val_t value{};
    value.kind = values[i].type;
    std::memcpy(&value.of, values[i].bits.data(), 16);
    CHECK(wasmtime_global_set(context_, &item.of.global, &value) == nullptr);
  }
}

std::optional<WasmTrap> WasmInstance::CallFunction(const wasmtime_func_t& function,
                                                   wasmtime_val_raw_t* args, size_t count) {
  wasm_trap_t* trap = nullptr;
  wasmtime_error_t* error = wasmtime_func_call_unchecked(context_, &function, args, count, &trap);
  if (error != nullptr) {
    wasmtime_error_delete(error);
    return WasmTrap{WasmTrap::Kind::kOther};
  }
  if (trap == nullptr) return std::nullopt;
  const WasmTrap result{KindOf(trap)};
  wasm_trap_delete(trap);
  return result;
}

std::optional<WasmTrap> WasmInstance::Call(const std::string& export_name) {
  wasmtime_extern_t item;
  CHECK(wasmtime_instance_export_get(context_, &instance_, export_name.data(), export_name.size(),
                                     &item));
  CHECK(item.kind == WASMTIME_EXTERN_FUNC);
  wasmtime_val_raw_t none;
  return CallFunction(item.of.func, &none, 0);
}

std::optional<WasmTrap> WasmInstance::CallTable(uint64_t index, uint64_t argument, bool word64) {
  wasmtime_extern_t item;
  wasmtime_val_t entry;
  if (!wasmtime_instance_export_get(context_, &instance_, kExportTable, sizeof(kExportTable) - 1,
                                    &item) ||
      !wasmtime_table_get(context_, &item.of.table, index, &entry)) {
    return WasmTrap{WasmTrap::Kind::kTableOutOfBounds};
  }
  if (entry.kind != WASMTIME_FUNCREF || wasmtime_funcref_is_null(&entry.of.funcref)) {
    return WasmTrap{WasmTrap::Kind::kTableOutOfBounds};
  }
  wasm_functype_t* type = wasmtime_func_type(context_, &entry.of.funcref);
  const wasm_valtype_vec_t* params = wasm_functype_params(type);
  const bool fits = params->size == 1 && wasm_functype_results(type)->size == 0 &&
                    wasm_valtype_kind(params->data[0]) == (word64 ? WASM_I64 : WASM_I32);
  wasm_functype_delete(type);
  if (!fits) return WasmTrap{WasmTrap::Kind::kBadSignature};
  wasmtime_val_raw_t value;
  value.i64 = static_cast<int64_t>(argument);
  return CallFunction(entry.of.funcref, &value, 1);
}

}  // namespace runtime
