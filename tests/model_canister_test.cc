// The canister `model` as its users meet it: the seeds' calls, answers, costs, and bad input.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/hex.h"
#include "cli/command.h"
#include "cli/native_model.h"
#include "model_fixture.h"
#include "pages.h"

namespace {

using Json = nlohmann::json;

using namespace model_test;

TEST_F(ModelCanister, AnswersAsTheNativeCodeDoes) {
  SetUpDemo();
  const auto native = cli::NativeModel::Load("models/demo").value();
  for (const char* prompt : {"What is the capital of France?", "what is the capital of France?",
                             "What is 3 plus 4?", "\xf0\x9f\x99\x82 ?"}) {
    const auto answer = Generate(prompt);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(*answer, native->Generate(prompt, 30, {0, 1}).value());
  }
  EXPECT_NE(Generate("What is the capital of France?")->find("Paris"), std::string::npos);
}

TEST_F(ModelCanister, LengthsFollowTheSeedsSequence) {
  const auto length = [&] {
    return Decoded<uint64_t>(local_->Query("config_bytes_length", candid::EncodeArgs()));
  };
  EXPECT_EQ(length(), 0u);
  UploadText("config", "12345");
  UploadText("config", "123");
  EXPECT_EQ(length(), 3u);
  ASSERT_TRUE(local_->Update("append_config_bytes", candid::EncodeArgs(base::AsBytes("45"))));
  EXPECT_EQ(length(), 5u);
  Call("store_config_bytes_to_stable");
  EXPECT_EQ(length(), 0u);
  Call("load_config_bytes_from_stable");
  EXPECT_EQ(length(), 5u);
  // What is loaded is a copy: more bytes behind it leave what is stored as it was.
  ASSERT_TRUE(local_->Update("append_config_bytes", candid::EncodeArgs(base::AsBytes("678"))));
  EXPECT_EQ(length(), 8u);
  Call("load_config_bytes_from_stable");
  EXPECT_EQ(length(), 5u);
  Call("clear_config_bytes");
  EXPECT_EQ(length(), 0u);
  EXPECT_FALSE(local_->Update("store_config_bytes_to_stable", candid::EncodeArgs()));
  EXPECT_FALSE(local_->Update("load_tokenizer_bytes_from_stable", candid::EncodeArgs()));
}

TEST_F(ModelCanister, GreedyIdsEqualPyTorchs) {
  Upload("safetensors", base::StrCat(kTiny, "model.safetensors"));
  Upload("config", base::StrCat(kTiny, "config.json"));
  ASSERT_EQ(SetUpModel(), "");
  const Json reference = Json::parse(std::ifstream(base::StrCat(kTiny, "logits.json")));
  const auto greedy = reference.at("greedy_from_5_6_7").get<std::vector<uint32_t>>();
  const auto ids = Infer({5, 6, 7}, static_cast<uint8_t>(greedy.size() - 3), 0);
  ASSERT_TRUE(ids) << ids.error().message;
  EXPECT_EQ(*ids, std::vector<uint32_t>(greedy.begin() + 3, greedy.end()));
}

TEST_F(ModelCanister, TokenizesAsHuggingFaceDoes) {
  Upload("tokenizer", base::StrCat(kReal, "tokenizer.json"));
  local_->TakeUsage();
  ASSERT_EQ(SetUpTokenizer(), "");
  const cli::Usage setup = local_->TakeUsage();
  EXPECT_LT(setup.instructions - setup.page_charges, 800'000'000u);
  RecordProperty("setup_tokenizer", std::to_string(setup.instructions - setup.page_charges));
  const Json vectors = Json::parse(std::ifstream(base::StrCat(kReal, "tokenizer-vectors.json")));
  for (const Json& row : vectors["encode"]) {
    const auto tokens = Tokenize(row["text"].get<std::string>());
    ASSERT_TRUE(tokens) << tokens.error().message;
    ASSERT_EQ(tokens->token_ids, row["ids"].get<std::vector<uint32_t>>());
    ASSERT_EQ(tokens->tokens, row["tokens"].get<std::vector<std::string>>());
  }
  for (const Json& row : vectors["decode"]) {
    const Bytes ids = candid::EncodeArgs(row["ids"].get<std::vector<uint32_t>>());
    const auto each = Decoded<base::Result<std::vector<std::string>>>(local_->Query("decode", ids));
    const auto text = Decoded<base::Result<std::string>>(local_->Query("decode_batch", ids));
    ASSERT_EQ(each.value(), row["each"].get<std::vector<std::string>>());
    ASSERT_EQ(text.value(), row["text"].get<std::string>());
  }
}

TEST_F(ModelCanister, TokenizingCostsBoundedInstructionsPerByte) {
  Upload("tokenizer", base::StrCat(kReal, "tokenizer.json"));
  ASSERT_EQ(SetUpTokenizer(), "");
  std::string english;
  while (english.size() < 65536) {
    english +=
        "The canister that answers you runs on thirteen machines at once, and each of them "
        "checks what the others say; it isn't fast, but nobody has to be trusted. ";
  }
  const uint64_t per_byte = TokenizeCost(english) / english.size();
  RecordProperty("english_per_byte", std::to_string(per_byte));
  EXPECT_LT(per_byte, 2'500u);
  std::string bytes, letters, wide;
  uint32_t x = 1;
  for (uint32_t i = 0; i < 65536; ++i) {
    x = x * 1664525 + 1013904223;
    bytes.push_back(static_cast<char>(x >> 24 & 0x7f));
    letters.push_back(static_cast<char>('a' + (x >> 16) % 26));  // one word of 64 KB
    if (i % 3 == 0)
      wide +=
          {'\xe4', static_cast<char>(0xb8 + (x >> 30)), static_cast<char>(0x80 + (x >> 24) % 64)};
  }
  for (const std::string& text : {std::string(65536, 'a'), std::string(65536, ' '),
                                  std::string(65536, '7'), bytes, letters, wide}) {
    const uint64_t cost = TokenizeCost(text) / text.size();
    EXPECT_LT(cost, 4 * per_byte) << base::Printable(text, 10);
    RecordProperty("per_byte_" + base::ToHex(base::AsBytes(text.substr(0, 4))),
                   std::to_string(cost));
  }
}

// What a call costs besides the model, page charges apart: candid, checks, quote, session, queue.
// The certified receipt, nearly all hashes, is apart: tests/receipt_canister_test.cc has what it
// comes to when 1,000 are kept.
TEST_F(ModelCanister, ACallsOverheadIsBounded) {
  SetUpDemo();
  local_->network().options().limits.page_overhead = 0;
  uint64_t receipt = 0;  // of the last call
  const auto cost = [&](auto call) {
    call();  // buffers are there the second time
    const uint64_t before = ReceiptInstructions(*local_);
    local_->TakeUsage();
    call();
    const cli::Usage usage = local_->TakeUsage();
    EXPECT_EQ(usage.messages, 1u);
    EXPECT_EQ(usage.page_charges, 0u);
    receipt = ReceiptInstructions(*local_) - before;
    return usage.instructions - receipt;
  };
  const uint64_t tokenize = cost([&] { EXPECT_TRUE(Tokenize("a")); });
  const uint64_t generate = cost([&] { EXPECT_TRUE(Generate("a", 0)); });
  const uint64_t generate_receipt = receipt;
  const uint64_t inference = cost([&] { EXPECT_TRUE(Infer({5}, 0, 0)); });
  RecordProperty("tokenize", std::to_string(tokenize));
  RecordProperty("generate", std::to_string(generate));
  RecordProperty("generate_receipt", std::to_string(generate_receipt));
  RecordProperty("inference", std::to_string(inference));
  EXPECT_LT(cost([&] { PolicyNow(); }), 40'000u);
  EXPECT_LT(tokenize, 22'000u);
  EXPECT_LT(generate, 53'000u);
  EXPECT_LT(generate_receipt, 97'000u);
  EXPECT_LT(inference, 61'000u);
}

// Each is refused with a sentence that names what was found, and the canister goes on working.
TEST_F(ModelCanister, RefusesBadRequestsAndGoesOn) {
  EXPECT_NE(Generate("hello").error().message.find("setup_model"), std::string::npos);
  EXPECT_NE(Infer({1}, 1, 0).error().message.find("setup_model"), std::string::npos);
  EXPECT_NE(Tokenize("hello").error().message.find("setup_tokenizer"), std::string::npos);
  SetUpDemo();
  const auto says = [](const auto& result, const char* text) {
    return !result && result.error().message.find(text) != std::string::npos
               ? std::string()
               : (result ? "accepted" : result.error().message);
  };
  EXPECT_EQ(says(Generate(""), "empty"), "");
  EXPECT_EQ(says(Generate("hello", 101), "100"), "");
  EXPECT_EQ(says(Generate("hello", 5, -0.1), "between 0 and 2"), "");
  EXPECT_EQ(says(Generate("hello", 5, 2.1), "between 0 and 2"), "");
  EXPECT_EQ(says(Generate("hello", 5, __builtin_nan("")), "between 0 and 2"), "");
  EXPECT_EQ(says(Infer({}, 5, 0), "0 tokens"), "");
  EXPECT_EQ(says(Infer({1, 2, 3328}, 5, 0), "3328"), "");
  EXPECT_EQ(says(Infer({1}, 5, -1), "emperature"), "");
  EXPECT_EQ(says(Infer({1}, 5, __builtin_nan("")), "emperature"), "");
  EXPECT_EQ(says(Infer(std::vector<uint32_t>(257, 1), 1, 0), "256"), "");
  std::string long_prompt;
  for (int i = 0; i < 300; ++i) long_prompt += "word ";
  EXPECT_EQ(says(Generate(long_prompt), "256"), "");
  const auto ids = candid::EncodeArgs(std::vector<uint32_t>{1, 99999});
  EXPECT_EQ(says(Decoded<base::Result<std::string>>(local_->Query("decode_batch", ids)), "99999"),
            "");
  // Candid that is something else, or nothing at all.
  EXPECT_FALSE(local_->Update("generate", candid::EncodeArgs(uint8_t{1})));
  EXPECT_FALSE(local_->Update("generate", {}));
  EXPECT_FALSE(local_->Update("generate", Bytes(100'000, 0xff)));
  EXPECT_TRUE(Generate("What is the capital of France?"));
  // A context that fills ends the answer.
  const auto full = Infer(std::vector<uint32_t>(250, 1), 100, 0);
  ASSERT_TRUE(full) << full.error().message;
  EXPECT_LE(full->size(), 7u);
}

TEST_F(ModelCanister, RefusesBadFilesAndKeepsTheModelInUse) {
  SetUpDemo();
  UploadText("tokenizer", "{}");
  EXPECT_NE(SetUpTokenizer().find("tokenizer.json"), std::string::npos);
  UploadText("tokenizer", std::string(1'000'000, '['));
  EXPECT_NE(SetUpTokenizer(), "");
  UploadText("config", std::string(1'000'000, '['));
  UploadText("safetensors", "abcdefgh");
  EXPECT_NE(SetUpModel(), "");
  Upload("config", base::StrCat(kTiny, "config.json"));  // behind the million brackets
  EXPECT_NE(SetUpModel(), "");
  UploadText("config", cli::ReadFile(base::StrCat(kTiny, "config.json")).value());
  const std::string weights = cli::ReadFile(base::StrCat(kTiny, "model.safetensors")).value();
  for (const size_t size : {size_t{0}, size_t{4}, size_t{8}, size_t{3000}, weights.size() - 1}) {
    UploadText("safetensors", weights.substr(0, size));
    EXPECT_NE(SetUpModel(), "") << size;
  }
  UploadText("safetensors", std::string(8, '\xff') + weights.substr(8));
  EXPECT_NE(SetUpModel(), "");
  EXPECT_NE(Generate("What is the capital of France?")->find("Paris"), std::string::npos);
}

TEST_F(ModelCanister, AnUpgradeKeepsTheModelAndItsUsers) {
  SetUpDemo();
  const std::string wasm = cli::ReadFile(GPT2IC_WASM_DIR "/model.wasm").value();
  const auto error = local_->network().InstallCode(
      local_->canister(), runtime::InstallMode::kUpgrade, Bytes(wasm.begin(), wasm.end()), {}, {2});
  ASSERT_FALSE(error) << error->message;
  EXPECT_NE(Generate("What is the capital of France?")->find("Paris"), std::string::npos);
}

TEST_F(ModelCanister, StrangersMayAskButNotChangeAnything) {
  SetUpDemo();
  const runtime::Principal stranger = {7, 7};
  auto& network = local_->network();
  for (const char* method :
       {"clear_safetensors_bytes", "store_config_bytes_to_stable", "setup_model", "setup_tokenizer",
        "load_tokenizer_bytes_from_stable"}) {
    const auto response = network.Call(stranger, local_->canister(), method, candid::EncodeArgs());
    ASSERT_TRUE(response.reject) << method;
    EXPECT_NE(response.reject->message.find("not authorized"), std::string::npos);
  }
  const auto append = network.Call(stranger, local_->canister(), "append_config_bytes",
                                   candid::EncodeArgs(base::AsBytes("x")));
  EXPECT_TRUE(append.reject);
  const auto principal = candid::Principal::FromBytes(stranger).value();
  ASSERT_TRUE(local_->Update("add_authorized_principal", candid::EncodeArgs(principal)));
  EXPECT_TRUE(
      Decoded<bool>(local_->Query("is_principal_authorized", candid::EncodeArgs(principal))));
  EXPECT_FALSE(
      network.Call(stranger, local_->canister(), "clear_config_bytes", candid::EncodeArgs())
          .reject);
  const auto answer = network.Call({9}, local_->canister(), "generate",
                                   candid::EncodeArgs(std::string_view("Hello!"), uint8_t{5}, 0.2));
  EXPECT_FALSE(answer.reject);
}

}  // namespace
