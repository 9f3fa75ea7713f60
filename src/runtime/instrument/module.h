#ifndef GPT2IC_RUNTIME_INSTRUMENT_MODULE_H_
#define GPT2IC_RUNTIME_INSTRUMENT_MODULE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace runtime {

enum class ExternKind : uint8_t { kFunc = 0, kTable = 1, kMemory = 2, kGlobal = 3, kTag = 4 };

// Value types as bytes of the binary format.
inline constexpr uint8_t kTypeI32 = 0x7f, kTypeI64 = 0x7e, kTypeF32 = 0x7d, kTypeF64 = 0x7c,
                         kTypeV128 = 0x7b;

struct FuncType {
  base::Bytes params, results;
  bool operator==(const FuncType&) const = default;
};

struct Import {
  std::string module, name;
  ExternKind kind;
  uint32_t type_index;  // of a function
};

struct Export {
  std::string name;
  ExternKind kind;
  uint32_t index;
};

struct MemoryType {
  bool is64;
  uint64_t pages_min;
  std::optional<uint64_t> pages_max;
};

struct Global {
  uint8_t type;
  bool is_mutable;
};

struct DataSegment {
  bool active;
  bool plain_offset;  // a single i32.const or i64.const
  uint64_t offset;    // of an active segment with a plain offset
  base::ByteSpan bytes;
};

struct Body {
  base::ByteSpan locals;  // the local declarations as they stand in the module
  uint64_t local_count;   // declared, parameters apart
  base::ByteSpan code;    // the operators, the final `end` included
};

struct CustomSection {
  std::string name;
  base::ByteSpan content;
};

// A binary module taken apart. All spans point into the bytes that it was read from.
struct Module {
  std::vector<FuncType> types;
  std::vector<Import> imports;
  uint32_t imported_functions = 0;
  uint32_t imported_others = 0;          // tables, memories, globals, tags
  std::vector<uint32_t> functions;       // type index of every defined function
  std::optional<base::ByteSpan> tables;  // section contents kept as they are
  uint32_t table_count = 0;
  std::vector<uint64_t> table_minimums;
  std::optional<MemoryType> memory;
  std::vector<Global> globals;  // defined ones
  base::ByteSpan globals_section;
  std::vector<Export> exports;
  std::optional<uint32_t> start;
  base::ByteSpan elements_section;
  uint32_t element_count = 0;
  std::optional<uint32_t> data_count;
  std::vector<Body> bodies;
  uint64_t code_bytes = 0;  // the code section without its function count
  std::vector<DataSegment> data;
  std::vector<CustomSection> custom;

  bool memory64() const { return memory && memory->is64; }
};

// Takes apart a module that wasmparser has accepted (instrument/validate.h); what it does not
// understand all the same is an Error.
base::Result<Module> ReadModule(base::ByteSpan wasm);

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_INSTRUMENT_MODULE_H_
