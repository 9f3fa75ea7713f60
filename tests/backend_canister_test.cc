// The canister gpt2_backend as a user of seed S0 meets it: an ONNX file in, token ids out.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "canister/model/api.h"
#include "cli/command.h"
#include "cli/local.h"

namespace {

using base::Bytes;
using Json = nlohmann::json;
constexpr char kTiny[] = "tests/data/gpt2-tiny/";

class BackendCanister : public ::testing::Test {
 protected:
  BackendCanister() : local_(cli::Local::Deploy(GPT2IC_WASM_DIR "/gpt2_backend.wasm", 1).value()) {}

  template <class T>
  static T Decoded(const base::Result<Bytes>& reply) {
    EXPECT_TRUE(reply) << reply.error().message;
    auto [value] = candid::DecodeArgs<T>(*reply).value();
    return std::move(value);
  }
  // "" or the error's text.
  std::string SetUpFile(const std::string& path) {
    EXPECT_TRUE(local_->Update("clear_model_bytes", candid::EncodeArgs()));
    EXPECT_TRUE(local_->Upload("append_model_bytes", path));
    EXPECT_EQ(Decoded<uint64_t>(local_->Query("model_bytes_length", candid::EncodeArgs())),
              std::filesystem::file_size(path));
    return SetUpWhatIsThere();
  }
  std::string SetUpWhatIsThere() {
    return Decoded<std::optional<std::string>>(local_->Update("setup_model", candid::EncodeArgs()))
        .value_or("");
  }
  base::Result<std::vector<int64_t>> Infer(uint8_t count, const std::vector<int64_t>& ids) {
    return Decoded<base::Result<std::vector<int64_t>>>(
        local_->Update("model_inference", candid::EncodeArgs(count, ids)));
  }
  Bytes ModelHash() {
    return Decoded<model::Status>(local_->Query("status", candid::EncodeArgs())).model->sha256;
  }

  std::unique_ptr<cli::Local> local_;
};

TEST_F(BackendCanister, EveryOnnxFileGivesPyTorchsIdsAndTheSameModel) {
  const Json reference = Json::parse(std::ifstream(base::StrCat(kTiny, "logits.json")));
  const auto greedy = reference.at("greedy_from_5_6_7").get<std::vector<int64_t>>();
  std::optional<Bytes> hash;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kTiny)) {
    if (entry.path().extension() != ".onnx") continue;
    ASSERT_EQ(SetUpFile(entry.path().string()), "") << entry.path();
    const auto ids = Infer(static_cast<uint8_t>(greedy.size() - 3), {5, 6, 7});
    ASSERT_TRUE(ids) << ids.error().message;
    EXPECT_EQ(*ids, std::vector<int64_t>(greedy.begin() + 3, greedy.end())) << entry.path();
    if (!hash) hash = ModelHash();
    EXPECT_EQ(ModelHash(), *hash) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 7);
}

// What taking a file of 0.8 MB in costs: hashed twice, its graph followed, packed, loaded, and some
// tokens run to measure the rates.
TEST_F(BackendCanister, AnOnnxFileCostsAtMost150InstructionsAByte) {
  for (const char* name : {"gpt2_kv_op14.onnx", "gpt2_nocache_dynamo_op18.onnx"}) {
    const std::string path = base::StrCat(kTiny, name);
    EXPECT_TRUE(local_->Update("clear_model_bytes", candid::EncodeArgs()));
    EXPECT_TRUE(local_->Upload("append_model_bytes", path));
    local_->TakeUsage();
    ASSERT_EQ(SetUpWhatIsThere(), "");
    const cli::Usage usage = local_->TakeUsage();
    const uint64_t instructions = usage.instructions - usage.page_charges;
    RecordProperty(name, std::to_string(instructions));
    EXPECT_LT(instructions / std::filesystem::file_size(path), 150u) << instructions;
  }
}

// The model's identity is that of its weights: from ONNX, safetensors or packed, here or there.
TEST_F(BackendCanister, EveryFormHasTheHashThatPackGives) {
  const std::string packed =
      (std::filesystem::temp_directory_path() / base::StrCat("gpt2ic_backend_", getpid())).string();
  const std::string command =
      base::StrCat(GPT2IC_PROGRAM " pack ", kTiny, "model.safetensors -o ", packed, " > /dev/null");
  ASSERT_EQ(std::system(command.c_str()), 0);
  const auto digest = base::Sha256Of(base::AsBytes(cli::ReadFile(packed).value()));
  const Bytes hash(digest.begin(), digest.end());
  const model::UploadArgs config{
      "config", std::filesystem::file_size(base::StrCat(kTiny, "config.json")), 10'000, {}};
  const auto sent = [&] {
    const auto begun = Decoded<model::Answer<model::UploadBegun>>(
        local_->Update("upload_begin", candid::EncodeArgs(config)));
    const std::string json = cli::ReadFile(base::StrCat(kTiny, "config.json")).value();
    EXPECT_TRUE(local_->Update("upload_chunk",
                               candid::EncodeArgs(begun->id, uint32_t{0}, base::AsBytes(json))));
    EXPECT_TRUE(local_->Update("upload_commit", candid::EncodeArgs(begun->id)));
  };
  for (const std::string& path :
       {packed, base::StrCat(kTiny, "model.safetensors"),
        base::StrCat(kTiny, "model.noprefix.safetensors"), base::StrCat(kTiny, "gpt2_kv_op11.onnx"),
        base::StrCat(kTiny, "gpt2_nocache_dynamo_op18.onnx")}) {
    sent();  // for safetensors; the others say themselves what it says
    ASSERT_EQ(SetUpFile(path), "") << path;
    EXPECT_EQ(ModelHash(), hash) << path;
  }
  std::filesystem::remove(packed);
}

TEST_F(BackendCanister, RefusesWhatIsNoModelAndGoesOn) {
  EXPECT_NE(SetUpWhatIsThere(), "");
  EXPECT_NE(Infer(3, {1}).error().message.find("setup_model"), std::string::npos);
  ASSERT_EQ(SetUpFile(base::StrCat(kTiny, "gpt2_kv_op14.onnx")), "");
  for (const char* path : {"README.md", "models/demo/tokenizer.json", "LICENSE"}) {
    EXPECT_NE(SetUpFile(path), "") << path;
  }
  EXPECT_TRUE(Infer(3, {5, 6, 7}));
  EXPECT_NE(Infer(3, {-1}).error().message.find("-1"), std::string::npos);
  EXPECT_NE(Infer(3, {512}).error().message.find("512"), std::string::npos);
  EXPECT_NE(Infer(3, {}).error().message.find("0 tokens"), std::string::npos);
  EXPECT_NE(Infer(3, std::vector<int64_t>(129, 1)).error().message.find("128"), std::string::npos);
  EXPECT_EQ(Infer(0, {5})->size(), 0u);
}

// The five calls by whom, and what is no argument; the others are `model`'s own
// (access_canister_test.cc).
TEST_F(BackendCanister, ItsOwnCallsAreForTheAuthorizedAndTakeNoNonsense) {
  ASSERT_EQ(SetUpFile(base::StrCat(kTiny, "gpt2_kv_op14.onnx")), "");
  runtime::Network& network = local_->network();
  const runtime::Principal owner = {2}, stranger = {7, 7}, anonymous = {4};
  const std::pair<const char*, Bytes> calls[] = {
      {"append_model_bytes", candid::EncodeArgs(base::AsBytes("x"))},
      {"clear_model_bytes", candid::EncodeArgs()},
      {"setup_model", candid::EncodeArgs()},
      {"model_inference", candid::EncodeArgs(uint8_t{1}, std::vector<int64_t>{5})}};
  const Bytes hash = ModelHash();
  for (const auto& [method, argument] : calls) {
    SCOPED_TRACE(method);
    const bool open = std::string_view(method) == "model_inference";
    for (const auto& caller : {stranger, anonymous}) {
      const auto response = network.Call(caller, local_->canister(), method, argument);
      EXPECT_EQ(response.reject.has_value(), !open);
      const bool dropped =
          network.Inspect(caller, local_->canister(), method, argument).has_value();
      EXPECT_EQ(dropped, !open || caller == anonymous);
      if (!open) continue;
      const auto ids = Decoded<base::Result<std::vector<int64_t>>>(response.reply);
      EXPECT_EQ(ids.has_value(), caller == stranger);
    }
    for (const Bytes& bad :
         {Bytes(), Bytes{'D', 'I', 'D', 'L'}, Bytes(1000, 0xff),
          Bytes{'D', 'I', 'D', 'L', 0, 1, 0x7e, 2}, Bytes{'D', 'I', 'D', 'L', 0, 0, 0}}) {
      const auto response = network.Call(owner, local_->canister(), method, bad);
      ASSERT_TRUE(response.reject);
      EXPECT_NE(response.reject->message.find("argument: "), std::string::npos);
    }
  }
  EXPECT_EQ(ModelHash(), hash);
  EXPECT_EQ(Infer(0, {5})->size(), 0u);
}

}  // namespace
