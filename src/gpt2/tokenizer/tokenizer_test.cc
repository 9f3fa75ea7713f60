#include "gpt2/tokenizer/tokenizer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "gpt2/tokenizer/pre_tokenizer.h"
#include "gpt2/tokenizer/vectors.h"

namespace gpt2 {
namespace {

std::string ReadText(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

const Tokenizer& OpenInstruct() {
  static const Tokenizer tokenizer =
      Tokenizer::FromJson(ReadText("tests/data/gpt2-open-instruct/tokenizer.json")).value();
  return tokenizer;
}

TEST(Tokenizer, EqualsHuggingFaceOnTheRealVocabulary) {
  const auto result = ReplayTokenizerVectors(
      OpenInstruct(), ReadText("tests/data/gpt2-open-instruct/tokenizer-vectors.json"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->failed, 0) << result->report;
  EXPECT_EQ(result->passed, 533);
}

TEST(Tokenizer, EqualsHuggingFaceOnTheTinyVocabularyFromEitherForm) {
  const std::string cases = ReadText("tests/data/gpt2-tiny/tokenizer_cases.json");
  const auto from_json = Tokenizer::FromJson(ReadText("tests/data/gpt2-tiny/hf/tokenizer.json"));
  ASSERT_TRUE(from_json) << from_json.error().message;
  const auto result = ReplayTokenizerVectors(*from_json, cases).value();
  EXPECT_EQ(result.failed, 0) << result.report;
  EXPECT_GT(result.passed, 5);
  const auto from_two =
      Tokenizer::FromVocabAndMerges(ReadText("tests/data/gpt2-tiny/hf/vocab.json"),
                                    ReadText("tests/data/gpt2-tiny/hf/merges.txt"));
  ASSERT_TRUE(from_two) << from_two.error().message;
  EXPECT_EQ(ReplayTokenizerVectors(*from_two, cases).value().failed, 0);
}

TEST(Tokenizer, LongWordsEncodeAsShortOnesDo) {
  // Every length around the change from the scan to the heap, and a run that would be quadratic.
  for (const std::string unit : {"a", "ab", "tion", "\xc3\xa9", "!?"}) {
    std::string word;
    while (word.size() < 130) word += unit;
    for (size_t n = 1; n <= word.size() / unit.size(); ++n) {
      const std::string text = word.substr(0, n * unit.size());
      EXPECT_EQ(OpenInstruct().Decode(OpenInstruct().Encode(text)).value(), text);
    }
  }
  EXPECT_LT(OpenInstruct().Encode(std::string(65536, 'a')).size(), 65536u);
}

TEST(Tokenizer, KnowsSpecialTokensByName) {
  EXPECT_EQ(OpenInstruct().SpecialId("### End"), 50257u);
  EXPECT_EQ(OpenInstruct().SpecialId("### Response:\n"), 50259u);
  EXPECT_FALSE(OpenInstruct().SpecialId("End"));
  EXPECT_EQ(OpenInstruct().Token(318).value(), "\u0120is");
  EXPECT_EQ(OpenInstruct().size(), 50260u);
}

TEST(Tokenizer, RefusesWhatIsNotOneOfItsTokens) {
  const TokenId ids[] = {1, 60000};
  const auto text = OpenInstruct().Decode(ids);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message, "token id 60000, expected one of the vocabulary of 50260");
}

TEST(Tokenizer, RefusesFilesThatAreNotOneOfItsKind) {
  const auto message = [](const std::string& json) {
    const auto result = Tokenizer::FromJson(json);
    return result ? std::string("accepted") : result.error().message;
  };
  EXPECT_NE(message(""), "accepted");
  EXPECT_NE(message("[]"), "accepted");
  EXPECT_NE(message("{}"), "accepted");
  EXPECT_NE(message(std::string(1000000, '[')), "accepted");
  EXPECT_NE(message(R"({"model":{"type":"Unigram"}})").find("BPE"), std::string::npos);
  EXPECT_NE(message(R"({"model":{"vocab":{"a":0,"b":0},"merges":[]}})").find("id 0"),
            std::string::npos);
  EXPECT_NE(message(R"({"model":{"vocab":{"a":99999999},"merges":[]}})").find("99999999"),
            std::string::npos);
  EXPECT_NE(message(R"({"model":{"vocab":{"a":0},"merges":[]}})").find("no token for byte"),
            std::string::npos);
  std::string real = ReadText("tests/data/gpt2-tiny/hf/tokenizer.json");
  for (size_t cut = 0; cut < real.size(); cut += 97) {
    EXPECT_NE(message(real.substr(0, cut)), "accepted") << cut;
  }
  real.replace(real.find("\"merges\""), 8, "\"merges\":[[\"zzq\",\"qzz\"]],\"other\"");
  EXPECT_NE(message(real).find("vocabulary"), std::string::npos) << message(real);
}

TEST(PreTokenizer, CutsAsThePatternDoes) {
  const auto words = [](std::string_view text) {
    std::vector<std::string> out;
    for (size_t at = 0; at < text.size();) {
      const size_t end = WordEnd(text, at);
      out.emplace_back(text.substr(at, end - at));
      at = end;
    }
    return out;
  };
  using Words = std::vector<std::string>;
  EXPECT_EQ(words("I'll go, they've"), (Words{"I", "'ll", " go", ",", " they", "'ve"}));
  EXPECT_EQ(words("a  b"), (Words{"a", " ", " b"}));
  EXPECT_EQ(words("a \n b"), (Words{"a", " \n", " b"}));
  EXPECT_EQ(words("a\nb"), (Words{"a", "\n", "b"}));
  EXPECT_EQ(words("a  "), (Words{"a", "  "}));
  EXPECT_EQ(words("x12 34!?"), (Words{"x", "12", " 34", "!?"}));
}

}  // namespace
}  // namespace gpt2
