#ifndef GPT2IC_CANISTER_SDK_CALLS_H_
#define GPT2IC_CANISTER_SDK_CALLS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "candid/principal.h"
#include "canister/sdk/canister.h"

// Calls to other canisters, or to this one, with one callback for all of them.
//
// A canister may be upgraded while calls are open. The IC then runs entry `fun` of the *new*
// module's table for an answer to a call that the old one made, whatever function stands there now.
// So that this can never be a wrong one, all our canisters of all versions have the same single
// callback, at the same place: entry 1. (callbacks.cc is linked first, and wasm-ld numbers the
// functions whose address is taken in the order it meets them; CheckCallbackEntry holds it to
// that.) What the callback gets is a ticket, a number that the canister knows or does not know; one
// that it does not know any more is ignored, and the IC rejects that call.

namespace sdk {

// Which call was answered: a number of the canister's own choice.
using Ticket = uint32_t;

// Calls `method` of `callee`; when it is answered, by reply or reject, OnAnswer runs. False: the
// call could not be sent (a full queue, no cycles).
[[nodiscard]] bool Call(const candid::Principal& callee, std::string_view method,
                        base::ByteSpan argument, Cycles cycles, Ticket ticket);

// Of the message in which OnAnswer runs: why the call was rejected, and what came back of the
// cycles that it took along.
std::string RejectMessage();
Cycles CyclesRefunded();

// Defined by the canister. In its message, ArgumentBytes() is the reply when `rejected` is false.
void OnAnswer(Ticket ticket, bool rejected);

// Traps unless the callback is table entry 1. Call in canister_init and canister_post_upgrade.
void CheckCallbackEntry();

}  // namespace sdk

#endif  // GPT2IC_CANISTER_SDK_CALLS_H_
