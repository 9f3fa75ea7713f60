#ifndef GPT2IC_RUNTIME_INGRESS_INGRESS_H_
#define GPT2IC_RUNTIME_INGRESS_INGRESS_H_

#include <deque>
#include <map>

#include "ic/envelope.h"
#include "ic/refusal.h"
#include "ic/reply.h"
#include "runtime/certify/state_tree.h"
#include "runtime/round/network.h"

namespace runtime {

struct IngressLimits {
  size_t queued_max = 10'000;                        // calls that wait for their turn
  size_t queued_bytes_max = 256 << 20;               // their arguments
  size_t queued_per_sender_max = 1'000;              // so that one sender leaves room for others
  size_t in_network_max = 500;                       // handed to the network and not answered
  size_t answer_bytes_max = 256 << 20;               // kept; above, the oldest are "done"
  uint64_t kept_ns = uint64_t{300} * 1'000'000'000;  // after answer and expiry
};

// The calls that clients have sent: each is executed at most once, its status is in the state tree
// from the moment it is taken in, and is kept until it can neither be sent again (its expiry has
// passed) nor is of interest (five minutes after its answer, as the specification asks).
//
// Calls wait in one queue per sender, and senders take turns, so that a busy one delays itself and
// not the others. Memory is bounded by IngressLimits, but for calls that canisters never answer.
// Not thread-safe.
class Ingress {
 public:
  struct Entry {
    ic::Principal sender;
    ic::Principal receiver;
    uint64_t ingress_expiry = 0;  // ns
    ic::RequestStatus status;
    bool answered() const { return answered_at != 0; }
    uint64_t answered_at = 0;  // ns; 0: not yet
  };
  enum class Admission { kNew, kKnown };

  // Both must outlive this.
  Ingress(Network& network, StateTree& state, const IngressLimits& limits = {})
      : network_(network), state_(state), limits_(limits) {}

  // Takes over the calls that the network knows from before a restart. Call once, first.
  void Restore(uint64_t now_ns);

  // Takes in a call that was authenticated (ic::Authenticate, so that its expiry is within the
  // window). One that is known is not taken in again: its status answers for both. Refused with 503
  // or 429 when queues are full; clients come again by themselves.
  ic::OrRefusal<Admission> Admit(const ic::RequestId& id, ic::Content call);

  // Takes in a call with its answer, which came from elsewhere than the network.
  void AdmitAnswered(const ic::RequestId& id, const ic::Content& call, const Response& answer,
                     uint64_t now_ns);

  // Hands waiting calls to the network, sender by sender. Those whose expiry has passed are
  // forgotten instead, as if they had never come.
  void Induct(uint64_t now_ns);
  // Takes over what became of the calls in the network, and forgets old ones.
  void Collect(uint64_t now_ns);

  const Entry* Find(const ic::RequestId& id) const;
  size_t queued() const { return queued_; }
  // Whether the next Induct has something to hand over.
  bool CanInduct() const { return queued_ > 0 && in_network_.size() < limits_.in_network_max; }
  size_t in_network() const { return in_network_.size(); }
  size_t known() const { return entries_.size(); }

 private:
  struct Waiting {
    ic::RequestId id;
    ic::Content call;
  };

  void Answered(const ic::RequestId& id, Entry& entry, uint64_t now_ns);
  void Forget(const ic::RequestId& id);
  static size_t AnswerBytes(const Entry& entry);

  Network& network_;
  StateTree& state_;
  const IngressLimits limits_;
  std::map<ic::RequestId, Entry> entries_;
  std::map<ic::Principal, std::deque<Waiting>> queues_;  // none is empty
  ic::Principal last_turn_;
  size_t queued_ = 0, queued_bytes_ = 0, answer_bytes_ = 0;
  std::map<MessageId, ic::RequestId> in_network_;
  std::deque<ic::RequestId> answers_;                 // with their bytes, oldest first
  std::multimap<uint64_t, ic::RequestId> forget_at_;  // ns
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_INGRESS_INGRESS_H_
