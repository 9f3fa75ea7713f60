#ifndef GPT2IC_RUNTIME_ROUND_NETWORK_H_
#define GPT2IC_RUNTIME_ROUND_NETWORK_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
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
  enum class State : uint8_t { kReceived, kProcessing, kReplied, kRejected, kDone };
  State state = State::kReceived;
  Response response;
  base::Bytes request_id;  // as the client names it; may be empty
  Principal sender, receiver;
  uint64_t expiry_ns = 0;  // an answered message is forgotten after this time; 0: when taken

  bool answered() const { return state >= State::kReplied; }
};

struct IngressOptions {
  base::Bytes request_id;
  uint64_t expiry_ns = 0;
};

struct QueryOptions {
  bool replicated = false;
  std::optional<base::Bytes> data_certificate = base::Bytes();
};

// Whose turn it is when several messages wait.
enum class MessageOrder : uint8_t {
  kFair,    // round robin over canisters and their senders, as the IC does
  kRandom,  // by Env::Random; the order between two canisters is kept
};

struct NetworkOptions {
  Limits limits;
  MessageOrder order = MessageOrder::kFair;
  Fees fees;
  std::string cache_dir;  // for compiled modules; empty: none
  Principal subnet;
  base::Bytes root_key;
  uint64_t first_canister = 0;  // number in the first id that is given out
};

// What an upgrade does with the heap: wasm_memory_persistence.
enum class HeapPersistence : uint8_t { kUnset, kKeep, kReplace };

struct UpgradeOptions {
  bool skip_pre_upgrade = false;
  HeapPersistence heap = HeapPersistence::kUnset;
};

// What a storage holds of a canister besides its record.
struct StoredParts {
  base::Sha256Digest module{};  // zero: none
  std::vector<RegionId> regions;
  std::set<base::Sha256Digest> chunks;
};

enum class LowMemoryHook : uint8_t { kNotMet, kReady, kExecuted };

// A canister on the network: its state and its mail.
struct Slot {
  Canister state;
  std::deque<Mail> ingress;
  std::map<Principal, std::deque<Mail>> inbox;  // by sender: calls and answers in order of sending
  std::map<ContextId, CallContext> contexts;
  std::map<CallbackId, OpenCallback> callbacks;
  std::vector<Request> stop_requests;  // answered when the canister has stopped
  Principal last_sender;               // whose mail was taken last
  uint32_t turn = 0;                   // ingress and inbox alternate
  ContextId next_context = 0;
  CallbackId next_callback = 0;
  uint64_t charged_until_ns = 0;  // for memory held
  LowMemoryHook low_memory = LowMemoryHook::kNotMet;
  StoredParts stored;

  bool HasMail() const { return !ingress.empty() || !inbox.empty(); }
};

// One subnet in this process: canisters, their messages, the management canister. Not thread-safe.
class Network {
 public:
  Network(Env& env, NetworkOptions options);

  // Takes over what the Env's storage holds. Call once, before anything else. An Error when a
  // record is damaged or a module does not compile any more. Without a storage: nothing to do.
  base::Status Load();
  // Writes what changed since the last time as one transaction. Every function below that runs or
  // accepts a message does so before it returns; call it after changing a Slot from outside.
  void Persist();

  // ---- clients ----
  // Sends an update call (to a canister, or with the empty principal to the management canister).
  // A request id that is known already is not sent again: its message is returned.
  MessageId Submit(const Principal& sender, const Principal& canister, std::string method,
                   base::Bytes argument, const IngressOptions& options = {});
  const IngressStatus& Status(MessageId id) const { return ingress_.at(id); }
  // Keeps of an answered request only that it was: kDone.
  void DropAnswer(const base::Bytes& request_id);
  // All that are known, from before a restart too.
  const std::map<MessageId, IngressStatus>& IngressMessages() const { return ingress_; }
  // Null when the network knows no such request (any more).
  const IngressStatus* FindRequest(const base::Bytes& request_id) const;
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
                                            const Principal& sender,
                                            const UpgradeOptions& options = {});

  // Stops using the module: open calls are rejected, memory and certified data are gone.
  void Uninstall(Slot& slot);
  void Start(Slot& slot);  // also ends a stop that is under way
  void Delete(const Principal& canister);

  // Null when there is none. What the caller changes in it is written by the next Persist.
  Slot* Find(const Principal& canister);
  std::vector<Principal> Canisters() const;
  // For reading: unlike Find, looking at a canister here does not write it to the storage.
  const std::map<Principal, Slot>& Slots() const { return slots_; }
  Env& env() { return env_; }
  NetworkOptions& options() { return options_; }
  void OnExecution(std::function<void(const ExecutionRecord&)> observer) {
    observer_ = std::move(observer);
  }
  // For simulations: may lower the instruction limit of an update execution.
  void OnLimit(std::function<uint64_t(uint64_t)> limit) { limit_hook_ = std::move(limit); }

 private:
  friend class Management;
  friend class QueryGraph;
  Surroundings Around(const Slot& slot);
  void Observe(const Slot& slot, std::string entry, const Outcome& outcome);
  Principal NewCanisterId();

  void ExecuteRequest(Slot& slot, Request request);
  void ExecuteDelivery(Slot& slot, Delivery delivery);
  struct CleanupArgs {
    uint64_t callback_instructions, earlier_instructions;
    std::optional<Reject> reject;  // what the callback was told
  };
  void RunCleanup(Slot& slot, const CallContext& context, const Closure& cleanup,
                  const CleanupArgs& args, std::string* error);
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
  void ForgetIngress();
  void ChargeIdle();
  void FinishStopping(Slot& slot);
  bool StepCanister(Slot& slot);
  std::optional<Mail> TakeMail(Slot& slot);
  void Push(std::deque<Mail>& queue, const Principal& to, std::variant<Request, Delivery> content);
  void ChangeIngress(MessageId id) { changed_ingress_.insert(id); }
  void SetProcessing(const Origin& origin);
  void CheckLowMemory(Slot& slot);
  uint64_t MessageLimit() const {
    return limit_hook_ ? limit_hook_(options_.limits.message) : options_.limits.message;
  }
  // What a callback gets: the rest is held back for its cleanup.
  uint64_t CallbackLimit(uint64_t whole) const {
    return whole - whole * options_.limits.cleanup_reserve_percent / 100;
  }
  Cycles FrozenBelow(const Slot& slot) const;
  bool CanPayTask(const Slot& slot) const;

  // ---- round/persist.cc ----
  void StoreSlot(const Principal& id);
  void StoreModule(Slot& slot);
  void StoreChunks(Slot& slot);
  void DropModule(const base::Sha256Digest& hash);
  void DropGone();
  void StoreRegion(PagedRegion* region);
  void StoreMail();
  base::Status LoadSlot(base::ByteSpan key, base::ByteSpan value);
  base::Status LoadMail(base::ByteSpan key, base::ByteSpan value);

  Env& env_;
  NetworkOptions options_;
  ModuleLoader loader_;
  std::map<Principal, Slot> slots_;
  std::map<MessageId, IngressStatus> ingress_;
  std::deque<Mail> management_;
  std::map<base::Bytes, MessageId> by_request_id_;
  MessageId next_message_ = 0;
  uint64_t next_canister_;
  uint64_t next_mail_ = 0;
  RegionId next_region_ = 1;
  std::function<uint64_t(uint64_t)> limit_hook_;
  // Since the last Persist.
  std::set<Principal> changed_slots_;
  std::set<MessageId> changed_ingress_;
  std::map<uint64_t, Principal> new_mail_;  // number -> receiver
  std::set<uint64_t> gone_mail_;
  std::map<Principal, StoredParts> gone_slots_;
  Principal last_turn_;
  std::function<void(const ExecutionRecord&)> observer_;
};

RejectCode RejectCodeOf(ErrorCode code);
Reject ToReject(const Principal& canister, const ExecutionError& error);
std::string PrincipalText(const Principal& principal);

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_ROUND_NETWORK_H_
