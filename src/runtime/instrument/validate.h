#ifndef GPT2IC_RUNTIME_INSTRUMENT_VALIDATE_H_
#define GPT2IC_RUNTIME_INSTRUMENT_VALIDATE_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/instrument/module.h"

namespace runtime {

enum class MethodKind : uint8_t { kUpdate, kQuery, kCompositeQuery };

struct Metadata {
  bool is_public;
  base::Bytes content;
};

// What the rest of the runtime asks of a module. Spans point into the binary.
struct ModuleInfo {
  bool has_memory = false;
  bool memory64 = false;
  bool has_start = false;
  uint64_t heap_pages_min = 0;
  std::map<std::string, MethodKind> methods;
  std::set<std::string> system_methods;      // canister_init, canister_heartbeat, ...
  std::vector<DataSegment> active_data;      // to be written at install
  std::map<std::string, Metadata> metadata;  // icp:public and icp:private sections
  uint64_t operators = 0;

  bool HasSystemMethod(const std::string& name) const { return system_methods.contains(name); }
};

// The signature of a system call, with I as i32 or i64.
struct ImportSignature {
  std::string_view name;
  FuncType type;
};

struct ModuleRules {
  std::span<const ImportSignature> imports32;  // what may be imported from ic0
  std::span<const ImportSignature> imports64;
  uint64_t heap64_pages_max;
};

// The unpacked module: gzip is undone (magic 1f 8b 08), text form is not accepted. Bounded at
// 100 MiB.
base::Result<base::Bytes> UnpackModule(base::ByteSpan wasm);

// Refuses what the Internet Computer refuses, with a reason: wasm features, imports, exports and
// all limits of docs/metering.md. Beyond this point every index in `module` is in range.
base::Result<ModuleInfo> ValidateModule(base::ByteSpan binary, const ModuleRules& rules,
                                        Module* module);

// From the text form (or the binary, which passes through).
base::Result<base::Bytes> ParseWat(std::string_view text);

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_INSTRUMENT_VALIDATE_H_
