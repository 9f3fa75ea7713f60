// The callback of all calls. Linked before everything else: see calls.h.
#include "base/check.h"
#include "canister/sdk/calls.h"
#include "canister/sdk/ic0.h"

namespace sdk {
namespace {

constexpr uintptr_t kCallbackEntry = 1;

void Answered(uint32_t ticket) { OnAnswer(ticket, ic0::msg_reject_code() != 0); }

}  // namespace

bool Call(const candid::Principal& callee, std::string_view method, base::ByteSpan argument,
          Cycles cycles, Ticket ticket) {
  ic0::call_new(callee.bytes().data(), callee.bytes().size(), method.data(), method.size(),
                Answered, ticket, Answered, ticket);
  ic0::call_data_append(argument.data(), argument.size());
  if (cycles != 0) {
    ic0::call_cycles_add128(static_cast<uint64_t>(cycles >> 64), static_cast<uint64_t>(cycles));
  }
  return ic0::call_perform() == 0;
}

std::string RejectMessage() {
  std::string text(ic0::msg_reject_msg_size(), '\0');
  ic0::msg_reject_msg_copy(text.data(), 0, text.size());
  return text;
}

Cycles CyclesRefunded() {
  Cycles cycles = 0;
  ic0::msg_cycles_refunded128(&cycles);
  return cycles;
}

void CheckCallbackEntry() { CHECK(reinterpret_cast<uintptr_t>(&Answered) == kCallbackEntry); }

}  // namespace sdk
