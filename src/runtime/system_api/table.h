#ifndef GPT2IC_RUNTIME_SYSTEM_API_TABLE_H_
#define GPT2IC_RUNTIME_SYSTEM_API_TABLE_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/instrument/validate.h"
#include "runtime/system_api/execution.h"

namespace runtime {

// One function of the module ic0. docs/system-api.md is made from this table.
struct SystemCall {
  std::string_view name;
  // "III:i": parameters, then results. I is i32 or i64 by the module's memory, i is i32, l is i64.
  std::string_view signature;
  std::string_view contexts;  // the spec's letters, "*" for all but s, "* s" for all
  enum class Words : uint8_t { kBoth, kOnly32 } words;
  // Charged before anything else: fixed, and per_byte for each byte counted by argument `size`.
  uint32_t fixed;
  uint32_t per_byte;
  int8_t size;  // index of that argument; -1: none; kNames: of call_new, both of its names
  // Gets and leaves its values in `arguments`; false after Execution::Fail.
  bool (*run)(Execution& execution, uint64_t* arguments);

  static constexpr int8_t kNames = -2;  // arguments 1 and 3 together
};

std::span<const SystemCall> SystemCalls();

bool AllowedIn(const SystemCall& call, Entry entry);

// The table as the engine and the validator want it, and the hooks of the rewriting.
std::vector<HostFunction> HostFunctions(bool word64);
std::vector<ImportSignature> ImportSignatures(bool word64);

const char* EntryName(Entry entry);

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_SYSTEM_API_TABLE_H_
