// What happens to one message on one canister: execution, then commit or rollback, then the answer.
#include <algorithm>

#include "base/check.h"
#include "runtime/round/management.h"
#include "runtime/round/network.h"

namespace runtime {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

Reject DidNotReply(const Principal& canister) {
  return {RejectCode::kCanisterError, ErrorCode::kCanisterDidNotReply,
          base::StrCat("Error from Canister ", PrincipalText(canister),
                       ": Canister did not reply to the call")};
}

MessageInput InputOf(const CallContext& context, Entry entry) {
  MessageInput input;
  input.entry = entry;
  input.caller = context.caller;
  input.cycles_available = context.available;
  input.deadline_ns = context.deadline_ns;
  input.replied = context.responded;
  input.context_instructions = context.instructions;
  return input;
}

constexpr ContextId kNoContext = ~ContextId{0};

}  // namespace

std::optional<Reject> Network::CannotExecute(const Slot& slot, const std::string& method) const {
  const Principal& id = slot.state.id;
  const auto reject = [&](ErrorCode code, std::string message) {
    return ToReject(id, {code, std::move(message)});
  };
  if (slot.state.status == CanisterStatus::kStopping) {
    return reject(ErrorCode::kCanisterStopping, "Canister is stopping and takes no new calls");
  }
  if (slot.state.status == CanisterStatus::kStopped) {
    return reject(ErrorCode::kCanisterStopped,
                  base::StrCat("Canister ", PrincipalText(id), " is stopped"));
  }
  if (!slot.state.module) {
    return reject(ErrorCode::kCanisterWasmModuleNotFound,
                  "Attempted to execute a message on a canister that has no Wasm module");
  }
  const auto known = slot.state.module->info.methods.find(method);
  if (known == slot.state.module->info.methods.end()) {
    return reject(ErrorCode::kCanisterMethodNotFound,
                  base::StrCat("Canister has no update method '", base::Printable(method), "'."));
  }
  if (known->second == MethodKind::kCompositeQuery) {
    return reject(ErrorCode::kCompositeQueryCalledInReplicatedMode,
                  "Composite query cannot be called in replicated mode");
  }
  if (options_.limits.system_subnet) return std::nullopt;
  // The most that the message may cost is set aside first; what is unused stays.
  const Cycles frozen = FrozenBelow(slot);
  const Cycles prepay = options_.fees.execution + InstructionFee(slot, options_.limits.message);
  if (slot.state.balance < frozen + prepay) {
    return reject(ErrorCode::kCanisterOutOfCycles,
                  base::StrCat("Canister ", PrincipalText(id),
                               " is out of cycles: please top up the canister with at least ",
                               static_cast<uint64_t>(frozen + prepay - slot.state.balance),
                               " additional cycles"));
  }
  return std::nullopt;
}

void Network::ExecuteRequest(Slot& slot, Request request) {
  if (auto reject = CannotExecute(slot, request.method)) {
    return RejectRequest(request, slot.state.id, std::move(*reject));
  }
  const bool is_query = slot.state.module->info.methods.at(request.method) == MethodKind::kQuery;
  const uint64_t memory_limit = slot.state.settings.wasm_memory_limit;
  if (!is_query && memory_limit != 0 && slot.state.HeapBytes() > memory_limit) {
    return RejectRequest(
        request, slot.state.id,
        ToReject(slot.state.id, MemoryLimitExceeded(memory_limit, slot.state.HeapBytes())));
  }
  CallContext context{request.origin, request.caller, request.cycles, request.deadline_ns};
  MessageInput input = InputOf(context, is_query ? Entry::kReplicatedQuery : Entry::kUpdate);
  input.argument = std::move(request.argument);
  const Limits& limits = options_.limits;
  const uint64_t limit = is_query ? limits.query : MessageLimit();
  const Surroundings around = Around(slot);
  Execution execution(slot.state, input, around, limit, is_query ? limit : limits.slice);
  Outcome outcome = execution.RunExport(
      base::StrCat(is_query ? "canister_query " : "canister_update ", request.method));
  Observe(slot, base::StrCat(is_query ? "replicated query " : "update ", request.method), outcome);
  AppendLog(slot, outcome.log);
  ChargeExecution(slot, outcome.instructions);
  context.instructions = outcome.instructions;
  SetProcessing(context.origin);
  const ContextId id = slot.next_context++;
  slot.contexts.emplace(id, std::move(context));
  std::optional<Reject> failure;
  if (outcome.error) {
    failure = ToReject(slot.state.id, *outcome.error);
    RollBack(slot, outcome);
  } else if (is_query) {
    RollBack(slot, outcome);
    if (outcome.effects.response) {
      Answer(slot, slot.contexts.at(id), std::move(*outcome.effects.response));
    }
  } else {
    Commit(slot, id, outcome);
  }
  FinishContext(slot, id, failure);
}

bool Network::CanPayTask(const Slot& slot) const {
  const Cycles prepay = options_.fees.execution + InstructionFee(slot, options_.limits.message);
  return options_.limits.system_subnet || slot.state.balance >= FrozenBelow(slot) + prepay;
}

void Network::RunSystemTask(const Principal& canister, const std::string& method) {
  Slot* slot = Find(canister);
  if (slot == nullptr || !slot->state.module || !slot->state.module->info.HasSystemMethod(method)) {
    return;
  }
  if (!CanPayTask(*slot)) return;
  if (method == "canister_global_timer") slot->state.global_timer_ns = 0;  // it fires once
  if (method == "canister_on_low_wasm_memory") slot->low_memory = LowMemoryHook::kExecuted;
  CallContext context{FromSystem{}, {}, 0, 0};
  context.responded = true;  // nobody waits for an answer
  const MessageInput input = InputOf(context, Entry::kSystemTask);
  const Surroundings around = Around(*slot);
  Execution execution(slot->state, input, around, MessageLimit(), options_.limits.slice);
  Outcome outcome = execution.RunExport(method);
  Observe(*slot, method, outcome);
  AppendLog(*slot, outcome.log);
  ChargeExecution(*slot, outcome.instructions);
  context.instructions = outcome.instructions;
  const ContextId id = slot->next_context++;
  slot->contexts.emplace(id, std::move(context));
  if (outcome.error) {
    RollBack(*slot, outcome);
  } else {
    Commit(*slot, id, outcome);
  }
  FinishContext(*slot, id, std::nullopt);
  Persist();
}

void Network::ExecuteDelivery(Slot& slot, Delivery delivery) {
  const auto found = slot.callbacks.find(delivery.callback);
  if (found == slot.callbacks.end()) {  // answered already, by its deadline
    slot.state.balance += delivery.refund;
    return;
  }
  const OpenCallback open = std::move(found->second);
  slot.callbacks.erase(found);
  CallContext& context = slot.contexts.at(open.context);
  --context.outstanding;
  slot.state.balance += delivery.refund + open.prepaid;
  if (context.deleted || !slot.state.module) {
    return FinishContext(slot, open.context, DidNotReply(slot.state.id));
  }
  const bool replied = !delivery.response.reject;
  const uint64_t response_bytes =
      replied ? delivery.response.reply.size() : delivery.response.reject->message.size();
  if (!options_.limits.system_subnet) {
    slot.state.balance -=
        std::min(slot.state.balance, Cycles{options_.fees.call_byte} * response_bytes);
  }
  MessageInput input = InputOf(context, replied ? Entry::kReply : Entry::kReject);
  input.argument = std::move(delivery.response.reply);
  input.reject = delivery.response.reject;
  input.cycles_refunded = delivery.refund;
  const uint64_t whole = MessageLimit();
  const uint64_t limit = CallbackLimit(whole);
  input.limit_named = whole;
  const Surroundings around = Around(slot);
  Execution execution(slot.state, input, around, limit, options_.limits.slice);
  Outcome outcome =
      execution.RunCallback(replied ? open.callback.on_reply : open.callback.on_reject);
  Observe(slot, replied ? "reply callback" : "reject callback", outcome);
  AppendLog(slot, outcome.log);
  ChargeExecution(slot, outcome.instructions);
  const uint64_t earlier =
      std::exchange(context.instructions, context.instructions + outcome.instructions);
  if (!outcome.error) {
    Commit(slot, open.context, outcome);
    return FinishContext(slot, open.context, std::nullopt);
  }
  RollBack(slot, outcome);
  if (open.callback.on_cleanup) {
    const CleanupArgs args{outcome.instructions, earlier, input.reject};
    RunCleanup(slot, context, *open.callback.on_cleanup, args, &outcome.error->message);
  }
  FinishContext(slot, open.context, ToReject(slot.state.id, *outcome.error));
}

// Runs on the state before the failed callback, with what that one has left of the limit and the
// reserve. As on the IC its performance_counter(1) leaves the failed callback out, and a slice is
// not longer than the callback's limit.
void Network::RunCleanup(Slot& slot, const CallContext& context, const Closure& cleanup,
                         const CleanupArgs& args, std::string* error) {
  MessageInput input = InputOf(context, Entry::kCleanup);
  input.context_instructions = args.earlier_instructions;
  input.reject = args.reject;  // for msg_reject_code
  const Limits& limits = options_.limits;
  const Surroundings around = Around(slot);
  Execution execution(slot.state, input, around,
                      limits.message - std::min(limits.message, args.callback_instructions),
                      std::min(limits.slice, CallbackLimit(limits.message)));
  Outcome outcome = execution.RunCallback(cleanup);
  Observe(slot, "cleanup callback", outcome);
  AppendLog(slot, outcome.log);
  if (!options_.limits.system_subnet) {
    const Cycles fee = InstructionFee(slot, outcome.instructions);
    slot.state.balance -= std::min(slot.state.balance, fee);
  }
  if (outcome.error) {
    *error += base::StrCat("\n\ncall_on_cleanup also failed:\n\n", outcome.error->message);
    RollBack(slot, outcome);
  } else {
    Commit(slot, kNoContext, outcome);
  }
}

// ---- commit and answer -------------------------------------------------------------------------

void Network::RollBack(Slot& slot, const Outcome&) {
  if (slot.state.heap) slot.state.heap->Rollback();
  if (slot.state.stable) slot.state.stable->Rollback();
}

void Network::Commit(Slot& slot, ContextId context_id, Outcome& outcome) {
  Canister& state = slot.state;
  // The outcome's balance starts from what it was before the execution was paid for.
  const Cycles charged = state.balance;
  Effects& effects = outcome.effects;
  state.balance = charged + effects.balance - outcome.balance_before;
  state.globals = std::move(outcome.globals);
  if (effects.certified_data) state.certified_data = std::move(*effects.certified_data);
  if (effects.global_timer_ns) state.global_timer_ns = *effects.global_timer_ns;
  ++state.version;
  if (state.heap) state.heap->Commit();
  if (state.stable) state.stable->Commit();
  CheckLowMemory(slot);
  if (context_id == kNoContext) return;
  CallContext& context = slot.contexts.at(context_id);
  context.available -= effects.cycles_accepted;
  SendCalls(slot, context_id, effects.calls);
  if (effects.response) Answer(slot, context, std::move(*effects.response));
}

void Network::SendCalls(Slot& slot, ContextId context_id, std::vector<OutgoingCall>& calls) {
  for (OutgoingCall& call : calls) {
    const CallbackId id = slot.next_callback++;
    const uint64_t deadline =
        call.timeout_seconds ? env_.NowNs() + *call.timeout_seconds * 1'000'000'000ull : 0;
    slot.callbacks.emplace(id, OpenCallback{context_id, call.callee, call.callback, call.cycles,
                                            call.prepaid, deadline});
    ++slot.contexts.at(context_id).outstanding;
    Route(slot.state.id, call.callee,
          Request{FromCanister{slot.state.id, id}, slot.state.id, std::move(call.method),
                  std::move(call.payload), call.cycles, deadline});
  }
}

void Network::Route(const Principal& from, const Principal& callee, Request request) {
  if (callee.empty()) return Push(management_, {}, std::move(request));
  Slot* slot = Find(callee);
  if (slot == nullptr) {
    return RejectRequest(request, callee,
                         {RejectCode::kDestinationInvalid, ErrorCode::kCanisterNotFound,
                          base::StrCat("Canister ", PrincipalText(callee), " not found")});
  }
  Push(slot->inbox[from], callee, std::move(request));
}

void Network::RejectRequest(const Request& request, const Principal& callee, Reject reject) {
  Respond(request.origin, callee, Response{std::move(reject), {}}, request.cycles);
}

void Network::Answer(Slot& slot, CallContext& context, Response response) {
  CHECK(!context.responded);
  const Cycles refund = context.available;
  context.available = 0;
  context.responded = true;
  Respond(context.origin, slot.state.id, std::move(response), refund);
}

void Network::Respond(const Origin& origin, const Principal& from, Response response,
                      Cycles refund) {
  std::visit(Overloaded{[](const FromSystem&) {},
                        [&](const FromIngress& ingress) {
                          const auto found = ingress_.find(ingress.id);
                          if (found == ingress_.end()) return;
                          found->second.state = response.reject ? IngressStatus::State::kRejected
                                                                : IngressStatus::State::kReplied;
                          found->second.response = std::move(response);
                          ChangeIngress(ingress.id);
                        },
                        [&](const FromCanister& caller) {
                          Slot* slot = Find(caller.canister);
                          if (slot == nullptr) return;  // deleted meanwhile
                          Push(slot->inbox[from], caller.canister,
                               Delivery{caller.callback, std::move(response), refund});
                        }},
             origin);
}

void Network::SetProcessing(const Origin& origin) {
  const auto* ingress = std::get_if<FromIngress>(&origin);
  if (ingress == nullptr) return;
  const auto found = ingress_.find(ingress->id);
  if (found == ingress_.end()) return;
  found->second.state = IngressStatus::State::kProcessing;
  ChangeIngress(ingress->id);
}

void Network::FinishContext(Slot& slot, ContextId context_id,
                            const std::optional<Reject>& failure) {
  CallContext& context = slot.contexts.at(context_id);
  if (context.outstanding > 0) return;
  if (!context.responded) {
    Answer(slot, context, Response{failure ? *failure : DidNotReply(slot.state.id), {}});
  }
  slot.contexts.erase(context_id);
  FinishStopping(slot);
}

void Network::FinishStopping(Slot& slot) {
  if (slot.state.status != CanisterStatus::kStopping || !slot.contexts.empty()) return;
  slot.state.status = CanisterStatus::kStopped;
  ++slot.state.version;
  for (const Request& request : std::exchange(slot.stop_requests, {})) {
    Respond(request.origin, {}, Response{std::nullopt, EmptyCandid()}, request.cycles);
  }
}

}  // namespace runtime
