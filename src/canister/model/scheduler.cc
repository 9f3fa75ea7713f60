#include "canister/model/scheduler.h"

#include <algorithm>

#include "base/check.h"
#include "canister/model/certified.h"
#include "canister/model/house.h"
#include "canister/model/sampling_plan.h"
#include "canister/model/setup.h"
#include "canister/sdk/calls.h"
#include "canister/sdk/canister.h"
#include "gpt2/text_stream.h"

namespace model {
namespace {

constexpr uint64_t kDrawCost = 100;               // of a logit, at most
constexpr uint64_t kMessageMargin = 150'000'000;  // for the answer's candid and the bookkeeping

// One message's work.
class Slice {
 public:
  Slice(State& state, uint64_t message_limit)
      : state_(state),
        first_limit_(message_limit - kMessageMargin),
        limit_(SliceLimit(state, message_limit) - kMessageMargin) {}

  void Run() {
    const auto may_run = [this](const Job& job) {
      return state_.sessions.MayRun(*state_.sessions.Find(job.session),
                                    state_.ready->rates.context_bytes);
    };
    while (Job* job = state_.jobs.Next(may_run)) {
      if (!Advance(*job)) return;
    }
  }

 private:
  // False: the message has no room for this job's next step.
  bool Advance(Job& job) {
    const uint64_t before = sdk::InstructionsUsed();
    ChatSession* session = state_.sessions.Find(job.session);
    CHECK(session != nullptr);
    EngineSession& engine =
        state_.sessions.Engine(*session, *state_.ready->model, state_.ready->rates.context_bytes);
    TakePrompt(job, *session, engine);
    const bool room = Work(job, *session, engine);
    job.instructions += sdk::InstructionsUsed() - before;
    ++job.messages;
    session->last_used_ns = sdk::NowNs();
    state_.jobs.EndTurn(job);
    if (job.finished()) EndJob(job, *session);
    return room;
  }

  void TakePrompt(Job& job, ChatSession& session, EngineSession& engine) {
    if (job.prompt_taken) return;
    job.prompt_taken = true;
    job.cached_tokens = engine.run();
    job.state = JobState::kPrefill;
    Take(session, engine, job.prompt);
  }

  // The session's own list is what counts; the engine can be made again from it.
  static void Take(ChatSession& session, EngineSession& engine,
                   std::span<const gpt2::TokenId> tokens) {
    CHECK(engine.Append(tokens).has_value());
    session.tokens.insert(session.tokens.end(), tokens.begin(), tokens.end());
  }

  uint64_t Left(const EngineSession& engine) {
    const uint64_t charges = weights_touched_ ? 0 : engine.PageCharges();
    const uint64_t spent = sdk::InstructionsUsed() + charges;
    // A slice that is too small for a single step of a large model must not stand still.
    const uint64_t limit = weights_touched_ ? limit_ : first_limit_;
    return limit > spent ? limit - spent : 0;
  }

  bool Work(Job& job, ChatSession& session, EngineSession& engine) {
    const uint64_t sample_cost =
        1'000'000 + (kDrawCost + LogitCostMax(job.sampling)) * state_.ready->config.hparams.n_vocab;
    if (job.tokens_max() == 0) End(job, "length");
    while (!job.finished()) {
      const uint64_t left = Left(engine);
      if (!engine.Prefilled()) {
        if (engine.StepCost() > left) return false;
        engine.Step(left);
        job.prefilled =
            std::min(engine.run(), job.prompt_tokens) - std::min(job.cached_tokens, engine.run());
      } else {
        if (engine.LogitsCost() + sample_cost > left) return false;
        NextToken(job, session, engine);
      }
      weights_touched_ = true;
    }
    return true;
  }

  void NextToken(Job& job, ChatSession& session, EngineSession& engine) {
    job.state = JobState::kDecoding;
    const std::span<const gpt2::TokenId> all = session.tokens;
    const Choice choice = ChooseToken(engine.Logits(), job.sampling,
                                      all.subspan(0, all.size() - job.output.size()), job.output);
    const bool end = job.end_token == choice.token;
    if (!end || job.kind == JobKind::kInference) AddToken(job, choice);
    if (end) return End(job, "stop");
    if (CutAtStop(job)) return End(job, "stop");
    const bool full = engine.size() == engine.capacity();
    if (!full) Take(session, engine, {&choice.token, 1});
    if (job.output.size() == job.tokens_max()) return End(job, "length");
    if (full) return End(job, "context");
  }

  void AddToken(Job& job, const Choice& choice) {
    job.output.push_back(choice.token);
    if (choice.logprob) job.logprobs.push_back(*choice.logprob);
    // A model's vocabulary may be larger than the tokenizer's: such ids have no text.
    if (state_.tokenizer && state_.tokenizer->Has(choice.token) &&
        !state_.tokenizer->IsSpecial(choice.token)) {
      AppendText(job, state_.tokenizer->TokenBytes(choice.token));
    }
  }

  static bool CutAtStop(Job& job) {
    if (!job.sampling.stop || job.output.empty()) return false;
    const size_t at = gpt2::FindStop(job.text, *job.sampling.stop);
    if (at == std::string::npos) return false;
    job.text.resize(at);
    job.pending.clear();
    job.ended_by_text = true;
    return true;
  }

  static void End(Job& job, const char* reason) {
    FlushText(job);
    job.state = JobState::kDone;
    job.finish_reason = reason;
  }

  // A chat goes on behind the end token, as it would in training.
  void EndJob(Job& job, ChatSession& session) {
    IssueReceipt(state_, job, session);
    EngineSession& engine = *state_.sessions.FindEngine(session.id);
    const bool open = job.end_token && session.tokens.back() != *job.end_token;
    if (open && !session.for_one_answer && engine.size() < engine.capacity()) {
      Take(session, engine, {&*job.end_token, 1});
    }
    Settle(state_, job);
  }

 public:
  // What every end of a job has in common: quota, payment, session, queue.
  static void Settle(State& state, Job& job) {
    const uint64_t now = sdk::NowNs();
    const uint64_t spent = job.tokens_spent();
    if (job.quota_tokens > spent) {
      state.gate.GiveBack(job.caller, job.quota_tokens - spent, job.created_ns, now);
    }
    if (ChatSession* session = state.sessions.Find(job.session)) {
      session->job = 0;
      const auto never_came = [&](uint32_t turn) { return turn >= session->tokens.size(); };
      if (!job.prompt_taken) std::erase_if(session->turns, never_came);
      if (session->for_one_answer) state.sessions.Remove(session->id);
    }
    ++state.totals.answers;
    state.totals.prompt_tokens += job.prefilled;
    state.totals.output_tokens += job.output.size();
    state.totals.instructions += job.instructions;
    WarnOfLowCycles(state);
    state.jobs.Finished(job, now);
    state.jobs.Expire(now);
    state.sessions.Trim();
  }

 private:
  State& state_;
  uint64_t first_limit_, limit_;
  bool weights_touched_ = false;
};

}  // namespace

uint64_t SliceLimit(const State& state, uint64_t message_limit) {
  const uint64_t own = state.gate.policy().instructions_per_message.value_or(message_limit);
  return std::min(own, message_limit);
}

void RunSlice(State& state, uint64_t message_limit) {
  if (sdk::Stopping()) return;
  if (state.loading) state.Load();
  WorkOnSetup(state, message_limit);
  if (!state.ready) {
    // What the store had cannot be loaded: nothing will ever answer these.
    const Error error = {"not_ready", "the model cannot be loaded; `logs` tells why"};
    return state.installer ? void() : FailAllJobs(state, error);
  }
  Slice(state, message_limit).Run();
}

void Cancel(State& state, Job& job) {
  if (job.finished()) return;
  FlushText(job);
  job.state = JobState::kCancelled;
  job.finish_reason = "cancelled";
  if (const ChatSession* session = state.sessions.Find(job.session)) {
    IssueReceipt(state, job, *session);
  }
  Slice::Settle(state, job);
}

void FailJob(State& state, Job& job, const Error& error) {
  FlushText(job);
  job.state = JobState::kFailed;
  job.finish_reason = "error";
  job.error = error;
  Slice::Settle(state, job);
}

void FailAllJobs(State& state, const Error& error) {
  while (Job* job = state.jobs.Next([](const Job&) { return true; })) FailJob(state, *job, error);
}

void ArmTimer(const State& state) {
  if (state.loading || state.installer || state.jobs.unfinished() > 0)
    sdk::SetTimer(1);  // at the next round
}

}  // namespace model
