// Whose message is next, and what happens without one: timers, deadlines, fees for memory.
#include <algorithm>

#include "runtime/round/management.h"
#include "runtime/round/network.h"

namespace runtime {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

Mail TakeFront(std::deque<Mail>& queue) {
  Mail mail = std::move(queue.front());
  queue.pop_front();
  return mail;
}

}  // namespace

void Network::Push(std::deque<Mail>& queue, const Principal& to,
                   std::variant<Request, Delivery> content) {
  queue.push_back({next_mail_++, std::move(content)});
  if (env_.storage() != nullptr) new_mail_[queue.back().number] = to;
}

// Ingress and the other canisters' mail alternate; among the senders it goes round.
std::optional<Mail> Network::TakeMail(Slot& slot) {
  const bool random = options_.order == MessageOrder::kRandom;
  const uint64_t turn = random ? env_.Random() : slot.turn++;
  std::optional<Mail> mail;
  if (!slot.ingress.empty() && (slot.inbox.empty() || turn % 2 == 0)) {
    mail = TakeFront(slot.ingress);
  } else if (!slot.inbox.empty()) {
    auto it = slot.inbox.upper_bound(slot.last_sender);
    if (random) it = std::next(slot.inbox.begin(), env_.Random() % slot.inbox.size());
    if (it == slot.inbox.end()) it = slot.inbox.begin();
    slot.last_sender = it->first;
    mail = TakeFront(it->second);
    if (it->second.empty()) slot.inbox.erase(it);
  }
  if (mail && new_mail_.erase(mail->number) == 0) gone_mail_.insert(mail->number);
  return mail;
}

bool Network::StepCanister(Slot& slot) {
  const bool can_run = slot.state.status == CanisterStatus::kRunning && CanPayTask(slot);
  if (slot.low_memory == LowMemoryHook::kReady && can_run) {
    RunSystemTask(slot.state.id, "canister_on_low_wasm_memory");
    return true;
  }
  std::optional<Mail> mail = TakeMail(slot);
  if (!mail) return false;
  std::visit(Overloaded{[&](Request& request) { ExecuteRequest(slot, std::move(request)); },
                        [&](Delivery& delivery) { ExecuteDelivery(slot, std::move(delivery)); }},
             mail->content);
  return true;
}

bool Network::Step() {
  ExpireDeadlines();
  bool done = false;
  if (!management_.empty()) {
    Mail mail = TakeFront(management_);
    if (new_mail_.erase(mail.number) == 0) gone_mail_.insert(mail.number);
    Management(*this).Execute(std::move(std::get<Request>(mail.content)));
    done = true;
  }
  // Round robin: the first canister with mail after the one that had the last turn.
  auto it = slots_.upper_bound(last_turn_);
  if (options_.order == MessageOrder::kRandom && !slots_.empty()) {
    it = std::next(slots_.begin(), env_.Random() % slots_.size());
  }
  for (size_t i = 0; i < slots_.size() && !done; ++i, ++it) {
    if (it == slots_.end()) it = slots_.begin();
    Slot& slot = it->second;
    if (!slot.HasMail() && slot.low_memory != LowMemoryHook::kReady) continue;
    last_turn_ = it->first;
    changed_slots_.insert(it->first);
    done = StepCanister(slot);
    if (done) break;
  }
  Persist();
  return done;
}

void Network::Round(uint64_t steps_max) {
  ChargeIdle();
  ForgetIngress();
  std::vector<std::pair<Principal, std::string>> tasks;
  for (auto& [id, slot] : slots_) {
    if (!slot.state.module || slot.state.status != CanisterStatus::kRunning) continue;
    const ModuleInfo& info = slot.state.module->info;
    if (info.HasSystemMethod("canister_heartbeat")) tasks.emplace_back(id, "canister_heartbeat");
    const bool due = slot.state.global_timer_ns != 0 && slot.state.global_timer_ns <= env_.NowNs();
    if (due && info.HasSystemMethod("canister_global_timer"))
      tasks.emplace_back(id, "canister_global_timer");
  }
  for (const auto& [id, method] : tasks) RunSystemTask(id, method);
  for (uint64_t i = 0; i < steps_max && Step(); ++i) {
  }
  Persist();
}

void Network::ExpireDeadlines() {
  const uint64_t now = env_.NowNs();
  for (auto& [id, slot] : slots_) {
    for (auto& [callback_id, callback] : slot.callbacks) {
      if (callback.deadline_ns == 0 || callback.deadline_ns > now) continue;
      callback.deadline_ns = 0;
      changed_slots_.insert(id);
      Push(slot.inbox[callback.callee], id,
           Delivery{
               callback_id,
               {Reject{RejectCode::kSysUnknown, ErrorCode::kDeadlineExpired, "Call has timed out."},
                {}},
               0});
    }
  }
}

void Network::ForgetIngress() {
  const uint64_t now = env_.NowNs();
  for (auto it = ingress_.begin(); it != ingress_.end();) {
    const IngressStatus& status = it->second;
    if (!status.answered() || status.expiry_ns == 0 || status.expiry_ns > now) {
      ++it;
      continue;
    }
    by_request_id_.erase(status.request_id);
    ChangeIngress(it->first);
    it = ingress_.erase(it);
  }
}

// Memory held costs cycles by the second; who cannot pay any more loses code and memory.
void Network::ChargeIdle() {
  constexpr uint64_t kSecond = 1'000'000'000, kEverySeconds = 10;
  if (options_.limits.system_subnet) return;
  const uint64_t now = env_.NowNs();
  for (auto& [id, slot] : slots_) {
    const uint64_t seconds =
        now > slot.charged_until_ns ? (now - slot.charged_until_ns) / kSecond : 0;
    if (seconds < kEverySeconds) continue;
    slot.charged_until_ns += seconds * kSecond;
    changed_slots_.insert(id);
    const uint64_t other = slot.state.module ? slot.state.module->wasm.size() : 0;
    const Cycles cost = IdleCost(slot.state, other, options_.fees, seconds);
    if (slot.state.balance >= cost) {
      slot.state.balance -= cost;
      continue;
    }
    slot.state.balance = 0;
    if (slot.state.module) Uninstall(slot);
  }
}

// canister_on_low_wasm_memory runs once each time the rest of the limit falls below the threshold.
void Network::CheckLowMemory(Slot& slot) {
  const Settings& settings = slot.state.settings;
  const bool wide = slot.state.module && slot.state.module->info.memory64;
  const uint64_t most = wide ? options_.limits.heap64_bytes_max : options_.limits.heap_bytes_max;
  const uint64_t limit =
      settings.wasm_memory_limit == 0 ? most : std::min(most, settings.wasm_memory_limit);
  const uint64_t used = slot.state.HeapBytes();
  const uint64_t left = limit > used ? limit - used : 0;
  if (left >= settings.wasm_memory_threshold) {
    slot.low_memory = LowMemoryHook::kNotMet;
  } else if (slot.low_memory == LowMemoryHook::kNotMet) {
    const bool listens =
        slot.state.module && slot.state.module->info.HasSystemMethod("canister_on_low_wasm_memory");
    slot.low_memory = listens ? LowMemoryHook::kReady : LowMemoryHook::kExecuted;
  }
}

}  // namespace runtime
