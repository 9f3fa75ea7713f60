// Receipts of 200 random answers: models of several shapes, prompts, parameters, seeds, answers
// over several messages, sessions, across upgrades. All verify. Their files, and some that are
// changed, are left in build/receipts with what `verify` found; tests/clients/js/receipt.test.js
// must find the same.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "base/hex.h"
#include "canister/model/api.h"
#include "cli/command.h"
#include "cli/target.h"
#include "cli/verify.h"
#include "gpt2/make_model.h"
#include "gpt2/packed/packed_test_support.h"
#include "receipt/ledger.h"

namespace {

using base::Bytes;
using Json = nlohmann::json;
using model::Answer;

constexpr size_t kCallers = 4;  // a caller's receipts are bounded
constexpr char kDemo[] = "models/demo/";

const char* const kPrompts[] = {"What is the capital of France?", "What is 3 plus 4?",
                                "What is the opposite of hot?", "Zażółć gęślą jaźń 日本",
                                "Name a colour"};

// Three canisters on one network, and the models that were on them.
class Answers : public ::testing::Test {
 protected:
  Answers() {
    runtime::ReplicaOptions options;
    options.seed = Bytes(32, 5);
    options.system_task_every_ns = 1;
    options.round_work_ns = 50'000;  // one message at a time, nearly always
    options.cache_dir = cli::CacheDir();
    replica_ = runtime::Replica::Open(env_, options).value();
    service_ = std::make_unique<runtime::Service>(*replica_, runtime::ServiceOptions());
    transport_ = std::make_unique<cli::InProcess>(*service_);
    for (size_t i = 0; i < kCallers; ++i) {
      const Bytes secret(32, static_cast<uint8_t>(i + 1));
      const auto key = ic::SigningKey::FromSecret(ic::KeyScheme::kEd25519, secret).value();
      agents_.push_back(cli::Agent::Connect(*transport_, ic::Identity(key), {}).value());
    }
    model_ = Install("model");
    other_ = Install("model");
    backend_ = Install("gpt2_backend");
  }

  static Bytes Wasm(const std::string& name) {
    const std::string wasm =
        cli::ReadFile(base::StrCat(GPT2IC_WASM_DIR "/", name, ".wasm")).value();
    return {wasm.begin(), wasm.end()};
  }
  runtime::Principal Owner() {
    const ic::Principal sender = agents_[0]->identity().sender();
    return {sender.bytes().begin(), sender.bytes().end()};
  }
  ic::Principal Install(const std::string& name) {
    auto& network = replica_->network();
    const auto id = network.CreateCanister(Owner(), runtime::Cycles{1} << 60).value();
    const auto error =
        network.InstallCode(id, runtime::InstallMode::kInstall, Wasm(name), {}, Owner());
    EXPECT_FALSE(error) << error->message;
    while (replica_->Work()) {
    }
    const auto principal = ic::Principal::FromBytes(id).value();
    modules_[principal] = base::Sha256Of(Wasm(name));
    return principal;
  }
  void Upgrade(const ic::Principal& canister, const std::string& name) {
    const Bytes id(canister.bytes().begin(), canister.bytes().end());
    const auto error = replica_->network().InstallCode(id, runtime::InstallMode::kUpgrade,
                                                       Wasm(name), {}, Owner());
    EXPECT_FALSE(error) << error->message;
    replica_->Work();
  }

  template <class T, class... Args>
  T Update(size_t caller, const ic::Principal& canister, const char* method, const Args&... args) {
    const auto reply = agents_[caller]->Update(canister, method, candid::EncodeArgs(args...));
    EXPECT_TRUE(reply) << method << ": " << reply.error().message;
    auto [value] = candid::DecodeArgs<T>(*reply).value();
    return std::move(value);
  }
  template <class T, class... Args>
  T Query(size_t caller, const ic::Principal& canister, const char* method, const Args&... args) {
    const auto reply = agents_[caller]->Query(canister, method, candid::EncodeArgs(args...));
    EXPECT_TRUE(reply) << method << ": " << reply.error().message;
    auto [value] = candid::DecodeArgs<T>(*reply).value();
    return std::move(value);
  }

  void Upload(const ic::Principal& canister, const char* kind, const std::string& content) {
    constexpr uint32_t kChunk = 1'900'000;
    const model::UploadArgs args{kind, content.size(), kChunk, std::nullopt};
    const auto begun = Update<Answer<model::UploadBegun>>(0, canister, "upload_begin", args);
    ASSERT_TRUE(begun) << begun.error().message;
    for (uint32_t i = 0; i < begun->chunks; ++i) {
      const auto piece =
          base::AsBytes(std::string_view(content).substr(size_t{i} * kChunk, kChunk));
      ASSERT_TRUE(Update<model::Done>(0, canister, "upload_chunk", begun->id, i, piece));
    }
    const auto done =
        Update<Answer<model::UploadCommitted>>(0, canister, "upload_commit", begun->id);
    ASSERT_TRUE(done) << done.error().message;
  }
  // Anyone may ask for anything, in messages as small as may be.
  void Open(const ic::Principal& canister) {
    model::Policy policy;
    policy.open_to = "everyone";
    policy.tokens_per_caller_per_day = policy.tokens_per_day = std::nullopt;
    policy.instructions_per_message = 400'000'000;
    ASSERT_TRUE(Update<model::Done>(0, canister, "set_policy", policy));
  }
  void Know(cli::LoadedModel loaded) {
    const auto hash = loaded.hash;
    models_.insert_or_assign(hash, std::move(loaded));
  }

  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  bool OneIn(uint32_t n) { return Below(n) == 0; }
  double Between(double low, double high) { return low + (high - low) * Below(1000) / 1000.0; }

  model::Sampling RandomSampling() {
    model::Sampling s;
    s.max_tokens = OneIn(20) ? 0 : 1 + Below(40);
    if (OneIn(8)) s.max_tokens = 120;
    if (!OneIn(3)) s.temperature = Between(0, 2);
    if (OneIn(3)) s.top_k = 1 + Below(100);
    if (OneIn(3)) s.top_p = Between(0.1, 1);
    if (OneIn(4)) s.repetition_penalty = Between(0.5, 2);
    if (OneIn(4)) s.frequency_penalty = Between(-2, 2);
    if (OneIn(4)) s.presence_penalty = Between(-2, 2);
    if (OneIn(3)) s.stop = {{std::string(1, static_cast<char>('a' + Below(26))), "zq"}};
    if (OneIn(2)) s.seed = random_();
    if (OneIn(6)) s.logprobs = 2;
    return s;
  }
  model::Input RandomInput(uint32_t n_vocab, uint32_t n_ctx, bool text) {
    if (text && OneIn(2))
      return {model::InputKind::kMessages, {}, {{"user", kPrompts[Below(5)]}}, {}};
    if (text && OneIn(2)) return {model::InputKind::kPrompt, kPrompts[Below(5)], {}, {}};
    model::Input input{model::InputKind::kTokens, {}, {}, {}};
    const uint32_t count = 1 + (OneIn(4) ? n_ctx - 1 - Below(9) : Below(std::min(n_ctx, 40u)));
    for (uint32_t i = 0; i < count; ++i) input.tokens.push_back(Below(n_vocab));
    return input;
  }

  // One answer, somehow, and its receipt checked.
  void Ask(const ic::Principal& canister, uint32_t n_vocab, uint32_t n_ctx, bool text) {
    const auto caller = static_cast<size_t>(Below(kCallers));
    model::GenerateArgs args{RandomInput(n_vocab, n_ctx, text), RandomSampling(), std::nullopt};
    auto& session = sessions_[{canister, caller}];
    if (OneIn(3)) args.session = session;
    const auto started =
        Update<Answer<model::JobStarted>>(caller, canister, "generate_start", args);
    if (!started) {
      EXPECT_EQ(started.error().code, "not_found") << started.error().message;  // the session's end
      session.reset();
      return;
    }
    Finish(canister, caller, started->job, false);
  }
  void Finish(const ic::Principal& canister, size_t caller, uint64_t job, bool cancel) {
    for (int round = 0; round < 10'000; ++round) {
      const auto progress =
          Query<Answer<model::Progress>>(caller, canister, "generate_poll", job, uint64_t{0});
      ASSERT_TRUE(progress) << progress.error().message;
      if (progress->finish_reason) {
        sessions_[{canister, caller}] = progress->session;
        if (progress->receipt) Check(canister, caller, *progress->receipt);
        return;
      }
      if (cancel && progress->tokens > 0) {
        EXPECT_TRUE(Update<model::Done>(caller, canister, "generate_cancel", job));
      }
      replica_->Work();
    }
    ADD_FAILURE() << "job " << job << " does not end";
  }

  cli::Trusted Believed(const ic::Principal& canister, bool with_module = true) {
    cli::Trusted trusted{agents_[0]->root_key(), std::nullopt, env_.NowNs()};
    if (with_module) trusted.module_hash = modules_.at(canister);
    return trusted;
  }
  static void ExpectAllHold(const std::vector<cli::Check>& checks, const std::string& whose) {
    for (const cli::Check& check : checks) {
      EXPECT_TRUE(check.ok) << whose << " " << check.name << ": " << check.text;
    }
  }
  // Right after the answer: everything holds.
  void Check(const ic::Principal& canister, size_t caller, uint64_t id) {
    const auto file = cli::FetchReceipt(*agents_[caller], canister, id);
    ASSERT_TRUE(file) << file.error().message;
    const std::string whose = base::StrCat(canister.ToText(), " ", id);
    ExpectAllHold(cli::CheckCertified(*file, Believed(canister)), whose);
    const auto r = receipt::Decode(file->receipt).value();
    ASSERT_TRUE(models_.contains(r.model)) << whose;
    ExpectAllHold(cli::CheckComputed(*file, models_.at(r.model)), whose);
    ++verified_;
    ++finishes_[r.finish];
    if (files_.size() < 200) files_.push_back(*file);
    kept_.push_back({canister, caller, id, file->receipt});
  }
  // Later, over upgrades: the same bytes, still certified, though another module holds them.
  void CheckKept() {
    for (size_t i = 0; i < kept_.size(); i += 1 + kept_.size() / 60) {
      const Kept& kept = kept_[i];
      const auto file = cli::FetchReceipt(*agents_[kept.caller], kept.canister, kept.id);
      if (!file) {
        EXPECT_NE(file.error().message.find("there is no receipt"), std::string::npos);
        continue;  // bounded per caller
      }
      EXPECT_EQ(file->receipt, kept.receipt);
      ExpectAllHold(cli::CheckCertified(*file, Believed(kept.canister, false)), "kept");
      ++kept_found_;
    }
  }

  struct Kept {
    ic::Principal canister;
    size_t caller;
    uint64_t id;
    Bytes receipt;
  };

  std::mt19937_64 random_{2026};
  runtime::SystemEnv env_;
  std::unique_ptr<runtime::Replica> replica_;
  std::unique_ptr<runtime::Service> service_;
  std::unique_ptr<cli::InProcess> transport_;
  std::vector<std::unique_ptr<cli::Agent>> agents_;
  ic::Principal model_, other_, backend_;
  std::map<ic::Principal, base::Sha256Digest> modules_;
  std::map<base::Sha256Digest, cli::LoadedModel> models_;
  std::map<std::pair<ic::Principal, size_t>, std::optional<uint64_t>> sessions_;
  std::map<receipt::Finish, int> finishes_;
  std::vector<Kept> kept_;
  std::vector<cli::ReceiptFile> files_;
  int verified_ = 0, kept_found_ = 0;

  void SetUpDemo();
  void AskTheSeedsCalls();
  uint64_t StartLong(const ic::Principal& canister, uint32_t tokens);
  void AskOverAnUpgrade();
  void AskRandomModels(int rounds);
  void LeaveFiles();
  Json RowOf(const std::string& name, const cli::ReceiptFile& file, bool exact);
  cli::ReceiptFile Changed(const cli::ReceiptFile& file, bool* exact);
};

void Answers::SetUpDemo() {
  const auto file = [](const char* name) {
    return cli::ReadFile(std::string(kDemo) + name).value();
  };
  Open(model_);
  Upload(model_, "config", file("config.json"));
  Upload(model_, "tokenizer", file("tokenizer.json"));
  Upload(model_, "safetensors", file("model.safetensors"));
  Know(cli::LoadModel(kDemo, {}).value());
}

// Calls that wait: the receipt is the newest of their caller's.
void Answers::AskTheSeedsCalls() {
  const auto last = [&](const ic::Principal& canister) {
    const auto list = Query<model::ReceiptList>(0, canister, "receipt_list", uint64_t{0});
    for (auto row = list.receipts.rbegin(); row != list.receipts.rend(); ++row) {
      if (row->yours) return row->id;
    }
    return uint64_t{0};
  };
  const double temperature = Between(0, 2);
  const auto count = static_cast<uint8_t>(1 + Below(60));
  const auto text = Update<base::Result<std::string>>(
      0, model_, "generate", std::string_view(kPrompts[Below(5)]), count, temperature);
  ASSERT_TRUE(text) << text.error().message;
  Check(model_, 0, last(model_));
  const std::vector<uint32_t> ids = {Below(500), Below(500), Below(500)};
  const auto reply =
      agents_[0]->Update(model_, "inference", candid::EncodeArgs(ids, count, temperature));
  ASSERT_TRUE(reply) << reply.error().message;
  Check(model_, 0, last(model_));
  const std::vector<int64_t> wide(ids.begin(), ids.end());
  const auto answer =
      Update<base::Result<std::vector<int64_t>>>(0, backend_, "model_inference", uint8_t{20}, wide);
  ASSERT_TRUE(answer) << answer.error().message;
  Check(backend_, 0, last(backend_));
}

// An answer that takes several messages, after the first.
uint64_t Answers::StartLong(const ic::Principal& canister, uint32_t tokens) {
  model::GenerateArgs args;
  args.input = {model::InputKind::kTokens, {}, {}, {1, 2, 3}};
  args.sampling.max_tokens = tokens;
  const auto job =
      Update<Answer<model::JobStarted>>(1, canister, "generate_start", args).value().job;
  const auto poll = [&] {
    return Query<Answer<model::Progress>>(1, canister, "generate_poll", job, uint64_t{0}).value();
  };
  for (int i = 0; i < 1'000 && poll().tokens == 0; ++i) replica_->Work();
  EXPECT_FALSE(poll().finish_reason);
  return job;
}

// An answer that is under way when the code is replaced.
void Answers::AskOverAnUpgrade() {
  const uint64_t job = StartLong(model_, 220);
  Upgrade(model_, "model");
  CheckKept();
  Finish(model_, 1, job, false);
}

// One shape after another on one canister without a tokenizer; ids of 2 and of 4 bytes.
void Answers::AskRandomModels(int rounds) {
  const gpt2::Hparams shapes[] = {
      {.n_vocab = 300, .n_ctx = 80, .n_embd = 192, .n_head = 6, .n_layer = 2},
      {.n_vocab = 90, .n_ctx = 200, .n_embd = 768, .n_head = 12, .n_layer = 1},
      {.n_vocab = 53, .n_ctx = 70, .n_embd = 21, .n_head = 3, .n_layer = 2},
      {.n_vocab = 70'000, .n_ctx = 40, .n_embd = 16, .n_head = 2, .n_layer = 1},
      {.n_vocab = 512, .n_ctx = 1024, .n_embd = 192, .n_head = 3, .n_layer = 2}};
  Open(other_);
  for (const gpt2::Hparams& shape : shapes) {
    const auto mode = OneIn(2) ? gpt2::PackedMode::kExact : gpt2::PackedMode::kInt8;
    const std::string packed =
        gpt2::Pack(gpt2::RandomSafetensors({shape, random_(), true}), shape, mode).value();
    Upload(other_, "packed", packed);
    Know({gpt2::LoadPacked(packed).value(), base::Sha256Of(base::AsBytes(packed)), std::nullopt});
    for (int i = 0; i < rounds; ++i) Ask(other_, shape.n_vocab, shape.n_ctx, false);
    if (shape.n_ctx == 1024) Finish(other_, 1, StartLong(other_, 1'000), true);
  }
}

Json Answers::RowOf(const std::string& name, const cli::ReceiptFile& file, bool exact) {
  const std::string path = base::StrCat("build/receipts/", name, ".json");
  cli::FileSink sink(path);
  EXPECT_TRUE(sink.Write(base::AsBytes(cli::WriteReceiptFile(file))));
  EXPECT_TRUE(sink.Close());
  Json failing = Json::array();
  const auto found = modules_.find(file.canister);
  const auto& module = found == modules_.end() ? modules_.at(model_) : found->second;
  cli::Trusted trusted{agents_[0]->root_key(), module, env_.NowNs()};
  for (const cli::Check& check : cli::CheckCertified(file, trusted)) {
    if (!check.ok) failing.push_back(check.name);
  }
  return {{"file", name + ".json"},
          {"module_hash", base::ToHex(module)},
          {"failing", failing},
          {"exact", exact}};
}

// exact: a change after which the same checks must fail whoever checks; else only that some do.
cli::ReceiptFile Answers::Changed(const cli::ReceiptFile& file, bool* exact) {
  cli::ReceiptFile changed = file;
  *exact = true;
  const auto flip = [&](Bytes& bytes, size_t from) {
    bytes[from + random_() % (bytes.size() - from)] ^= static_cast<uint8_t>(1 << Below(8));
  };
  switch (Below(10)) {
    case 0:
      flip(changed.receipt, 0);
      break;
    case 1:
      flip(changed.witness, 3);
      *exact = false;
      break;
    case 2:
      flip(changed.certificate, 3);
      *exact = false;
      break;
    case 3:
      flip(changed.module_certificate, 3);
      *exact = false;
      break;
    case 4:
      changed.answer->input[0] ^= 1;
      break;
    case 5:
      changed.answer->output.push_back(1);
      break;
    case 6:
      changed.answer->stop.push_back("more");
      break;
    case 7:
      changed.answer.reset();
      break;
    case 8:
      changed.witness = files_[Below(static_cast<uint32_t>(files_.size()))].witness;
      *exact = changed.witness != file.witness;
      break;
    default:
      std::swap(changed.certificate, changed.module_certificate);
      *exact = false;
      break;
  }
  return changed;
}

void Answers::LeaveFiles() {
  std::filesystem::remove_all("build/receipts");
  std::filesystem::create_directories("build/receipts");
  Json rows = Json::array();
  for (size_t i = 0; i < files_.size(); ++i) {
    rows.push_back(RowOf(base::StrCat("true_", i), files_[i], true));
    EXPECT_TRUE(rows.back().at("failing").empty()) << rows.back();
  }
  for (size_t i = 0; i < 100; ++i) {
    bool exact = true;
    const cli::ReceiptFile changed = Changed(files_[i % files_.size()], &exact);
    rows.push_back(RowOf(base::StrCat("changed_", i), changed, exact));
  }
  const Json index = {{"root_key", base::ToHex(agents_[0]->root_key())}, {"files", rows}};
  cli::FileSink sink("build/receipts/index.json");
  EXPECT_TRUE(sink.Write(base::AsBytes(index.dump(1))));
  EXPECT_TRUE(sink.Close());
}

TEST_F(Answers, AllVerify) {
  const int rounds = std::getenv("GPT2IC_SOAK") != nullptr ? 10 : 1;
  SetUpDemo();
  Upload(backend_, "onnx", cli::ReadFile("tests/data/gpt2-tiny/gpt2_kv_op14.onnx").value());
  Know(cli::LoadModel("tests/data/gpt2-tiny/gpt2_kv_op14.onnx", {}).value());
  Open(backend_);
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i < 40; ++i) Ask(model_, 3'000, 256, true);
    AskOverAnUpgrade();
    for (int i = 0; i < 40; ++i) Ask(model_, 3'000, 256, true);
    for (int i = 0; i < 14; ++i) AskTheSeedsCalls();
    AskRandomModels(28);
    Upgrade(other_, "model");
    CheckKept();
  }
  EXPECT_GE(verified_, 200 * rounds);
  EXPECT_GT(kept_found_, 40 * rounds);
  for (const auto finish :
       {receipt::Finish::kEndToken, receipt::Finish::kStopText, receipt::Finish::kLength,
        receipt::Finish::kContext, receipt::Finish::kCancelled}) {
    EXPECT_GT(finishes_[finish], 0) << static_cast<int>(finish);
  }
  LeaveFiles();
}

}  // namespace
