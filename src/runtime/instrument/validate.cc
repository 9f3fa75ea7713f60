#include "runtime/instrument/validate.h"

#include <zlib.h>

#include <algorithm>

#include "runtime/deps.h"
#include "runtime/instrument/points.h"

namespace runtime {
namespace {

using base::Err;
using base::Printable;
using base::Result;
using base::Status;

constexpr uint64_t kModuleBytesMax = 100 << 20;
constexpr uint64_t kCodeBytesMax = 12 << 20;
constexpr size_t kFunctionsMax = 50'000;
constexpr size_t kGlobalsMax = 1'000;
constexpr size_t kMethodsMax = 1'000;
constexpr size_t kMethodNameBytesMax = 20'000;
constexpr size_t kCustomSectionsMax = 16;
constexpr uint64_t kCustomSectionBytesMax = 1 << 20;
constexpr uint64_t kOperatorsMax = 1'000'000;  // of one function; the same for its complexity
constexpr uint64_t kTableElementsMax = 1'000'000;

std::string TakeText(gpt2ic_bytes bytes) {
  std::string text(reinterpret_cast<char*>(bytes.data), bytes.len);
  gpt2ic_bytes_free(bytes);
  return text;
}

Status CheckImports(const Module& m, const ModuleRules& rules) {
  const auto allowed = m.memory64() ? rules.imports64 : rules.imports32;
  for (const Import& import : m.imports) {
    if (import.kind != ExternKind::kFunc) {
      return Err("Wasm module has an invalid import section. It imports '", Printable(import.name),
                 "' from '", Printable(import.module), "', only functions can be imported");
    }
    const auto known = std::ranges::find(allowed, import.name, &ImportSignature::name);
    if (import.module != "ic0" || known == allowed.end()) {
      return Err("Wasm module has an invalid import section. Module imports function '",
                 Printable(import.name), "' from '", Printable(import.module),
                 "' that is not exported by the runtime.");
    }
    if (m.types[import.type_index] != known->type) {
      return Err("Wasm module has an invalid import section. Function '", import.name,
                 "' is imported with a signature that is not its own");
    }
  }
  return {};
}

constexpr std::string_view kReservedExports[] = {
    "canister counter_instructions",   "canister_start", "canister counter_dirty_pages",
    "canister counter_accessed_pages", "stable_memory",  "stable_bytemap_memory"};

constexpr std::string_view kSystemMethods[] = {"canister_init",
                                               "canister_pre_upgrade",
                                               "canister_post_upgrade",
                                               "canister_inspect_message",
                                               "canister_heartbeat",
                                               "canister_global_timer",
                                               "canister_on_low_wasm_memory"};

struct Prefix {
  std::string_view text;
  MethodKind kind;
};
constexpr Prefix kPrefixes[] = {{"canister_update ", MethodKind::kUpdate},
                                {"canister_query ", MethodKind::kQuery},
                                {"canister_composite_query ", MethodKind::kCompositeQuery}};

Status AddMethod(const Export& e, ModuleInfo& info) {
  for (const Prefix& prefix : kPrefixes) {
    if (!e.name.starts_with(prefix.text)) continue;
    const std::string name = e.name.substr(prefix.text.size());
    if (!info.methods.emplace(name, prefix.kind).second) {
      return Err("Wasm module has an invalid exported function. Method '", Printable(name),
                 "' is exported as more than one of update, query and composite query");
    }
    return {};
  }
  if (std::ranges::find(kSystemMethods, e.name) == std::end(kSystemMethods)) {
    return Err("Wasm module has an invalid exported function. Exporting reserved function '",
               Printable(e.name), "' with \"canister_\" prefix");
  }
  info.system_methods.insert(e.name);
  return {};
}

const FuncType& TypeOf(const Module& m, uint32_t function) {
  if (function >= m.imported_functions) {
    return m.types[m.functions[function - m.imported_functions]];
  }
  return m.types[m.imports[function].type_index];  // every import is a function by now
}

Status CheckExports(const Module& m, ModuleInfo& info) {
  for (const Export& e : m.exports) {
    if (std::ranges::find(kReservedExports, e.name) != std::end(kReservedExports)) {
      return Err("Wasm module exports the reserved name '", e.name, "'");
    }
    if (e.kind != ExternKind::kFunc || !e.name.starts_with("canister_")) continue;
    const FuncType& type = TypeOf(m, e.index);
    if (!type.params.empty() || !type.results.empty()) {
      return Err("Wasm module has an invalid exported function. '", Printable(e.name),
                 "' has parameters or results, expected none");
    }
    TRY_STATUS(AddMethod(e, info));
  }
  size_t name_bytes = 0;
  for (const auto& [name, kind] : info.methods) name_bytes += name.size();
  if (info.methods.size() > kMethodsMax) {
    return Err("Wasm module exports ", info.methods.size(), " methods, at most ", kMethodsMax,
               " are allowed");
  }
  if (name_bytes > kMethodNameBytesMax) {
    return Err("Wasm module's method names have ", name_bytes, " bytes, at most ",
               kMethodNameBytesMax, " are allowed");
  }
  return {};
}

Status CheckMemory(const Module& m, const ModuleRules& rules) {
  if (m.memory64() && m.memory->pages_min > rules.heap64_pages_max) {
    return Err("Wasm module declares a 64-bit memory of ", m.memory->pages_min, " pages, at most ",
               rules.heap64_pages_max, " are allowed");
  }
  for (const DataSegment& segment : m.data) {
    if (!segment.active) continue;
    if (!segment.plain_offset) {
      return Err(
          "Wasm module has an invalid data section. The offset of a segment is not a "
          "constant number");
    }
    const uint64_t bytes = m.memory ? m.memory->pages_min * 65536 : 0;
    if (segment.offset > bytes || segment.bytes.size() > bytes - segment.offset) {
      return Err("Wasm module has an invalid data section. A segment of ", segment.bytes.size(),
                 " bytes at ", segment.offset, " lies outside the memory of ", bytes, " bytes");
    }
  }
  return {};
}

Status CheckCounts(const Module& m) {
  if (m.functions.size() > kFunctionsMax) {
    return Err("Wasm module defined ", m.functions.size(),
               " functions which exceeds the maximum number allowed ", kFunctionsMax);
  }
  if (m.globals.size() > kGlobalsMax) {
    return Err("Wasm module defined ", m.globals.size(),
               " globals which exceeds the maximum number allowed ", kGlobalsMax);
  }
  for (const Global& global : m.globals) {
    if (global.type < kTypeV128 || global.type > kTypeI32) {
      return Err("Wasm module has a global of a reference type, expected a number or v128");
    }
  }
  if (m.table_count > 1)
    return Err("Wasm module has ", m.table_count, " tables, at most 1 is allowed");
  for (const uint64_t elements : m.table_minimums) {
    if (elements > kTableElementsMax) {
      return Err("Wasm module has a table of ", elements, " elements, at most ", kTableElementsMax,
                 " are allowed");
    }
  }
  if (m.code_bytes > kCodeBytesMax) {
    return Err("Wasm module's code section of ", m.code_bytes, " bytes exceeds the maximum of ",
               kCodeBytesMax);
  }
  return {};
}

Status CheckBodies(const Module& m, ModuleInfo& info) {
  for (size_t i = 0; i < m.bodies.size(); ++i) {
    const auto scan = ScanBody(m.bodies[i].code, m.memory64());
    if (!scan) return Err("Wasm module's function at index ", i, " has an ", scan.error().message);
    if (scan->refused != nullptr) {
      return Err("Wasm module contains a function at index ", i, " with unsupported instruction ",
                 scan->refused, ".");
    }
    if (scan->operators > kOperatorsMax) {
      return Err("Wasm module contains a function at index ", i, " of size ", scan->operators,
                 " that exceeds the maximum allowed size of ", kOperatorsMax);
    }
    if (scan->complexity > kOperatorsMax) {
      return Err("Wasm module contains a function at index ", i, " with complexity ",
                 scan->complexity, " which exceeds the maximum complexity allowed ", kOperatorsMax);
    }
    info.operators += scan->operators;
  }
  return {};
}

Status ReadMetadata(const Module& m, ModuleInfo& info) {
  uint64_t bytes = 0;
  for (const CustomSection& section : m.custom) {
    const bool is_public = section.name.starts_with("icp:public ");
    if (!is_public && !section.name.starts_with("icp:private ")) continue;
    const std::string name = section.name.substr(is_public ? 11 : 12);
    bytes += name.size() + section.content.size();
    if (!info.metadata
             .emplace(name, Metadata{is_public, {section.content.begin(), section.content.end()}})
             .second) {
      return Err("Wasm module has an invalid custom section. Name '", Printable(name),
                 "' already exists");
    }
  }
  if (info.metadata.size() > kCustomSectionsMax) {
    return Err("Wasm module has ", info.metadata.size(), " icp custom sections, at most ",
               kCustomSectionsMax, " are allowed");
  }
  if (bytes > kCustomSectionBytesMax) {
    return Err("Wasm module's icp custom sections have ", bytes, " bytes, at most ",
               kCustomSectionBytesMax, " are allowed");
  }
  return {};
}

}  // namespace

Result<base::Bytes> UnpackModule(base::ByteSpan wasm) {
  const bool gzip = wasm.size() >= 3 && wasm[0] == 0x1f && wasm[1] == 0x8b && wasm[2] == 8;
  if (!gzip) {
    if (wasm.size() > kModuleBytesMax) {
      return Err("Wasm module of ", wasm.size(), " bytes exceeds the maximum of ", kModuleBytesMax);
    }
    return base::Bytes(wasm.begin(), wasm.end());
  }
  z_stream stream = {};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) return Err("zlib has no memory");
  stream.next_in = const_cast<uint8_t*>(wasm.data());
  stream.avail_in = static_cast<uInt>(wasm.size());
  base::Bytes out;
  int code = Z_OK;
  while (code == Z_OK && out.size() <= kModuleBytesMax) {
    const size_t used = out.size();
    out.resize(used + (1 << 20));
    stream.next_out = out.data() + used;
    stream.avail_out = 1 << 20;
    code = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (out.size() > kModuleBytesMax) {
    return Err("Wasm module unpacks to more than the maximum of ", kModuleBytesMax, " bytes");
  }
  if (code != Z_STREAM_END) return Err("Wasm module is not a whole gzip file");
  return out;
}

Result<ModuleInfo> ValidateModule(base::ByteSpan binary, const ModuleRules& rules, Module* module) {
  const std::string reason = TakeText(gpt2ic_wasm_validate(binary.data(), binary.size()));
  if (!reason.empty()) return Err("Failed to decode wasm module: ", reason);
  *module = TRY(ReadModule(binary));
  const Module& m = *module;
  ModuleInfo info;
  info.has_memory = m.memory.has_value();
  info.memory64 = m.memory64();
  info.has_start = m.start.has_value();
  info.heap_pages_min = m.memory ? m.memory->pages_min : 0;
  TRY_STATUS(CheckImports(m, rules));
  TRY_STATUS(CheckExports(m, info));
  TRY_STATUS(CheckMemory(m, rules));
  TRY_STATUS(CheckCounts(m));
  TRY_STATUS(CheckBodies(m, info));
  TRY_STATUS(ReadMetadata(m, info));
  for (const DataSegment& segment : m.data) {
    if (segment.active) info.active_data.push_back(segment);
  }
  return info;
}

Result<base::Bytes> ParseWat(std::string_view text) {
  bool ok = false;
  const gpt2ic_bytes bytes =
      gpt2ic_wat_parse(reinterpret_cast<const uint8_t*>(text.data()), text.size(), &ok);
  const std::string out = TakeText(bytes);
  if (!ok) return Err(out);
  return base::Bytes(out.begin(), out.end());
}

}  // namespace runtime
