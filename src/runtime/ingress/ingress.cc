#include "runtime/ingress/ingress.h"

#include <algorithm>

#include "base/check.h"

namespace runtime {
namespace {

Principal BytesOf(const ic::Principal& principal) {
  return {principal.bytes().begin(), principal.bytes().end()};
}

// "IC0503"
std::string ErrorCodeText(ErrorCode code) {
  std::string digits = base::StrCat(static_cast<uint32_t>(code));
  return "IC" + std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits;
}

ic::RequestStatus StatusOf(const Response& response) {
  ic::RequestStatus status;
  if (!response.reject) {
    status.status = "replied";
    status.reply = response.reply;
    return status;
  }
  status.status = "rejected";
  status.reject = {static_cast<uint64_t>(response.reject->code), response.reject->message,
                   ErrorCodeText(response.reject->error)};
  return status;
}

ic::RequestStatus StatusOf(const IngressStatus& known) {
  if (known.state == IngressStatus::State::kDone) return {"done", {}, {}};
  return StatusOf(known.response);
}

}  // namespace

const Ingress::Entry* Ingress::Find(const ic::RequestId& id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

void Ingress::Restore(uint64_t now_ns) {
  for (const auto& [message, known] : network_.IngressMessages()) {
    ic::RequestId id{};
    if (known.request_id.size() != id.size()) continue;
    std::ranges::copy(known.request_id, id.begin());
    Entry& entry = entries_[id];
    entry.sender = *ic::Principal::FromBytes(known.sender);
    entry.receiver = *ic::Principal::FromBytes(known.receiver);
    entry.ingress_expiry = known.expiry_ns - std::min(known.expiry_ns, limits_.kept_ns);
    if (known.answered()) {
      entry.status = StatusOf(known);
      Answered(id, entry, now_ns);
      continue;
    }
    entry.status.status = "received";
    state_.SetRequest(id, entry.status);
    in_network_[message] = id;
  }
}

ic::OrRefusal<Ingress::Admission> Ingress::Admit(const ic::RequestId& id, ic::Content call) {
  if (entries_.contains(id)) return Admission::kKnown;
  if (queued_ >= limits_.queued_max ||
      call.arg.size() >
          limits_.queued_bytes_max - std::min(queued_bytes_, limits_.queued_bytes_max)) {
    return ic::Refuse(503, "Service is overloaded, try again later.");
  }
  const auto queue = queues_.find(call.sender);
  if (queue != queues_.end() && queue->second.size() >= limits_.queued_per_sender_max) {
    return ic::Refuse(429, "Too many calls of this sender are waiting, try again later.");
  }
  Entry entry;
  entry.sender = call.sender;
  entry.receiver = call.canister_id;
  entry.ingress_expiry = call.ingress_expiry;
  entry.status.status = "received";
  state_.SetRequest(id, entry.status);
  entries_[id] = std::move(entry);
  ++queued_;
  queued_bytes_ += call.arg.size();
  const ic::Principal sender = call.sender;
  queues_[sender].push_back({id, std::move(call)});
  return Admission::kNew;
}

void Ingress::AdmitAnswered(const ic::RequestId& id, const ic::Content& call,
                            const Response& answer, uint64_t now_ns) {
  Entry& entry = entries_[id];
  entry.sender = call.sender;
  entry.receiver = call.canister_id;
  entry.ingress_expiry = call.ingress_expiry;
  entry.status = StatusOf(answer);
  Answered(id, entry, now_ns);
}

void Ingress::Induct(uint64_t now_ns) {
  while (!queues_.empty() && in_network_.size() < limits_.in_network_max) {
    auto turn = queues_.upper_bound(last_turn_);
    if (turn == queues_.end()) turn = queues_.begin();
    last_turn_ = turn->first;
    Waiting waiting = std::move(turn->second.front());
    turn->second.pop_front();
    if (turn->second.empty()) queues_.erase(turn);
    --queued_;
    queued_bytes_ -= waiting.call.arg.size();
    if (waiting.call.ingress_expiry < now_ns) {
      Forget(waiting.id);
      continue;
    }
    const ic::Content& call = waiting.call;
    // The network keeps the id over restarts, so that a call sent again is not executed again.
    const IngressOptions options = {{waiting.id.begin(), waiting.id.end()},
                                    call.ingress_expiry + limits_.kept_ns};
    const MessageId message =
        network_.Submit(BytesOf(call.sender), BytesOf(call.canister_id), call.method_name,
                        std::move(waiting.call.arg), options);
    in_network_[message] = waiting.id;
  }
}

size_t Ingress::AnswerBytes(const Entry& entry) {
  return entry.status.reply.size() + entry.status.reject.reject_message.size();
}

void Ingress::Answered(const ic::RequestId& id, Entry& entry, uint64_t now_ns) {
  entry.answered_at = now_ns;
  state_.SetRequest(id, entry.status);
  forget_at_.emplace(std::max(now_ns, entry.ingress_expiry) + limits_.kept_ns, id);
  answer_bytes_ += AnswerBytes(entry);
  answers_.push_back(id);
}

void Ingress::Collect(uint64_t now_ns) {
  for (auto it = in_network_.begin(); it != in_network_.end();) {
    const IngressStatus& now = network_.Status(it->first);
    Entry& entry = entries_.at(it->second);
    switch (now.state) {
      case IngressStatus::State::kReceived:
        ++it;
        break;
      case IngressStatus::State::kProcessing:
        if (entry.status.status != "processing") {
          entry.status.status = "processing";
          state_.SetRequest(it->second, entry.status);
        }
        ++it;
        break;
      case IngressStatus::State::kReplied:
      case IngressStatus::State::kRejected:
      case IngressStatus::State::kDone:
        entry.status = StatusOf(now);
        Answered(it->second, entry, now_ns);
        it = in_network_.erase(it);
        break;
    }
  }
  while (!forget_at_.empty() && forget_at_.begin()->first < now_ns) {
    Forget(forget_at_.begin()->second);
    forget_at_.erase(forget_at_.begin());
  }
  while (!answers_.empty() && !entries_.contains(answers_.front())) answers_.pop_front();
  while (answer_bytes_ > limits_.answer_bytes_max && !answers_.empty()) {
    const ic::RequestId id = answers_.front();
    answers_.pop_front();
    const auto found = entries_.find(id);
    if (found == entries_.end()) continue;  // forgotten already
    answer_bytes_ -= AnswerBytes(found->second);
    found->second.status = {"done", {}, {}};
    network_.DropAnswer({id.begin(), id.end()});
    state_.SetRequest(id, found->second.status);
  }
}

void Ingress::Forget(const ic::RequestId& id) {
  const auto found = entries_.find(id);
  CHECK(found != entries_.end());
  if (found->second.answered()) answer_bytes_ -= AnswerBytes(found->second);
  entries_.erase(found);
  state_.EraseRequest(id);
}

}  // namespace runtime
