#ifndef GPT2IC_RUNTIME_HTTP_REPLICA_H_
#define GPT2IC_RUNTIME_HTTP_REPLICA_H_

#include <functional>
#include <memory>
#include <vector>

#include "runtime/certify/state_tree.h"
#include "runtime/http/api.h"
#include "runtime/http/system_canisters.h"
#include "runtime/ingress/ingress.h"
#include "runtime/round/network.h"

namespace runtime {

struct ReplicaOptions {
  std::string cache_dir;  // for compiled modules; empty: none
  Limits limits;
  base::Bytes seed;                            // of the keys, 32 bytes; empty: drawn or from disk
  uint64_t call_wait_ns = 10'000'000'000;      // a v3 or v4 call is answered 202 after this
  uint64_t round_work_ns = 20'000'000;         // messages are begun for so long in one Work
  uint64_t system_task_every_ns = 10'000'000;  // timers; heartbeats and fees: once a second
};

// A network of one subnet as its clients see it: takes in checked requests, runs rounds, and
// answers with certificates. It belongs to one thread; `answer` is called on it.
class Replica {
 public:
  using Answer = std::function<void(ic::HttpResponse)>;
  using CallAnswer = std::function<void(const ic::RequestStatus&)>;

  // Takes over what the Env's storage holds; a new network gets its keys from options.seed or from
  // Env::Random, and keeps them there. `env` must outlive this.
  static base::Result<std::unique_ptr<Replica>> Open(Env& env, ReplicaOptions options);

  // Answers queries and read_states at once, calls in a later Work.
  void Handle(ApiRequest request, Answer answer);
  // For the gateway: a query without an envelope, and an anonymous call.
  Response Query(const ic::Principal& canister, const std::string& method, base::Bytes argument);
  void Call(const ic::Principal& canister, const std::string& method, base::Bytes argument,
            CallAnswer answer);
  // The state of now, for certificates that are asked for next. Call before a batch of requests.
  void Refresh();

  // One round: timers that are due, the calls that wait, their answers. False: nothing is left to
  // do before NextWork().
  bool Work();
  uint64_t NextWork() const;  // ns since 1970

  Network& network() { return network_; }
  StateTree& state() { return state_; }
  const Ingress& ingress() const { return ingress_; }
  Env& env() { return env_; }
  size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    ic::RequestId id{};
    uint64_t until_ns = 0;
    Answer answer;           // of a client's call
    CallAnswer call_answer;  // of the gateway's
  };
  struct Seen {
    std::shared_ptr<const InstalledModule> module;
    base::Bytes certified_data;
    std::vector<Principal> controllers;
  };

  Replica(Env& env, ReplicaOptions options, NetworkKeys keys);
  void HandleCall(ApiRequest request, Answer answer);
  void HandleQuery(const ApiRequest& request, const Answer& answer);
  void HandleReadState(const ApiRequest& request, const Answer& answer);
  std::optional<Reject> CannotTake(const ic::Content& call);
  bool TimerDue(uint64_t now) const;
  void UpdateCanisters();
  void AnswerWaiting(uint64_t now);
  bool AnswerOne(Waiting& waiting, uint64_t now);

  Env& env_;
  const ReplicaOptions options_;
  Network network_;
  StateTree state_;
  Ingress ingress_;
  SystemCanisters system_;
  std::vector<Waiting> waiting_;
  std::map<Principal, Seen> seen_;
  uint64_t last_tasks_ns_ = 0;
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_HTTP_REPLICA_H_
