// upload_*: chunks in any order, again, in parallel, after a pause or an upgrade; only what is
// committed is visible.
#include <algorithm>

#include "base/sha256.h"
#include "model_fixture.h"

namespace {

using namespace model_test;
using model::Answer;

class UploadCanister : public ModelCanister {
 protected:
  static constexpr uint32_t kChunk = 300'000;

  static std::string File(const char* name) {
    return cli::ReadFile(base::StrCat(kDemo, name)).value();
  }
  static Bytes HashOf(std::string_view content) {
    const auto digest = base::Sha256Of(base::AsBytes(content));
    return {digest.begin(), digest.end()};
  }
  uint64_t Begin(const char* kind, std::string_view content, std::optional<Bytes> sha256 = {},
                 uint32_t chunk = kChunk) {
    const model::UploadArgs args{kind, content.size(), chunk, std::move(sha256)};
    const auto begun = UpdateAs<Answer<model::UploadBegun>>(kOwner, "upload_begin", args);
    EXPECT_TRUE(begun) << begun.error().message;
    return begun ? begun->id : 0;
  }
  std::string Put(uint64_t id, uint32_t index, std::string_view content, uint32_t chunk = kChunk) {
    return CodeOf(UpdateAs<model::Done>(kOwner, "upload_chunk", id, index,
                                        base::AsBytes(content.substr(index * chunk, chunk))));
  }
  model::UploadStatus StatusOf(uint64_t id) {
    return QueryAs<Answer<model::UploadStatus>>(kStranger, "upload_status", id).value();
  }
  Answer<model::UploadCommitted> Commit(uint64_t id) {
    return UpdateAs<Answer<model::UploadCommitted>>(kOwner, "upload_commit", id);
  }
  // All chunks, the last first.
  Answer<model::UploadCommitted> Send(const char* kind, std::string_view content) {
    const uint64_t id = Begin(kind, content, HashOf(content));
    for (uint32_t i = StatusOf(id).chunks; i-- > 0;) EXPECT_EQ(Put(id, i, content), "Ok");
    return Commit(id);
  }
};

TEST_F(UploadCanister, AnyOrderAgainAndOverAnUpgrade) {
  EXPECT_EQ(CodeOf(Send("config", File("config.json"))), "Ok");
  EXPECT_EQ(CodeOf(Send("tokenizer", File("tokenizer.json"))), "Ok");
  const std::string weights = File("model.safetensors");
  const uint64_t id = Begin("safetensors", weights, HashOf(weights));
  const uint32_t chunks = StatusOf(id).chunks;
  ASSERT_EQ(chunks, (weights.size() + kChunk - 1) / kChunk);
  for (uint32_t i = 0; i < chunks; i += 2) {
    EXPECT_EQ(Put(id, i, weights), "Ok");
    EXPECT_EQ(Put(id, i, weights), "Ok");
  }
  EXPECT_EQ(CodeOf(Commit(id)), "conflict");
  EXPECT_EQ(StatusOf(id).missing.size(), chunks / 2);
  EXPECT_EQ(StatusOf(id).missing.at(0).first, 1u);
  Upgrade();
  for (uint32_t i = 1; i < chunks; i += 2) EXPECT_EQ(Put(id, i, weights), "Ok");
  EXPECT_TRUE(StatusOf(id).missing.empty());
  const auto committed = Commit(id);
  ASSERT_TRUE(committed) << committed.error().message;
  EXPECT_EQ(committed->sha256, HashOf(weights));
  EXPECT_EQ(StatusOf(id).state, "committed");
  EXPECT_EQ(CodeOf(Commit(id)), "conflict");
  EXPECT_EQ(Put(id, 0, weights), "conflict");
  EXPECT_NE(Generate("What is the capital of France?")->find("Paris"), std::string::npos);
}

TEST_F(UploadCanister, AWrongHashChangesNothing) {
  SetUpDemo();
  const auto before = QueryAs<model::Status>(kOwner, "status").model->sha256;
  std::string weights = File("model.safetensors");
  const Bytes hash = HashOf(weights);
  weights.back() ^= 1;
  const uint64_t id = Begin("safetensors", weights, hash);
  for (uint32_t i = 0; i < StatusOf(id).chunks; ++i) EXPECT_EQ(Put(id, i, weights), "Ok");
  const auto refused = Commit(id);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("sha-256"), std::string::npos);
  EXPECT_EQ(QueryAs<model::Status>(kOwner, "status").model->sha256, before);
  EXPECT_NE(Generate("What is the capital of France?")->find("Paris"), std::string::npos);
  // Mended, it goes through.
  weights.back() ^= 1;
  EXPECT_EQ(Put(id, StatusOf(id).chunks - 1, weights), "Ok");
  EXPECT_EQ(CodeOf(Commit(id)), "Ok");
  EXPECT_EQ(QueryAs<model::Status>(kOwner, "status").model->sha256, before);
}

TEST_F(UploadCanister, SpaceIsGivenBack) {
  SetUpDemo();
  const auto stable = [&] { return QueryAs<model::Status>(kOwner, "status").stable_bytes; };
  const std::string weights = File("model.safetensors");
  ASSERT_EQ(CodeOf(Send("safetensors", weights)), "Ok");
  const uint64_t after_one = stable();
  for (int i = 0; i < 4; ++i) ASSERT_EQ(CodeOf(Send("safetensors", weights)), "Ok");
  EXPECT_EQ(stable(), after_one);
  for (int i = 0; i < 5; ++i) {
    const uint64_t id = Begin("packed", weights);
    EXPECT_EQ(CodeOf(UpdateAs<model::Done>(kOwner, "upload_abort", id)), "Ok");
  }
  EXPECT_EQ(stable(), after_one);
}

TEST_F(UploadCanister, RefusesWhatMakesNoSense) {
  const auto begin = [&](const model::UploadArgs& args) {
    return CodeOf(UpdateAs<Answer<model::UploadBegun>>(kOwner, "upload_begin", args));
  };
  EXPECT_EQ(begin({"music", 10, 10, {}}), "bad_input");
  EXPECT_EQ(begin({"config", 0, 10, {}}), "bad_input");
  EXPECT_EQ(begin({"config", 10, 0, {}}), "bad_input");
  EXPECT_EQ(begin({"config", 10, 1'900'001, {}}), "bad_input");
  EXPECT_EQ(begin({"packed", ~uint64_t{0}, 1'000'000, {}}), "bad_input");
  EXPECT_EQ(begin({"packed", uint64_t{1} << 35, 1, {}}), "bad_input");
  EXPECT_EQ(begin({"config", 10, 10, Bytes(31)}), "bad_input");
  const uint64_t id = Begin("config", "{}", {}, 1);
  EXPECT_EQ(
      CodeOf(UpdateAs<model::Done>(kOwner, "upload_chunk", id, uint32_t{2}, base::AsBytes("x"))),
      "bad_input");
  EXPECT_EQ(
      CodeOf(UpdateAs<model::Done>(kOwner, "upload_chunk", id, uint32_t{0}, base::AsBytes("xy"))),
      "bad_input");
  EXPECT_EQ(CodeOf(UpdateAs<model::Done>(kOwner, "upload_chunk", id + 1, uint32_t{0},
                                         base::AsBytes("x"))),
            "not_found");
  EXPECT_EQ(Put(id, 0, "{}", 1), "Ok");
  EXPECT_EQ(Put(id, 1, "{}", 1), "Ok");
  EXPECT_EQ(CodeOf(Commit(id)), "bad_input");  // no config of a GPT-2
  const auto stranger =
      local_->network().Call(kStranger, local_->canister(), "upload_begin",
                             candid::EncodeArgs(model::UploadArgs{"config", 10, 10, {}}));
  EXPECT_TRUE(stranger.reject);
}

TEST_F(UploadCanister, ChunksCostFourInstructionsAByte) {
  const std::string weights = File("model.safetensors");
  const uint64_t id = Begin("safetensors", weights, {}, 1'900'000);
  local_->TakeUsage();
  EXPECT_EQ(Put(id, 0, weights, 1'900'000), "Ok");
  cli::Usage usage = local_->TakeUsage();
  EXPECT_LE((usage.instructions - usage.page_charges) / 1'900'000.0, 4.0);
  ASSERT_TRUE(local_->Update("append_safetensors_bytes",
                             candid::EncodeArgs(base::AsBytes(weights.substr(0, 1'900'000)))));
  usage = local_->TakeUsage();
  EXPECT_LE((usage.instructions - usage.page_charges) / 1'900'000.0, 4.0);
}

}  // namespace
