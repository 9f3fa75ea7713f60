#include "runtime/round/network.h"

#include <algorithm>

#include "base/check.h"
#include "candid/principal.h"
#include "runtime/round/management.h"

namespace runtime {

std::string PrincipalText(const Principal& principal) { return candid::PrincipalText(principal); }

RejectCode RejectCodeOf(ErrorCode code) {
  const auto number = static_cast<uint16_t>(code);
  if (number < 200) return RejectCode::kSysFatal;
  if (number < 300) return RejectCode::kSysTransient;
  if (number < 400) return RejectCode::kDestinationInvalid;
  if (number < 500) return RejectCode::kCanisterReject;
  if (number < 600) return RejectCode::kCanisterError;
  return RejectCode::kSysUnknown;
}

Reject ToReject(const Principal& canister, const ExecutionError& error) {
  return {RejectCodeOf(error.code), error.code,
          base::StrCat("Error from Canister ", PrincipalText(canister), ": ", error.message)};
}

Network::Network(Env& env, NetworkOptions options)
    : env_(env),
      options_(std::move(options)),
      loader_(options_.limits, options_.cache_dir),
      next_canister_(options_.first_canister) {}

Slot* Network::Find(const Principal& canister) {
  const auto it = slots_.find(canister);
  if (it == slots_.end()) return nullptr;
  if (env_.storage() != nullptr) changed_slots_.insert(canister);
  return &it->second;
}

std::vector<Principal> Network::Canisters() const {
  std::vector<Principal> out;
  for (const auto& [id, slot] : slots_) out.push_back(id);
  return out;
}

// Eight bytes of number, then 01 01: the form of a canister id of a subnet.
Principal Network::NewCanisterId() {
  Principal id;
  for (int shift = 56; shift >= 0; shift -= 8) {
    id.push_back(static_cast<uint8_t>(next_canister_ >> shift));
  }
  id.insert(id.end(), {1, 1});
  ++next_canister_;
  return id;
}

base::Result<Principal> Network::CreateCanister(const Principal& controller, Cycles cycles) {
  auto stable = TRY(PagedRegion::Create(options_.limits.stable_bytes_max, 0));
  const Principal id = NewCanisterId();
  Slot& slot = slots_[id];
  slot.state.id = id;
  slot.state.settings.controllers = {controller};
  slot.state.balance = cycles;
  slot.state.stable = std::move(stable);
  slot.charged_until_ns = env_.NowNs();
  changed_slots_.insert(id);
  Persist();
  return id;
}

Surroundings Network::Around(const Slot& slot) {
  Surroundings around;
  around.time_ns = env_.NowNs();
  around.subnet = options_.subnet;
  around.root_key = options_.root_key;
  around.limits = &options_.limits;
  around.fees = &options_.fees;
  around.memory_used_elsewhere = slot.state.module ? slot.state.module->wasm.size() : 0;
  around.calls_queued = [&slot](const Principal& callee) {
    uint64_t open = 0;
    for (const auto& [id, callback] : slot.callbacks) open += callback.callee == callee;
    return open;
  };
  return around;
}

void Network::Observe(const Slot& slot, std::string entry, const Outcome& outcome) {
  if (!observer_) return;
  observer_({slot.state.id, std::move(entry), outcome.instructions, outcome.page_charges,
             outcome.heap, outcome.stable, outcome.error});
}

void Network::AppendLog(Slot& slot, const std::vector<std::string>& lines) {
  constexpr uint64_t kHeader = 40;
  std::deque<LogRecord>& log = slot.state.log;
  uint64_t used = 0;
  for (const LogRecord& record : log) used += kHeader + record.content.size();
  for (const std::string& line : lines) {
    log.push_back({slot.state.log_next++, env_.NowNs(), line});
    used += kHeader + line.size();
  }
  while (used > options_.limits.log_bytes_max && !log.empty()) {
    used -= kHeader + log.front().content.size();
    log.pop_front();
  }
}

// ---- cycles ------------------------------------------------------------------------------------

Cycles Network::InstructionFee(const Slot& slot, uint64_t instructions) const {
  const bool wide = slot.state.module && slot.state.module->info.memory64;
  return Cycles{options_.fees.instruction} * (wide ? 2 : 1) * instructions;
}

Cycles Network::FrozenBelow(const Slot& slot) const {
  const uint64_t other = slot.state.module ? slot.state.module->wasm.size() : 0;
  return IdleCost(slot.state, other, options_.fees, slot.state.settings.freezing_threshold_s);
}

void Network::ChargeExecution(Slot& slot, uint64_t instructions) {
  if (options_.limits.system_subnet) return;
  const Cycles cost = options_.fees.execution + InstructionFee(slot, instructions);
  slot.state.balance -= std::min(cost, slot.state.balance);
}

// ---- installing --------------------------------------------------------------------------------

namespace {

// Modules with enhanced orthogonal persistence say so in a private section; keeping the heap is for
// them alone, and they must say what happens to it.
std::optional<ExecutionError> CannotKeepHeap(const InstalledModule& before,
                                             const InstalledModule& after, HeapPersistence heap) {
  constexpr char kSection[] = "enhanced-orthogonal-persistence";
  if (heap == HeapPersistence::kUnset && before.info.metadata.contains(kSection)) {
    return ExecutionError{ErrorCode::kCanisterContractViolation,
                          "Missing upgrade option: Enhanced orthogonal persistence requires the "
                          "`wasm_memory_persistence` upgrade option."};
  }
  if (heap == HeapPersistence::kKeep && !after.info.metadata.contains(kSection)) {
    return ExecutionError{ErrorCode::kCanisterContractViolation,
                          "Invalid upgrade option: The `wasm_memory_persistence: opt Keep` upgrade "
                          "option requires that the new canister module supports enhanced "
                          "orthogonal persistence."};
  }
  return std::nullopt;
}

}  // namespace

std::optional<ExecutionError> Network::InstallCode(const Principal& canister, InstallMode mode,
                                                   base::Bytes wasm, base::Bytes argument,
                                                   const Principal& sender,
                                                   const UpgradeOptions& options) {
  Slot* slot = Find(canister);
  CHECK(slot != nullptr);
  const bool empty = slot->state.module == nullptr;
  if (mode == InstallMode::kInstall && !empty) {
    return ExecutionError{ErrorCode::kCanisterNonEmpty,
                          base::StrCat("Canister ", PrincipalText(canister),
                                       " cannot be installed because the canister is not empty. "
                                       "Try installing with mode='reinstall' instead.")};
  }
  if (mode == InstallMode::kUpgrade && empty) {
    return ExecutionError{ErrorCode::kCanisterWasmModuleNotFound,
                          "Canister has no Wasm module to upgrade"};
  }
  auto module = loader_.Load(std::move(wasm));
  if (!module) {
    return ExecutionError{
        ErrorCode::kCanisterInvalidWasm,
        base::StrCat("Canister's Wasm module is not valid: ", module.error().message)};
  }
  if (mode == InstallMode::kUpgrade) {
    if (auto error = CannotKeepHeap(*slot->state.module, **module, options.heap)) return error;
  }
  const InstallArgs args{mode,
                         *module,
                         std::move(argument),
                         sender,
                         options.skip_pre_upgrade,
                         options.heap == HeapPersistence::kKeep};
  slot->low_memory = LowMemoryHook::kNotMet;
  InstallResult result = Install(slot->state, args, Around(*slot));
  for (const InstallStep& step : result.steps) {
    Observe(*slot, step.entry, step.outcome);
    AppendLog(*slot, step.outcome.log);
  }
  ChargeExecution(*slot, result.instructions);
  if (!result.error) {
    if (slot->state.heap) slot->state.heap->Commit();
    slot->state.stable->Commit();
    CheckLowMemory(*slot);
  }
  Persist();
  return result.error;
}

void Network::Uninstall(Slot& slot) {
  Canister& state = slot.state;
  state.module.reset();
  state.heap.reset();
  state.globals.clear();
  state.certified_data.clear();
  state.chunk_store.clear();
  state.global_timer_ns = 0;
  ++state.version;
  const uint64_t bytes_max = options_.limits.stable_bytes_max;
  state.stable = PagedRegion::Create(bytes_max, 0).value();
  for (auto& [id, context] : slot.contexts) {
    context.deleted = true;
    if (context.responded) continue;
    Answer(slot, context,
           {Reject{RejectCode::kCanisterReject, ErrorCode::kCanisterRejected,
                   "Canister has been uninstalled."},
            {}});
  }
}

void Network::Start(Slot& slot) {
  slot.state.status = CanisterStatus::kRunning;
  ++slot.state.version;
  for (const Request& request : std::exchange(slot.stop_requests, {})) {
    RejectRequest(request, {},
                  {RejectCode::kCanisterError, ErrorCode::kCanisterStoppingCancelled,
                   "Canister's stop request was cancelled."});
  }
}

// Calls that wait for it are rejected, as if it had never been there.
void Network::Delete(const Principal& canister) {
  const auto node = slots_.extract(canister);
  changed_slots_.erase(canister);
  gone_slots_[canister] = node.mapped().stored;
  const auto reject = [&](std::deque<Mail>& queue) {
    for (Mail& mail : queue) {
      gone_mail_.insert(mail.number);
      if (const auto* request = std::get_if<Request>(&mail.content)) {
        RejectRequest(*request, canister,
                      {RejectCode::kDestinationInvalid, ErrorCode::kCanisterNotFound,
                       base::StrCat("Canister ", PrincipalText(canister), " not found")});
      }
    }
  };
  reject(node.mapped().ingress);
  for (auto& [sender, queue] : node.mapped().inbox) reject(queue);
}

// ---- clients -----------------------------------------------------------------------------------

MessageId Network::Submit(const Principal& sender, const Principal& canister, std::string method,
                          base::Bytes argument, const IngressOptions& options) {
  if (!options.request_id.empty()) {
    const auto known = by_request_id_.find(options.request_id);
    if (known != by_request_id_.end()) return known->second;
  }
  const MessageId id = next_message_++;
  IngressStatus& status = ingress_[id];
  status.request_id = options.request_id;
  status.sender = sender;
  status.receiver = canister;
  status.expiry_ns = options.expiry_ns;
  if (!options.request_id.empty()) by_request_id_[options.request_id] = id;
  ChangeIngress(id);
  Request request{FromIngress{id}, sender, std::move(method), std::move(argument)};
  Slot* slot = Find(canister);
  if (canister.empty()) {
    Push(management_, {}, std::move(request));
  } else if (slot == nullptr) {
    RejectRequest(request, canister,
                  {RejectCode::kDestinationInvalid, ErrorCode::kCanisterNotFound,
                   base::StrCat("Canister ", PrincipalText(canister), " not found")});
  } else {
    const Cycles fee =
        Cycles{options_.fees.ingress_message} +
        Cycles{options_.fees.ingress_byte} * (request.method.size() + request.argument.size());
    if (!options_.limits.system_subnet) slot->state.balance -= std::min(fee, slot->state.balance);
    Push(slot->ingress, canister, std::move(request));
  }
  Persist();
  return id;
}

void Network::DropAnswer(const base::Bytes& request_id) {
  const auto found = by_request_id_.find(request_id);
  if (found == by_request_id_.end()) return;
  IngressStatus& status = ingress_.at(found->second);
  CHECK(status.answered());
  status.state = IngressStatus::State::kDone;
  status.response = {};
  ChangeIngress(found->second);
}

const IngressStatus* Network::FindRequest(const base::Bytes& request_id) const {
  const auto found = by_request_id_.find(request_id);
  return found == by_request_id_.end() ? nullptr : &ingress_.at(found->second);
}

std::optional<Reject> Network::Inspect(const Principal& sender, const Principal& canister,
                                       const std::string& method, const base::Bytes& argument) {
  Slot* slot = Find(canister);
  if (slot == nullptr || !slot->state.module ||
      !slot->state.module->info.HasSystemMethod("canister_inspect_message")) {
    return std::nullopt;
  }
  MessageInput input;
  input.entry = Entry::kInspect;
  input.caller = sender;
  input.method = method;
  input.argument = argument;
  input.replicated = false;
  const Surroundings around = Around(*slot);
  Execution execution(slot->state, input, around, options_.limits.inspect, options_.limits.inspect);
  const Outcome outcome = execution.RunExport("canister_inspect_message");
  Observe(*slot, base::StrCat("inspect_message for ", method), outcome);
  RollBack(*slot, {});
  if (outcome.error) return ToReject(canister, *outcome.error);
  if (outcome.effects.message_accepted) return std::nullopt;
  return ToReject(canister, {ErrorCode::kCanisterRejectedMessage, "Canister rejected the message"});
}

Response Network::Call(const Principal& sender, const Principal& canister, std::string method,
                       base::Bytes argument) {
  const MessageId id = Submit(sender, canister, std::move(method), std::move(argument));
  const auto done = [&] { return ingress_.at(id).answered(); };
  // A canister may work for ever by itself; then there is no answer to wait for either.
  for (uint64_t rounds = 0; !done(); ++rounds) {
    if (!Step() && !done()) Round(0);
    if (rounds > 100'000'000) break;
  }
  Response response = std::move(ingress_.at(id).response);
  ingress_.erase(id);
  ChangeIngress(id);
  return response;
}

}  // namespace runtime
