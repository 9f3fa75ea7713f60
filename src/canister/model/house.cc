// The owner's methods: policy, status, logs; and what a newcomer tries first.
#include "canister/model/house.h"

#include "canister/model/access.h"
#include "canister/model/scheduler.h"
#include "canister/sdk/canister.h"
#include "canister/sdk/stable.h"

extern "C" const char gpt2ic_git_revision[];  // put there by src/canister/CMakeLists.txt

namespace model {
namespace {

constexpr char kVersion[] = "0.1.0";

Done RequireOwner() {
  const Role role = TheState().RoleOf(sdk::Caller());
  if (role == Role::kController || role == Role::kAuthorized) return {};
  return Fail("not_allowed", "principal ", sdk::Caller().ToText(), " is not authorized");
}

Done SetPolicy(Policy policy) {
  TRY_STATUS(RequireOwner());
  return TheState().gate.SetPolicy(std::move(policy));
}

Done RemoveAuthorized(const candid::Principal& principal) {
  TRY_STATUS(RequireOwner());
  return As<void>("not_found", TheState().Deauthorize(principal));
}

std::optional<ModelCard> CardOf(const State& state) {
  if (!state.ready) return std::nullopt;
  const gpt2::Hparams& h = state.ready->config.hparams;
  const bool int8 = state.ready->model->header().mode == gpt2::PackedMode::kInt8;
  ModelCard card;
  card.sha256.assign(state.ready->hash.begin(), state.ready->hash.end());
  card.kind = "packed";
  card.mode = int8 ? "int8" : "exact";
  card.n_layer = h.n_layer;
  card.n_head = h.n_head;
  card.n_embd = h.n_embd;
  card.n_ctx = h.n_ctx;
  card.n_vocab = h.n_vocab;
  card.bytes = state.ready->model->file_bytes();
  return card;
}

}  // namespace

Status StatusNow() {
  const State& state = TheState();
  Status status;
  status.version = kVersion;
  status.git_revision = gpt2ic_git_revision;
  status.state = sdk::Stopping() ? "stopping"
                 : state.ready   ? "ready"
                 : state.loading ? "loading"
                                 : "empty";
  if (state.installer) {
    status.loading_percent = static_cast<uint8_t>(state.installer->percent());
  } else if (state.loading) {
    status.loading_percent = 0;
  }
  status.model = CardOf(state);
  status.heap_bytes = uint64_t{__builtin_wasm_memory_size(0)} * 65536;
  status.stable_bytes = sdk::StablePages() * sdk::kStablePageBytes;
  status.stable_free_bytes = state.store.free_pages() * sdk::kStablePageBytes;
  status.sessions = static_cast<uint32_t>(state.sessions.size());
  status.queued = static_cast<uint32_t>(state.jobs.unfinished());
  for (const auto& [id, job] : state.jobs.all()) {
    status.running += !job.finished() && job.state != JobState::kQueued;
  }
  if (state.ready) {
    const Rates& rates = state.ready->rates;
    status.instructions_per_token = rates.single_end + rates.logits + rates.greedy;
  }
  status.cycles = sdk::Balance();
  status.tokens_today = state.gate.TokensToday(sdk::NowNs());
  return status;
}

namespace {

CANISTER_QUERY(get_policy) {
  sdk::NoArguments();
  sdk::Reply(TheState().gate.policy());
}
CANISTER_UPDATE(set_policy) { sdk::Reply(SetPolicy(sdk::Argument<Policy>())); }
CANISTER_UPDATE(remove_authorized_principal) {
  sdk::Reply(RemoveAuthorized(sdk::Argument<candid::Principal>()));
}
CANISTER_QUERY(status) {
  sdk::NoArguments();
  sdk::Reply(StatusNow());
}
CANISTER_QUERY(logs) { sdk::Reply(TheState().log.From(sdk::Argument<uint64_t>())); }

// In the seed's interface, though not in its build: u32 arithmetic, as there.
CANISTER_QUERY(fibonacci) {
  uint32_t a = 0, b = 1;
  // The sequence modulo 2^32 repeats after 3 * 2^31 steps; no more than that many are run, and an
  // index is below that: but a query has 5 B instructions, so indices are reduced by doubling.
  for (uint32_t n = sdk::Argument<uint32_t>(), bit = 1u << 31; bit != 0; bit >>= 1) {
    const uint32_t even = a * (2 * b - a), odd = a * a + b * b;
    a = (n & bit) != 0 ? odd : even;
    b = (n & bit) != 0 ? even + odd : odd;
  }
  sdk::Reply(a);
}

}  // namespace
}  // namespace model
