#ifndef GPT2IC_RUNTIME_SYSTEM_API_EXECUTION_H_
#define GPT2IC_RUNTIME_SYSTEM_API_EXECUTION_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/engine/paged_region.h"
#include "runtime/engine/wasm_engine.h"
#include "runtime/state/canister.h"
#include "runtime/types.h"

namespace runtime {

// Why an execution did not succeed.
struct ExecutionError {
  ErrorCode code;
  std::string message;
};

// What a message is given.
struct MessageInput {
  Entry entry = Entry::kUpdate;
  Principal caller;
  base::Bytes argument;          // argument, or the reply that a callback receives
  std::optional<Reject> reject;  // of a reject callback
  std::string method;            // for inspect_message
  Cycles cycles_available = 0;   // left in the call
  Cycles cycles_refunded = 0;    // of the call that a callback answers
  uint64_t deadline_ns = 0;      // of a best-effort call; 0: none
  bool replied = false;          // whether the call context has been answered already
  bool replicated = true;
  std::optional<base::Bytes> data_certificate;
  base::Bytes sender_info_data, sender_info_signer;
  uint64_t context_instructions = 0;  // spent by earlier executions of this call context
  uint64_t limit_named = 0;           // the limit that an error names, if not the execution's own
};

// What the network knows and a canister may ask.
struct Surroundings {
  uint64_t time_ns = 0;
  Principal subnet;
  base::Bytes root_key;
  const Limits* limits = nullptr;
  const Fees* fees = nullptr;
  uint64_t memory_used_elsewhere = 0;  // bytes of this canister apart from heap and stable memory
  std::function<uint64_t(const Principal& callee)> calls_queued;  // towards it, from this canister
};

// What a message did, to be applied when it succeeded.
struct Effects {
  std::optional<Response> response;
  std::vector<OutgoingCall> calls;
  std::optional<base::Bytes> certified_data;
  std::optional<uint64_t> global_timer_ns;
  Cycles balance = 0;
  Cycles cycles_accepted = 0;
  bool message_accepted = false;  // inspect_message
};

struct Outcome {
  std::optional<ExecutionError> error;  // nothing: success
  Effects effects;
  std::vector<GlobalValue> globals;  // after success
  std::vector<std::string> log;      // survives a trap
  uint64_t instructions = 0;         // metered ones, page charges included, capped at the limit
  uint64_t page_charges = 0;
  Cycles balance_before = 0;  // what effects.balance started from
  PageCounts heap, stable;
};

// Where the instruction counter stands; the rules are in docs/metering.md, "Time slicing".
struct SliceState {
  uint64_t limit_total, limit_slice;  // T and S
  uint64_t executed = 0;              // E: in the slices before this one
  uint64_t limit_current;             // L
  uint64_t slices_left;
};

// One message execution: the instance, its budget and what it has asked for so far. System calls
// (functions_*.cc) work on it.
class Execution {
 public:
  Execution(const Canister& canister, const MessageInput& input, const Surroundings& around,
            uint64_t instruction_limit, uint64_t slice_limit);

  // Runs `export_name`, or the callback in the table. The heap and stable memory hold what it
  // wrote; the caller commits or rolls back.
  Outcome RunExport(const std::string& export_name);
  Outcome RunCallback(const Closure& closure);

  // ---- for the system calls ----
  const Canister& canister() const { return canister_; }
  const MessageInput& input() const { return input_; }
  const Surroundings& around() const { return around_; }
  const Limits& limits() const { return *around_.limits; }
  Effects& effects() { return effects_; }
  bool word64() const { return canister_.module->info.memory64; }

  // Takes a fee as the IC's host does: looks at the counter before and after. False: stop.
  bool Charge(uint64_t fee);
  // As the metered wasm does for bulk memory: takes first, then looks.
  bool ChargeDynamic(uint64_t n);
  bool OutOfInstructions();
  uint64_t InstructionsSoFar() const;

  // Ends the execution with an error; always false, so that a system call can return it.
  bool Fail(ErrorCode code, std::string message);
  template <class... Parts>
  bool Violation(const Parts&... parts) {
    return Fail(ErrorCode::kCanisterContractViolation, base::StrCat(parts...));
  }

  // [address, address + size) of the heap; null (after Fail) when out of bounds.
  uint8_t* HeapRange(const char* what, uint64_t address, uint64_t size);
  // Copies source[offset, offset + size) to the heap at `destination`.
  bool CopyToHeap(const char* what, base::ByteSpan source, uint64_t destination, uint64_t offset,
                  uint64_t size);
  bool WriteCycles(const char* what, uint64_t destination, Cycles cycles);

  bool StableGrow(uint64_t pages, uint64_t* result);
  bool ChargeStable(uint64_t size);
  bool StableRead(uint64_t destination, uint64_t offset, uint64_t size);
  bool StableWrite(uint64_t offset, uint64_t source, uint64_t size);
  uint64_t StablePages() const { return canister_.stable ? canister_.stable->pages() : 0; }
  bool TryGrowMemory(uint64_t native_result, uint64_t pages, uint64_t* result);

  // How many more calls may be sent to this callee before its queue is full.
  uint64_t CallsLeft(const Principal& callee) const;

  uint64_t LogBytesFree() const;
  void AppendLog(std::string content);

  // Cycles that may be spent now: what lies above the freezing threshold.
  Cycles LiquidBalance() const;
  Cycles CallCost(uint64_t method_bytes, uint64_t payload_bytes) const;
  Cycles ResponseReserve() const;  // taken at call_perform, partly given back with the response

  std::optional<OutgoingCall> pending_call;  // between call_new and call_perform
  base::Bytes reply_data;
  bool replied = false;

 private:
  template <class Call>
  Outcome Run(Call call);
  Outcome Finish(const std::optional<WasmTrap>& trap);
  ExecutionError ErrorOf(const WasmTrap& trap) const;
  bool StableBounds(uint64_t offset, uint64_t size, uint64_t heap_address);
  uint64_t StablePagesMax() const;
  uint64_t UsedInSlice() const;
  bool CanPayForGrowth(uint64_t bytes_more);
  bool CountStablePages(uint64_t offset, uint64_t size, bool write);

  const Canister& canister_;
  const MessageInput& input_;
  const Surroundings& around_;
  Effects effects_;
  SliceState slice_;
  std::unique_ptr<WasmInstance> instance_;
  PageMeter pages_;
  std::optional<ExecutionError> error_;
  std::vector<std::string> log_;
  std::deque<uint64_t> log_sizes_;  // of the records that still count against the capacity
  uint64_t log_used_ = 0;
  struct OsPages {
    uint16_t accessed = 0, written = 0;  // a bit for each 4 KiB page of a 64 KiB one
  };
  std::unordered_map<uint64_t, OsPages> stable_os_pages_;
  uint64_t stable_accessed_ = 0, stable_written_ = 0;
};

// Entry points that run in a replicated fashion with their changes kept are charged for writing
// pages; queries and inspect_message are not. Composite queries are.
bool ChargesWrites(Entry entry);

ExecutionError MemoryLimitExceeded(uint64_t limit, uint64_t bytes);

// Cycles that a canister of this size burns in `seconds` without doing anything.
Cycles IdleCost(const Canister& canister, uint64_t other_bytes, const Fees& fees, uint64_t seconds);

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_SYSTEM_API_EXECUTION_H_
