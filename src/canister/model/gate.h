#ifndef GPT2IC_CANISTER_MODEL_GATE_H_
#define GPT2IC_CANISTER_MODEL_GATE_H_

#include <map>
#include <vector>

#include "candid/principal.h"
#include "canister/model/api.h"

namespace model {

// In the order of what they may.
enum class Role : uint8_t { kAnonymous, kAuthenticated, kAuthorized, kController };

struct CallerTokens {
  candid::Principal caller;
  uint64_t tokens;
};
CANDID_RECORD(CallerTokens, caller, tokens)

// What of it survives an upgrade, besides the list of principals (a file of its own).
struct GateRecord {
  Policy policy;
  uint64_t day = 0;  // since 1970
  uint64_t tokens_today = 0;
  std::vector<CallerTokens> callers;
};
CANDID_RECORD(GateRecord, policy, day, tokens_today, callers)

// Who may generate, and how much: the owner's policy and the day's quotas. A principal costs
// nothing to make, so only the quota for all callers together protects the owner; the one per
// caller divides it fairly. Callers who pay, the authorized and the controllers have none.
class Gate {
 public:
  // Callers whose tokens are counted on one day; one more is refused. Bounds the memory.
  static constexpr size_t kCallersPerDayMax = 10'000;

  const Policy& policy() const { return record_.policy; }
  Done SetPolicy(Policy policy);

  // Whether the role may generate at all.
  Done CheckRole(Role role) const;
  // Whether `tokens` more are within the quotas of a caller who does not pay.
  Done CheckQuota(const candid::Principal& caller, Role role, uint64_t tokens,
                  uint64_t now_ns) const;
  // Counts them, and takes back what was not used, which on another day than they were counted is
  // nothing.
  void Take(const candid::Principal& caller, uint64_t tokens, uint64_t now_ns);
  void GiveBack(const candid::Principal& caller, uint64_t tokens, uint64_t taken_ns,
                uint64_t now_ns);

  uint64_t TokensToday(uint64_t now_ns) const {
    return record_.day == DayOf(now_ns) ? record_.tokens_today : 0;
  }

  GateRecord Save() const;
  void Restore(const GateRecord& record);

 private:
  static uint64_t DayOf(uint64_t now_ns) { return now_ns / 86'400'000'000'000; }
  void StartDay(uint64_t now_ns);

  GateRecord record_;  // its callers: see callers_
  std::map<candid::Principal, uint64_t> callers_;
};

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_GATE_H_
