// Queries: run on the committed state and leave nothing behind. Composite queries call other
// queries of this subnet, depth first, and see their own changes until they have answered.
#include <algorithm>

#include "runtime/round/network.h"

namespace runtime {

class QueryGraph {
 public:
  QueryGraph(Network& network, const QueryOptions& options) : network_(network), options_(options) {
    left_ = network.options_.limits.query;
  }

  Response Run(const Principal& caller, const Principal& canister, const std::string& method,
               base::Bytes argument, uint32_t depth) {
    Slot* slot = network_.Find(canister);
    const auto refuse = [&](ErrorCode code, std::string message) {
      return Response{ToReject(canister, {code, std::move(message)}), {}};
    };
    if (slot == nullptr) {
      return {Reject{RejectCode::kDestinationInvalid, ErrorCode::kCanisterNotFound,
                     base::StrCat("Canister ", PrincipalText(canister), " not found")},
              {}};
    }
    if (depth > network_.options_.limits.composite_depth) {
      return refuse(ErrorCode::kQueryCallGraphTooDeep, "Composite query calls are nested too deep");
    }
    if (!slot->state.module) {
      return refuse(ErrorCode::kCanisterWasmModuleNotFound, "Canister has no Wasm module");
    }
    if (slot->state.status == CanisterStatus::kStopped) {
      return refuse(ErrorCode::kCanisterStopped, "Canister is stopped");
    }
    const auto found = slot->state.module->info.methods.find(method);
    if (found == slot->state.module->info.methods.end() || found->second == MethodKind::kUpdate) {
      return refuse(ErrorCode::kCanisterMethodNotFound,
                    base::StrCat("Canister has no query method '", base::Printable(method), "'."));
    }
    const bool composite = found->second == MethodKind::kCompositeQuery;
    if (composite && options_.replicated) {
      return refuse(ErrorCode::kCompositeQueryCalledInReplicatedMode,
                    "Composite query cannot be called in replicated mode");
    }
    return composite ? Composite(*slot, caller, method, std::move(argument), depth)
                     : Plain(*slot, caller, method, std::move(argument));
  }

 private:
  MessageInput Input(const Principal& caller, Entry entry) const {
    MessageInput input;
    input.entry = entry;
    input.caller = caller;
    input.replicated = options_.replicated;
    input.data_certificate = options_.replicated ? std::nullopt : options_.data_certificate;
    return input;
  }

  Outcome Execute(Slot& slot, const MessageInput& input, const std::string& entry,
                  const std::string& export_name, const Closure* closure) {
    const Surroundings around = network_.Around(slot);
    Execution execution(slot.state, input, around, left_, left_);
    Outcome outcome =
        closure != nullptr ? execution.RunCallback(*closure) : execution.RunExport(export_name);
    left_ -= std::min(left_, outcome.instructions);
    network_.Observe(slot, entry, outcome);
    return outcome;
  }

  Response Plain(Slot& slot, const Principal& caller, const std::string& method,
                 base::Bytes argument) {
    MessageInput input =
        Input(caller, options_.replicated ? Entry::kReplicatedQuery : Entry::kQuery);
    input.argument = std::move(argument);
    const SavedState saved = Stash(slot);
    Outcome outcome = Execute(slot, input, base::StrCat("query ", method),
                              base::StrCat("canister_query ", method), nullptr);
    Restore(slot, saved);
    return AnswerOf(slot, outcome);
  }

  static Response AnswerOf(const Slot& slot, Outcome& outcome) {
    if (outcome.error) return {ToReject(slot.state.id, *outcome.error), {}};
    if (outcome.effects.response) return std::move(*outcome.effects.response);
    return {ToReject(slot.state.id,
                     {ErrorCode::kCanisterDidNotReply, "Canister did not reply to the call"}),
            {}};
  }

  // Runs the query and its callbacks until none of its calls is open.
  Response Composite(Slot& slot, const Principal& caller, const std::string& method,
                     base::Bytes argument, uint32_t depth) {
    const SavedState saved = Stash(slot);
    MessageInput input = Input(caller, Entry::kCompositeQuery);
    input.argument = std::move(argument);
    Outcome outcome = Execute(slot, input, base::StrCat("composite_query ", method),
                              base::StrCat("canister_composite_query ", method), nullptr);
    std::optional<Response> answer;
    std::deque<OutgoingCall> open;
    uint64_t spent = outcome.instructions;
    const auto absorb = [&](Outcome& done) {
      if (done.error) return;
      slot.state.globals = std::move(done.globals);
      if (done.effects.response && !answer) answer = std::move(done.effects.response);
      for (OutgoingCall& call : done.effects.calls) open.push_back(std::move(call));
    };
    absorb(outcome);
    while (!outcome.error && !open.empty()) {
      OutgoingCall call = std::move(open.front());
      open.pop_front();
      const Response response = CallOut(slot, call, depth);
      outcome = Callback(slot, caller, call.callback, response, answer.has_value(), spent);
      spent += outcome.instructions;
      absorb(outcome);
    }
    Restore(slot, saved);
    if (answer) return std::move(*answer);
    return AnswerOf(slot, outcome);
  }

  Response CallOut(Slot& slot, OutgoingCall& call, uint32_t depth) {
    const uint64_t overhead = network_.options_.limits.query_call_overhead;
    graph_overhead_ += overhead;
    if (graph_overhead_ > network_.options_.limits.query) {
      return {Reject{RejectCode::kCanisterError,
                     ErrorCode::kQueryCallGraphTotalInstructionLimitExceeded,
                     "Query call graph exceeded its instruction limit"},
              {}};
    }
    return Run(slot.state.id, call.callee, call.method, std::move(call.payload), depth + 1);
  }

  Outcome Callback(Slot& slot, const Principal& caller, const Callback& callback,
                   const Response& response, bool replied, uint64_t spent) {
    MessageInput input =
        Input(caller, response.reject ? Entry::kCompositeReject : Entry::kCompositeReply);
    input.argument = response.reply;
    input.reject = response.reject;
    input.replied = replied;
    input.context_instructions = spent;
    const std::string entry = response.reject ? "reject callback" : "reply callback";
    Outcome outcome =
        Execute(slot, input, entry, "", response.reject ? &callback.on_reject : &callback.on_reply);
    if (outcome.error && callback.on_cleanup) {
      const MessageInput cleanup = Input(caller, Entry::kCompositeCleanup);
      Execute(slot, cleanup, "cleanup callback", "", &*callback.on_cleanup);
    }
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
  uint64_t left_;
  uint64_t graph_overhead_ = 0;
};

Response Network::Query(const Principal& sender, const Principal& canister,
                        const std::string& method, base::Bytes argument,
                        const QueryOptions& options) {
  return QueryGraph(*this, options).Run(sender, canister, method, std::move(argument), 0);
}

}  // namespace runtime
