// Receipts of the canister `model`: every finished answer has one, its hash is certified at once
// and stays so over traps and upgrades, and the ids are for their caller.
#include <sstream>

#include "gpt2/packed/packed_test_support.h"
#include "ic/certificate.h"
#include "model_fixture.h"
#include "pages.h"
#include "receipt/ledger.h"

namespace {

using namespace model_test;
using model::Answer;
using model::Progress;
using model::ReceiptReply;

class ReceiptCanister : public ModelCanister {
 protected:
  ReceiptCanister() { SetUpDemo(); }

  static constexpr std::string_view kQuestion = "What is the capital of France?";

  Answer<ReceiptReply> ReceiptAs(const Principal& sender, uint64_t id) {
    return QueryAs<Answer<ReceiptReply>>(sender, "receipt", id);
  }
  std::vector<model::ReceiptSummary> ListAs(const Principal& sender, uint64_t from = 0) {
    return QueryAs<model::ReceiptList>(sender, "receipt_list", from).receipts;
  }
  Bytes CertifiedData() { return local_->network().Find(local_->canister())->state.certified_data; }

  // The receipt, once its witness is found to be that of the certified data and to have its hash.
  receipt::Receipt Proved(const ReceiptReply& reply) {
    const auto witness = ic::HashTree::Decode(reply.witness).value();
    EXPECT_EQ(CertifiedData(), Bytes(witness.hash().begin(), witness.hash().end()));
    ic::Path path = ic::TextPath({"receipts"});
    path.push_back(receipt::LabelOf(reply.id));
    const auto hash = base::Sha256Of(reply.receipt);
    EXPECT_EQ(witness.Value(path), Bytes(hash.begin(), hash.end()));
    EXPECT_TRUE(witness.Value(ic::TextPath({"installed_ns"})));
    const auto read = receipt::Decode(reply.receipt);
    EXPECT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->id, reply.id);
    return *read;
  }
  // Of the newest answer.
  ReceiptReply Last(const Principal& sender) {
    const auto list = ListAs(sender);
    EXPECT_FALSE(list.empty());
    return ReceiptAs(sender, list.back().id).value();
  }
};

TEST_F(ReceiptCanister, EveryFinishedAnswerHasOne) {
  EXPECT_TRUE(ListAs(kOwner).empty());
  model::GenerateArgs args = Ask(kQuestion);
  args.sampling.temperature = 0.5;
  args.sampling.top_k = 40;
  args.sampling.top_p = 0.9;
  args.sampling.repetition_penalty = 1.5;
  args.sampling.stop = {{"\n\n"}};
  const Progress done = FinishAs(kStranger, StartAs(kStranger, args)->job);
  ASSERT_TRUE(done.receipt);
  const auto reply = ReceiptAs(kStranger, *done.receipt);
  ASSERT_TRUE(reply) << reply.error().message;
  const receipt::Receipt r = Proved(*reply);
  EXPECT_EQ(r.instructions, done.instructions);
  EXPECT_EQ(r.input_tokens, done.prompt_tokens);
  EXPECT_EQ(r.output_tokens, done.tokens);
  EXPECT_EQ(r.sampling.seed, done.seed);
  EXPECT_EQ(r.sampling.temperature, 0.5);
  EXPECT_EQ(r.sampling.top_k, 40u);
  EXPECT_EQ(r.penalties.repetition, 1.5);
  EXPECT_EQ(r.id_bytes, 2);
  EXPECT_EQ(r.max_tokens, 30u);
  EXPECT_EQ(Bytes(r.model.begin(), r.model.end()),
            QueryAs<model::Status>(kOwner, "status").model->sha256);
  ASSERT_TRUE(reply->answer);
  EXPECT_EQ(receipt::HashOfIds(reply->answer->input, 2), r.input);
  EXPECT_EQ(receipt::HashOfIds(reply->answer->output, 2), r.output);
  EXPECT_EQ(reply->answer->stop, *args.sampling.stop);
  EXPECT_EQ(receipt::HashOfTexts(*args.sampling.stop), r.stop);
}

TEST_F(ReceiptCanister, TheSeedsCallsHaveThemToo) {
  const std::string text = Generate(kQuestion).value();
  EXPECT_EQ(Proved(Last(kOwner)).finish, receipt::Finish::kEndToken);
  const auto ids = Infer({5, 6, 7}, 9, 0).value();
  const ReceiptReply reply = Last(kOwner);
  const receipt::Receipt r = Proved(reply);
  EXPECT_EQ(reply.answer->input, (std::vector<uint32_t>{5, 6, 7}));
  EXPECT_EQ(reply.answer->output, ids);
  EXPECT_TRUE(r.end_token_in_output);
  EXPECT_EQ(Infer({5}, 0, 0)->size(), 0u);
  EXPECT_EQ(Proved(Last(kOwner)).output_tokens, 0u);
  EXPECT_EQ(ListAs(kOwner).size(), 3u);
}

// The certified data is right after every message, also while an answer takes several.
TEST_F(ReceiptCanister, CertifiedDataFollowsEveryMessage) {
  model::Policy policy = PolicyNow();
  policy.instructions_per_message = 400'000'000;
  ASSERT_EQ(SetPolicy(policy), "Ok");
  ASSERT_TRUE(Generate(kQuestion));
  const ReceiptReply first = Last(kOwner);
  model::GenerateArgs args;
  args.input = {model::InputKind::kTokens, {}, {}, {1, 2, 3}};
  args.sampling.max_tokens = 200;
  const uint64_t job = StartAs(kStranger, args)->job;
  int messages = 0;
  while (!PollAs(kStranger, job).receipt) {
    Proved(ReceiptAs(kOwner, first.id).value());
    ASSERT_LT(++messages, 100);
    local_->network().Round(1);
  }
  EXPECT_GE(messages, 2);
  const auto reply = ReceiptAs(kStranger, *PollAs(kStranger, job).receipt).value();
  EXPECT_EQ(Proved(reply).finish, receipt::Finish::kLength);
  Proved(ReceiptAs(kOwner, first.id).value());
}

// A message that ends in a trap has finished nothing: neither receipt nor certified data stay.
TEST_F(ReceiptCanister, ATrapTakesItBack) {
  ASSERT_TRUE(Generate(kQuestion));
  local_->TakeUsage();
  ASSERT_TRUE(Generate(kQuestion));
  const uint64_t needed = local_->TakeUsage().instructions;
  const size_t count = ListAs(kOwner).size();
  const Bytes before = CertifiedData();
  int traps = 0;
  // The last of these traps happen behind the answer's end, in the reply.
  for (uint64_t limit = needed - 400'000, finished = 0; finished == 0; limit += 20'000) {
    local_->network().OnLimit([&](uint64_t) { return limit; });
    const auto reply = local_->Update("generate", candid::EncodeArgs(kQuestion, uint8_t{30}, 0.0));
    local_->network().OnLimit(nullptr);
    finished = reply.has_value();
    traps += finished == 0;
    EXPECT_EQ(ListAs(kOwner).size(), count + finished);
    EXPECT_EQ(CertifiedData() == before, finished == 0);
    for (const auto& row : ListAs(kOwner)) Proved(ReceiptAs(kOwner, row.id).value());
    ASSERT_LT(limit, needed + 10'000'000);
  }
  EXPECT_GT(traps, 10);
}

TEST_F(ReceiptCanister, AnUpgradeKeepsThem) {
  ASSERT_TRUE(Generate(kQuestion));
  const ReceiptReply before = Last(kOwner);
  local_->network().Round();
  static_cast<runtime::SimulatedEnv&>(local_->network().env()).Advance(5);
  Upgrade();
  // Right after the upgrade, before the model is loaded.
  const ReceiptReply after = ReceiptAs(kOwner, before.id).value();
  const receipt::Receipt old = Proved(after);
  EXPECT_EQ(after.receipt, before.receipt);
  EXPECT_EQ(after.answer->output, before.answer->output);
  ASSERT_TRUE(Generate(kQuestion));
  const receipt::Receipt r = Proved(Last(kOwner));
  EXPECT_EQ(r.id, before.id + 1);
  EXPECT_GT(r.installed_ns, old.installed_ns);
  EXPECT_GT(r.canister_version, old.canister_version);
  const auto witness = ic::HashTree::Decode(Last(kOwner).witness).value();
  EXPECT_EQ(witness.Value(ic::TextPath({"installed_ns"})), ic::EncodeLeb(r.installed_ns));
}

TEST_F(ReceiptCanister, IdsAreForTheirCaller) {
  const Progress done = FinishAs(kStranger, StartAs(kStranger, Ask(kQuestion))->job);
  for (const Principal& other : {kOther, kOwner, kAnonymous}) {
    const auto reply = ReceiptAs(other, *done.receipt);
    ASSERT_TRUE(reply);
    EXPECT_FALSE(reply->answer);
    Proved(*reply);
    EXPECT_FALSE(ListAs(other).at(0).yours);
  }
  EXPECT_TRUE(ListAs(kStranger).at(0).yours);
  EXPECT_TRUE(ListAs(kStranger, *done.receipt + 1).empty());
  EXPECT_EQ(CodeOf(ReceiptAs(kStranger, 99)), "not_found");
  EXPECT_EQ(CodeOf(ReceiptAs(kStranger, 0)), "not_found");
}

TEST_F(ReceiptCanister, CancelledAnswersHaveOneWhenTheyHaveTokens) {
  model::Policy policy = PolicyNow();
  policy.instructions_per_message = 400'000'000;
  ASSERT_EQ(SetPolicy(policy), "Ok");
  model::GenerateArgs args;
  args.input = {model::InputKind::kTokens, {}, {}, {1, 2, 3}};
  args.sampling.max_tokens = 250;
  const uint64_t first = StartAs(kStranger, args)->job;
  while (PollAs(kStranger, first).tokens == 0) local_->network().Round(1);
  const uint64_t waits = StartAs(kStranger, args)->job;
  for (const uint64_t job : {waits, first}) {
    EXPECT_EQ(CodeOf(UpdateAs<model::Done>(kStranger, "generate_cancel", job)), "Ok");
  }
  EXPECT_FALSE(PollAs(kStranger, waits).receipt);
  const auto id = PollAs(kStranger, first).receipt;
  ASSERT_TRUE(id);
  const receipt::Receipt r = Proved(ReceiptAs(kStranger, *id).value());
  EXPECT_EQ(r.finish, receipt::Finish::kCancelled);
  EXPECT_EQ(r.output_tokens, PollAs(kStranger, first).tokens);
}

TEST_F(ReceiptCanister, MetricsAreWhatPrometheusReads) {
  ASSERT_TRUE(Generate(kQuestion));
  const HttpResponse page = Page(*local_, "/metrics?x=1");
  EXPECT_EQ(page.status_code, 200);
  EXPECT_EQ(page.headers.at(0).second, "text/plain; version=0.0.4; charset=utf-8");
  const std::string text(base::AsText(page.body));
  for (const char* line :
       {"\ngpt2ic_ready 1\n", "\ngpt2ic_receipts 1\n", "\ngpt2ic_answers_total 1\n",
        "\n# TYPE gpt2ic_answers_total counter\n", "\ngpt2ic_jobs_queued 0\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << " in\n" << text;
  }
  // Every line is a comment or a name and a number.
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# ")) continue;
    const size_t space = line.rfind(' ');
    ASSERT_NE(space, std::string::npos) << line;
    EXPECT_TRUE(line.starts_with("gpt2ic_")) << line;
    EXPECT_EQ(line.find_first_not_of("0123456789", space + 1), std::string::npos) << line;
  }
}

TEST_F(ReceiptCanister, HealthTellsWhatIsWrong) {
  const auto health = [&] {
    const HttpResponse page = Page(*local_, "/health");
    return base::StrCat(page.status_code, " ", base::AsText(page.body));
  };
  EXPECT_EQ(health(), "200 ready\n");
  EXPECT_EQ(Page(*local_, "/").status_code, 404);
  EXPECT_EQ(Page(*local_, "/metrics/").status_code, 404);
  EXPECT_EQ(Page(*local_, "/health", "POST").status_code, 405);
  EXPECT_EQ(Page(*local_, "/" + std::string(3'000, 'a')).status_code, 414);
  local_->network().Find(local_->canister())->state.balance = runtime::Cycles{900'000'000'000};
  EXPECT_EQ(health(), "503 low on cycles\n");
  ASSERT_TRUE(Generate(kQuestion));
  ASSERT_TRUE(Generate(kQuestion));
  const auto logs = QueryAs<model::LogLines>(kOwner, "logs", uint64_t{0});
  EXPECT_EQ(std::ranges::count_if(logs.lines,
                                  [](const auto& line) {
                                    return line.second.find("cycles run low: ") !=
                                           std::string::npos;
                                  }),
            1)
      << "once a day";
  Upgrade();
  EXPECT_EQ(health(), "503 loading\n");
}

// ---- what it costs
// -------------------------------------------------------------------------------

class ReceiptCost : public ModelCanister {
 protected:
  static constexpr gpt2::Hparams kShape = {
      .n_vocab = 512, .n_ctx = 1024, .n_embd = 16, .n_head = 1, .n_layer = 1};

  void Use(const gpt2::Hparams& shape) {
    const std::string file = gpt2::RandomSafetensors({shape, 1, false});
    const std::string packed = gpt2::Pack(file, shape, gpt2::PackedMode::kInt8).value();
    const auto size = static_cast<uint32_t>(packed.size());
    const model::UploadArgs args{"packed", size, size, std::nullopt};
    const auto id = UpdateAs<model::Answer<model::UploadBegun>>(kOwner, "upload_begin", args)->id;
    UpdateAs<model::Done>(kOwner, "upload_chunk", id, uint32_t{0}, base::AsBytes(packed));
    ASSERT_TRUE(UpdateAs<model::Answer<model::UploadCommitted>>(kOwner, "upload_commit", id));
  }
  uint64_t Spent() { return ReceiptInstructions(*local_); }
  void Answer(const Principal& sender, uint32_t prompt, uint32_t tokens) {
    model::GenerateArgs args;
    args.input = {model::InputKind::kTokens, {}, {}, std::vector<uint32_t>(prompt, 17)};
    args.sampling.max_tokens = tokens;
    args.sampling.temperature = 1;
    FinishAs(sender, StartAs(sender, args)->job);
  }
};

// A padded vocabulary: such ids have no text, and stop nobody's work.
TEST_F(ReceiptCost, AModelMayHaveMoreIdsThanItsTokenizer) {
  SetUpDemo();
  gpt2::Hparams wide = kShape;
  wide.n_vocab = 70'000;
  Use(wide);
  model::GenerateArgs args;
  args.input = {model::InputKind::kTokens, {}, {}, {69'999, 5}};
  args.sampling.max_tokens = 30;
  args.sampling.temperature = 5;
  const Progress done = FinishAs(kOwner, StartAs(kOwner, args)->job);
  EXPECT_EQ(done.tokens, 30u);
  EXPECT_EQ(QueryAs<model::Answer<ReceiptReply>>(kOwner, "receipt", *done.receipt)->receipt[14], 4);
}

// Pinned, page charges apart: 1,000 receipts are kept, so the tree is as high as it gets and an old
// one makes room, and the ids fill GPT-2's context.
TEST_F(ReceiptCost, AnAnswerPaysLessThanHalfAMillion) {
  model::Policy policy = PolicyNow();
  policy.tokens_per_caller_per_day = policy.tokens_per_day = std::nullopt;
  ASSERT_EQ(SetPolicy(policy), "Ok");
  Use(kShape);

  local_->network().options().limits.page_overhead = 0;
  Answer(kStranger, 20, 20);
  for (size_t i = 1; i < receipt::Ledger::kMax; ++i) {
    Answer({9, static_cast<uint8_t>(i % 11)}, 1, 0);
  }
  uint64_t before = Spent();
  Answer(kOther, 900, 124);
  const uint64_t full = Spent() - before;
  before = Spent();
  Answer(kOther, 100, 100);
  const uint64_t usual = Spent() - before;
  // Within 1 %: the allocator's way through the heap depends on what lies there.
  EXPECT_NEAR(usual, 273'300, 2'700);
  EXPECT_NEAR(full, 405'100, 4'000);
  EXPECT_LT(full, 500'000u);
  // Page charges depend on where the memory lies: not pinned.
  local_->network().options().limits.page_overhead = 80'000;
  before = Spent();
  Answer(kOther, 100, 100);
  EXPECT_LT(Spent() - before - usual, 1'500'000u);
}

}  // namespace
