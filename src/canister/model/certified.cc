#include "canister/model/certified.h"

#include "base/hex.h"
#include "base/leb128.h"
#include "canister/model/sampling_plan.h"
#include "canister/sdk/canister.h"
#include "ic/certificate.h"
#include "ic/http_certification.h"

extern "C" const char gpt2ic_git_revision[];  // put there by src/canister/CMakeLists.txt

namespace model {
namespace {

// The entry for all paths, without the label http_expr.
ic::HashTree SkipEntry() {
  ic::Path path = ic::EntryPath(ic::WildcardPath({}), SkipExpression(), nullptr, nullptr);
  path.erase(path.begin());
  ic::TreeBuilder builder;
  builder.Set(path, base::Bytes());
  return builder.Build();
}

// Zeros for a build from files that differ from the revision.
const std::array<uint8_t, 20>& Revision() {
  static const std::array<uint8_t, 20> revision = [] {
    std::array<uint8_t, 20> out = {};
    const auto bytes = base::FromHex(gpt2ic_git_revision);
    if (bytes && bytes->size() == out.size()) std::ranges::copy(*bytes, out.begin());
    return out;
  }();
  return revision;
}

receipt::Finish FinishOf(const Job& job) {
  if (job.state == JobState::kCancelled) return receipt::Finish::kCancelled;
  if (job.finish_reason == "length") return receipt::Finish::kLength;
  if (job.finish_reason == "context") return receipt::Finish::kContext;
  return job.ended_by_text ? receipt::Finish::kStopText : receipt::Finish::kEndToken;
}

receipt::Receipt ReceiptOf(const State& state, const Job& job) {
  receipt::Receipt receipt;
  receipt.finished_ns = sdk::NowNs();
  receipt.instructions = job.instructions;
  receipt.canister_version = sdk::CanisterVersion();
  receipt.installed_ns = state.installed_ns;
  receipt.revision = Revision();
  receipt.model = state.ready->hash;
  receipt.id_bytes = receipt::IdBytes(state.ready->config.hparams.n_vocab);
  receipt.finish = FinishOf(job);
  receipt.end_token = job.end_token;
  receipt.end_token_in_output = job.kind == JobKind::kInference;
  receipt.has_text = state.tokenizer.has_value();
  receipt.max_tokens = job.tokens_max();
  receipt.sampling = ParamsOf(job.sampling);
  receipt.penalties = PenaltiesOf(job.sampling);
  return receipt;
}

}  // namespace

std::string SkipExpression() {
  ic::CertificationExpression skip;
  skip.kind = ic::CertificationExpression::Kind::kSkip;
  return skip.Text();
}

void Certify(State& state) {
  // What never changes while this code runs is hashed once.
  static const ic::HashTree constant = [&] {
    const base::Bytes installed = ic::EncodeLeb(state.installed_ns);
    return ic::HashTree::Fork(
        ic::HashTree::Labeled(base::AsBytes("http_expr"), SkipEntry()),
        ic::HashTree::Labeled(base::AsBytes("installed_ns"), ic::HashTree::Leaf(installed)));
  }();
  state.certified = ic::HashTree::Fork(
      constant, ic::HashTree::Labeled(base::AsBytes("receipts"), state.receipts.tree()));
  sdk::SetCertifiedData(state.certified.hash());
}

void IssueReceipt(State& state, Job& job, const ChatSession& session) {
  const bool answered = job.state == JobState::kDone || !job.output.empty();
  if (!answered || job.state == JobState::kFailed || !state.ready) return;
  const uint64_t before = sdk::InstructionsUsed();
  receipt::Entry entry;
  entry.receipt = ReceiptOf(state, job);
  entry.caller = job.caller;
  entry.privileged = job.rank() == Rank::kPrivileged;
  entry.input.assign(session.tokens.begin(), session.tokens.begin() + job.prompt_tokens);
  entry.output = job.output;
  entry.stop = job.sampling.stop.value_or(std::vector<std::string>());
  job.receipt = state.receipts.Add(std::move(entry));
  Certify(state);
  state.totals.receipt_instructions += sdk::InstructionsUsed() - before;
}

}  // namespace model
