#ifndef GPT2IC_RUNTIME_ROUND_MANAGEMENT_TYPES_H_
#define GPT2IC_RUNTIME_ROUND_MANAGEMENT_TYPES_H_

#include <optional>
#include <string>
#include <vector>

#include "candid/typed.h"

// The management canister's arguments and results, field for field as in the interface spec's
// ic.did.
namespace runtime::ic_did {

using candid::Nat;
using candid::Principal;

struct EnvironmentVariable {
  std::string name, value;
};
CANDID_RECORD(EnvironmentVariable, name, value)

enum class LogVisibilityTag : uint8_t { kControllers, kPublic, kAllowedViewers };
struct LogVisibility {
  LogVisibilityTag which = LogVisibilityTag::kControllers;
  candid::Null controllers, public_;
  std::vector<Principal> allowed_viewers;
};
CANDID_VARIANT(LogVisibility, which, controllers, public_, allowed_viewers)

struct CanisterSettings {
  std::optional<std::vector<Principal>> controllers;
  std::optional<Nat> compute_allocation, memory_allocation, freezing_threshold;
  std::optional<Nat> reserved_cycles_limit, wasm_memory_limit, wasm_memory_threshold;
  std::optional<LogVisibility> log_visibility;
  std::optional<Nat> log_memory_limit;
  std::optional<std::vector<EnvironmentVariable>> environment_variables;
};
CANDID_RECORD(CanisterSettings, controllers, compute_allocation, memory_allocation,
              freezing_threshold, reserved_cycles_limit, wasm_memory_limit, wasm_memory_threshold,
              log_visibility, log_memory_limit, environment_variables)

struct CreateArgs {
  std::optional<CanisterSettings> settings;
  std::optional<Nat> amount;              // provisional_create_canister_with_cycles
  std::optional<Principal> specified_id;  // the same
};
CANDID_RECORD(CreateArgs, settings, amount, specified_id)

struct CanisterId {
  Principal canister_id;
};
CANDID_RECORD(CanisterId, canister_id)

struct TopUpArgs {
  Principal canister_id;
  Nat amount;
};
CANDID_RECORD(TopUpArgs, canister_id, amount)

struct UpdateSettingsArgs {
  Principal canister_id;
  CanisterSettings settings;
};
CANDID_RECORD(UpdateSettingsArgs, canister_id, settings)

enum class PersistenceTag : uint8_t { kKeep, kReplace };
struct Persistence {
  PersistenceTag which = PersistenceTag::kReplace;
  candid::Null keep, replace;
};
CANDID_VARIANT(Persistence, which, keep, replace)

struct UpgradeFlags {
  std::optional<bool> skip_pre_upgrade;
  std::optional<Persistence> wasm_memory_persistence;
};
CANDID_RECORD(UpgradeFlags, skip_pre_upgrade, wasm_memory_persistence)

enum class ModeTag : uint8_t { kInstall, kReinstall, kUpgrade };
struct Mode {
  ModeTag which = ModeTag::kInstall;
  candid::Null install, reinstall;
  std::optional<UpgradeFlags> upgrade;
};
CANDID_VARIANT(Mode, which, install, reinstall, upgrade)

struct InstallCodeArgs {
  Mode mode;
  Principal canister_id;
  base::Bytes wasm_module, arg;
};
CANDID_RECORD(InstallCodeArgs, mode, canister_id, wasm_module, arg)

struct ChunkHash {
  base::Bytes hash;
};
CANDID_RECORD(ChunkHash, hash)

struct InstallChunkedArgs {
  Mode mode;
  Principal target_canister;
  std::optional<Principal> store_canister;
  std::vector<ChunkHash> chunk_hashes_list;
  base::Bytes wasm_module_hash, arg;
};
CANDID_RECORD(InstallChunkedArgs, mode, target_canister, store_canister, chunk_hashes_list,
              wasm_module_hash, arg)

struct UploadChunkArgs {
  Principal canister_id;
  base::Bytes chunk;
};
CANDID_RECORD(UploadChunkArgs, canister_id, chunk)

enum class StatusTag : uint8_t { kRunning, kStopping, kStopped };
struct StatusText {
  StatusTag which = StatusTag::kRunning;
  candid::Null running, stopping, stopped;
};
CANDID_VARIANT(StatusText, which, running, stopping, stopped)

struct DefiniteSettings {
  std::vector<Principal> controllers;
  Nat compute_allocation, memory_allocation, freezing_threshold, reserved_cycles_limit;
  LogVisibility log_visibility, snapshot_visibility, status_visibility;
  Nat wasm_memory_limit, wasm_memory_threshold, log_memory_limit;
  Nat minimum_incoming_canister_call_cycles;
  std::vector<EnvironmentVariable> environment_variables;
};
CANDID_RECORD(DefiniteSettings, controllers, compute_allocation, memory_allocation,
              freezing_threshold, reserved_cycles_limit, log_visibility, snapshot_visibility,
              status_visibility, wasm_memory_limit, wasm_memory_threshold, log_memory_limit,
              minimum_incoming_canister_call_cycles, environment_variables)

struct MemoryMetrics {
  Nat wasm_memory_size, stable_memory_size, global_memory_size, wasm_binary_size;
  Nat custom_sections_size, canister_history_size, wasm_chunk_store_size, snapshots_size;
  Nat log_memory_store_size;
};
CANDID_RECORD(MemoryMetrics, wasm_memory_size, stable_memory_size, global_memory_size,
              wasm_binary_size, custom_sections_size, canister_history_size, wasm_chunk_store_size,
              snapshots_size, log_memory_store_size)

struct QueryStats {
  Nat num_calls_total, num_instructions_total, request_payload_bytes_total,
      response_payload_bytes_total;
};
CANDID_RECORD(QueryStats, num_calls_total, num_instructions_total, request_payload_bytes_total,
              response_payload_bytes_total)

struct StatusResult {
  StatusText status;
  bool ready_for_migration = false;
  uint64_t version = 0;
  DefiniteSettings settings;
  std::optional<base::Bytes> module_hash;
  Nat memory_size;
  MemoryMetrics memory_metrics;
  Nat cycles, reserved_cycles, idle_cycles_burned_per_day;
  QueryStats query_stats;
};
CANDID_RECORD(StatusResult, status, ready_for_migration, version, settings, module_hash,
              memory_size, memory_metrics, cycles, reserved_cycles, idle_cycles_burned_per_day,
              query_stats)

struct LogRecord {
  uint64_t idx, timestamp_nanos;
  base::Bytes content;
};
CANDID_RECORD(LogRecord, idx, timestamp_nanos, content)

struct LogsResult {
  std::vector<LogRecord> canister_log_records;
};
CANDID_RECORD(LogsResult, canister_log_records)

}  // namespace runtime::ic_did

#endif  // GPT2IC_RUNTIME_ROUND_MANAGEMENT_TYPES_H_
