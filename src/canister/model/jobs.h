#ifndef GPT2IC_CANISTER_MODEL_JOBS_H_
#define GPT2IC_CANISTER_MODEL_JOBS_H_

#include <functional>
#include <map>
#include <vector>

#include "canister/model/job.h"

namespace model {

// All jobs: the unfinished ones in a queue that is fair over callers, the finished ones for a
// while. Jobs of the authorized and of who pays do not wait for those of others, nor for room among
// them: whoever makes principals by the hundred holds up their like only. Bounded by the policy
// (unfinished) and the constants below (finished; the newest stay).
class Jobs {
 public:
  static constexpr size_t kFinishedMax = 1'000, kFinishedPerCallerMax = 50;
  static constexpr uint64_t kFinishedBytesMax = 32 << 20;
  static constexpr uint64_t kKeptNs = 86'400'000'000'000;  // a day

  // Err "busy" with the queue's length when this caller, or all of the same rank together, have too
  // many.
  Done CheckRoom(const candid::Principal& caller, Rank rank, const Policy& policy) const;
  Job& Add(Job job);  // gives it its id
  Job* Find(uint64_t id);
  // Whether this is a job that this caller may poll: whose others are is nobody's business.
  bool IsPolledBy(uint64_t id, const candid::Principal& caller) const;
  // The one whose id ends in these 32 bits and that a call waits for.
  Job* FindWaiting(uint32_t ticket);

  // The job whose turn it is of those that `may_run`: a privileged one if there is any; of the
  // caller who waited longest since their last turn, the oldest. Null when there is none.
  Job* Next(const std::function<bool(const Job&)>& may_run);
  // Its caller has had a turn.
  void EndTurn(const Job& job);
  // What the unfinished ones may still cost, at most.
  Cycles Committed() const;
  // No longer in the queue. A waiting call's job is forgotten by its call (Remove), or like a
  // polled one after a day when its call is gone.
  void Finished(Job& job, uint64_t now_ns);
  void Remove(uint64_t id) { jobs_.erase(id); }
  void Expire(uint64_t now_ns);

  // Unfinished jobs before this one in the order of turns; 0 for the next.
  uint32_t QueuePosition(const Job& job) const;
  size_t unfinished() const { return queue_.size(); }
  const std::map<uint64_t, Job>& all() const { return jobs_; }

  uint64_t next_id() const { return next_id_; }
  void Restore(std::vector<Job> jobs, uint64_t next_id);

 private:
  // Indices into queue_ in the order in which the jobs get their next turns.
  std::vector<size_t> Order() const;

  std::map<uint64_t, Job> jobs_;
  std::vector<uint64_t> queue_;                      // unfinished jobs, oldest first
  std::map<candid::Principal, uint64_t> last_turn_;  // of callers in the queue; a count of turns
  uint64_t turns_ = 0;
  uint64_t next_id_ = 1;
};

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_JOBS_H_
