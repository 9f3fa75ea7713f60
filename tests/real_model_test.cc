// The seeds' documented calls on the models that they are documented for. GPT2IC_REAL_MODEL names a
// folder with `gpt2` (OpenAI's 124M: model.safetensors and config.json, or model.onnx) or
// `gpt2-open-instruct-v1` (model.safetensors, config.json, tokenizer.json), or both; without it the
// tests are skipped.
#include <cstdlib>
#include <filesystem>

#include "model_fixture.h"

namespace {

using namespace model_test;

// The folder of one model; skips the test where there is none.
std::string FolderOf(const char* model) {
  const char* real = std::getenv("GPT2IC_REAL_MODEL");
  if (real == nullptr) return "";
  const std::string folder = base::StrCat(real, "/", model, "/");
  return std::filesystem::exists(folder) ? folder : "";
}

class RealBackend : public ::testing::Test {
 protected:
  RealBackend() : local_(cli::Local::Deploy(GPT2IC_WASM_DIR "/gpt2_backend.wasm", 1).value()) {}

  template <class T>
  static T Decoded(const base::Result<Bytes>& reply) {
    EXPECT_TRUE(reply) << reply.error().message;
    auto [value] = candid::DecodeArgs<T>(*reply).value();
    return std::move(value);
  }
  void SendConfig(const std::string& path) {
    const std::string json = cli::ReadFile(path).value();
    const auto begun = Decoded<model::Answer<model::UploadBegun>>(local_->Update(
        "upload_begin", candid::EncodeArgs(model::UploadArgs{"config", json.size(), 100'000, {}})));
    ASSERT_TRUE(begun);
    ASSERT_TRUE(local_->Update("upload_chunk",
                               candid::EncodeArgs(begun->id, uint32_t{0}, base::AsBytes(json))));
    ASSERT_TRUE(local_->Update("upload_commit", candid::EncodeArgs(begun->id)));
  }
  void SetUpFrom(const std::string& file) {
    ASSERT_TRUE(local_->Update("clear_model_bytes", candid::EncodeArgs()));
    ASSERT_TRUE(local_->Upload("append_model_bytes", file));
    const auto error =
        Decoded<std::optional<std::string>>(local_->Update("setup_model", candid::EncodeArgs()));
    ASSERT_FALSE(error) << *error;
  }
  std::vector<int64_t> Infer(uint8_t count, const std::vector<int64_t>& ids) {
    return Decoded<base::Result<std::vector<int64_t>>>(
               local_->Update("model_inference", candid::EncodeArgs(count, ids)))
        .value();
  }
  void ExpectDocumentedIds() {
    EXPECT_EQ(Infer(7, {26905, 30906, 48451, 37166, 13424, 14305}),
              (std::vector<int64_t>{286, 6824, 284, 4589, 284, 262, 976}));
    EXPECT_EQ(Infer(7, {750, 389, 345, 30}),
              (std::vector<int64_t>{198, 198, 40, 1101, 407, 1654, 13}));
  }

  std::unique_ptr<cli::Local> local_;
};

TEST_F(RealBackend, GivesTheDocumentedIds) {
  const std::string folder = FolderOf("gpt2");
  if (folder.empty()) GTEST_SKIP() << "GPT2IC_REAL_MODEL names no folder with gpt2";
  int files = 0;
  for (const char* name : {"model.onnx", "model.safetensors"}) {
    if (!std::filesystem::exists(folder + name)) continue;
    SCOPED_TRACE(name);
    const std::string config = folder + "config.json";
    if (std::filesystem::exists(config)) SendConfig(config);
    SetUpFrom(folder + name);
    ExpectDocumentedIds();
    ++files;
  }
  EXPECT_GT(files, 0) << "no model.onnx or model.safetensors in " << folder;
}

using RealModel = ModelCanister;

TEST_F(RealModel, AnswersTheDocumentedCalls) {
  const std::string folder = FolderOf("gpt2-open-instruct-v1");
  if (folder.empty()) {
    GTEST_SKIP() << "GPT2IC_REAL_MODEL names no folder with gpt2-open-instruct-v1";
  }
  Upload("safetensors", folder + "model.safetensors");
  Call("store_safetensors_bytes_to_stable");
  Call("load_safetensors_bytes_from_stable");
  Upload("config", folder + "config.json");
  ASSERT_EQ(SetUpModel(), "");
  Upload("tokenizer", folder + "tokenizer.json");
  Call("store_tokenizer_bytes_to_stable");
  Call("load_tokenizer_bytes_from_stable");
  ASSERT_EQ(SetUpTokenizer(), "");
  EXPECT_EQ(Infer({1, 2}, 1, 0.2)->size(), 1u);
  const auto answer = Generate("what is the capital of France?", 10, 0.2);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_NE(answer->find("Paris"), std::string::npos) << *answer;
}

}  // namespace
