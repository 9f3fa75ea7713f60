#ifndef GPT2IC_CANISTER_SDK_CANISTER_H_
#define GPT2IC_CANISTER_SDK_CANISTER_H_

#include <string_view>

#include "base/bytes.h"
#include "candid/typed.h"

// How a canister is written: entry points and what they see of the message.
//
//   CANISTER_QUERY(tokenize) { sdk::Reply(Tokenize(sdk::Arguments<std::string_view>())); }

namespace sdk {

base::Bytes ArgumentBytes();
uint32_t ArgumentSize();  // of these bytes
candid::Principal Caller();
candid::Principal Self();
bool IsController(const candid::Principal& principal);
bool CallerIsController();
uint64_t NowNs();

using Cycles = unsigned __int128;
Cycles LiquidBalance();  // what may be spent before the freezing threshold
Cycles Balance();
Cycles CyclesAvailable();  // attached to the call and not yet accepted
Cycles AcceptCycles(Cycles most);

// Instructions of this message so far, page charges included.
uint64_t InstructionsUsed();

// canister_global_timer runs once, at the first round after `ns`; 0: not at all.
void SetTimer(uint64_t ns);
bool Stopping();

// As the IC counts changes of this canister.
uint64_t CanisterVersion();
// What the subnet certifies of this canister, at most 32 bytes.
void SetCertifiedData(base::ByteSpan bytes);
// In a query that is not replicated: the certificate of it. Else empty.
base::Bytes DataCertificate();

// Of inspect_message.
std::string InspectedMethod();
void AcceptMessage();

// The argument decoded; what does not decode is rejected with the decoder's sentence and the
// message ends (a trap: nothing it did is kept). Views point into a buffer that lives until the end
// of the message.
[[noreturn]] void TrapWith(std::string_view sentence);
const base::Bytes& KeptArgument();
template <class... Ts>
std::tuple<Ts...> Arguments() {
  auto decoded = candid::DecodeArgs<Ts...>(KeptArgument());
  if (!decoded) TrapWith(base::StrCat("argument: ", decoded.error().message));
  return *std::move(decoded);
}
template <class T>
T Argument() {
  return std::get<0>(Arguments<T>());
}

// Of a method that takes none: what is no candid is rejected there too.
inline void NoArguments() { Arguments<>(); }

void ReplyBytes(base::ByteSpan message);
template <class... Ts>
void Reply(const Ts&... values) {
  ReplyBytes(candid::EncodeArgs(values...));
}
void Reject(std::string_view sentence);

}  // namespace sdk

// An entry point named NAME of the kind update, query, ...
#define CANISTER_ENTRY(function, export)                           \
  extern "C" __attribute__((export_name(export))) void function(); \
  void function()
#define CANISTER_UPDATE(name) CANISTER_ENTRY(canister_update_##name, "canister_update " #name)
#define CANISTER_QUERY(name) CANISTER_ENTRY(canister_query_##name, "canister_query " #name)

// C++ constructors of globals. Without a reference wasm-ld would wrap every entry point with them.
extern "C" void __wasm_call_ctors();
#define CANISTER_INIT() CANISTER_ENTRY(canister_init, "canister_init")
#define CANISTER_PRE_UPGRADE() CANISTER_ENTRY(canister_pre_upgrade, "canister_pre_upgrade")
#define CANISTER_TIMER() CANISTER_ENTRY(canister_global_timer, "canister_global_timer")
#define CANISTER_INSPECT() CANISTER_ENTRY(canister_inspect_message, "canister_inspect_message")
#define CANISTER_POST_UPGRADE() CANISTER_ENTRY(canister_post_upgrade, "canister_post_upgrade")

#endif  // GPT2IC_CANISTER_SDK_CANISTER_H_
