#include "runtime/system_api/execution.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "runtime/engine/meter.h"

namespace runtime {
namespace {

constexpr uint64_t kSlicesMax = 400;
constexpr uint64_t kSlicesMin = 4;
constexpr uint64_t kOsPageBytes = 4096;

SliceState StartSlices(uint64_t limit, uint64_t slice_limit) {
  const uint64_t slice = std::min(slice_limit, limit);
  const uint64_t slices = slice == 0 ? kSlicesMax : std::min(limit / slice, kSlicesMax);
  return {limit, slice, 0, slice, std::clamp(2 * slices, kSlicesMin, kSlicesMax)};
}

}  // namespace

bool ChargesWrites(Entry entry) {
  return entry != Entry::kQuery && entry != Entry::kReplicatedQuery &&
         entry != Entry::kTransformQuery && entry != Entry::kInspect;
}

Cycles IdleCost(const Canister& canister, uint64_t other_bytes, const Fees& fees,
                uint64_t seconds) {
  const Cycles bytes =
      std::max<Cycles>(canister.settings.memory_allocation,
                       Cycles{canister.HeapBytes()} + canister.StableBytes() + other_bytes);
  const Cycles rate = bytes * fees.gib_second;  // under 2^69; `seconds` is any 64-bit number
  const Cycles storage = seconds >> 58 ? (rate >> 30) * seconds : rate * seconds >> 30;
  return storage + Cycles{fees.canister_second} * seconds;
}

ExecutionError MemoryLimitExceeded(uint64_t limit, uint64_t bytes) {
  return {ErrorCode::kCanisterWasmMemoryLimitExceeded,
          base::StrCat("Canister exceeded its current Wasm memory limit of ", limit,
                       " bytes. The peak Wasm memory usage was ", bytes, " bytes.")};
}

Execution::Execution(const Canister& canister, const MessageInput& input,
                     const Surroundings& around, uint64_t instruction_limit, uint64_t slice_limit)
    : replied(input.replied),
      canister_(canister),
      input_(input),
      around_(around),
      slice_(StartSlices(instruction_limit, slice_limit)) {
  effects_.balance = canister.balance;
  pages_.overhead = around.limits->page_overhead;
  pages_.charge_writes = ChargesWrites(input.entry);
}

template <class Call>
Outcome Execution::Run(Call call) {
  auto instance = WasmInstance::Create(*canister_.module->compiled, canister_.heap.get(), this);
  if (!instance) {
    Outcome outcome;
    outcome.error = ExecutionError{ErrorCode::kCanisterWasmEngineError, instance.error().message};
    return outcome;
  }
  instance_ = std::move(*instance);
  if (!canister_.globals.empty()) instance_->SetGlobals(canister_.globals);
  *Meter::Counter() = static_cast<int64_t>(slice_.limit_current);
  *Meter::PagesCharged() = 0;
  pages_.charged_word = Meter::PagesCharged();
  Meter::Begin([](void* self) { return static_cast<Execution*>(self)->OutOfInstructions(); }, this);
  if (canister_.heap) canister_.heap->BeginExecution(&pages_);
  if (canister_.stable) canister_.stable->BeginExecution(&pages_);
  const std::optional<WasmTrap> trap = call(*instance_);
  return Finish(trap);
}

Outcome Execution::RunExport(const std::string& export_name) {
  return Run([&](WasmInstance& instance) { return instance.Call(export_name); });
}

Outcome Execution::RunCallback(const Closure& closure) {
  return Run([&](WasmInstance& instance) {
    return instance.CallTable(closure.fun, closure.env, word64());
  });
}

Outcome Execution::Finish(const std::optional<WasmTrap>& trap) {
  Meter::End();
  Outcome outcome;
  outcome.instructions = std::min(InstructionsSoFar(), slice_.limit_total);
  outcome.page_charges = pages_.charged;
  outcome.balance_before = canister_.balance;
  if (canister_.heap) outcome.heap = canister_.heap->EndExecution();
  if (canister_.stable) outcome.stable = canister_.stable->EndExecution();
  outcome.log = std::move(log_);
  if (error_) {
    outcome.error = std::move(error_);
  } else if (trap) {
    outcome.error = ErrorOf(*trap);
  } else {
    outcome.globals = instance_->Globals();
    outcome.effects = std::move(effects_);
  }
  return outcome;
}

ExecutionError Execution::ErrorOf(const WasmTrap& trap) const {
  using enum WasmTrap::Kind;
  const auto trapped = [](const char* what) {
    return ExecutionError{ErrorCode::kCanisterTrapped, base::StrCat("Canister trapped: ", what)};
  };
  switch (trap.kind) {
    case kUnreachable:
      return trapped("unreachable");
    case kHeapOutOfBounds:
      return trapped("heap out of bounds");
    case kTableOutOfBounds:
      return trapped("table out of bounds");
    case kStackOverflow:
      return trapped("stack overflow");
    case kIntegerDivByZero:
      return trapped("integer division by 0");
    case kBadSignature:
      return {ErrorCode::kCanisterContractViolation,
              "Canister violated contract: function invocation does not match its signature"};
    case kHost:
    case kOther:
      break;
  }
  return trapped("unknown");
}

bool Execution::Fail(ErrorCode code, std::string message) {
  if (!error_) {
    const bool contract = code == ErrorCode::kCanisterContractViolation;
    error_ = ExecutionError{
        code, contract ? base::StrCat("Canister violated contract: ", message) : message};
  }
  return false;
}

// ---- instructions ------------------------------------------------------------------------------

// The IC's counter saturates at the lowest i64; ours is two words, so the difference is wider.
uint64_t Execution::UsedInSlice() const {
  const __int128 left = __int128{*Meter::Counter()} - *Meter::PagesCharged();
  const __int128 used = __int128{slice_.limit_current} - left;
  constexpr __int128 kMost = std::numeric_limits<int64_t>::max();
  return static_cast<uint64_t>(std::clamp<__int128>(used, 0, kMost));
}

uint64_t Execution::InstructionsSoFar() const { return slice_.executed + UsedInSlice(); }

bool Execution::OutOfInstructions() {
  const auto too_many = [&] {
    const uint64_t limit = input_.limit_named != 0 ? input_.limit_named : slice_.limit_total;
    return Fail(ErrorCode::kCanisterInstructionLimitExceeded,
                base::StrCat("Canister exceeded the limit of ", limit,
                             " instructions for single message execution."));
  };
  const uint64_t left_total = slice_.limit_total - std::min(slice_.limit_total, slice_.executed);
  if (slice_.limit_current >= left_total || slice_.slices_left <= 1) return too_many();
  const uint64_t newly = UsedInSlice();
  const uint64_t carry = newly > slice_.limit_current ? newly - slice_.limit_current : 0;
  const uint64_t next = slice_.limit_slice > carry ? slice_.limit_slice - carry : 0;
  if (std::min(next, left_total) == 0) {
    return Fail(
        ErrorCode::kCanisterInstructionLimitExceeded,
        base::StrCat("Canister attempted to perform a large memory operation that used ", newly,
                     " instructions and exceeded the slice limit ", slice_.limit_slice, "."));
  }
  slice_.executed += newly;
  slice_.limit_current =
      std::min(next, slice_.limit_total - std::min(slice_.limit_total, slice_.executed));
  --slice_.slices_left;
  *Meter::Counter() = static_cast<int64_t>(slice_.limit_current);
  *Meter::PagesCharged() = 0;
  return true;
}

bool Execution::Charge(uint64_t fee) {
  if (*Meter::Counter() < *Meter::PagesCharged() && !OutOfInstructions()) return false;
  return ChargeDynamic(fee);
}

bool Execution::ChargeDynamic(uint64_t n) {
  int64_t& counter = *Meter::Counter();
  constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
  if (n > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) ||
      __builtin_sub_overflow(counter, static_cast<int64_t>(n), &counter)) {
    counter = kLowest + *Meter::PagesCharged();
  }
  return counter >= *Meter::PagesCharged() || OutOfInstructions();
}

// ---- heap --------------------------------------------------------------------------------------

uint8_t* Execution::HeapRange(const char* what, uint64_t address, uint64_t size) {
  const uint64_t bytes = canister_.HeapBytes();
  if (address > bytes || size > bytes - address) {
    Violation("ic0.", what, " heap: src=", address, " + length=", size,
              " exceeds the slice size=", bytes);
    return nullptr;
  }
  static uint8_t nothing;  // a module without memory may still pass (0, 0)
  return canister_.heap ? canister_.heap->base() + address : &nothing;
}

bool Execution::CopyToHeap(const char* what, base::ByteSpan source, uint64_t destination,
                           uint64_t offset, uint64_t size) {
  uint8_t* const to = HeapRange(what, destination, size);
  if (to == nullptr) return false;
  if (offset > source.size() || size > source.size() - offset) {
    return Violation("ic0.", what, " payload: src=", offset, " + length=", size,
                     " exceeds the slice size=", source.size());
  }
  if (size > 0) std::memcpy(to, source.data() + offset, size);
  return true;
}

bool Execution::WriteCycles(const char* what, uint64_t destination, Cycles cycles) {
  uint8_t raw[16];
  std::memcpy(raw, &cycles, 16);
  return CopyToHeap(what, raw, destination, 0, 16);
}

// Growing raises the freezing threshold; a canister that is frozen by it (the memory has grown
// already) may not grow.
bool Execution::CanPayForGrowth(uint64_t bytes_more) {
  using enum Entry;
  const Entry entry = input_.entry;
  const bool checked = entry == kInit || entry == kPreUpgrade || entry == kUpdate ||
                       entry == kReply || entry == kReject || entry == kSystemTask;
  if (!checked || limits().system_subnet) return true;
  const Cycles threshold = IdleCost(canister_, around_.memory_used_elsewhere, *around_.fees,
                                    canister_.settings.freezing_threshold_s);
  if (effects_.balance >= threshold) return true;
  return Fail(ErrorCode::kInsufficientCyclesInMemoryGrow,
              base::StrCat("Canister cannot grow its memory by ", bytes_more,
                           " bytes due to insufficient cycles. At least ",
                           static_cast<uint64_t>(threshold - effects_.balance),
                           " additional cycles are required."));
}

bool Execution::TryGrowMemory(uint64_t native_result, uint64_t pages, uint64_t* result) {
  *result = native_result;
  const uint64_t failed = word64() ? ~uint64_t{0} : 0xffff'ffff;
  if (native_result == failed || pages == 0) return true;
  const uint64_t limit = canister_.settings.wasm_memory_limit;
  const bool checked = input_.entry == Entry::kUpdate || input_.entry == Entry::kInit ||
                       input_.entry == Entry::kStart;
  if (checked && limit != 0 && canister_.HeapBytes() > limit) {
    const ExecutionError error = MemoryLimitExceeded(limit, canister_.HeapBytes());
    return Fail(error.code, error.message);
  }
  return CanPayForGrowth(pages * kPageBytes);
}

// ---- stable memory -----------------------------------------------------------------------------

bool Execution::StableGrow(uint64_t pages, uint64_t* result) {
  *result = ~uint64_t{0};
  if (!canister_.stable || !canister_.stable->Grow(pages)) return true;
  *result = canister_.stable->pages() - pages;
  return pages == 0 || CanPayForGrowth(pages * kPageBytes);
}

bool Execution::StableBounds(uint64_t offset, uint64_t size, uint64_t heap_address) {
  const uint64_t bytes = StablePages() * kPageBytes;
  if (offset > bytes || size > bytes - offset) {
    return Fail(ErrorCode::kCanisterTrapped, "Canister trapped: stable memory out of bounds");
  }
  const uint64_t heap = canister_.HeapBytes();
  if (heap_address > heap || size > heap - heap_address) {
    return Fail(ErrorCode::kCanisterTrapped, "Canister trapped: heap out of bounds");
  }
  return true;
}

uint64_t Execution::StablePagesMax() const {
  switch (input_.entry) {
    case Entry::kQuery:
    case Entry::kReplicatedQuery:
    case Entry::kTransformQuery:
    case Entry::kCompositeQuery:
      return limits().stable_pages_query;
    case Entry::kStart:
    case Entry::kInit:
    case Entry::kPreUpgrade:
      return limits().stable_pages_install;
    default:
      return limits().stable_pages_message;
  }
}

bool Execution::CountStablePages(uint64_t offset, uint64_t size, bool write) {
  const uint64_t first = offset / kOsPageBytes, last = (offset + size - 1) / kOsPageBytes;
  for (uint64_t group = first / 16; group <= last / 16; ++group) {
    const uint64_t from = group == first / 16 ? first % 16 : 0;
    const uint64_t to = group == last / 16 ? last % 16 : 15;
    const auto mask = static_cast<uint16_t>((0xffff >> (15 - to)) & (0xffff << from));
    OsPages& pages = stable_os_pages_[group];
    stable_accessed_ += std::popcount(static_cast<uint16_t>(mask & ~pages.accessed));
    pages.accessed |= mask;
    if (!write) continue;
    stable_written_ += std::popcount(static_cast<uint16_t>(mask & ~pages.written));
    pages.written |= mask;
  }
  const uint64_t limit = StablePagesMax();
  if (stable_accessed_ <= limit && stable_written_ <= limit) return true;
  return Fail(ErrorCode::kCanisterMemoryAccessLimitExceeded,
              base::StrCat("Canister exceeded memory access limits: Exceeded the limit for the "
                           "number of ",
                           write ? "modified" : "accessed",
                           " pages in the stable memory in a single execution: limit ", limit,
                           " pages of 4 KiB."));
}

// 20 and a byte each; on system subnets the bytes are free.
bool Execution::ChargeStable(uint64_t size) {
  if (limits().system_subnet) size = 0;
  return ChargeDynamic(size > ~uint64_t{0} - 20 ? size : 20 + size);
}

bool Execution::StableRead(uint64_t destination, uint64_t offset, uint64_t size) {
  if (!ChargeStable(size)) return false;
  if (size == 0) return true;
  if (!StableBounds(offset, size, destination) || !CountStablePages(offset, size, false))
    return false;
  PagedRegion& stable = *canister_.stable;
  if (!limits().charge_stable_read) {
    for (uint64_t page = offset / kPageBytes; page <= (offset + size - 1) / kPageBytes; ++page) {
      stable.TouchUncharged(page);
    }
  }
  std::memcpy(canister_.heap->base() + destination, stable.base() + offset, size);
  return true;
}

bool Execution::StableWrite(uint64_t offset, uint64_t source, uint64_t size) {
  if (!ChargeStable(size)) return false;
  if (size == 0) return true;
  if (!StableBounds(offset, size, source) || !CountStablePages(offset, size, true)) return false;
  std::memcpy(canister_.stable->base() + offset, canister_.heap->base() + source, size);
  return true;
}

// ---- log ---------------------------------------------------------------------------------------

// A record occupies 40 bytes and up to 4,056 of text; adding one evicts the oldest until it fits.
uint64_t Execution::LogBytesFree() const { return limits().log_bytes_max - log_used_; }

void Execution::AppendLog(std::string content) {
  constexpr uint64_t kHeader = 40;
  content.resize(std::min<uint64_t>(content.size(), limits().log_bytes_max - kHeader));
  const uint64_t size = kHeader + content.size();
  while (log_used_ + size > limits().log_bytes_max) {
    log_used_ -= log_sizes_.front();
    log_sizes_.pop_front();
  }
  log_sizes_.push_back(size);
  log_used_ += size;
  log_.push_back(std::move(content));
}

// ---- cycles ------------------------------------------------------------------------------------

Cycles Execution::LiquidBalance() const {
  if (limits().system_subnet) return effects_.balance;
  const Cycles frozen = IdleCost(canister_, around_.memory_used_elsewhere, *around_.fees,
                                 canister_.settings.freezing_threshold_s);
  return effects_.balance > frozen ? effects_.balance - frozen : 0;
}

uint64_t Execution::CallsLeft(const Principal& callee) const {
  const uint64_t queued = around_.calls_queued ? around_.calls_queued(callee) : 0;
  return limits().queue_capacity - std::min<uint64_t>(limits().queue_capacity, queued);
}

Cycles Execution::ResponseReserve() const {
  const Fees& fees = *around_.fees;
  const Cycles instruction = Cycles{fees.instruction} * (word64() ? 2 : 1);
  return limits().reply_bytes_max * Cycles{fees.call_byte} + fees.execution +
         instruction * limits().message;
}

Cycles Execution::CallCost(uint64_t method_bytes, uint64_t payload_bytes) const {
  const Fees& fees = *around_.fees;
  return fees.call + Cycles{fees.call_byte} * (method_bytes + payload_bytes) + ResponseReserve();
}

}  // namespace runtime
