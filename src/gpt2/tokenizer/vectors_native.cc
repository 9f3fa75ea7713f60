#include <nlohmann/json.hpp>

#include "gpt2/tokenizer/vectors.h"

namespace gpt2 {
namespace {

using Json = nlohmann::json;

class Replay {
 public:
  explicit Replay(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  void Encode(const Json& row) {
    const auto text = row.at("text").get<std::string>();
    const auto ids = tokenizer_.Encode(text);
    bool same = ids == row.at("ids").get<std::vector<TokenId>>();
    if (row.contains("tokens")) {
      std::vector<std::string> tokens;
      for (const TokenId id : ids) tokens.push_back(tokenizer_.Token(id).value_or("?"));
      same = same && tokens == row["tokens"].get<std::vector<std::string>>();
    }
    if (row.contains("decoded")) {
      // These keep special tokens in the text.
      std::string bytes;
      for (const TokenId id : ids) bytes += tokenizer_.TokenBytes(id);
      same = same && bytes == row["decoded"].get<std::string>();
    }
    Count(same, "encode", text);
  }

  void Decode(const Json& row) {
    const auto ids = row.at("ids").get<std::vector<TokenId>>();
    const auto text = row.at("text").get<std::string>();
    bool same = tokenizer_.Decode(ids).value_or("?") == text;
    if (row.contains("each")) {
      std::vector<std::string> each;
      for (const TokenId id : ids) each.push_back(tokenizer_.Decode({&id, 1}).value_or("?"));
      same = same && each == row["each"].get<std::vector<std::string>>();
    }
    Count(same, "decode", text);
  }

  VectorsResult result;

 private:
  void Count(bool same, const char* what, const std::string& text) {
    ++(same ? result.passed : result.failed);
    if (!same) result.report += base::StrCat(what, " '", base::Printable(text), "' differs\n");
  }
  const Tokenizer& tokenizer_;
};

}  // namespace

base::Result<VectorsResult> ReplayTokenizerVectors(const Tokenizer& tokenizer,
                                                   std::string_view vectors_json) {
  const Json file = Json::parse(vectors_json, nullptr, false);
  if (file.is_discarded()) return base::Err("the vector file is not JSON");
  Replay replay(tokenizer);
  try {
    if (file.is_array()) {
      for (const Json& row : file) replay.Encode(row);
    } else {
      if (file.contains("encode")) {
        for (const Json& row : file["encode"]) replay.Encode(row);
      }
      if (file.contains("decode")) {
        for (const Json& row : file["decode"]) replay.Decode(row);
      }
    }
  } catch (const Json::exception& error) {
    return base::Err("the vector file: ", error.what());
  }
  return std::move(replay.result);
}

}  // namespace gpt2
