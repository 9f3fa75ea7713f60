// Tokenizers from their files: tokenizer.json, or vocab.json and merges.txt.
#include <algorithm>
#include <array>

#include "gpt2/import/json_scanner.h"
#include "gpt2/tokenizer/tokenizer.h"

namespace gpt2 {

using base::Err;
using base::Result;
using base::Status;
using Kind = JsonScanner::Kind;

namespace {

constexpr size_t kAddedMax = 256;
constexpr size_t kMergesMax = 4'000'000;

}  // namespace

class TokenizerBuilder {
 public:
  Status ReadTokenizerJson(std::string_view json);
  Status ReadVocabJson(std::string_view json);
  Status ReadMergesText(std::string_view text);
  Result<Tokenizer> Build();

 private:
  // The two halves of a merge, as raw bytes in merge_bytes_.
  struct RawMerge {
    uint32_t start, left_size, right_size;
  };

  Status Expect(JsonScanner& json, Kind wanted, const char* what);
  Status ReadModel(JsonScanner& json);
  Status ReadVocab(JsonScanner& json);
  Status ReadMerges(JsonScanner& json);
  Status ReadMergePair(JsonScanner& json);
  Status ReadAddedTokens(JsonScanner& json);
  Status ReadAddedToken(JsonScanner& json);
  Status ReadSection(JsonScanner& json, const std::string& key);
  Status RefuseUnless(JsonScanner& json, const std::string& key, Kind kind);
  Status AddMerge(std::string_view left, std::string_view right);
  Status AddMergeLine(std::string_view line);
  Result<std::array<TokenId, 256>> ByteIds() const;
  Result<MergeTable> Merges() const;

  Vocabulary vocabulary_;
  std::vector<AddedToken> added_;
  std::string merge_bytes_;
  std::vector<RawMerge> merges_;
  bool has_vocab_ = false, has_merges_ = false;
};

Status TokenizerBuilder::Expect(JsonScanner& json, Kind wanted, const char* what) {
  if (TRY(json.Next()) == wanted) return {};
  return Err("at byte ", json.position(), ": expected ", what);
}

Status TokenizerBuilder::ReadTokenizerJson(std::string_view text) {
  JsonScanner json(text);
  TRY_STATUS(Expect(json, Kind::kBeginObject, "an object"));
  for (;;) {
    const Kind kind = TRY(json.Next());
    if (kind == Kind::kEndObject) break;
    const std::string key = json.text();
    TRY_STATUS(ReadSection(json, key));
  }
  TRY_STATUS(Expect(json, Kind::kEnd, "the end of the file"));
  if (!has_vocab_) return Err("there is no model.vocab");
  if (!has_merges_) return Err("there is no model.merges");
  return {};
}

Status TokenizerBuilder::ReadSection(JsonScanner& json, const std::string& key) {
  if (key == "model") return ReadModel(json);
  if (key == "added_tokens") return ReadAddedTokens(json);
  const Kind kind = TRY(json.Next());
  if (key == "normalizer" && kind != Kind::kNull) {
    return Err("there is a normalizer, GPT-2's byte-level BPE has none");
  }
  if (key == "pre_tokenizer") return RefuseUnless(json, key, kind);
  return json.SkipValue(kind);
}

// {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true, ...}
Status TokenizerBuilder::RefuseUnless(JsonScanner& json, const std::string& key, Kind kind) {
  if (kind != Kind::kBeginObject) return Err(key, " is not an object of type ByteLevel");
  bool byte_level = false;
  for (;;) {
    kind = TRY(json.Next());
    if (kind == Kind::kEndObject) break;
    const std::string field = json.text();
    kind = TRY(json.Next());
    if (field == "type") byte_level = kind == Kind::kString && json.text() == "ByteLevel";
    if (field == "add_prefix_space" && kind == Kind::kTrue) {
      return Err(key, ".add_prefix_space is true, expected false");
    }
    if (field == "use_regex" && kind == Kind::kFalse) {
      return Err(key, ".use_regex is false, expected true");
    }
    TRY_STATUS(json.SkipValue(kind));
  }
  if (!byte_level) return Err(key, ".type is not ByteLevel");
  return {};
}

Status TokenizerBuilder::ReadModel(JsonScanner& json) {
  TRY_STATUS(Expect(json, Kind::kBeginObject, "the object model"));
  for (;;) {
    if (TRY(json.Next()) == Kind::kEndObject) return {};
    const std::string key = json.text();
    if (key == "vocab") {
      TRY_STATUS(ReadVocab(json));
    } else if (key == "merges") {
      TRY_STATUS(ReadMerges(json));
    } else {
      const Kind kind = TRY(json.Next());
      if (key == "type" && (kind != Kind::kString || json.text() != "BPE")) {
        return Err("model.type is not BPE");
      }
      if ((key == "byte_fallback" || key == "ignore_merges") && kind == Kind::kTrue) {
        return Err("model.", key, " is true, expected false");
      }
      TRY_STATUS(json.SkipValue(kind));
    }
  }
}

Status TokenizerBuilder::ReadVocab(JsonScanner& json) {
  if (has_vocab_) return Err("there is a second vocab");
  has_vocab_ = true;
  TRY_STATUS(Expect(json, Kind::kBeginObject, "the object vocab"));
  vocabulary_.Reserve(50'400);
  for (;;) {
    const Kind kind = TRY(json.Next());
    if (kind == Kind::kEndObject) return {};
    const std::string token = json.text();
    TRY_STATUS(Expect(json, Kind::kNumber, "the number of a token"));
    const uint64_t id = TRY(JsonUint(json.text(), "a token's id"));
    if (id >= Vocabulary::kIdsMax)
      return Err("token id ", id, ", expected less than ", Vocabulary::kIdsMax);
    const auto bytes = FromByteLevel(token);
    TRY_STATUS(vocabulary_.Add(bytes ? *bytes : token, static_cast<TokenId>(id)));
  }
}

Status TokenizerBuilder::AddMerge(std::string_view left, std::string_view right) {
  const auto left_bytes = FromByteLevel(left), right_bytes = FromByteLevel(right);
  if (!left_bytes || !right_bytes || left.empty() || right.empty()) {
    return Err("merge ", merges_.size(), ", '", base::Printable(left), "' with '",
               base::Printable(right), "', is not one of byte-level tokens");
  }
  if (merges_.size() == kMergesMax) return Err("more than ", kMergesMax, " merges");
  merges_.push_back({static_cast<uint32_t>(merge_bytes_.size()),
                     static_cast<uint32_t>(left_bytes->size()),
                     static_cast<uint32_t>(right_bytes->size())});
  merge_bytes_ += *left_bytes;
  merge_bytes_ += *right_bytes;
  return {};
}

Status TokenizerBuilder::AddMergeLine(std::string_view line) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
    return Err("merge ", merges_.size(), " is '", base::Printable(line), "', expected two tokens");
  }
  return AddMerge(line.substr(0, space), line.substr(space + 1));
}

Status TokenizerBuilder::ReadMergePair(JsonScanner& json) {
  TRY_STATUS(Expect(json, Kind::kString, "the first token of a merge"));
  const std::string left = json.text();
  TRY_STATUS(Expect(json, Kind::kString, "the second token of a merge"));
  const std::string right = json.text();
  TRY_STATUS(Expect(json, Kind::kEndArray, "the end of a merge"));
  return AddMerge(left, right);
}

// "a b" or ["a", "b"]
Status TokenizerBuilder::ReadMerges(JsonScanner& json) {
  has_merges_ = true;
  TRY_STATUS(Expect(json, Kind::kBeginArray, "the list merges"));
  for (;;) {
    const Kind kind = TRY(json.Next());
    if (kind == Kind::kEndArray) return {};
    if (kind == Kind::kString) {
      TRY_STATUS(AddMergeLine(json.text()));
    } else if (kind == Kind::kBeginArray) {
      TRY_STATUS(ReadMergePair(json));
    } else {
      return Err("merge ", merges_.size(), " is neither a text nor a pair");
    }
  }
}

Status TokenizerBuilder::ReadAddedTokens(JsonScanner& json) {
  TRY_STATUS(Expect(json, Kind::kBeginArray, "the list added_tokens"));
  for (;;) {
    const Kind kind = TRY(json.Next());
    if (kind == Kind::kEndArray) return {};
    if (kind != Kind::kBeginObject) return Err("an added token is not an object");
    TRY_STATUS(ReadAddedToken(json));
  }
}

Status TokenizerBuilder::ReadAddedToken(JsonScanner& json) {
  AddedToken token{Vocabulary::kNone, "", false};
  for (;;) {
    if (TRY(json.Next()) == Kind::kEndObject) break;
    const std::string key = json.text();
    const Kind kind = TRY(json.Next());
    if (key == "id" && kind == Kind::kNumber) {
      const uint64_t id = TRY(JsonUint(json.text(), "an added token's id"));
      if (id >= Vocabulary::kIdsMax)
        return Err("token id ", id, ", expected less than ", Vocabulary::kIdsMax);
      token.id = static_cast<TokenId>(id);
    } else if (key == "content" && kind == Kind::kString) {
      token.content = json.text();
    } else if (key == "special") {
      token.special = kind == Kind::kTrue;
    } else if ((key == "single_word" || key == "lstrip" || key == "rstrip") &&
               kind == Kind::kTrue) {
      return Err("an added token has ", key, ", which is not supported");
    }
    TRY_STATUS(json.SkipValue(kind));
  }
  if (token.content.empty()) return Err("an added token has no content");
  if (token.id == Vocabulary::kNone)
    return Err("added token '", base::Printable(token.content), "' has no id");
  if (added_.size() == kAddedMax) return Err("more than ", kAddedMax, " added tokens");
  added_.push_back(std::move(token));
  return {};
}

// vocab.json does not say which tokens are special; GPT-2's one is known by its name.
Status TokenizerBuilder::ReadVocabJson(std::string_view text) {
  JsonScanner json(text);
  TRY_STATUS(ReadVocab(json));
  constexpr std::string_view kEndOfText = "<|endoftext|>";
  const TokenId end = vocabulary_.Find(kEndOfText);
  if (end != Vocabulary::kNone) added_.push_back({end, std::string(kEndOfText), true});
  return Expect(json, Kind::kEnd, "the end of the file");
}

// A line "#version: 0.2", then one merge a line.
Status TokenizerBuilder::ReadMergesText(std::string_view text) {
  has_merges_ = true;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !line.starts_with("#version")) TRY_STATUS(AddMergeLine(line));
    at = end + 1;
  }
  return {};
}

Result<std::array<TokenId, 256>> TokenizerBuilder::ByteIds() const {
  std::array<TokenId, 256> ids;
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    ids[static_cast<size_t>(byte)] = vocabulary_.Find({&c, 1});
    if (ids[static_cast<size_t>(byte)] == Vocabulary::kNone) {
      return Err("the vocabulary has no token for byte ", byte);
    }
  }
  return ids;
}

Result<MergeTable> TokenizerBuilder::Merges() const {
  MergeTable table(merges_.size());
  for (uint32_t rank = 0; rank < merges_.size(); ++rank) {
    const RawMerge& merge = merges_[rank];
    const std::string_view all =
        std::string_view(merge_bytes_).substr(merge.start, merge.left_size + merge.right_size);
    const TokenId left = vocabulary_.Find(all.substr(0, merge.left_size));
    const TokenId right = vocabulary_.Find(all.substr(merge.left_size));
    const TokenId result = vocabulary_.Find(all);
    if (left == Vocabulary::kNone || right == Vocabulary::kNone || result == Vocabulary::kNone) {
      return Err("merge ", rank, " makes '", base::Printable(all), "' of '",
                 base::Printable(all.substr(0, merge.left_size)), "' and '",
                 base::Printable(all.substr(merge.left_size)),
                 "', not all of which are in the vocabulary");
    }
    table.Add(left, right, {rank, result});
  }
  return table;
}

Result<Tokenizer> TokenizerBuilder::Build() {
  Tokenizer out;
  const auto byte_ids = TRY(ByteIds());
  out.bpe_ = Bpe(byte_ids, TRY(Merges()));
  for (const AddedToken& token : added_) {
    TRY_STATUS(vocabulary_.Add(token.content, token.id));
    out.added_first_[static_cast<uint8_t>(token.content[0])] = true;
  }
  std::ranges::stable_sort(added_, std::ranges::greater(),
                           [](const AddedToken& t) { return t.content.size(); });
  out.added_ = std::move(added_);
  out.vocabulary_ = std::move(vocabulary_);
  return out;
}

Result<Tokenizer> Tokenizer::FromJson(std::string_view tokenizer_json) {
  TokenizerBuilder builder;
  if (const Status read = builder.ReadTokenizerJson(tokenizer_json); !read) {
    return Err("tokenizer.json: ", read.error().message);
  }
  return builder.Build();
}

Result<Tokenizer> Tokenizer::FromVocabAndMerges(std::string_view vocab_json,
                                                std::string_view merges_txt) {
  TokenizerBuilder builder;
  if (const Status read = builder.ReadVocabJson(vocab_json); !read) {
    return Err("vocab.json: ", read.error().message);
  }
  if (const Status read = builder.ReadMergesText(merges_txt); !read) {
    return Err("merges.txt: ", read.error().message);
  }
  return builder.Build();
}

}  // namespace gpt2
