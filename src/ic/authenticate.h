#ifndef GPT2IC_IC_AUTHENTICATE_H_
#define GPT2IC_IC_AUTHENTICATE_H_

#include <optional>
#include <set>

#include "ic/envelope.h"
#include "ic/refusal.h"

// Who sent a request, and for which canisters: natively only (OpenSSL, blst).
namespace ic {

inline constexpr uint64_t kIngressTtl = 300'000'000'000;     // ns: 5 minutes
inline constexpr uint64_t kPermittedDrift = 30'000'000'000;  // ns, allowed on top by the validator

// The canisters that a sender may address: the common targets of its delegations.
class CanisterIdSet {
 public:
  bool all() const { return !ids_; }
  bool Contains(const Principal& canister_id) const { return all() || ids_->contains(canister_id); }
  void Intersect(const std::vector<Principal>& targets);

 private:
  std::optional<std::set<Principal>> ids_;
};

// A sender that was checked. Only Authenticate makes one.
struct Authenticated {
  Principal sender;
  CanisterIdSet targets;
};

// Applies the IC's rules in its order: sizes of paths and nonce, expiry, sender and signature with
// its chain of delegations, sender_info, and for calls and queries the target. Every refusal has
// status 400. `root_key_der` matters for canister signatures only. Cost: one signature check per
// delegation and one more.
OrRefusal<Authenticated> Authenticate(const Envelope& envelope, uint64_t now_ns,
                                      base::ByteSpan root_key_der);

// The id in the address of a call or query must be the callee's; any will do for the management
// canister.
OrRefusal<void> CheckEffectiveId(const Content& content, const Principal& effective_id);

}  // namespace ic

#endif  // GPT2IC_IC_AUTHENTICATE_H_
