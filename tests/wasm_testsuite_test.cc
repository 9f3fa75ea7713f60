// The official WebAssembly test suite (tests/data/wasm-testsuite), run twice: on the module as it
// is, in plain wasmtime, and on the metered module with tracked memory. Every assertion that the
// Internet Computer's rules admit must hold for both. What they do not admit is counted by reason.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/check.h"
#include "base/hex.h"
#include "runtime/deps.h"
#include "runtime/engine/meter.h"
#include "runtime/engine/wasm_engine.h"
#include "runtime/instrument/points.h"
#include "runtime/instrument/rewrite.h"
#include "runtime/instrument/validate.h"

namespace runtime {
namespace {

using Json = nlohmann::json;

constexpr char kFolder[] = "tests/data/wasm-testsuite";

// ---- the modules under test --------------------------------------------------------------------

bool DoNothing(const HostFunction&, void*, uint64_t*) { return true; }

// What a script may import: the functions of the module "spectest", and the metering's hook, which
// here lets everything pass. I is i32, or i64.
std::vector<HostFunction> Imports(bool word64) {
  const uint8_t word = word64 ? kTypeI64 : kTypeI32;
  std::vector<HostFunction> out = {
      {kHookModule, kHookTryGrowMemory, {word, word}, {word}, DoNothing, nullptr},
      {"spectest", "print", {}, {}, DoNothing, nullptr}};
  const std::pair<const char*, base::Bytes> prints[] = {{"print_i32", {kTypeI32}},
                                                        {"print_i64", {kTypeI64}},
                                                        {"print_f32", {kTypeF32}},
                                                        {"print_f64", {kTypeF64}},
                                                        {"print_i32_f32", {kTypeI32, kTypeF32}},
                                                        {"print_f64_f64", {kTypeF64, kTypeF64}}};
  for (const auto& [name, params] : prints) {
    out.push_back({"spectest", name, params, {}, DoNothing, nullptr});
  }
  return out;
}

constexpr char kImportsOther[] = "imports from another module";

// Why the IC refuses this module; empty when it does not.
std::string RefusalOf(const base::Bytes& wasm, Module* module) {
  const gpt2ic_bytes bytes = gpt2ic_wasm_validate(wasm.data(), wasm.size());
  const std::string reason(reinterpret_cast<const char*>(bytes.data), bytes.len);
  gpt2ic_bytes_free(bytes);
  // Without the offset, which is in the last parentheses.
  if (!reason.empty()) return reason.substr(0, reason.rfind(" ("));
  auto read = ReadModule(wasm);
  if (!read) return "a feature that is off";
  *module = std::move(*read);
  for (const Import& import : module->imports) {
    if (import.module != "spectest") return kImportsOther;
    if (import.kind != ExternKind::kFunc) return "imports a memory, table or global";
  }
  if (module->table_count > 1) return "more than one table";
  for (const Global& global : module->globals) {
    if (global.type < kTypeV128) return "a global of a reference type";
  }
  for (const DataSegment& segment : module->data) {
    if (segment.active && !segment.plain_offset) return "a data offset that is no plain number";
  }
  for (const Body& body : module->bodies) {
    const auto scan = ScanBody(body.code, module->memory64());
    if (!scan || scan->refused != nullptr) return "a table instruction that is refused";
  }
  return "";
}

// How an action ended: values, or a trap.
struct Ending {
  std::vector<wasmtime_val_t> values;
  std::optional<wasmtime_trap_code_t> trap;
  bool failed = false;  // otherwise
};

// An instance in plain wasmtime or a metered one.
class Instance {
 public:
  virtual ~Instance() = default;
  virtual wasmtime_context_t* context() = 0;
  virtual const wasmtime_instance_t& instance() = 0;
  virtual void Begin() {}
  virtual void End() {}

  Ending Invoke(const std::string& name, const std::vector<wasmtime_val_t>& arguments) {
    wasmtime_extern_t item;
    if (!wasmtime_instance_export_get(context(), &instance(), name.data(), name.size(), &item) ||
        item.kind != WASMTIME_EXTERN_FUNC) {
      return {{}, std::nullopt, true};
    }
    wasm_functype_t* type = wasmtime_func_type(context(), &item.of.func);
    Ending ending;
    ending.values.resize(wasm_functype_results(type)->size);
    wasm_functype_delete(type);
    wasm_trap_t* trap = nullptr;
    Begin();
    wasmtime_error_t* error =
        wasmtime_func_call(context(), &item.of.func, arguments.data(), arguments.size(),
                           ending.values.data(), ending.values.size(), &trap);
    End();
    if (error != nullptr) {
      wasmtime_error_delete(error);
      ending.failed = true;
    }
    if (trap != nullptr) {
      wasmtime_trap_code_t code = 255;
      wasmtime_trap_code(trap, &code);
      wasm_trap_delete(trap);
      ending.trap = code;
    }
    return ending;
  }

  Ending Get(const std::string& name) {
    wasmtime_extern_t item;
    if (!wasmtime_instance_export_get(context(), &instance(), name.data(), name.size(), &item) ||
        item.kind != WASMTIME_EXTERN_GLOBAL) {
      return {{}, std::nullopt, true};
    }
    Ending ending;
    wasmtime_global_get(context(), &item.of.global, &ending.values.emplace_back());
    return ending;
  }
};

class PlainEngine {
 public:
  PlainEngine() {
    wasm_config_t* config = wasm_config_new();
    wasmtime_config_cranelift_nan_canonicalization_set(config, true);
    wasmtime_config_wasm_memory64_set(config, true);
    wasmtime_config_max_wasm_stack_set(config, 512 << 10);
    engine = wasm_engine_new_with_config(config);
  }
  wasm_engine_t* engine;
};

class PlainInstance : public Instance {
 public:
  // Null with `ending` set when it cannot be instantiated.
  static std::unique_ptr<Instance> Make(const base::Bytes& wasm, Ending* ending) {
    static PlainEngine plain;
    auto out = std::make_unique<PlainInstance>();
    out->store_ = wasmtime_store_new(plain.engine, nullptr, nullptr);
    wasmtime_linker_t* linker = wasmtime_linker_new(plain.engine);
    static const auto imports = Imports(false);
    for (const HostFunction& f : imports) Define(linker, f);
    wasmtime_module_t* module = nullptr;
    wasmtime_error_t* error = wasmtime_module_new(plain.engine, wasm.data(), wasm.size(), &module);
    wasm_trap_t* trap = nullptr;
    if (error == nullptr) {
      error = wasmtime_linker_instantiate(linker, out->context(), module, &out->instance_, &trap);
      wasmtime_module_delete(module);
    }
    wasmtime_linker_delete(linker);
    if (error == nullptr && trap == nullptr) return out;
    ending->failed = error != nullptr;
    if (error != nullptr) wasmtime_error_delete(error);
    if (trap != nullptr) {
      wasmtime_trap_code_t code = 255;
      wasmtime_trap_code(trap, &code);
      ending->trap = code;
      wasm_trap_delete(trap);
    }
    return nullptr;
  }
  ~PlainInstance() override { wasmtime_store_delete(store_); }
  wasmtime_context_t* context() override { return wasmtime_store_context(store_); }
  const wasmtime_instance_t& instance() override { return instance_; }

 private:
  static wasm_trap_t* Ignore(void*, wasmtime_caller_t*, wasmtime_val_raw_t*, size_t) {
    return nullptr;
  }
  static wasm_valtype_vec_t Types(const base::Bytes& types) {
    wasm_valtype_vec_t out;
    wasm_valtype_vec_new_uninitialized(&out, types.size());
    for (size_t i = 0; i < types.size(); ++i) {
      const wasm_valkind_t kinds[] = {WASM_F64, WASM_F32, WASM_I64, WASM_I32};
      out.data[i] = wasm_valtype_new(kinds[types[i] - kTypeF64]);
    }
    return out;
  }
  static void Define(wasmtime_linker_t* linker, const HostFunction& f) {
    wasm_valtype_vec_t params = Types(f.params), results = Types(f.results);
    wasm_functype_t* type = wasm_functype_new(&params, &results);
    wasmtime_error_t* error = wasmtime_linker_define_func_unchecked(
        linker, f.module.data(), f.module.size(), f.name.data(), f.name.size(), type, Ignore,
        nullptr, nullptr);
    CHECK(error == nullptr);
    wasm_functype_delete(type);
  }

  wasmtime_store_t* store_ = nullptr;
  wasmtime_instance_t instance_{};
};

// As the runtime has it: rewritten, with a region as its memory and the active segments written by
// the install. Every call is an execution of its own: pages are protected again after it.
class MeteredInstance : public Instance {
 public:
  static std::unique_ptr<Instance> Make(const Module& module, Ending* ending) {
    static const auto imports32 = Imports(false);
    static const auto imports64 = Imports(true);
    static WasmEngine engine(imports32, imports64);
    auto out = std::make_unique<MeteredInstance>();
    const auto metered = Rewrite(module);
    CHECK(metered);
    auto compiled = engine.Compile(*metered, module.memory.has_value(), module.memory64());
    if (!compiled) {
      ADD_FAILURE() << compiled.error().message;
      ending->failed = true;
      return nullptr;
    }
    out->module_ = *compiled;
    if (module.memory) {
      const uint64_t most = std::min<uint64_t>(module.memory->pages_max.value_or(65536), 65536);
      out->heap_ = PagedRegion::Create(most * kPageBytes, kHeapGuardBytes).value();
      CHECK(out->heap_->Grow(module.memory->pages_min));
    }
    for (const DataSegment& segment : module.data) {
      if (!segment.active) continue;
      const uint64_t bytes = out->heap_ ? out->heap_->bytes() : 0;
      if (segment.offset > bytes || segment.bytes.size() > bytes - segment.offset) {
        ending->trap = WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS;
        return nullptr;
      }
      if (!segment.bytes.empty()) out->heap_->Write(segment.offset, segment.bytes);
    }
    auto instance = WasmInstance::Create(*out->module_, out->heap_.get(), out.get());
    if (!instance) {
      ending->trap = WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS;
      return nullptr;
    }
    out->instance_ = std::move(*instance);
    if (module.start) {
      Ending started = out->Invoke(kExportStart, {});
      if (started.trap || started.failed) {
        *ending = started;
        return nullptr;
      }
    }
    return out;
  }
  wasmtime_context_t* context() override { return instance_->context(); }
  const wasmtime_instance_t& instance() override { return instance_->instance(); }
  void Begin() override {
    meter_ = {};
    *Meter::Counter() = 1'000'000;  // runs out now and then
    *Meter::PagesCharged() = 0;
    meter_.charged_word = Meter::PagesCharged();
    Meter::Begin(GoOn, nullptr);
    if (heap_) heap_->BeginExecution(&meter_);
  }
  void End() override {
    Meter::End();
    if (!heap_) return;
    heap_->EndExecution();
    heap_->Commit();
  }

 private:
  static bool GoOn(void*) {
    *Meter::Counter() = 1'000'000;
    *Meter::PagesCharged() = 0;
    return true;
  }
  std::shared_ptr<WasmModule> module_;
  std::unique_ptr<PagedRegion> heap_;
  std::unique_ptr<WasmInstance> instance_;
  PageMeter meter_;
};

// ---- scripts -----------------------------------------------------------------------------------

bool MatchesLane(const std::string& pattern, base::ByteSpan bits) {
  if (!pattern.starts_with("nan")) return base::ToHex(bits) == pattern;
  const bool wide = bits.size() == 8;
  uint64_t value = 0;
  std::memcpy(&value, bits.data(), bits.size());
  const uint64_t quiet = wide ? 0x7ff8'0000'0000'0000 : 0x7fc0'0000;
  const uint64_t sign = wide ? uint64_t{1} << 63 : uint64_t{1} << 31;
  if (pattern == "nan:canonical") return (value & ~sign) == quiet;
  return (value & quiet) == quiet;  // nan:arithmetic
}

bool Matches(const Json& expected, const wasmtime_val_t& value) {
  const std::string type = expected["type"];
  const auto* raw = reinterpret_cast<const uint8_t*>(&value.of);
  if (type == "either") {
    return std::ranges::any_of(expected["options"],
                               [&](const Json& option) { return Matches(option, value); });
  }
  if (type == "null") {
    return (value.kind == WASMTIME_FUNCREF && wasmtime_funcref_is_null(&value.of.funcref)) ||
           (value.kind == WASMTIME_EXTERNREF && wasmtime_externref_is_null(&value.of.externref));
  }
  if (type == "funcref") {
    return value.kind == WASMTIME_FUNCREF && !wasmtime_funcref_is_null(&value.of.funcref);
  }
  if (expected.contains("lanes")) {
    const size_t width = type == "f64" || type == "f64x2" ? 8 : 4;
    size_t at = 0;
    for (const std::string pattern : expected["lanes"]) {
      if (!MatchesLane(pattern, {raw + at, width})) return false;
      at += width;
    }
    return true;
  }
  const std::string bits = expected["bits"];
  return base::ToHex({raw, bits.size() / 2}) == bits;
}

// False for values that only a host with references could make.
bool ReadArguments(const Json& list, std::vector<wasmtime_val_t>* out) {
  static const std::map<std::string, wasmtime_valkind_t> kKinds = {
      {"i32", WASMTIME_I32}, {"i64", WASMTIME_I64},   {"f32", WASMTIME_F32},
      {"f64", WASMTIME_F64}, {"v128", WASMTIME_V128},
  };
  for (const Json& item : list) {
    const auto kind = kKinds.find(item["type"]);
    if (kind == kKinds.end()) return false;
    const auto bits = base::FromHex(item["bits"].get<std::string>());
    wasmtime_val_t value{};
    value.kind = kind->second;
    std::memcpy(&value.of, bits->data(), bits->size());
    out->push_back(value);
  }
  return true;
}

struct Counts {
  int held = 0;
  std::map<std::string, int> refused;  // by reason
};

class Script {
 public:
  Script(std::string file, Counts* counts) : file_(std::move(file)), counts_(*counts) {}

  void Run() {
    std::stringstream text;
    text << std::ifstream(file_).rdbuf();
    const std::string wast = text.str();
    const gpt2ic_bytes bytes =
        gpt2ic_wast_parse(reinterpret_cast<const uint8_t*>(wast.data()), wast.size());
    const Json commands = Json::parse(bytes.data, bytes.data + bytes.len);
    gpt2ic_bytes_free(bytes);
    ASSERT_TRUE(commands.is_array()) << file_ << ": " << commands.dump();
    for (const Json& command : commands) Execute(command);
  }

 private:
  struct Pair {
    std::unique_ptr<Instance> plain, metered;
    std::string refusal;
  };

  std::string Where(const Json& command) const {
    return base::StrCat(file_, ":", command["line"].get<int>(), ": ");
  }

  void Execute(const Json& command) {
    const std::string type = command["type"];
    if (type == "module") {
      current_ = Instantiate(command, nullptr);
      if (!command["name"].get<std::string>().empty()) named_[command["name"]] = current_;
    } else if (type == "invalid" || type == "malformed") {
      ExpectRefused(command);
    } else if (type == "action" || type == "return" || type == "trap" || type == "exhaustion") {
      Act(command);
    } else if (type == "unlinkable") {
      Refuse("linking");
    } else if (type != "register" && type != "definition") {
      ADD_FAILURE() << Where(command) << type;
    }
  }

  void Refuse(const std::string& reason) { ++counts_.refused[reason]; }

  // Both instances, or the reason why there are none. With `endings`, failing is no error.
  std::shared_ptr<Pair> Instantiate(const Json& command, Ending* endings) {
    auto pair = std::make_shared<Pair>();
    if (!command.contains("wasm")) {
      ADD_FAILURE() << Where(command) << command["unparsable"];
      return pair;
    }
    const base::Bytes wasm = base::FromHex(command["wasm"].get<std::string>()).value();
    Module module;
    pair->refusal = RefusalOf(wasm, &module);
    if (pair->refusal == kImportsOther) {  // it may have written the others' tables and memories
      for (auto& [name, other] : named_) other->refusal = "needs what a refused module did";
    }
    if (!pair->refusal.empty()) return pair;
    Ending ending[2];
    pair->plain = PlainInstance::Make(wasm, &ending[0]);
    pair->metered = MeteredInstance::Make(module, &ending[1]);
    if (endings != nullptr) std::ranges::move(ending, endings);
    if (endings == nullptr && (!pair->plain || !pair->metered)) {
      ADD_FAILURE() << Where(command) << "cannot be instantiated: plain " << !!pair->plain
                    << ", metered " << !!pair->metered;
      pair->refusal = "broken";
    }
    return pair;
  }

  void ExpectRefused(const Json& command) {
    ++counts_.held;
    if (!command.contains("wasm")) return;  // the text form is wrong already
    const base::Bytes wasm = base::FromHex(command["wasm"].get<std::string>()).value();
    Module module;
    EXPECT_NE(RefusalOf(wasm, &module), "") << Where(command);
  }

  void Act(const Json& command) {
    const std::string action = command["action"];
    Ending endings[2];
    if (action == "module") {
      const auto pair = Instantiate(command, endings);
      if (!pair->refusal.empty()) return Refuse(pair->refusal);
    } else {
      const std::string name = command["module"];
      const std::shared_ptr<Pair> pair = name.empty() ? current_ : named_[name];
      if (!pair || !pair->refusal.empty()) return Refuse(pair ? pair->refusal : "no module");
      std::vector<wasmtime_val_t> arguments;
      if (action == "invoke" && !ReadArguments(command["args"], &arguments)) {
        return Refuse("a reference as argument");
      }
      const std::string field = command["field"];
      endings[0] =
          action == "get" ? pair->plain->Get(field) : pair->plain->Invoke(field, arguments);
      endings[1] =
          action == "get" ? pair->metered->Get(field) : pair->metered->Invoke(field, arguments);
    }
    ++counts_.held;
    for (const int i : {0, 1}) Compare(command, endings[i], i == 0 ? "plain" : "metered");
    EXPECT_EQ(endings[0].trap, endings[1].trap) << Where(command);
  }

  void Compare(const Json& command, const Ending& ending, const char* which) {
    const std::string type = command["type"];
    EXPECT_FALSE(ending.failed) << Where(command) << which;
    if (type == "trap" || type == "exhaustion") {
      EXPECT_TRUE(ending.trap) << Where(command) << which;
      if (type == "exhaustion") EXPECT_EQ(ending.trap, WASMTIME_TRAP_CODE_STACK_OVERFLOW);
      return;
    }
    ASSERT_FALSE(ending.trap) << Where(command) << which << " trapped with " << int{*ending.trap};
    if (type != "return") return;
    ASSERT_EQ(ending.values.size(), command["expected"].size()) << Where(command) << which;
    for (size_t i = 0; i < ending.values.size(); ++i) {
      EXPECT_TRUE(Matches(command["expected"][i], ending.values[i])) << Where(command) << which;
    }
  }

  std::string file_;
  Counts& counts_;
  std::shared_ptr<Pair> current_;
  std::map<std::string, std::shared_ptr<Pair>> named_;
};

TEST(WasmTestsuite, HoldsForMeteredModulesAsForPlainOnes) {
  Counts counts;
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".wast") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  for (const std::string& file : files) Script(file, &counts).Run();
  EXPECT_EQ(files.size(), 64u);
  EXPECT_EQ(counts.held, 17'829);
  // Modules that the IC refuses, by reason; an assertion is counted under its module's.
  const std::map<std::string, int> expected = {
      {"a table instruction that is refused", 8},
      {"constant expression required: non-constant operator: i32.add", 2},
      {"constant expression required: non-constant operator: i32.mul", 64},
      {"constant expression required: non-constant operator: i32.sub", 4},
      {"function references required for index reference types", 179},
      {"heap types not supported without the gc feature", 32},
      {"imports a memory, table or global", 9},
      {"imports from another module", 11},
      {"more than one table", 231},
      {"multiple memories", 47},
      {"needs what a refused module did", 8},
      {"tables with expression initializers require the function-references proposal", 5},
  };
  EXPECT_EQ(counts.refused, expected);
}

}  // namespace
}  // namespace runtime
