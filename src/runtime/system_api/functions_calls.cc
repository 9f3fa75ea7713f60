#include <algorithm>

#include "runtime/system_api/functions.h"

namespace runtime {
namespace {

using enum SystemCall::Words;

constexpr uint64_t kMethodNameBytesMax = 20'000;
constexpr uint32_t kBestEffortSecondsMax = 300;

bool NoPendingCall(Execution& e, const char* name) {
  return e.Violation("ic0.", name, " called when no call is under construction.");
}

// Drops a call that was begun and not performed; its cycles come back.
void DropPendingCall(Execution& e) {
  if (!e.pending_call) return;
  e.effects().balance += e.pending_call->cycles;
  e.pending_call.reset();
}

bool CallNew(Execution& e, uint64_t* a) {
  DropPendingCall(e);
  const uint8_t* callee = e.HeapRange("call_new", a[0], a[1]);
  if (callee == nullptr) return false;
  if (a[1] > 29) {
    return e.Violation("ic0.call_new: a callee of ", a[1], " bytes, a principal has at most 29");
  }
  if (a[3] > kMethodNameBytesMax) {
    return e.Violation("ic0.call_new: a method name of ", a[3], " bytes, at most ",
                       kMethodNameBytesMax, " are allowed");
  }
  const uint8_t* method = e.HeapRange("call_new", a[2], a[3]);
  if (method == nullptr) return false;
  OutgoingCall call;
  call.callee.assign(callee, callee + a[1]);
  call.method = base::AsText({method, a[3]});
  call.callback = {{a[4], a[5]}, {a[6], a[7]}, std::nullopt};
  e.pending_call = std::move(call);
  return true;
}

bool CallOnCleanup(Execution& e, uint64_t* a) {
  if (!e.pending_call) return NoPendingCall(e, "call_on_cleanup");
  if (e.pending_call->callback.on_cleanup) {
    return e.Violation(
        "ic0.call_on_cleanup can be called at most once between `ic0.call_new` and "
        "`ic0.call_perform`");
  }
  e.pending_call->callback.on_cleanup = Closure{a[0], a[1]};
  return true;
}

bool CallDataAppend(Execution& e, uint64_t* a) {
  if (!e.pending_call) return NoPendingCall(e, "call_data_append");
  base::Bytes& payload = e.pending_call->payload;
  const uint64_t limit = e.limits().request_bytes_max;
  if (a[1] > limit - payload.size()) {
    return e.Violation("ic0.call_data_append: payload size (", payload.size() + a[1],
                       ") cannot be larger than ", limit);
  }
  const uint8_t* from = e.HeapRange("call_data_append", a[0], a[1]);
  if (from == nullptr) return false;
  payload.insert(payload.end(), from, from + a[1]);
  return true;
}

bool CallWithBestEffortResponse(Execution& e, uint64_t* a) {
  if (!e.pending_call) return NoPendingCall(e, "call_with_best_effort_response");
  if (e.pending_call->timeout_seconds) {
    return e.Violation(
        "ic0.call_with_best_effort_response failed because a timeout is already set.");
  }
  e.pending_call->timeout_seconds =
      static_cast<uint32_t>(std::min<uint64_t>(a[0], kBestEffortSecondsMax));
  return true;
}

// 0 when the call is queued, else SYS_TRANSIENT: out of cycles, or the queue to this canister full.
bool CallPerform(Execution& e, uint64_t* a) {
  if (!e.pending_call) return NoPendingCall(e, "call_perform");
  OutgoingCall call = std::move(*e.pending_call);
  e.pending_call.reset();
  const bool composite = e.input().entry == Entry::kCompositeQuery ||
                         e.input().entry == Entry::kCompositeReply ||
                         e.input().entry == Entry::kCompositeReject;
  const auto to_same = std::ranges::count(e.effects().calls, call.callee, &OutgoingCall::callee);
  const bool free = composite || e.limits().system_subnet;
  const Cycles cost = free ? 0 : e.CallCost(call.method.size(), call.payload.size());
  const bool full = static_cast<uint64_t>(to_same) >= e.CallsLeft(call.callee);
  if (full || cost > e.LiquidBalance()) {
    e.effects().balance += call.cycles;
    a[0] = static_cast<uint64_t>(RejectCode::kSysTransient);
    return true;
  }
  e.effects().balance -= cost;
  call.prepaid = free ? 0 : e.ResponseReserve();
  e.effects().calls.push_back(std::move(call));
  a[0] = 0;
  return true;
}

constexpr char kCaller[] = "U CQ Ry Rt CRy CRt T";

constexpr SystemCall kCalls[] = {
    {"call_new", "IIIIIIII:", kCaller, kBoth, 1500, 1, SystemCall::kNames, CallNew},
    {"call_on_cleanup", "II:", kCaller, kBoth, 500, 0, -1, CallOnCleanup},
    {"call_data_append", "II:", kCaller, kBoth, 500, 50, 1, CallDataAppend},
    {"call_with_best_effort_response", "i:", kCaller, kBoth, 500, 0, -1,
     CallWithBestEffortResponse},
    {"call_perform", ":i", kCaller, kBoth, 5000, 0, -1, CallPerform},
};

}  // namespace

std::span<const SystemCall> InterCanisterCalls() { return kCalls; }

}  // namespace runtime
