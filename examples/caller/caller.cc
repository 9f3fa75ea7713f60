// A canister that calls `model` with cycles attached and hands on the answer.
//
// The model keeps its price for the tokens that it used; what is left comes back with the answer,
// by itself.
#include <map>

#include "canister/sdk/calls.h"
#include "canister/sdk/canister.h"

namespace {

// Cycles attached to each call that is open, by ticket. An upgrade forgets them: the callback then
// finds nothing, and the IC rejects the call that waits.
std::map<sdk::Ticket, sdk::Cycles>& OpenCalls() {
  static std::map<sdk::Ticket, sdk::Cycles> open;
  return open;
}

struct Answer {
  std::string answer;
  sdk::Cycles paid;
};
CANDID_RECORD(Answer, answer, paid)

void Fail(std::string sentence) {
  sdk::Reply(base::Result<Answer>(std::unexpected(base::Error{std::move(sentence)})));
}

CANISTER_INIT() {
  __wasm_call_ctors();
  sdk::CheckCallbackEntry();
}

CANISTER_POST_UPGRADE() {
  __wasm_call_ctors();
  sdk::CheckCallbackEntry();
}

CANISTER_UPDATE(ask) {
  if (!sdk::CallerIsController()) return Fail("only a controller may spend the cycles");
  const auto [model, prompt, tokens, cycles] =
      sdk::Arguments<candid::Principal, std::string_view, uint8_t, sdk::Cycles>();
  static sdk::Ticket next = 0;
  if (sdk::LiquidBalance() <= cycles) return Fail("there are not so many cycles to attach");
  if (!sdk::Call(model, "generate", candid::EncodeArgs(prompt, tokens, 0.0), cycles, next)) {
    return Fail("the call could not be sent");
  }
  OpenCalls()[next++] = cycles;
}

}  // namespace

// The answer of `model` to the `ask` that is waiting for it.
void sdk::OnAnswer(Ticket ticket, bool rejected) {
  const auto open = OpenCalls().find(ticket);
  if (open == OpenCalls().end()) return;
  const Cycles attached = open->second;
  OpenCalls().erase(open);
  if (rejected) return Fail(base::StrCat("the model's canister: ", RejectMessage()));
  const base::Bytes reply = ArgumentBytes();
  auto decoded = candid::DecodeArgs<base::Result<std::string>>(reply);
  if (!decoded) return Fail(base::StrCat("the model's answer: ", decoded.error().message));
  auto& [answer] = *decoded;
  if (!answer) return Fail(answer.error().message);
  Reply(base::Result<Answer>(Answer{*std::move(answer), attached - CyclesRefunded()}));
}
