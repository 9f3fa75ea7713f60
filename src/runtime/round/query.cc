// Queries: run on the committed state and leave nothing behind. Composite queries call other
// queries of this subnet, depth first, and see their own changes until they have answered.
#include <algorithm>

#include "runtime/round/network.h"

namespace runtime {

// One user's query with all the queries it leads to, depth first. They share one budget of
// instructions; when it is used up, or the calls nest too deep, the whole graph fails, not only the
// call. A canister that has answered is left alone: its other calls are dropped.
class QueryGraph {
 public:
  QueryGraph(Network& network, const QueryOptions& options)
      : network_(network),
        options_(options),
        left_(static_cast<int64_t>(network.options_.limits.query)) {}

  Response Run(const Principal& caller, const Principal& canister, const std::string& method,
               base::Bytes argument) {
    Response response = Call(caller, canister, method, std::move(argument), 0);
    if (failure_) return {std::move(*failure_), {}};
    return response;
  }

 private:
  Response Call(const Principal& caller, const Principal& canister, const std::string& method,
                base::Bytes argument, uint32_t depth) {
    Slot* slot = network_.Find(canister);
    if (slot == nullptr) {
      return {Reject{RejectCode::kDestinationInvalid, ErrorCode::kCanisterNotFound,
                     base::StrCat("Canister ", PrincipalText(canister), " not found")},
              {}};
    }
    if (auto error = CannotQuery(*slot, method)) return {ToReject(canister, *error), {}};
    const MethodKind kind = slot->state.module->info.methods.at(method);
    return kind == MethodKind::kCompositeQuery
               ? Composite(*slot, caller, method, std::move(argument), depth)
               : Plain(*slot, caller, method, std::move(argument), depth);
  }

  std::optional<ExecutionError> CannotQuery(const Slot& slot, const std::string& method) const {
    const std::string name = PrincipalText(slot.state.id);
    if (!slot.state.module) {
      return ExecutionError{ErrorCode::kCanisterWasmModuleNotFound, "Canister has no Wasm module"};
    }
    if (slot.state.status != CanisterStatus::kRunning) {
      return ExecutionError{ErrorCode::kCanisterStopped,
                            base::StrCat("Canister ", name, " is not running")};
    }
    const auto found = slot.state.module->info.methods.find(method);
    if (found == slot.state.module->info.methods.end() || found->second == MethodKind::kUpdate) {
      return ExecutionError{
          ErrorCode::kCanisterMethodNotFound,
          base::StrCat("Canister has no query method '", base::Printable(method), "'.")};
    }
    if (found->second == MethodKind::kCompositeQuery && options_.replicated) {
      return ExecutionError{ErrorCode::kCompositeQueryCalledInReplicatedMode,
                            "Composite query cannot be called in replicated mode"};
    }
    const bool free = network_.options_.limits.system_subnet;
    if (!free && slot.state.balance < network_.FrozenBelow(slot)) {
      return ExecutionError{ErrorCode::kCanisterOutOfCycles,
                            base::StrCat("Canister ", name,
                                         " is unable to process query calls because it's frozen. "
                                         "Please top up the canister with cycles and try again.")};
    }
    return std::nullopt;
  }

  MessageInput Input(const Principal& caller, Entry entry) const {
    MessageInput input;
    input.entry = entry;
    input.caller = caller;
    input.replicated = options_.replicated;
    input.data_certificate = options_.replicated ? std::nullopt : options_.data_certificate;
    return input;
  }

  uint64_t Budget() const { return static_cast<uint64_t>(std::max<int64_t>(0, left_)); }

  Outcome Execute(Slot& slot, const MessageInput& input, uint64_t limit, const std::string& entry,
                  const std::string& export_name, const Closure* closure) {
    const Surroundings around = network_.Around(slot);
    Execution execution(slot.state, input, around, limit, limit);
    Outcome outcome =
        closure != nullptr ? execution.RunCallback(*closure) : execution.RunExport(export_name);
    left_ -= static_cast<int64_t>(outcome.instructions);
    network_.Observe(slot, entry, outcome);
    return outcome;
  }

  // Every call but the user's own costs the budget a fixed amount on top.
  void ChargeCall(uint32_t depth) {
    if (depth > 0) left_ -= static_cast<int64_t>(network_.options_.limits.query_call_overhead);
  }

  Response Plain(Slot& slot, const Principal& caller, const std::string& method,
                 base::Bytes argument, uint32_t depth) {
    MessageInput input =
        Input(caller, options_.replicated ? Entry::kReplicatedQuery : Entry::kQuery);
    input.argument = std::move(argument);
    const SavedState saved = Stash(slot);
    Outcome outcome = Execute(slot, input, Budget(), base::StrCat("query ", method),
                              base::StrCat("canister_query ", method), nullptr);
    Restore(slot, saved);
    ChargeCall(depth);
    if (outcome.error) return {ToReject(slot.state.id, *outcome.error), {}};
    if (outcome.effects.response) return std::move(*outcome.effects.response);
    return DidNotReply(slot);
  }

  static Response DidNotReply(const Slot& slot) {
    return {ToReject(slot.state.id,
                     {ErrorCode::kCanisterDidNotReply, "Canister did not reply to the call"}),
            {}};
  }

  // Whether the graph has failed by its depth or its budget.
  bool Exhausted(uint32_t depth) {
    if (depth >= network_.options_.limits.composite_depth) {
      failure_ = Reject{RejectCode::kCanisterError, ErrorCode::kQueryCallGraphTooDeep,
                        "Composite query calls exceeded the maximum call depth."};
    } else if (left_ <= 0) {
      failure_ = Reject{RejectCode::kCanisterError,
                        ErrorCode::kQueryCallGraphTotalInstructionLimitExceeded,
                        "Composite query calls exceeded the instruction limit."};
    }
    return failure_.has_value();
  }

  // Runs the query, then its calls one by one, each with its callback, until one of them answers.
  Response Composite(Slot& slot, const Principal& caller, const std::string& method,
                     base::Bytes argument, uint32_t depth) {
    const SavedState saved = Stash(slot);
    MessageInput input = Input(caller, Entry::kCompositeQuery);
    input.argument = std::move(argument);
    Outcome outcome = Execute(slot, input, Budget(), base::StrCat("composite_query ", method),
                              base::StrCat("canister_composite_query ", method), nullptr);
    ChargeCall(depth);
    std::deque<OutgoingCall> open;
    Response answer = Absorb(slot, outcome, open).value_or(DidNotReply(slot));
    bool answered = outcome.error || outcome.effects.response;
    uint64_t spent = outcome.instructions;
    while (!answered && !Exhausted(depth) && !open.empty()) {
      OutgoingCall call = std::move(open.front());
      open.pop_front();
      const Response response =
          Call(slot.state.id, call.callee, call.method, std::move(call.payload), depth + 1);
      if (failure_ || Exhausted(depth)) break;
      outcome = Callback(slot, caller, call.callback, response, &spent);
      const std::optional<Response> given = Absorb(slot, outcome, open);
      // A callback that traps is the answer only when no other call can give one.
      answered = outcome.effects.response || (outcome.error && open.empty());
      if (answered) answer = *given;
    }
    Restore(slot, saved);
    return answer;
  }

  // The state and the calls of a successful execution, and the answer it gave, if it did.
  static std::optional<Response> Absorb(Slot& slot, Outcome& outcome,
                                        std::deque<OutgoingCall>& open) {
    if (outcome.error) return Response{ToReject(slot.state.id, *outcome.error), {}};
    slot.state.globals = std::move(outcome.globals);
    for (OutgoingCall& call : outcome.effects.calls) open.push_back(std::move(call));
    return outcome.effects.response;
  }

  Outcome Callback(Slot& slot, const Principal& caller, const Callback& callback,
                   const Response& response, uint64_t* spent) {
    MessageInput input =
        Input(caller, response.reject ? Entry::kCompositeReject : Entry::kCompositeReply);
    input.argument = response.reply;
    input.reject = response.reject;
    input.context_instructions = *spent;
    const SavedState before = Stash(slot);
    Restore(slot, before);
    const uint64_t limit = Budget();
    Outcome outcome =
        Execute(slot, input, limit, response.reject ? "reject callback" : "reply callback", "",
                response.reject ? &callback.on_reject : &callback.on_reply);
    uint64_t used = outcome.instructions;
    if (outcome.error) {
      Restore(slot, before);
      if (callback.on_cleanup) {
        MessageInput cleanup = Input(caller, Entry::kCompositeCleanup);
        cleanup.context_instructions = *spent;
        cleanup.reject = response.reject;
        Outcome cleaned = Execute(slot, cleanup, limit - std::min(limit, used), "cleanup callback",
                                  "", &*callback.on_cleanup);
        used += cleaned.instructions;
        if (cleaned.error) {
          Restore(slot, before);
        } else {
          slot.state.globals = std::move(cleaned.globals);
        }
      }
    }
    *spent += used;
    return outcome;
  }

  // What an outer query of the same canister has changed is put aside, so that the inner one sees
  // the committed state.
  struct SavedState {
    std::vector<GlobalValue> globals;
    PagedRegion::Changes heap, stable;
  };
  SavedState Stash(Slot& slot) {
    SavedState saved;
    saved.globals = slot.state.globals;
    slot.state.globals = committed_.try_emplace(slot.state.id, saved.globals).first->second;
    if (slot.state.heap) saved.heap = slot.state.heap->TakeChanges();
    if (slot.state.stable) saved.stable = slot.state.stable->TakeChanges();
    return saved;
  }
  static void Restore(Slot& slot, const SavedState& saved) {
    slot.state.globals = saved.globals;
    if (slot.state.heap) slot.state.heap->RestoreChanges(saved.heap);
    if (slot.state.stable) slot.state.stable->RestoreChanges(saved.stable);
  }

  std::map<Principal, std::vector<GlobalValue>> committed_;  // globals before this graph
  Network& network_;
  const QueryOptions& options_;
  int64_t left_;
  std::optional<Reject> failure_;
};

Response Network::Query(const Principal& sender, const Principal& canister,
                        const std::string& method, base::Bytes argument,
                        const QueryOptions& options) {
  return QueryGraph(*this, options).Run(sender, canister, method, std::move(argument));
}

}  // namespace runtime
