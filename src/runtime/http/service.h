#ifndef GPT2IC_RUNTIME_HTTP_SERVICE_H_
#define GPT2IC_RUNTIME_HTTP_SERVICE_H_

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "runtime/http/gateway.h"
#include "runtime/http/replica.h"

namespace runtime {

struct ServiceOptions {
  size_t queued_max = 10'000;  // requests that wait for the network's thread
  Verification verification = Verification::kOn;
};

// The network behind the server: what needs no state (reading a request, its signatures, verifying
// a page) is done on the caller's thread, all else on one thread of its own, which also runs the
// rounds. Requests that only read are answered before calls are taken in, so that one certificate
// signature serves them all.
class Service {
 public:
  using Respond = std::function<void(ic::HttpResponse)>;

  // `replica` must outlive this; nobody else may use it between Start and Stop.
  Service(Replica& replica, const ServiceOptions& options);
  ~Service() { Stop(); }

  void Start();
  // Finishes the message that runs, and the requests that were taken.
  void Stop();

  // From any thread. `respond` is called once, on the caller's thread or the network's.
  void Handle(ic::HttpRequest request, Respond respond);

  // In process, without threads: works until the answer is there. Not between Start and Stop.
  ic::HttpResponse HandleNow(ic::HttpRequest request);

 private:
  using Job = std::function<void()>;

  void DispatchApi(const ic::HttpRequest& request, const Respond& respond);
  void Queue(std::deque<Job>& queue, Job job, const Respond& respond);
  void Loop();
  bool WaitForWork(bool busy, std::deque<Job>* reads, std::deque<Job>* calls);
  void RunJobs(std::deque<Job>& reads, std::deque<Job>& calls);

  Replica& replica_;
  const ServiceOptions options_;
  const base::Bytes root_key_;
  Gateway gateway_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> reads_, calls_;
  bool stopping_ = false;
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_HTTP_SERVICE_H_
