#include "gpt2/import/config.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gpt2/import/json_scanner.h"
#include "gpt2/test_support.h"

namespace gpt2 {
namespace {

constexpr std::string_view kGood =
    R"({"vocab_size":512,"n_positions":128,"n_embd":64,"n_layer":2,"n_head":4})";

// kGood with `more` at its end, or with `from` replaced.
std::string With(std::string_view more) {
  return base::StrCat(kGood.substr(0, kGood.size() - 1), ",", more, "}");
}
std::string Replaced(std::string_view from, std::string_view to) {
  std::string json(kGood);
  return json.replace(json.find(from), from.size(), to);
}

std::string ErrorOf(const std::string& json) {
  const auto config = ParseConfig(json);
  return config ? "parsed" : config.error().message;
}

TEST(ConfigTest, ReadsTheTinyModel) {
  const auto config = ParseConfig(ReadText(std::string(kTinyDir) + "config.json"));
  ASSERT_TRUE(config) << config.error().message;
  const Hparams& hparams = config->hparams;
  EXPECT_EQ(hparams.n_vocab, 512u);
  EXPECT_EQ(hparams.n_ctx, 128u);
  EXPECT_EQ(hparams.n_embd, 64u);
  EXPECT_EQ(hparams.n_head, 4u);
  EXPECT_EQ(hparams.n_layer, 2u);
  EXPECT_EQ(hparams.layer_norm_epsilon, 1e-5f);
  EXPECT_EQ(config->bos_token_id, 0u);
  EXPECT_EQ(config->eos_token_id, 0u);
}

TEST(ConfigTest, TakesBothNamesOfTheContext) {
  EXPECT_EQ(ErrorOf(std::string(kGood)), "parsed");
  EXPECT_EQ(ParseConfig(Replaced("n_positions", "n_ctx"))->hparams.n_ctx, 128u);
  EXPECT_EQ(ErrorOf(With(R"("n_ctx":128)")), "parsed");
  EXPECT_EQ(ErrorOf(With(R"("n_ctx":64)")), "config.json: n_ctx is 64, expected n_positions 128");
}

TEST(ConfigTest, TokenIdsBeyondTheVocabularyAreLeftOut) {
  const auto config = ParseConfig(With(R"("bos_token_id":50256,"eos_token_id":511)"));
  EXPECT_EQ(config->bos_token_id, std::nullopt);
  EXPECT_EQ(config->eos_token_id, 511u);
  EXPECT_EQ(ParseConfig(With(R"("eos_token_id":null)"))->eos_token_id, std::nullopt);
}

TEST(ConfigTest, IgnoresWhatDoesNotMatter) {
  EXPECT_EQ(ErrorOf(With(R"("task":{"a":[1,{"n_embd":"x"}]},"n_inner":null)")), "parsed");
  EXPECT_EQ(ErrorOf(With(R"("n_inner":256,"activation_function":"gelu_new")")), "parsed");
}

TEST(ConfigTest, RefusesAnotherComputation) {
  EXPECT_EQ(ErrorOf(With(R"("activation_function":"relu")")),
            "config.json: activation_function is \"relu\", expected gelu_new");
  EXPECT_EQ(ErrorOf(With(R"("activation_function":null)")),
            "config.json: activation_function is null, expected gelu_new");
  EXPECT_EQ(ErrorOf(With(R"("model_type":"llama")")),
            "config.json: model_type is \"llama\", expected gpt2");
  EXPECT_EQ(ErrorOf(With(R"("scale_attn_weights":false)")),
            "config.json: scale_attn_weights is false, expected true");
  EXPECT_EQ(ErrorOf(With(R"("scale_attn_by_inverse_layer_idx":true)")),
            "config.json: scale_attn_by_inverse_layer_idx is true, expected false");
  EXPECT_EQ(ErrorOf(With(R"("n_inner":100)")),
            "config.json: n_inner is 100, expected 4*n_embd = 256");
  EXPECT_EQ(ErrorOf(With(R"("layer_norm_epsilon":0)")),
            "config.json: layer_norm_epsilon is 0, expected a number between 1e-30 and 1");
  EXPECT_EQ(ErrorOf(With(R"("layer_norm_epsilon":[])")),
            "config.json: layer_norm_epsilon is a list, expected a number between 1e-30 and 1");
}

TEST(ConfigTest, RefusesNumbersOutOfRange) {
  EXPECT_EQ(ErrorOf(Replaced("512", "0")), "config.json: n_vocab is 0, expected 1 to 16777216");
  EXPECT_EQ(ErrorOf(Replaced("512", "-1")),
            "config.json: vocab_size is -1, expected an integer below 2^32");
  EXPECT_EQ(ErrorOf(Replaced("512", "4294967296")),
            "config.json: vocab_size is 4294967296, expected an integer below 2^32");
  EXPECT_EQ(ErrorOf(Replaced("512", "512.0")),
            "config.json: vocab_size is 512.0, expected an integer below 2^32");
  EXPECT_EQ(ErrorOf(Replaced("512", "true")),
            "config.json: vocab_size is true, expected an integer below 2^32");
  EXPECT_EQ(ErrorOf(Replaced("128", "2000000")),
            "config.json: n_ctx is 2000000, expected 1 to 1048576");
  EXPECT_EQ(ErrorOf(Replaced("\"n_head\":4", "\"n_head\":5")),
            "config.json: n_head is 5, expected a divisor of n_embd 64");
}

TEST(ConfigTest, RefusesMissingAndDoubledKeys) {
  EXPECT_EQ(ErrorOf("{}"), "config.json: vocab_size is missing");
  EXPECT_EQ(ErrorOf(Replaced("n_layer", "layers")), "config.json: n_layer is missing");
  EXPECT_EQ(ErrorOf(With(R"("n_embd":64)")), "config.json: n_embd is there twice");
}

TEST(ConfigTest, RefusesWhatIsNoJson) {
  EXPECT_EQ(ErrorOf(""), "config.json: JSON ends at byte 0, expected a value");
  EXPECT_EQ(ErrorOf("[]"), "config.json: JSON is not an object");
  EXPECT_EQ(ErrorOf("{\"a\" 1}"), "config.json: JSON has '1' at byte 5, expected ':'");
  EXPECT_EQ(ErrorOf("{\"a\":1,}"), "config.json: JSON has '}' at byte 7, expected a key in quotes");
  EXPECT_EQ(ErrorOf(std::string(kGood) + "x"),
            "config.json: JSON has 'x' at byte 71, expected the end");
  EXPECT_EQ(ErrorOf("{\"a\":" + std::string(1000000, '[')),
            "config.json: JSON nests deeper than 63 at byte 67");
  EXPECT_EQ(ErrorOf(std::string((1 << 20) + 1, ' ')),
            "config.json has 1048577 bytes, expected at most 1048576");
}

TEST(JsonScannerTest, ResolvesEscapes) {
  JsonScanner scanner(R"("a\n\"\\\/\u0041\u00e9\u20ac\ud83d\ude00")");
  ASSERT_EQ(scanner.Next().value(), JsonScanner::Kind::kString);
  EXPECT_EQ(scanner.text(), "a\n\"\\/A\u00e9\u20ac\U0001f600");
  EXPECT_EQ(scanner.Next().value(), JsonScanner::Kind::kEnd);
  for (const char* bad : {R"("\x")", R"("\u12g4")", R"("\ud800")", R"("\ud800\u0041")",
                          R"("\udc00")", R"("\)", "\"", "\"\x01\""}) {
    EXPECT_FALSE(JsonScanner(bad).Next()) << bad;
  }
}

TEST(JsonScannerTest, KnowsNumbers) {
  for (const char* good : {"0", "-0", "12", "1.5", "-1e5", "1E+5", "0.25e-3"}) {
    JsonScanner scanner(good);
    ASSERT_EQ(scanner.Next().value(), JsonScanner::Kind::kNumber) << good;
    EXPECT_EQ(JsonDouble(scanner.text()), std::stod(good)) << good;
  }
  for (const char* bad : {"-", "+1", ".5", "1.", "1e", "1e+", "nul", "True", "NaN"}) {
    EXPECT_FALSE(JsonScanner(bad).Next()) << bad;
  }
  EXPECT_EQ(JsonDouble("1e999999999999999999999"), HUGE_VAL);
  EXPECT_EQ(JsonDouble("1e-99999999999999999999"), 0.0);
}

}  // namespace
}  // namespace gpt2
