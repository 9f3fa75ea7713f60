// Whole lives of the canister `model`, each from one seed: uploads, jobs, sessions, waiting and
// paying calls, set-ups, stops and upgrades in any order, messages stopped at any instruction. What
// must hold is computed beside it: every answer is the native one of the model that was in use,
// nothing committed is lost, and neither tokens of quotas nor cycles are lost or made.
#include <cstdlib>

#include "cli/native_model.h"
#include "gpt2/chat_template.h"
#include "gpt2/tokenizer/tokenizer.h"
#include "model_fixture.h"
#include "model_oracle.h"
#include "receipt/ledger.h"

namespace {

using namespace model_test;
using model::Answer;
using model::Progress;
using runtime::Cycles;

constexpr Cycles kPrice = 1'001, kPlenty = 1'000'000'000;

bool IsPrefix(const Ids& part, const Ids& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

struct KnownJob {
  runtime::Principal caller;
  uint64_t id = 0, epoch = 0;
  Ids prompt;  // all of it, a session's past too
  uint32_t max_tokens = 0;
  bool finished = false, cancelled = false;
  size_t tokens = 0;
  std::optional<uint64_t> session;
};

struct OpenCall {
  runtime::MessageId message;
  enum class Kind : uint8_t { kInference, kGenerate, kAsk, kSetUp } kind;
  uint64_t epoch = 0;
  Ids prompt;
  uint32_t max_tokens = 0;
  Cycles attached = 0;
};

struct KnownUpload {
  uint64_t id;
  uint32_t chunks;
  std::set<uint32_t> received;
};

struct Paid {
  std::string answer;
  Cycles paid;
};
CANDID_RECORD(Paid, answer, paid)

class ModelSimulation : public ModelCanister {
 protected:
  void Begin(uint64_t seed) {
    local_ = cli::Local::Deploy(GPT2IC_WASM_DIR "/model.wasm", seed).value();
    SetUpDemo();
    runtime::Network& network = local_->network();
    network.options().limits.system_subnet = true;  // no fees: cycles can be counted
    caller_ = network.CreateCanister(kOwner, 1000 * kPlenty).value();
    const std::string wasm = cli::ReadFile(GPT2IC_WASM_DIR "/caller.wasm").value();
    ASSERT_FALSE(network.InstallCode(caller_, runtime::InstallMode::kInstall,
                                     Bytes(wasm.begin(), wasm.end()), {}, kOwner));
    model::Policy policy = PolicyNow();
    policy.instructions_per_message = 400'000'000;
    policy.tokens_per_caller_per_day = policy.tokens_per_day = std::nullopt;
    policy.cycles_per_token = kPrice;
    ASSERT_EQ(SetPolicy(policy), "Ok");
    choices_ = std::make_unique<runtime::SimulatedEnv>(seed ^ 0x5eed);
    tokenizer_.emplace(cli::LoadTokenizer("models/demo").value());
    chat_ = gpt2::MakeChatTemplate(*tokenizer_);
    network.OnLimit([this](uint64_t limit) {
      if (calm_ || Choose(15) != 0) return limit;
      ++lowered_;
      return (uint64_t{1} << Choose(29)) + Choose(1'000'000);
    });
    cycles_ = Cycle();
    sessions_.clear();
    uploads_.clear();
    in_use_ = 0;
    calm_ = cut_ = setting_up_ = false;
  }

  void Run(int operations) {
    for (int i = 0; i < operations && !HasFailure(); ++i) {
      SCOPED_TRACE(base::StrCat("operation ", i));
      Operation();
      Collect();
      CheckCertified();
      if (i % 250 == 249) Calm();
    }
    Calm();
  }

  uint64_t certified_checks_ = 0, lowered_ = 0, answers_ = 0, stopped_ = 0, upgrades_ = 0;

 private:
  uint64_t Choose(uint64_t n) { return choices_->Random() % n; }
  Cycles Cycle() {
    Cycles sum = 0;
    for (const auto& [id, slot] : local_->network().Slots()) sum += slot.state.balance;
    return sum;
  }
  uint32_t End() const { return *chat_.end_token; }
  Principal SomeCaller() {
    const Principal callers[] = {kOwner, kStranger, kOther, {9, 9}};
    return callers[Choose(4)];
  }
  Ids SomePrompt() {
    Ids prompt = {static_cast<uint32_t>(5 + Choose(4))};
    prompt.resize(1 + Choose(6), 17);
    return prompt;
  }
  uint32_t SomeLength() {
    return static_cast<uint32_t>(Choose(12) == 0 ? 100 + Choose(100) : Choose(7));
  }

  void Operation() {
    switch (const uint64_t what = Choose(100); what) {
      case 0:
        return Upgrade_();
      case 1:
        return StopAndStart();
      case 2:
        return BeginSetUp();
      case 3:
      case 4:
        return local_->network().Round(100);
      case 5:
        return CheckStatus();
      case 6:
      case 7:
        return CancelOne();
      case 8:
      case 9:
      case 10:
        return DeleteSomeSessions();
      default:
        if (what < 35) return StartOne();
        if (what < 50) return PollOne();
        if (what < 58) return CallOne();
        if (what < 64) return AskOne();
        if (what < 72) return UploadSome();
        if (what < 80) return local_->network().Round(1);
        local_->network().Step();
    }
  }

  // A call's reply; nullopt when its message was stopped by a low limit, which takes back all that
  // it did, or the canister is stopped.
  template <class T, class... Args>
  std::optional<T> Try(const Principal& sender, const std::string& method, const Args&... args) {
    const auto response =
        local_->network().Call(sender, local_->canister(), method, candid::EncodeArgs(args...));
    if (response.reject) {
      EXPECT_NE(response.reject->message.find("nstruction"), std::string::npos)
          << method << ": " << response.reject->message;
      ++stopped_;
      return std::nullopt;
    }
    if constexpr (std::is_same_v<T, std::tuple<>>) {
      return T();
    } else {
      return Decoded<T>(base::Result<Bytes>(response.reply));
    }
  }

  // ---- jobs ----
  void StartOne() {
    KnownJob job;
    job.caller = SomeCaller();
    model::GenerateArgs args;
    if (Choose(2) == 0 && !sessions_.empty()) {
      const auto& [id, session] = *std::next(sessions_.begin(), Choose(sessions_.size()));
      job.caller = session.caller;
      job.prompt = session.tokens;
      args.session = job.session = id;
    }
    const Ids more = SomePrompt();
    job.prompt.insert(job.prompt.end(), more.begin(), more.end());
    args.input = {model::InputKind::kTokens, {}, {}, more};
    args.sampling.max_tokens = job.max_tokens = SomeLength();
    args.sampling.logprobs = 0;
    if (job.prompt.size() + job.max_tokens > 240) return;  // dropping turns has a test of its own
    const auto started = Try<Answer<model::JobStarted>>(job.caller, "generate_start", args);
    if (!started) return;
    if (!*started) return CheckRefusal(job, started->error());
    if (job.session) {
      sessions_.erase(*job.session);
    } else {
      ++opened_[job.caller];
    }
    job.id = (*started)->job;
    job.epoch = epoch_;
    EXPECT_TRUE((*started)->quote.prompt_tokens == job.prompt.size() || Unsure(job.epoch));
    jobs_.emplace(job.id, job);
  }
  // Only for a reason.
  void CheckRefusal(const KnownJob& job, const model::Error& error) {
    const auto open = std::ranges::count_if(jobs_, [&](const auto& row) {
      return row.second.caller == job.caller && !row.second.finished;
    });
    if (error.code == "busy") {
      EXPECT_GE(open + static_cast<ptrdiff_t>(calls_.size()), 4);
    } else if (error.code == "not_found") {
      EXPECT_TRUE(job.session && MayBeGone(job.caller)) << error.message;
      if (job.session) sessions_.erase(*job.session);
    } else {
      EXPECT_EQ(error.code, "not_ready") << error.message;
    }
  }
  void PollOne() {
    if (jobs_.empty()) return;
    Poll(std::next(jobs_.begin(), Choose(jobs_.size()))->second);
  }
  void Poll(KnownJob& job) {
    const auto polled = QueryAs<Answer<Progress>>(job.caller, "generate_poll", job.id, uint64_t{0});
    ASSERT_TRUE(polled) << "job " << job.id << " is lost: " << polled.error().message;
    Ids ids;
    for (const auto& token : polled->logprobs.value_or(std::vector<model::TokenLogprob>()))
      ids.push_back(token.token);
    EXPECT_GE(ids.size(), job.tokens);
    job.tokens = ids.size();
    EXPECT_EQ(QueryAs<Answer<Progress>>({77}, "generate_poll", job.id, uint64_t{0}).error().code,
              "not_found");
    if (polled->error) {
      EXPECT_EQ(polled->error->code, "conflict");
      EXPECT_TRUE(Unsure(job.epoch)) << polled->error->message;
    } else {
      CheckIds(ids, job.prompt, job.max_tokens, job.epoch,
               polled->finish_reason && !job.cancelled ? Part::kWhole : Part::kPart);
    }
    if (!polled->finish_reason || job.finished) return;
    job.finished = true;
    if (!polled->error && !job.cancelled) CheckReceipt(job.caller, *polled, ids);
    const bool owner = job.caller == kOwner;
    if (!owner) tokens_low_ += ids.size(), tokens_high_ += ids.size() + job.prompt.size();
    if (polled->error || job.cancelled || Unsure(job.epoch)) return;
    // What the session holds now: all of it, and the end token.
    if (!polled->session) return ADD_FAILURE();
    Ids tokens = job.prompt;
    tokens.insert(tokens.end(), ids.begin(), ids.end());
    if (tokens.back() != End()) tokens.push_back(End());
    sessions_[*polled->session] = {job.caller, std::move(tokens)};
  }
  void CheckReceipt(const Principal& caller, const Progress& progress, const Ids& ids) {
    ASSERT_TRUE(progress.receipt);
    const auto reply = QueryAs<Answer<model::ReceiptReply>>(caller, "receipt", *progress.receipt);
    EXPECT_TRUE(reply || reply.error().code == "not_found");  // newer ones took its place
    if (!reply) return;
    EXPECT_EQ(reply->answer->output, ids);
    EXPECT_EQ(receipt::Decode(reply->receipt)->instructions, progress.instructions);
  }
  void CancelOne() {
    if (jobs_.empty()) return;
    KnownJob& job = std::next(jobs_.begin(), Choose(jobs_.size()))->second;
    Poll(job);
    if (job.finished) return;
    const auto done = Try<model::Done>(job.caller, "generate_cancel", job.id);
    if (!done) return;
    EXPECT_TRUE(*done);
    // It may have finished in the same call's rounds: then cancelling changed nothing.
    const auto polled = QueryAs<Answer<Progress>>(job.caller, "generate_poll", job.id, uint64_t{0});
    job.cancelled = polled->finish_reason == "cancelled";
    Poll(job);
  }
  // At 16 of a caller the one used longest ago makes room.
  bool MayBeGone(const Principal& caller) { return Unsure(epoch_) || opened_[caller] >= 16; }
  void DeleteSomeSessions() {
    for (auto it = sessions_.begin(); it != sessions_.end();) {
      if (Choose(4) != 0) {
        ++it;
        continue;
      }
      const auto done = Try<model::Done>(it->second.caller, "session_delete", it->first);
      if (!done) return;
      EXPECT_TRUE(*done || MayBeGone(it->second.caller)) << done->error().message;
      it = sessions_.erase(it);
    }
  }

  // ---- answers ----
  enum class Part : uint8_t { kWhole, kPart };
  // Whether a set-up has been under way since then: either model may have answered.
  bool Unsure(uint64_t epoch) const { return setting_up_ || epoch != epoch_; }
  bool Matches(const Ids& ids, const Ids& prompt, uint32_t most, Part part, size_t oracle) {
    const Ids whole = Oracles()[oracle].Greedy(prompt, most, End());
    return part == Part::kWhole ? ids == whole : IsPrefix(ids, whole);
  }
  void CheckIds(const Ids& ids, const Ids& prompt, uint32_t most, uint64_t epoch, Part part) {
    ++answers_;
    bool right = Matches(ids, prompt, most, part, in_use_);
    if (Unsure(epoch)) right = right || Matches(ids, prompt, most, part, 1 - in_use_);
    EXPECT_TRUE(right) << ids.size() << " of at most " << most << " tokens on a prompt of "
                       << prompt.size() << (part == Part::kWhole ? ", whole" : ", part") << ": "
                       << ::testing::PrintToString(ids) << " for "
                       << ::testing::PrintToString(Oracles()[in_use_].Greedy(prompt, most, End()));
  }
  void CheckText(const std::string& text, const OpenCall& call, Part part) {
    ++answers_;
    const auto of = [&](size_t oracle) {
      const Ids whole = Oracles()[oracle].Greedy(call.prompt, call.max_tokens, End());
      const std::string expected = tokenizer_->Decode(whole).value();
      return part == Part::kWhole ? text == expected : expected.starts_with(text);
    };
    EXPECT_TRUE(of(in_use_) || (Unsure(call.epoch) && of(1 - in_use_))) << text;
  }

  // ---- calls that wait ----
  void CallOne() {
    if (calls_.size() > 20) return;
    OpenCall call{0, OpenCall::Kind::kInference, epoch_, SomePrompt(), SomeLength(), 0};
    if (Choose(2) == 0) {
      call.message =
          SendAs(kOwner, "inference", call.prompt, static_cast<uint8_t>(call.max_tokens), 0.0);
    } else {
      call.kind = OpenCall::Kind::kGenerate;
      call.max_tokens = std::min(call.max_tokens, 100u);
      call.message = SendAs(SomeCaller(), "generate", SetPrompt(call),
                            static_cast<uint8_t>(call.max_tokens), 0.0);
    }
    calls_.push_back(call);
  }
  std::string_view SetPrompt(OpenCall& call) {
    static constexpr std::string_view kTexts[] = {"What is the capital of France?", "Hello!",
                                                  "What is 3 plus 4?"};
    const std::string_view text = kTexts[Choose(3)];
    call.prompt = gpt2::RenderPrompt(chat_, *tokenizer_, text);
    return text;
  }
  void AskOne() {
    OpenCall call{0, OpenCall::Kind::kAsk, epoch_, {}, static_cast<uint32_t>(Choose(10)), 0};
    const std::string_view text = SetPrompt(call);
    call.attached = Choose(2) == 0 ? Cycles{Choose(50'000)} : kPlenty;
    call.message = local_->network().Submit(
        kOwner, caller_, "ask",
        candid::EncodeArgs(candid::Principal::FromBytes(local_->canister()).value(), text,
                           static_cast<uint8_t>(call.max_tokens), call.attached));
    calls_.push_back(call);
  }
  void Collect() {
    std::erase_if(calls_, [this](const OpenCall& call) {
      if (!Answered(call.message)) return false;
      CheckAnswer(call, local_->network().Status(call.message).response);
      return true;
    });
  }
  void CheckAnswer(const OpenCall& call, const runtime::Response& response) {
    // What a call whose message was stopped has spent is not seen.
    if (response.reject) {
      const std::string& text = response.reject->message;
      EXPECT_TRUE(text.find("nstruction") != std::string::npos ||
                  text.find("topp") != std::string::npos || upgrades_ > 0)
          << text;
      ++stopped_;
      unseen_ += call.prompt.size() + call.max_tokens;
      return;
    }
    const base::Result<Bytes> reply(response.reply);
    switch (call.kind) {
      case OpenCall::Kind::kSetUp:
        return;  // Calm looks at what became of it
      case OpenCall::Kind::kInference: {
        auto answer = Decoded<base::Result<Inference>>(reply);
        if (!answer || !answer->result) return;
        Ids ids = *answer->result;
        if (!ids.empty() && ids.back() == End()) ids.pop_back();
        return CheckIds(ids, call.prompt, call.max_tokens, call.epoch, PartOf());
      }
      case OpenCall::Kind::kGenerate: {
        unseen_ += call.prompt.size() + call.max_tokens;  // unless the owner asked
        const auto text = Decoded<base::Result<std::string>>(reply);
        return text ? CheckText(*text, call, PartOf()) : void();
      }
      case OpenCall::Kind::kAsk: {
        const auto paid = Decoded<base::Result<Paid>>(reply);
        unseen_ += call.prompt.size() + call.max_tokens;
        if (!paid) return;
        CheckText(paid->answer, call, PartOf());
        EXPECT_TRUE(paid->paid % kPrice == 0 && paid->paid <= call.attached);
        const bool enough = call.attached >= kPrice * (call.prompt.size() + call.max_tokens);
        EXPECT_TRUE(paid->paid == 0 || enough);
        EXPECT_TRUE(paid->paid > 0 || !enough || call.max_tokens == 0 || cut_);
        return;
      }
    }
  }
  Part PartOf() const { return cut_ ? Part::kPart : Part::kWhole; }

  // ---- files ----
  void BeginSetUp() {
    if (setting_up_) return;
    next_ = Choose(2);
    const std::string& file = Oracles()[next_].file;
    constexpr size_t kPiece = 1'900'000;
    if (!Try<std::tuple<>>(kOwner, "clear_safetensors_bytes")) return;
    if (!Try<std::tuple<>>(kOwner, "clear_config_bytes")) return;
    for (size_t at = 0; at < file.size(); at += kPiece) {
      const auto piece = base::AsBytes(std::string_view(file).substr(at, kPiece));
      if (!Try<std::tuple<>>(kOwner, "append_safetensors_bytes", piece)) return;
    }
    const std::string config = cli::ReadFile("models/demo/config.json").value();
    if (!Try<std::tuple<>>(kOwner, "append_config_bytes", base::AsBytes(config))) return;
    setting_up_ = true;
    calls_.push_back({SendAs(kOwner, "setup_model"), OpenCall::Kind::kSetUp, 0, {}, 0, 0});
  }
  void UploadSome() {
    constexpr uint32_t kChunk = 1000;
    if (uploads_.size() < 5 && Choose(3) == 0) {
      const uint32_t bytes = static_cast<uint32_t>(1 + Choose(20'000));
      const model::UploadArgs args{"packed", bytes, kChunk, {}};
      const auto begun = Try<Answer<model::UploadBegun>>(kOwner, "upload_begin", args);
      if (begun) uploads_.push_back({(*begun)->id, (*begun)->chunks, {}});
      return;
    }
    if (uploads_.empty()) return;
    const size_t which = Choose(uploads_.size());
    KnownUpload& upload = uploads_[which];
    CheckUpload(upload);
    if (Choose(15) == 0) {
      const auto done = Try<model::Done>(kOwner, "upload_abort", upload.id);
      if (done) uploads_.erase(uploads_.begin() + static_cast<ptrdiff_t>(which));
      return;
    }
    const auto index = static_cast<uint32_t>(Choose(upload.chunks + 1));
    const auto done =
        Try<model::Done>(kOwner, "upload_chunk", upload.id, index, base::ByteSpan(Bytes(kChunk)));
    if (!done) return;
    if (*done) upload.received.insert(index);
    EXPECT_TRUE(*done || index + 1 >= upload.chunks);  // the last has another length
  }
  void CheckUpload(const KnownUpload& upload) {
    const auto status = QueryAs<Answer<model::UploadStatus>>(kStranger, "upload_status", upload.id);
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_EQ(status->received, upload.received.size());
    std::set<uint32_t> missing;
    for (const auto& range : status->missing) {
      for (uint32_t i = 0; i < range.count; ++i) missing.insert(range.first + i);
    }
    EXPECT_EQ(missing.size() + upload.received.size(), upload.chunks);
    for (const uint32_t index : upload.received) EXPECT_FALSE(missing.contains(index));
  }

  // ---- the house ----
  // What is certified is the tree that the canister has, whatever message came last: also one that
  // was stopped by its limit, and an upgrade.
  void CheckCertified() {
    const Bytes& certified = local_->network().Find(local_->canister())->state.certified_data;
    if (certified == certified_ && Choose(4) != 0) return;
    certified_ = certified;
    const auto list = QueryAs<model::ReceiptList>(kOwner, "receipt_list", uint64_t{0});
    if (list.receipts.empty()) return;
    const uint64_t id = list.receipts[Choose(list.receipts.size())].id;
    const auto reply = QueryAs<Answer<model::ReceiptReply>>(kOwner, "receipt", id);
    ASSERT_TRUE(reply) << reply.error().message;
    const auto witness = ic::HashTree::Decode(reply->witness).value();
    ASSERT_TRUE(std::ranges::equal(witness.hash(), certified)) << "receipt " << id;
    const auto leaf = witness.Value(
        {{base::Bytes{'r', 'e', 'c', 'e', 'i', 'p', 't', 's'}, receipt::LabelOf(id)}});
    ASSERT_TRUE(leaf && std::ranges::equal(*leaf, base::Sha256Of(reply->receipt)));
    ++certified_checks_;
  }
  void CheckStatus() {
    const auto status = QueryAs<model::Status>(kAnonymous, "status");
    EXPECT_TRUE(status.state == "ready" || status.state == "loading") << status.state;
    EXPECT_LE(status.queued, 64u);
  }
  void Upgrade_() {
    ++upgrades_;
    Upgrade(Choose(4) == 0 ? "gpt2_backend" : "model");
    Upgrade();
  }
  // Every open call is answered, and then nothing happens until it is started again.
  void StopAndStart() {
    cut_ = true;
    const auto stop = BeginStop();
    for (int i = 0; i < 300 && !Answered(stop); ++i) local_->network().Step();
    ASSERT_TRUE(Answered(stop));
    local_->network().Round(100);
    Collect();
    EXPECT_TRUE(std::ranges::none_of(
        calls_, [](const OpenCall& call) { return call.kind != OpenCall::Kind::kSetUp; }));
    if (Choose(2) == 0) Upgrade_();
    StartAgain();
    Collect();
    cut_ = false;
  }

  bool AtWork() {
    const auto status = QueryAs<model::Status>(kOwner, "status");
    return status.queued > 0 || status.loading_percent || status.state == "loading";
  }
  // Everything to its end, and then the whole account.
  void Calm() {
    calm_ = true;
    // A message that was stopped may have been the timer's; any new work sets it again.
    Infer({5}, 1, 0);
    local_->network().Round();
    for (int i = 0; i < 200 && AtWork(); ++i) local_->network().Round();
    Collect();
    EXPECT_TRUE(calls_.empty());
    const auto status = QueryAs<model::Status>(kOwner, "status");
    EXPECT_EQ(status.state, "ready");
    EXPECT_EQ(status.queued, 0u);
    EXPECT_FALSE(status.loading_percent);
    if (setting_up_) {
      // Committed or not: the model in use tells.
      for (auto& [id, job] : jobs_) Poll(job);
      if (status.model->sha256 != Oracles()[in_use_].hash) in_use_ = 1 - in_use_;
      setting_up_ = false;
      ++epoch_;
    } else {
      for (auto& [id, job] : jobs_) Poll(job);
    }
    EXPECT_EQ(status.model->sha256, Oracles()[in_use_].hash);
    for (const auto& [id, job] : jobs_) EXPECT_TRUE(job.finished) << "job " << id;
    for (const auto& upload : uploads_) CheckUpload(upload);
    EXPECT_GE(status.tokens_today, tokens_low_);
    EXPECT_LE(status.tokens_today, tokens_high_ + unseen_);
    EXPECT_TRUE(Cycle() == cycles_);
    for (const auto& [id, slot] : local_->network().Slots()) {
      EXPECT_TRUE(slot.contexts.empty() && slot.callbacks.empty());
    }
    for (const Principal& caller : {kOwner, kStranger, kOther, Principal{9, 9}}) {
      for (const auto& row : QueryAs<std::vector<model::SessionSummary>>(caller, "session_list")) {
        EXPECT_TRUE(UpdateAs<model::Done>(caller, "session_delete", row.session));
      }
    }
    sessions_.clear();
    opened_.clear();
    // Finished jobs are kept 50 a caller: a day later all are gone.
    NextDay();
    tokens_low_ = tokens_high_ = unseen_ = 0;
    jobs_.clear();
    calm_ = false;
  }

  struct KnownSession {
    Principal caller;
    Ids tokens;
  };
  std::unique_ptr<runtime::SimulatedEnv> choices_;
  std::optional<gpt2::Tokenizer> tokenizer_;
  gpt2::ChatTemplate chat_;
  Principal caller_;
  std::map<uint64_t, KnownJob> jobs_;
  std::map<uint64_t, KnownSession> sessions_;  // between jobs
  std::map<Principal, int> opened_;            // sessions, by caller
  std::vector<OpenCall> calls_;
  std::vector<KnownUpload> uploads_;
  size_t in_use_ = 0, next_ = 0;  // oracles
  uint64_t epoch_ = 0;            // models that may have come into use
  bool setting_up_ = false, cut_ = false, calm_ = false;
  uint64_t tokens_low_ = 0, tokens_high_ = 0, unseen_ = 0;  // of today's quota
  Cycles cycles_ = 0;
  Bytes certified_;  // when it was looked at last
};

TEST_F(ModelSimulation, NothingIsLostWhateverHappens) {
  const bool soak = std::getenv("GPT2IC_SOAK") != nullptr;
  uint64_t first = 1, seeds = soak ? 100 : 3;
  int operations = soak ? 10'000 : 1'500;
  if (const char* chosen = std::getenv("GPT2IC_SIMULATION")) {
    // first seed, how many, operations of each: 1,3,10000
    ASSERT_EQ(std::sscanf(chosen, "%lu,%lu,%d", &first, &seeds, &operations), 3);
  }
  for (uint64_t seed = first; seed < first + seeds && !HasFailure(); ++seed) {
    SCOPED_TRACE(base::StrCat("seed ", seed));
    Begin(seed);
    Run(operations);
  }
  EXPECT_GT(answers_, seeds * operations / 5);
  EXPECT_GT(stopped_, seeds * operations / 100);
  EXPECT_GT(certified_checks_, seeds * operations / 5);
  EXPECT_GT(upgrades_, seeds * operations / 300);
  RecordProperty("answers", std::to_string(answers_));
  RecordProperty("stopped", std::to_string(stopped_));
}

}  // namespace
