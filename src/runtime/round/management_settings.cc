#include "base/check.h"
#include "runtime/round/management.h"
#include "runtime/system_api/execution.h"

namespace runtime {
namespace {

using base::Err;
using base::Result;
using base::Status;

constexpr size_t kControllersMax = 10;
constexpr size_t kVariablesMax = 20;
constexpr size_t kVariableBytesMax = 128;

Result<uint64_t> Number(const candid::Nat& value, const char* what, uint64_t max) {
  if (!value.FitsU64() || value.low() > max) return Err(what, " is at most ", max);
  return value.low();
}

Status SetVariables(const std::vector<ic_did::EnvironmentVariable>& from, Settings& to) {
  if (from.size() > kVariablesMax) {
    return Err(from.size(), " environment variables, at most ", kVariablesMax, " are allowed");
  }
  to.environment_variables.clear();
  for (const auto& [name, value] : from) {
    if (name.size() > kVariableBytesMax || value.size() > kVariableBytesMax) {
      return Err("an environment variable's name and value have at most ", kVariableBytesMax,
                 " bytes");
    }
    for (const auto& [other, unused] : to.environment_variables) {
      if (other == name)
        return Err("environment variable '", base::Printable(name), "' occurs twice");
    }
    to.environment_variables.emplace_back(name, value);
  }
  return {};
}

Status SetLogVisibility(const ic_did::LogVisibility& from, Settings& to) {
  if (from.which == ic_did::LogVisibilityTag::kAllowedViewers) {
    return Err("log_visibility = allowed_viewers is not available on this network");
  }
  to.log_visibility = from.which == ic_did::LogVisibilityTag::kPublic;
  return {};
}

Principal Raw(const candid::Principal& principal) {
  return {principal.bytes().begin(), principal.bytes().end()};
}

}  // namespace

Status ApplySettings(const ic_did::CanisterSettings& from, Settings& target) {
  constexpr uint64_t kAny = ~uint64_t{0};
  Settings to = target;
  if (from.controllers) {
    if (from.controllers->size() > kControllersMax) {
      return Err(from.controllers->size(), " controllers, at most ", kControllersMax,
                 " are allowed");
    }
    to.controllers.clear();
    for (const auto& controller : *from.controllers) to.controllers.push_back(Raw(controller));
  }
  if (from.compute_allocation &&
      TRY(Number(*from.compute_allocation, "compute_allocation", 100)) > 0) {
    return Err("compute_allocation is not available on this network");
  }
  if (from.memory_allocation) {
    to.memory_allocation =
        TRY(Number(*from.memory_allocation, "memory_allocation", uint64_t{1} << 48));
  }
  if (from.freezing_threshold) {
    to.freezing_threshold_s = TRY(Number(*from.freezing_threshold, "freezing_threshold", kAny));
  }
  if (from.reserved_cycles_limit) {
    to.reserved_cycles_limit =
        TRY(Number(*from.reserved_cycles_limit, "reserved_cycles_limit", kAny));
  }
  if (from.wasm_memory_limit) {
    to.wasm_memory_limit =
        TRY(Number(*from.wasm_memory_limit, "wasm_memory_limit", uint64_t{1} << 48));
  }
  if (from.wasm_memory_threshold) {
    to.wasm_memory_threshold =
        TRY(Number(*from.wasm_memory_threshold, "wasm_memory_threshold", uint64_t{1} << 48));
  }
  if (from.log_memory_limit) return Err("log_memory_limit is not available on this network");
  if (from.log_visibility) TRY_STATUS(SetLogVisibility(*from.log_visibility, to));
  if (from.environment_variables) TRY_STATUS(SetVariables(*from.environment_variables, to));
  target = std::move(to);
  return {};
}

namespace {

ic_did::DefiniteSettings SettingsOf(const Settings& settings) {
  ic_did::DefiniteSettings out;
  for (const Principal& controller : settings.controllers) {
    out.controllers.push_back(*candid::Principal::FromBytes(controller));
  }
  out.compute_allocation = candid::Nat(settings.compute_allocation);
  out.memory_allocation = candid::Nat(settings.memory_allocation);
  out.freezing_threshold = candid::Nat(settings.freezing_threshold_s);
  out.reserved_cycles_limit = candid::Nat(static_cast<uint64_t>(settings.reserved_cycles_limit));
  out.log_visibility.which = settings.log_visibility ? ic_did::LogVisibilityTag::kPublic
                                                     : ic_did::LogVisibilityTag::kControllers;
  out.log_memory_limit = candid::Nat(Limits().log_bytes_max);
  out.wasm_memory_limit = candid::Nat(settings.wasm_memory_limit);
  out.wasm_memory_threshold = candid::Nat(settings.wasm_memory_threshold);
  for (const auto& [name, value] : settings.environment_variables) {
    out.environment_variables.push_back({name, value});
  }
  return out;
}

}  // namespace

ic_did::StatusResult StatusOf(const Slot& slot, const Fees& fees) {
  const Canister& state = slot.state;
  ic_did::StatusResult out;
  out.status.which = static_cast<ic_did::StatusTag>(static_cast<uint8_t>(state.status) - 1);
  out.version = state.version;
  out.settings = SettingsOf(state.settings);
  uint64_t other = 0;
  for (const auto& [hash, chunk] : state.chunk_store) other += chunk.size();
  ic_did::MemoryMetrics& memory = out.memory_metrics;
  memory.wasm_chunk_store_size = candid::Nat(other);
  uint64_t logged = 0;
  for (const LogRecord& record : state.log) logged += record.content.size();
  memory.log_memory_store_size = candid::Nat(logged);
  memory.wasm_memory_size = candid::Nat(state.HeapBytes());
  memory.stable_memory_size = candid::Nat(state.StableBytes());
  if (state.module) {
    out.module_hash = base::Bytes(state.module->hash.begin(), state.module->hash.end());
    memory.wasm_binary_size = candid::Nat(uint64_t{state.module->wasm.size()});
    other += state.module->wasm.size();
  }
  out.memory_size = candid::Nat(state.HeapBytes() + state.StableBytes() + other);
  out.cycles = candid::Nat::FromU128(state.balance);
  out.idle_cycles_burned_per_day = candid::Nat::FromU128(IdleCost(state, other, fees, 86'400));
  return out;
}

}  // namespace runtime
