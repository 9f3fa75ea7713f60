#ifndef GPT2IC_RUNTIME_STATE_CANISTER_H_
#define GPT2IC_RUNTIME_STATE_CANISTER_H_

#include <deque>
#include <map>
#include <memory>
#include <set>

#include "base/sha256.h"
#include "runtime/engine/paged_region.h"
#include "runtime/engine/wasm_engine.h"
#include "runtime/instrument/validate.h"
#include "runtime/types.h"

namespace runtime {

enum class CanisterStatus : uint8_t { kRunning = 1, kStopping = 2, kStopped = 3 };

struct Settings {
  std::vector<Principal> controllers;
  uint64_t compute_allocation = 0;
  uint64_t memory_allocation = 0;
  uint64_t freezing_threshold_s = 2'592'000;
  Cycles reserved_cycles_limit = 5'000'000'000'000;
  uint64_t wasm_memory_limit = uint64_t{3} << 30;  // 0: none
  uint64_t wasm_memory_threshold = 0;
  uint8_t log_visibility = 0;  // 0 controllers, 1 public
  std::vector<std::pair<std::string, std::string>> environment_variables;
};

struct LogRecord {
  uint64_t index, timestamp_ns;
  std::string content;
};

// A module as installed: what the canister's owner sent, and what it was made into.
struct InstalledModule {
  base::Bytes wasm;         // as sent, gzip and all
  base::Sha256Digest hash;  // of that
  base::Bytes binary;       // unpacked; ModuleInfo points into it
  ModuleInfo info;
  std::shared_ptr<WasmModule> compiled;
};

// The part of a canister that a message execution reads and changes as a whole.
struct Canister {
  Principal id;
  Settings settings;
  CanisterStatus status = CanisterStatus::kRunning;
  std::shared_ptr<const InstalledModule> module;
  std::unique_ptr<PagedRegion> heap;
  std::unique_ptr<PagedRegion> stable;
  std::vector<GlobalValue> globals;
  base::Bytes certified_data;
  uint64_t global_timer_ns = 0;  // 0: off
  uint64_t version = 0;
  Cycles balance = 0;
  std::deque<LogRecord> log;
  uint64_t log_next = 0;
  std::map<base::Sha256Digest, base::Bytes> chunk_store;

  uint64_t HeapBytes() const { return heap ? heap->bytes() : 0; }
  uint64_t StableBytes() const { return stable ? stable->bytes() : 0; }
  bool IsController(const Principal& principal) const {
    for (const Principal& c : settings.controllers) {
      if (c == principal) return true;
    }
    return false;
  }
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_STATE_CANISTER_H_
