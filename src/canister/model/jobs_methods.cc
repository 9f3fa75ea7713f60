// generate_start, _poll, _cancel, _list, quote, count_tokens, and sessions.
#include "canister/model/access.h"
#include "canister/model/quote.h"
#include "canister/model/scheduler.h"
#include "canister/sdk/calls.h"
#include "canister/sdk/canister.h"

namespace model {
namespace {

Answer<Job*> OwnJob(uint64_t id) {
  Jobs& jobs = TheState().jobs;
  if (jobs.IsPolledBy(id, sdk::Caller())) return jobs.Find(id);
  return Fail("not_found", "there is no job ", id, " of yours");
}

Answer<JobStarted> StartJob(const GenerateArgs& args) {
  State& state = TheState();
  Job& job = *TRY(Submit(state, sdk::Caller(), JobKind::kPolled, args));
  ArmTimer(state);
  return JobStarted{job.id, *job.quote};
}

Answer<Progress> Poll(uint64_t id, uint64_t from) {
  State& state = TheState();
  const Job& job = *TRY(OwnJob(id));
  Progress progress = ProgressOf(job, from);
  if (!job.finished()) progress.queue_position = state.jobs.QueuePosition(job);
  return progress;
}

Done CancelJob(uint64_t id) {
  Job& job = *TRY(OwnJob(id));
  Cancel(TheState(), job);
  return {};
}

Answer<Quote> QuoteFor(const GenerateArgs& args) {
  State& state = TheState();
  const Plan plan = TRY(MakePlan(state, sdk::Caller(), JobKind::kPolled, args));
  return QuoteOf(state, plan);
}

Answer<uint32_t> CountTokens(std::string_view text) {
  const State& state = TheState();
  if (!state.tokenizer) {
    return Fail("not_ready", "the tokenizer is not set up: call setup_tokenizer first");
  }
  return static_cast<uint32_t>(state.tokenizer->Encode(text).size());
}

Done DeleteSession(uint64_t id) {
  State& state = TheState();
  if (!state.sessions.IsOf(id, sdk::Caller())) {
    return Fail("not_found", "there is no session ", id, " of yours");
  }
  const ChatSession* session = state.sessions.Find(id);
  if (session->job != 0) {
    return Fail("conflict", "session ", id, " is at work on job ", session->job);
  }
  state.sessions.Remove(id);
  return {};
}

CANISTER_UPDATE(generate_start) { sdk::Reply(StartJob(sdk::Argument<GenerateArgs>())); }

CANISTER_QUERY(generate_poll) {
  const auto [id, from] = sdk::Arguments<uint64_t, uint64_t>();
  sdk::Reply(Poll(id, from));
}

CANISTER_UPDATE(generate_cancel) { sdk::Reply(CancelJob(sdk::Argument<uint64_t>())); }

CANISTER_QUERY(generate_list) {
  sdk::NoArguments();
  const candid::Principal caller = sdk::Caller();
  std::vector<JobSummary> list;
  for (const auto& [id, job] : TheState().jobs.all()) {
    if (job.caller != caller || job.kind != JobKind::kPolled) continue;
    list.push_back({id, ProgressOf(job, UINT64_MAX).state, static_cast<uint32_t>(job.output.size()),
                    job.created_ns});
  }
  sdk::Reply(list);
}

CANISTER_QUERY(quote) { sdk::Reply(QuoteFor(sdk::Argument<GenerateArgs>())); }
CANISTER_QUERY(may_generate) {
  sdk::NoArguments();
  sdk::Reply(CheckCaller(TheState(), sdk::Caller(), JobKind::kPolled, Pays::kNo));
}
CANISTER_QUERY(count_tokens) { sdk::Reply(CountTokens(sdk::Argument<std::string_view>())); }

CANISTER_QUERY(session_list) {
  sdk::NoArguments();
  const candid::Principal caller = sdk::Caller();
  std::vector<SessionSummary> list;
  for (const auto& [id, session] : TheState().sessions.all()) {
    if (session.owner != caller || session.for_one_answer) continue;
    list.push_back({id, static_cast<uint32_t>(session.tokens.size()), session.last_used_ns});
  }
  sdk::Reply(list);
}

CANISTER_UPDATE(session_delete) { sdk::Reply(DeleteSession(sdk::Argument<uint64_t>())); }

}  // namespace
}  // namespace model
