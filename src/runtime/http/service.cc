#include "runtime/http/service.h"

#include <chrono>
#include <optional>

namespace runtime {

Service::Service(Replica& replica, const ServiceOptions& options)
    : replica_(replica),
      options_(options),
      root_key_(replica.state().keys().root.public_key_der()),
      gateway_(replica, options.verification) {}

void Service::Start() {
  stopping_ = false;
  thread_ = std::thread([this] { Loop(); });
}

void Service::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Service::Queue(std::deque<Job>& queue, Job job, const Respond& respond) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && reads_.size() + calls_.size() < options_.queued_max) {
      queue.push_back(std::move(job));
      wake_.notify_one();
      return;
    }
  }
  respond(TextResponse(503, "Service is overloaded, try again later."));
}

void Service::Handle(ic::HttpRequest request, Respond respond) {
  if (!request.url.starts_with('/')) {
    return respond(TextResponse(400, "The address of a request begins with a slash."));
  }
  if (IsApiPath(request.url)) return DispatchApi(request, respond);
  auto page = gateway_.Prepare(std::move(request));
  if (!page) return respond(std::move(page.error()));
  Queue(
      calls_, [this, page = std::move(*page), respond] { gateway_.Serve(page, respond); }, respond);
}

void Service::DispatchApi(const ic::HttpRequest& request, const Respond& respond) {
  const auto route = ParseApiRoute(request.method, request.url);
  if (!route) return respond(ToResponse(route.error()));
  if (route->kind == ApiKind::kStatus) {
    return respond(CborResponse(ic::EncodeStatusReply({root_key_, "healthy", "gpt2ic"})));
  }
  auto checked = CheckApiRequest(*route, request, replica_.env().NowNs(), root_key_);
  if (!checked) return respond(ToResponse(checked.error()));
  Queue(
      route->kind == ApiKind::kCall ? calls_ : reads_,
      [this, checked = std::move(*checked), respond]() mutable {
        replica_.Handle(std::move(checked), respond);
      },
      respond);
}

// ---- the network's thread ----------------------------------------------------------------------

// False: stop. A `busy` network does not wait.
bool Service::WaitForWork(bool busy, std::deque<Job>* reads, std::deque<Job>* calls) {
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return stopping_ || !reads_.empty() || !calls_.empty(); };
  if (!busy && !ready()) {
    const uint64_t now = replica_.env().NowNs(), next = replica_.NextWork();
    const auto wait = std::chrono::nanoseconds(next > now ? next - now : 0);
    wake_.wait_for(lock, std::min<std::chrono::nanoseconds>(wait, std::chrono::seconds(1)), ready);
  }
  reads->swap(reads_);
  calls->swap(calls_);
  return !stopping_ || !reads->empty() || !calls->empty();
}

void Service::RunJobs(std::deque<Job>& reads, std::deque<Job>& calls) {
  if (!reads.empty() || !calls.empty()) replica_.Refresh();
  for (std::deque<Job>* queue : {&reads, &calls}) {
    for (Job& job : *queue) job();
    queue->clear();
  }
}

void Service::Loop() {
  std::deque<Job> reads, calls;
  bool busy = false;
  while (WaitForWork(busy, &reads, &calls)) {
    const bool must_work = busy || !calls.empty() || replica_.env().NowNs() >= replica_.NextWork();
    RunJobs(reads, calls);
    if (must_work) busy = replica_.Work();
  }
  // Calls that were acknowledged and wait for their turn: the network keeps them.
  while (replica_.ingress().CanInduct()) replica_.Work();
}

ic::HttpResponse Service::HandleNow(ic::HttpRequest request) {
  std::optional<ic::HttpResponse> answer;
  Handle(std::move(request), [&](ic::HttpResponse response) { answer = std::move(response); });
  std::deque<Job> reads, calls;
  while (!answer) {
    WaitForWork(true, &reads, &calls);
    RunJobs(reads, calls);
    if (!answer && !replica_.Work()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return std::move(*answer);
}

}  // namespace runtime
