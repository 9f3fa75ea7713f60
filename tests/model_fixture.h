// For tests only: the canister `model` on a local network, and its calls as a user makes them.
#ifndef GPT2IC_TESTS_MODEL_FIXTURE_H_
#define GPT2IC_TESTS_MODEL_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "canister/model/api.h"
#include "cli/command.h"
#include "cli/local.h"
#include "runtime/round/management_types.h"

namespace model_test {

using base::Bytes;

struct Tokens {
  std::vector<uint32_t> token_ids;
  std::vector<std::string> tokens;
};
CANDID_RECORD(Tokens, token_ids, tokens)

struct Inference {
  base::Result<std::vector<uint32_t>> result;
};
CANDID_RECORD(Inference, result)

constexpr char kDemo[] = "models/demo/";
constexpr char kReal[] = "tests/data/gpt2-open-instruct/";
constexpr char kTiny[] = "tests/data/gpt2-tiny/";

class ModelCanister : public ::testing::Test {
 protected:
  ModelCanister() : local_(cli::Local::Deploy(GPT2IC_WASM_DIR "/model.wasm", 1).value()) {}

  void Upload(const std::string& kind, const std::string& path) {
    const auto done = local_->Upload("append_" + kind + "_bytes", path);
    ASSERT_TRUE(done) << done.error().message;
  }
  void UploadText(const std::string& kind, std::string_view text) {
    Call("clear_" + kind + "_bytes");
    ASSERT_TRUE(
        local_->Update("append_" + kind + "_bytes", candid::EncodeArgs(base::AsBytes(text))));
  }
  Bytes Call(const std::string& method) {
    const auto reply = local_->Update(method, candid::EncodeArgs());
    EXPECT_TRUE(reply) << reply.error().message;
    return reply.value_or(Bytes());
  }
  template <class T>
  static T Decoded(const base::Result<Bytes>& reply) {
    EXPECT_TRUE(reply) << reply.error().message;
    auto [value] = candid::DecodeArgs<T>(*reply).value();
    return std::move(value);
  }

  // The sentence of a failure, or "".
  std::string SetUpTokenizer() {
    return Decoded<std::optional<std::string>>(Call("setup_tokenizer")).value_or("");
  }
  std::string SetUpModel() {
    const auto done = Decoded<base::Status>(Call("setup_model"));
    return done ? "" : done.error().message;
  }
  void SetUpDemo() {
    Upload("safetensors", base::StrCat(kDemo, "model.safetensors"));
    Upload("config", base::StrCat(kDemo, "config.json"));
    ASSERT_EQ(SetUpModel(), "");
    Upload("tokenizer", base::StrCat(kDemo, "tokenizer.json"));
    ASSERT_EQ(SetUpTokenizer(), "");
  }
  base::Result<std::string> Generate(std::string_view prompt, uint8_t count = 30,
                                     double temperature = 0) {
    return Decoded<base::Result<std::string>>(
        local_->Update("generate", candid::EncodeArgs(prompt, count, temperature)));
  }
  base::Result<std::vector<uint32_t>> Infer(const std::vector<uint32_t>& ids, uint8_t count,
                                            double temperature) {
    auto reply = Decoded<base::Result<Inference>>(
        local_->Update("inference", candid::EncodeArgs(ids, count, temperature)));
    if (!reply) return std::unexpected(reply.error());
    return std::move(reply->result);
  }
  base::Result<Tokens> Tokenize(std::string_view text) {
    return Decoded<base::Result<Tokens>>(local_->Query("tokenize", candid::EncodeArgs(text)));
  }
  // Instructions of one tokenize query, page charges apart.
  uint64_t TokenizeCost(std::string_view text) {
    local_->TakeUsage();
    EXPECT_TRUE(Tokenize(text));
    const cli::Usage usage = local_->TakeUsage();
    return usage.instructions - usage.page_charges;
  }

  // ---- beyond the seed ----
  using Principal = runtime::Principal;
  static inline const Principal kOwner = {2};  // who deploys
  static inline const Principal kStranger = {7, 7}, kOther = {8, 8}, kAnonymous = {4};

  template <class T, class... Args>
  T UpdateAs(const Principal& sender, const std::string& method, const Args&... args) {
    const auto response =
        local_->network().Call(sender, local_->canister(), method, candid::EncodeArgs(args...));
    EXPECT_FALSE(response.reject) << method << ": " << response.reject->message;
    return Decoded<T>(base::Result<Bytes>(response.reply));
  }
  template <class T, class... Args>
  T QueryAs(const Principal& sender, const std::string& method, const Args&... args) {
    const auto response =
        local_->network().Query(sender, local_->canister(), method, candid::EncodeArgs(args...));
    EXPECT_FALSE(response.reject) << method << ": " << response.reject->message;
    return Decoded<T>(base::Result<Bytes>(response.reply));
  }
  // The code of an Err, or "Ok".
  template <class T>
  static std::string CodeOf(const model::Answer<T>& answer) {
    return answer ? "Ok" : answer.error().code;
  }
  static model::GenerateArgs Ask(std::string_view question, uint32_t max_tokens = 30) {
    model::GenerateArgs args;
    args.input = {model::InputKind::kMessages, {}, {{"user", std::string(question)}}, {}};
    args.sampling.max_tokens = max_tokens;
    return args;
  }
  model::Answer<model::JobStarted> StartAs(const Principal& sender,
                                           const model::GenerateArgs& args) {
    return UpdateAs<model::Answer<model::JobStarted>>(sender, "generate_start", args);
  }
  model::Progress PollAs(const Principal& sender, uint64_t job, uint64_t from = 0) {
    auto progress = QueryAs<model::Answer<model::Progress>>(sender, "generate_poll", job, from);
    EXPECT_TRUE(progress) << progress.error().message;
    return progress.value_or(model::Progress{});
  }
  // Lets timers and messages run until the job is finished.
  model::Progress FinishAs(const Principal& sender, uint64_t job) {
    for (int round = 0; round < 1000; ++round) {
      model::Progress progress = PollAs(sender, job);
      if (progress.finish_reason) return progress;
      local_->network().Round();
    }
    ADD_FAILURE() << "job " << job << " does not end";
    return {};
  }
  model::Policy PolicyNow() { return QueryAs<model::Policy>(kOwner, "get_policy"); }
  std::string SetPolicy(const model::Policy& policy) {
    return CodeOf(UpdateAs<model::Done>(kOwner, "set_policy", policy));
  }
  void Upgrade(const std::string& name = "model") {
    const std::string wasm =
        cli::ReadFile(base::StrCat(GPT2IC_WASM_DIR "/", name, ".wasm")).value();
    UpgradeTo(Bytes(wasm.begin(), wasm.end()));
  }
  void UpgradeTo(const Bytes& wasm) {
    const auto error = local_->network().InstallCode(
        local_->canister(), runtime::InstallMode::kUpgrade, wasm, {}, kOwner);
    ASSERT_FALSE(error) << error->message;
  }

  void NextDay() { local_->env().Advance(86'400'000'000'000); }

  // ---- calls that stay open ----
  template <class... Args>
  runtime::MessageId SendAs(const Principal& sender, const std::string& method,
                            const Args&... args) {
    return local_->network().Submit(sender, local_->canister(), method,
                                    candid::EncodeArgs(args...));
  }
  bool Answered(runtime::MessageId id) { return local_->network().Status(id).answered(); }
  // Lets messages and timers run until the call is answered; what it was answered.
  base::Result<Bytes> AnswerOf(runtime::MessageId id) {
    for (int round = 0; round < 1000 && !Answered(id); ++round) local_->network().Round(1);
    const runtime::IngressStatus& status = local_->network().Status(id);
    if (!status.answered()) return base::Err("the call is not answered");
    if (status.response.reject) return base::Err("reject: ", status.response.reject->message);
    return status.response.reply;
  }
  // As the IC does it: open calls are answered first.
  runtime::MessageId BeginStop() { return Manage("stop_canister"); }
  runtime::MessageId Manage(const std::string& method) {
    const runtime::ic_did::CanisterId argument{
        candid::Principal::FromBytes(local_->canister()).value()};
    return local_->network().Submit(kOwner, {}, method, candid::EncodeArgs(argument));
  }
  void Stop() { ASSERT_TRUE(AnswerOf(BeginStop())); }
  void StartAgain() { ASSERT_TRUE(AnswerOf(Manage("start_canister"))); }
  // Slices so small that an answer or a set-up takes several messages.
  void UseSmallMessages() {
    model::Policy policy = PolicyNow();
    policy.instructions_per_message = 400'000'000;
    ASSERT_EQ(SetPolicy(policy), "Ok");
  }

  std::unique_ptr<cli::Local> local_;
};

}  // namespace model_test

#endif  // GPT2IC_TESTS_MODEL_FIXTURE_H_
