#include <algorithm>

#include "runtime/system_api/functions.h"

namespace runtime {
namespace {

using enum SystemCall::Words;

constexpr Cycles Join(uint64_t high, uint64_t low) { return Cycles{high} << 64 | low; }

// The 64-bit forms trap when the amount does not fit.
bool Narrow(Execution& e, const char* name, Cycles cycles, uint64_t* a) {
  if (cycles >> 64) {
    return e.Violation("ic0.", name, ": the number of cycles does not fit 64 bits; use ", name,
                       "128");
  }
  a[0] = static_cast<uint64_t>(cycles);
  return true;
}

Cycles Available(const Execution& e) { return e.input().cycles_available; }

Cycles AvailableNow(Execution& e) { return Available(e) - e.effects().cycles_accepted; }

Cycles Accept(Execution& e, Cycles wanted) {
  const Cycles taken = std::min(wanted, AvailableNow(e));
  e.effects().cycles_accepted += taken;
  e.effects().balance += taken;
  return taken;
}

bool AddToCall(Execution& e, Cycles cycles) {
  if (!e.pending_call)
    return e.Violation("ic0.call_cycles_add called when no call is under construction");
  if (cycles > e.LiquidBalance()) {
    return e.Fail(ErrorCode::kCanisterOutOfCycles,
                  "Canister does not have enough cycles above its freezing threshold to attach to "
                  "the call");
  }
  e.effects().balance -= cycles;
  e.pending_call->cycles += cycles;
  return true;
}

bool MsgCyclesAvailable(Execution& e, uint64_t* a) {
  return Narrow(e, "msg_cycles_available", AvailableNow(e), a);
}
bool MsgCyclesAvailable128(Execution& e, uint64_t* a) {
  return e.WriteCycles("msg_cycles_available128", a[0], AvailableNow(e));
}
bool MsgCyclesRefunded(Execution& e, uint64_t* a) {
  return Narrow(e, "msg_cycles_refunded", e.input().cycles_refunded, a);
}
bool MsgCyclesRefunded128(Execution& e, uint64_t* a) {
  return e.WriteCycles("msg_cycles_refunded128", a[0], e.input().cycles_refunded);
}
bool MsgCyclesAccept(Execution& e, uint64_t* a) {
  a[0] = static_cast<uint64_t>(Accept(e, a[0]));
  return true;
}
bool MsgCyclesAccept128(Execution& e, uint64_t* a) {
  return e.WriteCycles("msg_cycles_accept128", a[2], Accept(e, Join(a[0], a[1])));
}
bool CyclesBurn128(Execution& e, uint64_t* a) {
  const Cycles burnt = std::min(Join(a[0], a[1]), e.LiquidBalance());
  e.effects().balance -= burnt;
  return e.WriteCycles("cycles_burn128", a[2], burnt);
}
bool Balance(Execution& e, uint64_t* a) {
  return Narrow(e, "canister_cycle_balance", e.effects().balance, a);
}
bool Balance128(Execution& e, uint64_t* a) {
  return e.WriteCycles("canister_cycle_balance128", a[0], e.effects().balance);
}
bool LiquidBalance128(Execution& e, uint64_t* a) {
  return e.WriteCycles("canister_liquid_cycle_balance128", a[0], e.LiquidBalance());
}
bool CallCyclesAdd(Execution& e, uint64_t* a) { return AddToCall(e, a[0]); }
bool CallCyclesAdd128(Execution& e, uint64_t* a) { return AddToCall(e, Join(a[0], a[1])); }

bool CostCall(Execution& e, uint64_t* a) {
  return e.WriteCycles("cost_call", a[2], e.CallCost(a[0], a[1]));
}
bool CostCreateCanister(Execution& e, uint64_t* a) {
  return e.WriteCycles("cost_create_canister", a[0], e.around().fees->canister_creation);
}

// (3 M + 60,000 n) n + (400 request + 800 response) n cycles on n = 13 nodes.
constexpr Cycles HttpCost(Cycles request_bytes, Cycles response_bytes) {
  constexpr Cycles kNodes = 13;
  return (3'000'000 + 60'000 * kNodes) * kNodes +
         (400 * request_bytes + 800 * response_bytes) * kNodes;
}
bool CostHttpRequest(Execution& e, uint64_t* a) {
  return e.WriteCycles("cost_http_request", a[2], HttpCost(a[0], a[1]));
}

// Threshold signatures: this network has no keys, so every key name is unknown (2, as the spec says
// for an unknown key; 1 would be an unknown curve or algorithm).
bool CostSign(Execution& e, uint64_t* a) {
  if (e.HeapRange("cost_sign", a[0], a[1]) == nullptr) return false;
  a[0] = 2;
  return true;
}

// Only the cycles minting canister may; nobody here is it.
bool MintCycles(Execution& e, uint64_t*) {
  return e.Violation("ic0.mint_cycles128 cannot be executed on non-CMC canister");
}

constexpr char kPaid[] = "U RQ Rt Ry";
constexpr char kAll[] = "* s";

constexpr SystemCall kCalls[] = {
    {"msg_cycles_available", ":l", kPaid, kOnly32, 500, 0, -1, MsgCyclesAvailable},
    {"msg_cycles_available128", "I:", kPaid, kBoth, 500, 0, -1, MsgCyclesAvailable128},
    {"msg_cycles_refunded", ":l", "Rt Ry", kOnly32, 500, 0, -1, MsgCyclesRefunded},
    {"msg_cycles_refunded128", "I:", "Rt Ry", kBoth, 500, 0, -1, MsgCyclesRefunded128},
    {"msg_cycles_accept", "l:l", kPaid, kOnly32, 500, 0, -1, MsgCyclesAccept},
    {"msg_cycles_accept128", "llI:", kPaid, kBoth, 500, 0, -1, MsgCyclesAccept128},
    {"cycles_burn128", "llI:", "I G U RQ Ry Rt C T", kBoth, 500, 0, -1, CyclesBurn128},
    {"canister_cycle_balance", ":l", "*", kOnly32, 500, 0, -1, Balance},
    {"canister_cycle_balance128", "I:", "*", kBoth, 500, 0, -1, Balance128},
    {"canister_liquid_cycle_balance128", "I:", "*", kBoth, 500, 0, -1, LiquidBalance128},
    {"call_cycles_add", "l:", "U Ry Rt T", kOnly32, 500, 0, -1, CallCyclesAdd},
    {"call_cycles_add128", "ll:", "U Ry Rt T", kBoth, 500, 0, -1, CallCyclesAdd128},
    {"mint_cycles128", "llI:", "U T Ry Rt", kBoth, 0, 0, -1, MintCycles},
    {"cost_call", "llI:", kAll, kBoth, 500, 0, -1, CostCall},
    {"cost_create_canister", "I:", kAll, kBoth, 500, 0, -1, CostCreateCanister},
    {"cost_http_request", "llI:", kAll, kBoth, 500, 0, -1, CostHttpRequest},
    {"cost_sign_with_ecdsa", "IIiI:i", kAll, kBoth, 500, 1, 1, CostSign},
    {"cost_sign_with_schnorr", "IIiI:i", kAll, kBoth, 500, 1, 1, CostSign},
    {"cost_vetkd_derive_key", "IIiI:i", kAll, kBoth, 500, 1, 1, CostSign},
};

}  // namespace

std::span<const SystemCall> CyclesCalls() { return kCalls; }

}  // namespace runtime
