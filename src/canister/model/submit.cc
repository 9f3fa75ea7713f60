// From a request to a job in the queue, with every check before anything is spent; and what it will
// cost.
#include <algorithm>

#include "canister/model/prompt.h"
#include "canister/model/quote.h"
#include "canister/model/sampling_plan.h"
#include "canister/model/scheduler.h"
#include "canister/sdk/canister.h"

namespace model {
namespace {

// The session that a request goes on with, null for a new one. Checked, not changed.
Answer<ChatSession*> SessionOf(State& state, const candid::Principal& caller,
                               const std::optional<uint64_t>& id) {
  if (!id) return nullptr;
  ChatSession* session = state.sessions.Find(*id);
  if (!state.sessions.IsOf(*id, caller)) {
    return Fail("not_found", "there is no session ", *id, " of yours");
  }
  if (session->job != 0) {
    return Fail("conflict", "session ", *id, " is at work on job ", session->job);
  }
  return session;
}

// How many of the session's oldest tokens must go, in whole turns, so that the prompt and one token
// of answer fit.
Answer<uint32_t> TokensToDrop(const ChatSession* session, uint64_t prompt, uint32_t n_ctx) {
  const uint64_t past = session == nullptr ? 0 : session->tokens.size();
  if (past + prompt <= n_ctx) return 0;
  if (prompt <= n_ctx && session != nullptr) {
    for (const uint32_t turn : session->turns) {
      if (turn > 0 && turn <= past && past - turn + prompt <= n_ctx) return turn;
    }
    return static_cast<uint32_t>(past);
  }
  return Fail("too_large", "the prompt has ", prompt, " tokens, expected at most the context of ",
              n_ctx);
}

void DropOldest(State& state, ChatSession& session, uint32_t count) {
  if (count == 0) return;
  state.sessions.DropEngine(session.id);  // positions change: nothing that was computed is of use
  session.tokens.erase(session.tokens.begin(), session.tokens.begin() + count);
  std::vector<uint32_t> turns;
  for (const uint32_t turn : session.turns) {
    if (turn >= count) turns.push_back(turn - count);
  }
  session.turns = std::move(turns);
}

Done CheckIds(std::span<const gpt2::TokenId> ids, uint32_t n_vocab) {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < n_vocab) continue;
    return Fail("bad_input", "token id ", ids[i], " at position ", i,
                ", expected less than n_vocab ", n_vocab);
  }
  return {};
}

}  // namespace

// What a request comes to, before anything is changed.
Answer<Plan> MakePlan(State& state, const candid::Principal& caller, JobKind kind,
                      const GenerateArgs& args) {
  if (!state.ready) {
    if (state.loading) return Fail("not_ready", "the model is being loaded, 0 percent are done");
    return Fail("not_ready", "the model is not set up: call setup_model first");
  }
  Plan plan;
  const uint32_t n_ctx = state.ready->config.hparams.n_ctx;
  plan.sampling = TRY(CheckedSampling(args.sampling, 0));
  const gpt2::Tokenizer* tokenizer = state.tokenizer ? &*state.tokenizer : nullptr;
  RenderedPrompt rendered =
      TRY(RenderInput(args.input, tokenizer, state.chat, state.gate.policy().max_prompt_bytes));
  TRY_STATUS(CheckIds(rendered.tokens, state.ready->config.hparams.n_vocab));
  plan.session = TRY(SessionOf(state, caller, args.session));
  plan.drop = TRY(TokensToDrop(plan.session, rendered.tokens.size(), n_ctx));
  plan.end_token = tokenizer != nullptr ? rendered.end_token : state.ready->config.eos_token_id;
  const uint64_t past = plan.session == nullptr ? 0 : plan.session->tokens.size() - plan.drop;
  plan.prompt_tokens = static_cast<uint32_t>(past + rendered.tokens.size());
  const EngineSession* engine = plan.session == nullptr || plan.drop > 0
                                    ? nullptr
                                    : state.sessions.FindEngine(plan.session->id);
  plan.cached_tokens = engine == nullptr ? 0 : engine->run();
  // The last token of all is drawn when the context is full and not taken in.
  plan.max_tokens = std::min(*plan.sampling.max_tokens, n_ctx - plan.prompt_tokens + 1);
  plan.prompt = std::move(rendered);
  plan.kind = kind;
  return plan;
}

Done CheckCaller(const State& state, const candid::Principal& caller, JobKind kind, Pays pays) {
  const Role role = state.RoleOf(caller);
  if (kind == JobKind::kInference) {
    if (role < Role::kAuthorized) return Fail("not_allowed", "inference is for the authorized");
  } else {
    TRY_STATUS(state.gate.CheckRole(role));
  }
  if (sdk::Stopping()) return Fail("not_ready", "the canister is stopping");
  const Rank rank = RankOf(role, pays == Pays::kYes);
  TRY_STATUS(state.jobs.CheckRoom(caller, rank, state.gate.policy()));
  if (pays == Pays::kYes) return {};
  return state.gate.CheckQuota(caller, role, 1, sdk::NowNs());
}

namespace {

Done CheckFunds(const State& state, const Quote& quote) {
  const Cycles others = state.jobs.Committed(), own = sdk::LiquidBalance();
  if (own >= quote.cycles_max + others) return {};
  return Fail("out_of_cycles", "this answer may cost ", static_cast<uint64_t>(quote.cycles_max),
              " cycles and those in the queue ", static_cast<uint64_t>(others),
              ", the canister has ", static_cast<uint64_t>(own), " above its freezing threshold");
}

// What a caller pays with for `tokens` tokens: the attached cycles when they are enough, else the
// day's quota. Sets the job's price_per_token or quota_tokens; neither for the authorized.
Done CheckPayment(const State& state, uint64_t tokens, Job& job) {
  if (job.role >= Role::kAuthorized) return {};
  const Cycles per_token = state.gate.policy().cycles_per_token.value_or(0);
  // A polled job's call is over before the price is known, and what it did not use could not go
  // back: it takes no cycles, and what is attached returns by itself.
  const bool pays =
      job.kind != JobKind::kPolled && per_token > 0 && sdk::CyclesAvailable() >= per_token * tokens;
  if (pays) {
    job.price_per_token = per_token;
    return {};
  }
  job.quota_tokens = tokens;
  return state.gate.CheckQuota(job.caller, job.role, tokens, job.created_ns);
}

Answer<ChatSession*> SessionFor(State& state, const Plan& plan, const Job& job) {
  ChatSession* session = plan.session;
  if (session == nullptr) {
    session = TRY(state.sessions.Open(job.caller, job.created_ns));
    session->for_one_answer = job.kind != JobKind::kPolled;
  }
  DropOldest(state, *session, plan.drop);
  for (const uint32_t turn : plan.prompt.turns) {
    session->turns.push_back(static_cast<uint32_t>(session->tokens.size()) + turn);
  }
  return session;
}

}  // namespace

// Every check comes before the first change.
Answer<Job*> Submit(State& state, const candid::Principal& caller, JobKind kind,
                    const GenerateArgs& args) {
  const Pays may_pay =
      kind != JobKind::kPolled && sdk::CyclesAvailable() > 0 ? Pays::kYes : Pays::kNo;
  TRY_STATUS(CheckCaller(state, caller, kind, may_pay));
  Plan plan = TRY(MakePlan(state, caller, kind, args));
  Job job;
  job.caller = caller;
  job.role = state.RoleOf(caller);
  job.kind = kind;
  job.created_ns = sdk::NowNs();
  job.quote = QuoteOf(state, plan);
  TRY_STATUS(CheckFunds(state, *job.quote));
  TRY_STATUS(CheckPayment(
      state, uint64_t{plan.prompt_tokens} - plan.cached_tokens + plan.max_tokens, job));
  // Attached cycles that are too few buy no place among those who pay.
  TRY_STATUS(state.jobs.CheckRoom(caller, job.rank(), state.gate.policy()));
  ChatSession* session = TRY(SessionFor(state, plan, job));
  if (job.quota_tokens > 0) state.gate.Take(caller, job.quota_tokens, job.created_ns);
  state.jobs.Expire(job.created_ns);
  job.session = session->id;
  job.prompt = std::move(plan.prompt.tokens);
  job.prompt_tokens = plan.prompt_tokens;
  job.dropped_tokens = plan.drop;
  job.end_token = plan.end_token;
  job.sampling = std::move(plan.sampling);
  if (!args.sampling.seed) job.sampling.seed = state.NewSeed();
  Job& added = state.jobs.Add(std::move(job));
  session->job = added.id;
  session->privileged = added.rank() == Rank::kPrivileged;
  return &added;
}

}  // namespace model
