#include "canister/model/jobs.h"

#include <algorithm>

#include "base/check.h"

namespace model {

Done Jobs::CheckRoom(const candid::Principal& caller, Rank rank, const Policy& policy) const {
  size_t own = 0, all = 0;
  for (const uint64_t id : queue_) {
    const Job& job = jobs_.at(id);
    own += job.caller == caller;
    all += job.rank() == rank;
  }
  if (all >= policy.max_queue) {
    return Fail("busy", all, " answers are in the queue, at most ", policy.max_queue, " can be");
  }
  if (own >= policy.max_jobs_per_caller) {
    return Fail("busy", own, " answers of yours are in the queue of ", queue_.size(), ", at most ",
                policy.max_jobs_per_caller, " can be");
  }
  return {};
}

Job& Jobs::Add(Job job) {
  job.id = next_id_++;
  queue_.push_back(job.id);
  return jobs_.emplace(job.id, std::move(job)).first->second;
}

Job* Jobs::Find(uint64_t id) {
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : &found->second;
}

bool Jobs::IsPolledBy(uint64_t id, const candid::Principal& caller) const {
  const auto found = jobs_.find(id);
  return found != jobs_.end() && found->second.caller == caller &&
         found->second.kind == JobKind::kPolled;
}

Job* Jobs::FindWaiting(uint32_t ticket) {
  for (auto& [id, job] : jobs_) {
    if (static_cast<uint32_t>(id) == ticket && job.kind != JobKind::kPolled) return &job;
  }
  return nullptr;
}

std::vector<size_t> Jobs::Order() const {
  // A caller's n-th job gets its turn n rounds after the first; within a round the callers who
  // waited longer come first.
  struct Turn {
    Rank rank;
    size_t round;
    uint64_t last_turn;
    size_t index;
  };
  std::vector<Turn> turns;
  std::map<candid::Principal, size_t> rounds;
  for (size_t i = 0; i < queue_.size(); ++i) {
    const Job& job = jobs_.at(queue_[i]);
    const auto last = last_turn_.find(job.caller);
    turns.push_back(
        {job.rank(), rounds[job.caller]++, last == last_turn_.end() ? 0 : last->second, i});
  }
  std::ranges::sort(turns, [](const Turn& a, const Turn& b) {
    return std::tie(a.rank, a.round, a.last_turn, a.index) <
           std::tie(b.rank, b.round, b.last_turn, b.index);
  });
  std::vector<size_t> order;
  for (const Turn& turn : turns) order.push_back(turn.index);
  return order;
}

Job* Jobs::Next(const std::function<bool(const Job&)>& may_run) {
  for (const size_t index : Order()) {
    Job& job = jobs_.at(queue_[index]);
    if (may_run(job)) return &job;
  }
  return nullptr;
}

Cycles Jobs::Committed() const {
  Cycles cycles = 0;
  for (const uint64_t id : queue_) cycles += jobs_.at(id).quote->cycles_max;
  return cycles;
}

void Jobs::EndTurn(const Job& job) { last_turn_[job.caller] = ++turns_; }

void Jobs::Finished(Job& job, uint64_t now_ns) {
  CHECK(job.finished());
  job.finished_ns = now_ns;
  std::erase(queue_, job.id);
  const bool more =
      std::ranges::any_of(queue_, [&](uint64_t id) { return jobs_.at(id).caller == job.caller; });
  if (!more) last_turn_.erase(job.caller);
}

void Jobs::Expire(uint64_t now_ns) {
  std::vector<const Job*> finished;
  for (const auto& [id, job] : jobs_) {
    const bool old = now_ns - job.finished_ns > kKeptNs;
    // A waiting call takes its own soon.
    if (job.finished() && (job.kind == JobKind::kPolled || old)) finished.push_back(&job);
  }
  // The newest stay, and those of the privileged before others.
  std::ranges::sort(finished, [](const Job* a, const Job* b) {
    return std::pair(a->rank(), b->id) < std::pair(b->rank(), a->id);
  });
  std::map<candid::Principal, size_t> kept;
  size_t kept_all = 0;
  uint64_t kept_bytes = 0;
  for (const Job* job : finished) {
    kept_bytes += job->bytes();
    if (now_ns - job->finished_ns > kKeptNs || kept_all >= kFinishedMax ||
        kept[job->caller] >= kFinishedPerCallerMax || kept_bytes > kFinishedBytesMax) {
      jobs_.erase(job->id);
      continue;
    }
    ++kept_all;
    ++kept[job->caller];
  }
}

uint32_t Jobs::QueuePosition(const Job& job) const {
  const std::vector<size_t> order = Order();
  const auto at =
      std::ranges::find_if(order, [&](size_t index) { return queue_[index] == job.id; });
  return static_cast<uint32_t>(at - order.begin());
}

void Jobs::Restore(std::vector<Job> jobs, uint64_t next_id) {
  next_id_ = next_id;
  for (Job& job : jobs) {
    if (!job.finished()) queue_.push_back(job.id);
    jobs_.emplace(job.id, std::move(job));
  }
  std::ranges::sort(queue_);
}

}  // namespace model
