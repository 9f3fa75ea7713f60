#include "canister/model/gate.h"

#include <algorithm>

#include "base/check.h"

namespace model {
namespace {

constexpr const char* kOpenTo[] = {"everyone", "authenticated", "listed", "controllers"};
constexpr uint32_t kQueueMax = 1'000;
constexpr uint32_t kPromptBytesMax = 1 << 20;
constexpr uint64_t kCyclesPerTokenMax = 1'000'000'000'000'000'000;
constexpr uint64_t kMessageInstructionsMin = 400'000'000;

// The least role that a policy lets in.
Role LeastRole(std::string_view open_to) {
  const auto* const found = std::ranges::find(kOpenTo, open_to);
  return static_cast<Role>(found - std::begin(kOpenTo));
}

}  // namespace

Done Gate::SetPolicy(Policy policy) {
  if (std::ranges::find(kOpenTo, policy.open_to) == std::end(kOpenTo)) {
    return Fail("bad_input", "open_to is \"", base::Printable(policy.open_to),
                "\", expected controllers, listed, authenticated or everyone");
  }
  if (policy.max_queue == 0 || policy.max_queue > kQueueMax) {
    return Fail("bad_input", "max_queue is ", policy.max_queue, ", expected 1 to ", kQueueMax);
  }
  if (policy.max_jobs_per_caller == 0 || policy.max_jobs_per_caller > policy.max_queue) {
    return Fail("bad_input", "max_jobs_per_caller is ", policy.max_jobs_per_caller,
                ", expected 1 to max_queue ", policy.max_queue);
  }
  if (policy.max_prompt_bytes == 0 || policy.max_prompt_bytes > kPromptBytesMax) {
    return Fail("bad_input", "max_prompt_bytes is ", policy.max_prompt_bytes, ", expected 1 to ",
                kPromptBytesMax);
  }
  if (policy.cycles_per_token.value_or(0) > kCyclesPerTokenMax) {
    return Fail("bad_input", "cycles_per_token is out of range, expected at most ",
                kCyclesPerTokenMax);
  }
  if (policy.instructions_per_message &&
      *policy.instructions_per_message < kMessageInstructionsMin) {
    return Fail("bad_input", "instructions_per_message is ", *policy.instructions_per_message,
                ", expected at least ", kMessageInstructionsMin);
  }
  record_.policy = std::move(policy);
  return {};
}

Done Gate::CheckRole(Role role) const {
  if (role >= LeastRole(policy().open_to)) return {};
  return Fail("not_allowed", "this canister generates for: ", policy().open_to, "; you are ",
              role == Role::kAnonymous ? "anonymous" : "none of them");
}

void Gate::StartDay(uint64_t now_ns) {
  if (record_.day == DayOf(now_ns)) return;
  record_.day = DayOf(now_ns);
  record_.tokens_today = 0;
  callers_.clear();
}

Done Gate::CheckQuota(const candid::Principal& caller, Role role, uint64_t tokens,
                      uint64_t now_ns) const {
  if (role >= Role::kAuthorized) return {};
  const auto refuse = [&](const char* whose, uint64_t spent, uint64_t quota) {
    return Fail("quota", tokens, " tokens were asked for, but of ", whose, " ", quota,
                " tokens a day ", spent, " are used");
  };
  const auto beyond = [&](uint64_t used, uint64_t quota) {
    return tokens > quota || used > quota - tokens;
  };
  const bool today = record_.day == DayOf(now_ns);
  const auto found = callers_.find(caller);
  const bool known = today && found != callers_.end();
  const uint64_t used = known ? found->second : 0, all = TokensToday(now_ns);
  if (const auto quota = policy().tokens_per_caller_per_day; quota && beyond(used, *quota)) {
    return refuse("your", used, *quota);
  }
  if (const auto quota = policy().tokens_per_day; quota && beyond(all, *quota)) {
    return refuse("all callers'", all, *quota);
  }
  if (today && !known && callers_.size() >= kCallersPerDayMax) {
    return Fail("quota", kCallersPerDayMax, " callers were served today, expected fewer");
  }
  return {};
}

void Gate::Take(const candid::Principal& caller, uint64_t tokens, uint64_t now_ns) {
  StartDay(now_ns);
  callers_[caller] += tokens;
  record_.tokens_today += tokens;
}

void Gate::GiveBack(const candid::Principal& caller, uint64_t tokens, uint64_t taken_ns,
                    uint64_t now_ns) {
  StartDay(now_ns);
  const auto found = callers_.find(caller);
  if (DayOf(taken_ns) != record_.day || found == callers_.end()) return;
  CHECK(tokens <= found->second && tokens <= record_.tokens_today);
  found->second -= tokens;
  record_.tokens_today -= tokens;
  if (found->second == 0) callers_.erase(found);
}

GateRecord Gate::Save() const {
  GateRecord record = record_;
  for (const auto& [caller, tokens] : callers_) record.callers.push_back({caller, tokens});
  return record;
}

void Gate::Restore(const GateRecord& record) {
  record_ = record;
  for (const CallerTokens& row : record_.callers) callers_[row.caller] = row.tokens;
  record_.callers.clear();
}

}  // namespace model
