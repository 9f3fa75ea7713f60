#ifndef GPT2IC_RUNTIME_INSTRUMENT_REWRITE_H_
#define GPT2IC_RUNTIME_INSTRUMENT_REWRITE_H_

#include <string>
#include <vector>

#include "base/bytes.h"
#include "runtime/instrument/module.h"

namespace runtime {

// A metered module and what the engine must know of it.
//
// Where the IC keeps its instruction counter in a global, ours stands in a memory of its own (the
// module's last one, one page), because the host must reach it from a signal handler and knows the
// address of a memory. It holds two i64:
//   kCounterOffset  instructions left in this slice, page charges apart; only wasm writes it
//   kPagesOffset    page charges since the slice began; only the host writes it
// and the address to which metered code writes when the counter is below zero (engine/meter.h):
//   kHookOffset     an i32, of a byte that faults; the host moves it
// The IC's counter is the difference, and its check "counter < 0" is "counter < pages" here. Kept
// apart so that an optimising compiler may forward the counter from one block to the next although
// a page fault in between charges.
struct Metered {
  base::Bytes wasm;
  std::vector<std::string> global_exports;  // of every mutable global, in order of their index
};
inline constexpr uint32_t kCounterOffset = 0;
inline constexpr uint32_t kPagesOffset = 8;
inline constexpr uint32_t kHookOffset = 16;

// The import that the rewriting adds, from module "__"; I is i32 or i64 by the memory's kind.
//   try_grow_memory     : (I, I) -> I       (native result of memory.grow, pages asked for)
inline constexpr char kHookModule[] = "__";
inline constexpr char kHookTryGrowMemory[] = "try_grow_memory";
inline constexpr char kExportStart[] = "canister_start";
inline constexpr char kExportTable[] = "gpt2ic table";  // table 0, where callbacks are found
inline constexpr char kExportGlobalPrefix[] = "__persistent_mutable_global_";

// Charges block by block as the IC does (docs/metering.md). Requires a module that ValidateModule
// has accepted. Cost: one pass over the code, 15 ms for 430 kB.
base::Result<Metered> Rewrite(const Module& module);

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_INSTRUMENT_REWRITE_H_
