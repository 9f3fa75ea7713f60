#ifndef GPT2IC_RUNTIME_ROUND_NETWORK_H_
#define GPT2IC_RUNTIME_ROUND_NETWORK_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/env.h"
#include "runtime/execution/install.h"
#include "runtime/execution/module_loader.h"
#include "runtime/round/message.h"
#include "runtime/state/canister.h"

namespace runtime {

// One message execution, as told to whoever measures.
struct ExecutionRecord {
  Principal canister;
  std::string entry;          // "update go", "reply", "canister_init", ...
  uint64_t instructions = 0;  // page charges included, capped at the limit
  uint64_t page_charges = 0;
  PageCounts heap, stable;
  std::optional<ExecutionError> error;
};

// What became of an ingress message.
struct IngressStatus {
  enum class State : uint8_t { kReceived, kProcessing, kReplied, kRejected } state;
  Response response;
};

struct QueryOptions {
  bool replicated = false;
  std::optional<base::Bytes> data_certificate = base::Bytes();
};

struct NetworkOptions {
  Limits limits;
  Fees fees;
  std::string cache_dir;  // for compiled modules; empty: none
  Principal subnet;
  base::Bytes root_key;
  uint64_t first_canister = 0;  // number in the first id that is given out
};

// A canister on the network: its state and its mail.
struct Slot {
  Canister state;
  std::deque<Request> ingress;
  std::map<Principal, std::deque<Request>> requests;  // by sender: order between two is kept
  std::deque<Delivery> deliveries;
  std::map<ContextId, CallContext> contexts;
  std::map<CallbackId, OpenCallback> callbacks;
  std::vector<Request> stop_requests;  // answered when the canister has stopped
  uint32_t turn = 0;                   // whose mail is next
  ContextId next_context = 0;
  CallbackId next_callback = 0;

  bool HasMail() const { return !ingress.empty() || !requests.empty() || !deliveries.empty(); }
};

// One subnet in this process: canisters, their messages, the management canister. Not thread-safe.
class Network {
 public:
  Network(Env& env, NetworkOptions options);

  // ---- clients ----
  // Sends an update call (to a canister, or with the empty principal to the management canister).
  MessageId Submit(const Principal& sender, const Principal& canister, std::string method,
                   base::Bytes argument);
  const IngressStatus& Status(MessageId id) const { return ingress_.at(id); }
  // Whether the canister takes this call (inspect_message); an Error says why not.
  std::optional<Reject> Inspect(const Principal& sender, const Principal& canister,
                                const std::string& method, const base::Bytes& argument);
  Response Query(const Principal& sender, const Principal& canister, const std::string& method,
                 base::Bytes argument, const QueryOptions& options = {});
  // Submits, runs the network until the answer is there, and gives it.
  Response Call(const Principal& sender, const Principal& canister, std::string method,
                base::Bytes argument);

  // ---- running ----
  // Executes the next message, if there is one. False: nothing to do.
  bool Step();
  // Heartbeats and timers that are due, then messages until none is left (at most `steps_max`).
  void Round(uint64_t steps_max = ~uint64_t{0});
  void RunSystemTask(const Principal& canister, const std::string& method);

  // ---- management, in process; the calls of the management canister end here too ----
  base::Result<Principal> CreateCanister(const Principal& controller, Cycles cycles);
  std::optional<ExecutionError> InstallCode(const Principal& canister, InstallMode mode,
                                            base::Bytes wasm, base::Bytes argument,
                                            const Principal& sender, bool skip_pre_upgrade = false,
                                            bool keep_heap = false);

  // Stops using the module: open calls are rejected, memory and certified data are gone.
  void Uninstall(Slot& slot);
  void Start(Slot& slot);  // also ends a stop that is under way
  void Delete(const Principal& canister);

  Slot* Find(const Principal& canister);
  Env& env() { return env_; }
  NetworkOptions& options() { return options_; }
  void OnExecution(std::function<void(const ExecutionRecord&)> observer) {
    observer_ = std::move(observer);
  }

 private:
  friend class Management;
  friend class QueryGraph;
  Surroundings Around(const Slot& slot);
  void Observe(const Slot& slot, std::string entry, const Outcome& outcome);
  Principal NewCanisterId();

  void ExecuteRequest(Slot& slot, Request request);
  void ExecuteDelivery(Slot& slot, Delivery delivery);
  bool RunCleanup(Slot& slot, const CallContext& context, const Closure& cleanup,
                  uint64_t instructions_used, std::string* error);
  // Applies a successful outcome: memory, globals, cycles, calls, answer.
  void Commit(Slot& slot, ContextId context_id, Outcome& outcome);
  void RollBack(Slot& slot, const Outcome& outcome);
  void SendCalls(Slot& slot, ContextId context_id, std::vector<OutgoingCall>& calls);
  void Answer(Slot& slot, CallContext& context, Response response);
  void FinishContext(Slot& slot, ContextId context_id, const std::optional<Reject>& failure);
  void Respond(const Origin& origin, const Principal& from, Response response, Cycles refund);
  void Route(const Principal& from, const Principal& callee, Request request);
  void RejectRequest(const Request& request, const Principal& callee, Reject reject);
  std::optional<Reject> CannotExecute(const Slot& slot, const std::string& method) const;
  Cycles InstructionFee(const Slot& slot, uint64_t instructions) const;
  void ChargeExecution(Slot& slot, uint64_t instructions);
  void AppendLog(Slot& slot, const std::vector<std::string>& lines);
  void ExpireDeadlines();
  void FinishStopping(Slot& slot);

  Env& env_;
  NetworkOptions options_;
  ModuleLoader loader_;
  std::map<Principal, Slot> slots_;
  std::map<MessageId, IngressStatus> ingress_;
  std::deque<Request> management_;
  MessageId next_message_ = 0;
  uint64_t next_canister_;
  Principal last_turn_;
  std::function<void(const ExecutionRecord&)> observer_;
};

RejectCode RejectCodeOf(ErrorCode code);
Reject ToReject(const Principal& canister, const ExecutionError& error);
std::string PrincipalText(const Principal& principal);

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_ROUND_NETWORK_H_
