#ifndef GPT2IC_RUNTIME_TYPES_H_
#define GPT2IC_RUNTIME_TYPES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "runtime/config.h"

namespace runtime {

// Raw bytes of a principal (at most 29). The empty one is the management canister.
using Principal = base::Bytes;

enum class RejectCode : uint8_t {
  kSysFatal = 1,
  kSysTransient = 2,
  kDestinationInvalid = 3,
  kCanisterReject = 4,
  kCanisterError = 5,
  kSysUnknown = 6,
};

// The IC's error codes (IC0nnn) that this runtime gives out.
enum class ErrorCode : uint16_t {
  kSubnetOversubscribed = 101,
  kCanisterOutOfCycles = 207,
  kCertifiedStateUnavailable = 208,
  kCanisterNotFound = 301,
  kCanisterMethodNotFoundQuery = 302,
  kCanisterRejectedMessage = 406,
  kUnknownManagementMessage = 403,
  kInvalidManagementPayload = 404,
  kCanisterRejected = 406,
  kInsufficientMemoryAllocation = 402,
  kCanisterInvalidController = 512,
  kCanisterTrapped = 502,
  kCanisterCalledTrap = 503,
  kCanisterContractViolation = 504,
  kCanisterInvalidWasm = 505,
  kCanisterDidNotReply = 506,
  kCanisterOutOfMemory = 507,
  kCanisterStopped = 508,
  kCanisterStopping = 509,
  kCanisterNotStopped = 510,
  kCanisterStoppingCancelled = 511,
  kCanisterFunctionNotFound = 513,
  kCanisterNonEmpty = 514,
  kInsufficientCyclesInCreate = 520,
  kCanisterWasmEngineError = 521,
  kCanisterInstructionLimitExceeded = 522,
  kCanisterMemoryAccessLimitExceeded = 524,
  kQueryCallGraphTooDeep = 525,
  kQueryCallGraphTotalInstructionLimitExceeded = 526,
  kCompositeQueryCalledInReplicatedMode = 527,
  kCanisterQueueNotEmpty = 515,
  kInsufficientCyclesInMemoryGrow = 532,
  kCanisterMethodNotFound = 536,
  kCanisterWasmModuleNotFound = 537,
  kCanisterAlreadyInstalled = 538,
  kCanisterWasmMemoryLimitExceeded = 539,
  kDeadlineExpired = 601,
};

struct Reject {
  RejectCode code;
  ErrorCode error;
  std::string message;
};

// The answer to a call.
struct Response {
  std::optional<Reject> reject;  // else a reply
  base::Bytes reply;
  bool operator==(const Response&) const = delete;
};

// What kind of execution the system API is called from. The letters are the interface spec's.
enum class Entry : uint8_t {
  kStart,             // s
  kInit,              // I, post_upgrade too
  kPreUpgrade,        // G
  kUpdate,            // U
  kReplicatedQuery,   // RQ
  kQuery,             // NRQ
  kTransformQuery,    // TQ
  kCompositeQuery,    // CQ
  kReply,             // Ry
  kReject,            // Rt
  kCompositeReply,    // CRy
  kCompositeReject,   // CRt
  kCleanup,           // C
  kCompositeCleanup,  // CC
  kInspect,           // F
  kSystemTask,        // T
};

// A function in a canister's table with its argument.
struct Closure {
  uint64_t fun, env;
};

struct Callback {
  Closure on_reply, on_reject;
  std::optional<Closure> on_cleanup;
};

// A call that a message made; sent when the message commits.
struct OutgoingCall {
  Principal callee;
  std::string method;
  base::Bytes payload;
  Cycles cycles = 0;
  Cycles prepaid = 0;                       // for sending the response and executing the callback
  std::optional<uint32_t> timeout_seconds;  // of a best-effort call
  Callback callback{};
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_TYPES_H_
