#include "runtime/http/replica.h"

#include <algorithm>

#include "ic/query_verify.h"
#include "runtime/ingress/read_view.h"
#include "runtime/round/management.h"

namespace runtime {
namespace {

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kStateAgeMax = 100 * kMillisecond;  // of a certificate's time, when nothing runs
// Canisters' ids begin far above those of the real network's system canisters, so that nobody takes
// one for the other; every id is this subnet's.
constexpr uint64_t kFirstCanister = 0x7fff'ffff'fff0'0000;
constexpr std::string_view kSeedKey = "seed";

const std::vector<ic::CanisterRange>& Ranges() {
  static const std::vector<ic::CanisterRange> ranges = {
      {*ic::Principal::FromBytes(base::Bytes{0, 0, 0, 0, 0, 0, 0, 0, 1, 1}),
       *ic::Principal::FromBytes(base::Bytes{255, 255, 255, 255, 255, 255, 255, 255, 1, 1})}};
  return ranges;
}

Principal BytesOf(const ic::Principal& principal) {
  return {principal.bytes().begin(), principal.bytes().end()};
}

ic::Reject ToIc(const Reject& reject) {
  const auto digits = std::to_string(static_cast<uint32_t>(reject.error));
  return {static_cast<uint64_t>(reject.code), reject.message,
          "IC" + std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits};
}

base::Result<base::Bytes> SeedOf(Env& env, base::Bytes wanted) {
  Storage* storage = env.storage();
  const base::ByteSpan key = base::AsBytes(kSeedKey);
  if (storage != nullptr) {
    base::Bytes kept = storage->Get(key);
    if (!kept.empty()) {
      if (!wanted.empty() && wanted != kept) {
        return base::Err("the state folder's network has other keys than the given seed's");
      }
      return kept;
    }
  }
  if (wanted.empty()) wanted = RandomBytes(env, 32);
  if (storage != nullptr) {
    storage->Put(key, wanted);
    storage->Commit();
  }
  return wanted;
}

NetworkOptions OptionsOf(const ReplicaOptions& options, const NetworkKeys& keys) {
  NetworkOptions out;
  out.limits = options.limits;
  out.cache_dir = options.cache_dir;
  out.subnet = BytesOf(keys.subnet_id());
  out.root_key = keys.root.public_key_der();
  out.first_canister = kFirstCanister;
  return out;
}

}  // namespace

Replica::Replica(Env& env, ReplicaOptions options, NetworkKeys keys)
    : env_(env),
      options_(std::move(options)),
      network_(env, OptionsOf(options_, keys)),
      state_(std::move(keys), Ranges(), "application"),
      ingress_(network_, state_),
      system_(network_, state_.keys().subnet_id()) {}

base::Result<std::unique_ptr<Replica>> Replica::Open(Env& env, ReplicaOptions options) {
  const base::Bytes seed = TRY(SeedOf(env, options.seed));
  NetworkKeys keys = TRY(KeysFromSeed(seed));
  std::unique_ptr<Replica> replica(new Replica(env, std::move(options), std::move(keys)));
  TRY_STATUS(replica->network_.Load());
  replica->ingress_.Restore(env.NowNs());
  replica->UpdateCanisters();
  replica->state_.SetTime(env.NowNs());
  return replica;
}

// ---- requests ----------------------------------------------------------------------------------

void Replica::Refresh() {
  const uint64_t now = env_.NowNs();
  const uint64_t shown = state_.time_ns();
  if (now > shown + kStateAgeMax || now < shown) state_.SetTime(now);
}

void Replica::Handle(ApiRequest request, Answer answer) {
  switch (request.route.kind) {
    case ApiKind::kCall:
      return HandleCall(std::move(request), std::move(answer));
    case ApiKind::kQuery:
      return HandleQuery(request, answer);
    case ApiKind::kReadState:
      return HandleReadState(request, answer);
    case ApiKind::kStatus:
      return answer(TextResponse(404, "Not a request."));
  }
}

// What a replica finds out before it takes a call in.
std::optional<Reject> Replica::CannotTake(const ic::Content& call) {
  const Principal id = BytesOf(call.canister_id);
  if (id.empty()) return std::nullopt;
  const auto slot = network_.Slots().find(id);
  if (slot == network_.Slots().end()) {
    return Reject{RejectCode::kDestinationInvalid, ErrorCode::kCanisterNotFound,
                  base::StrCat("Canister ", PrincipalText(id), " not found")};
  }
  const std::string name = PrincipalText(id);
  const Canister& state = slot->second.state;
  if (state.status != CanisterStatus::kRunning) {
    const bool stopped = state.status == CanisterStatus::kStopped;
    return Reject{RejectCode::kCanisterError,
                  stopped ? ErrorCode::kCanisterStopped : ErrorCode::kCanisterStopping,
                  base::StrCat("Canister ", name, stopped ? " is stopped" : " is stopping",
                               " and therefore does not accept messages.")};
  }
  if (!state.module) {
    return ToReject(id, {ErrorCode::kCanisterWasmModuleNotFound,
                         "Attempted to execute a message, but the canister contains no Wasm "
                         "module."});
  }
  return network_.Inspect(BytesOf(call.sender), id, call.method_name, call.arg);
}

void Replica::HandleCall(ApiRequest request, Answer answer) {
  const bool asynchronous = request.route.version == 2;
  if (ingress_.Find(request.id) == nullptr && system_.Has(request.content.canister_id)) {
    const ic::Content& call = request.content;
    ingress_.AdmitAnswered(
        request.id, call, system_.Update(call.sender, call.canister_id, call.method_name, call.arg),
        env_.NowNs());
  } else if (ingress_.Find(request.id) == nullptr) {
    if (const auto reject = CannotTake(request.content)) {
      ic::CallReply reply;
      reply.rejection = ToIc(*reject);
      return answer(CborResponse(
          ic::EncodeCallReply(reply, asynchronous ? ic::CallVersion::kV2 : ic::CallVersion::kV3)));
    }
  }
  const auto admitted = ingress_.Admit(request.id, std::move(request.content));
  if (!admitted) return answer(ToResponse(admitted.error()));
  if (asynchronous) return answer(TextResponse(202, ""));
  waiting_.push_back(
      {request.id, env_.NowNs() + options_.call_wait_ns, std::move(answer), nullptr});
}

void Replica::Call(const ic::Principal& canister, const std::string& method, base::Bytes argument,
                   CallAnswer answer) {
  ic::Content call;
  call.sender = ic::Anonymous();
  call.canister_id = canister;
  call.method_name = method;
  call.arg = std::move(argument);
  call.nonce = RandomBytes(env_, 16);
  call.ingress_expiry = env_.NowNs() + ic::kIngressTtl;
  const ic::RequestId id = ic::RequestIdOf(call);
  const auto admitted = ingress_.Admit(id, std::move(call));
  if (!admitted) return answer({"rejected", {}, {2, admitted.error().text, std::nullopt}});
  waiting_.push_back({id, ~uint64_t{0}, nullptr, std::move(answer)});
}

Response Replica::Query(const ic::Principal& canister, const std::string& method,
                        base::Bytes argument) {
  const Principal id = BytesOf(canister);
  QueryOptions options;
  options.data_certificate = state_.DataCertificate(id);
  return network_.Query(BytesOf(ic::Anonymous()), id, method, std::move(argument), options);
}

void Replica::HandleQuery(const ApiRequest& request, const Answer& answer) {
  const ic::Content& content = request.content;
  const Principal sender = BytesOf(content.sender), id = BytesOf(content.canister_id);
  Response response;
  if (id.empty()) {
    response = Management(network_).Query(sender, content.method_name, content.arg);
  } else if (system_.Has(content.canister_id)) {
    response = system_.Query(content.canister_id, content.method_name);
  } else {
    QueryOptions options;
    options.data_certificate = state_.DataCertificate(id);
    response = network_.Query(sender, id, content.method_name, content.arg, options);
  }
  ic::QueryReply reply;
  if (response.reject) {
    reply.reject = ToIc(*response.reject);
  } else {
    reply.arg = std::move(response.reply);
  }
  ic::SignQueryReply(reply, request.id, env_.NowNs(), state_.keys().node);
  answer(CborResponse(ic::EncodeQueryReply(reply)));
}

void Replica::HandleReadState(const ApiRequest& request, const Answer& answer) {
  const ReadView view(network_, ingress_);
  const auto endpoint = request.route.addressee == ApiAddressee::kSubnet
                            ? ic::ReadStateEndpoint::kSubnet
                        : request.route.version == 2 ? ic::ReadStateEndpoint::kCanisterV2
                                                     : ic::ReadStateEndpoint::kCanisterV3;
  const auto allowed =
      ic::CheckReadStatePaths(request.content.paths, endpoint, request.route.effective_id,
                              state_.keys().subnet_id(), request.sender, view);
  if (!allowed) return answer(ToResponse(allowed.error()));
  answer(CborResponse(ic::EncodeReadStateReply(state_.Certify(request.content.paths))));
}

// ---- rounds ------------------------------------------------------------------------------------

bool Replica::TimerDue(uint64_t now) const {
  return std::ranges::any_of(network_.Slots(), [now](const auto& item) {
    const Canister& state = item.second.state;
    return state.module && state.global_timer_ns != 0 && state.global_timer_ns <= now;
  });
}

bool Replica::Work() {
  const uint64_t began = env_.NowNs();
  const uint64_t since = began - std::min(began, last_tasks_ns_);
  if (since >= kSecond || (since >= options_.system_task_every_ns && TimerDue(began))) {
    network_.Round(0);
    last_tasks_ns_ = began;
  }
  ingress_.Induct(began);
  // Counted from here: a canister whose timer always has more to do must not keep calls waiting.
  const uint64_t tasks_done = env_.NowNs();
  bool more = true;
  while (more && env_.NowNs() - tasks_done < options_.round_work_ns) more = network_.Step();
  const uint64_t now = env_.NowNs();
  ingress_.Collect(now);
  UpdateCanisters();
  state_.SetTime(now);
  AnswerWaiting(now);
  return more || ingress_.CanInduct();
}

uint64_t Replica::NextWork() const {
  uint64_t next = last_tasks_ns_ + kSecond;
  for (const auto& [id, slot] : network_.Slots()) {
    const uint64_t timer = slot.state.global_timer_ns;
    if (slot.state.module && timer != 0) {
      next = std::min(next, std::max(timer, last_tasks_ns_ + options_.system_task_every_ns));
    }
  }
  for (const Waiting& waiting : waiting_) next = std::min(next, waiting.until_ns);
  return next;
}

// Whatever changes in the state tree of a canister changes one of these.
void Replica::UpdateCanisters() {
  const auto& slots = network_.Slots();
  for (const auto& [id, slot] : slots) {
    const auto [seen, is_new] = seen_.try_emplace(id);
    Seen& last = seen->second;
    const Canister& now = slot.state;
    if (!is_new && last.module == now.module && last.certified_data == now.certified_data &&
        last.controllers == now.settings.controllers) {
      continue;
    }
    last = {now.module, now.certified_data, now.settings.controllers};
    state_.SetCanister(now);
  }
  if (seen_.size() == slots.size()) return;
  std::erase_if(seen_, [&](const auto& item) {
    if (slots.contains(item.first)) return false;
    state_.EraseCanister(item.first);
    return true;
  });
}

bool Replica::AnswerOne(Waiting& waiting, uint64_t now) {
  const Ingress::Entry* entry = ingress_.Find(waiting.id);
  if (waiting.call_answer) {
    const ic::RequestStatus lost = {"rejected", {}, {2, "The call has expired.", std::nullopt}};
    if (entry != nullptr && !entry->answered()) return false;
    waiting.call_answer(entry == nullptr ? lost : entry->status);
    return true;
  }
  if (entry != nullptr && entry->answered()) {
    ic::CallReply reply;
    reply.certificate = state_.Certify({ic::RequestStatusPath(waiting.id)});
    waiting.answer(CborResponse(ic::EncodeCallReply(reply)));
    return true;
  }
  if (entry != nullptr && waiting.until_ns > now) return false;
  waiting.answer(TextResponse(202, ""));
  return true;
}

// An answer may make another call wait.
void Replica::AnswerWaiting(uint64_t now) {
  std::vector<Waiting> waiting = std::exchange(waiting_, {});
  std::erase_if(waiting, [&](Waiting& one) { return AnswerOne(one, now); });
  waiting_.insert(waiting_.begin(), std::make_move_iterator(waiting.begin()),
                  std::make_move_iterator(waiting.end()));
}

}  // namespace runtime
