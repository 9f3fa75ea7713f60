#ifndef GPT2IC_GPT2_TOKENIZER_TOKENIZER_H_
#define GPT2IC_GPT2_TOKENIZER_TOKENIZER_H_

#include <bitset>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gpt2/token_id.h"
#include "gpt2/tokenizer/bpe.h"
#include "gpt2/tokenizer/vocabulary.h"

namespace gpt2 {

// A token that is found in the text as it stands, before anything else is done to it.
struct AddedToken {
  TokenId id;
  std::string content;
  bool special;  // left out when decoding
};

// GPT-2's byte-level BPE, equal to Hugging Face tokenizers on the files of GPT-2 models
// (docs/tokenizer.md: what of the format is read, costs). Immutable.
class Tokenizer {
 public:
  // Errors: not JSON, nested too deep, another kind of tokenizer, ids doubled or too high, merges
  // of unknown tokens, a byte without a token.
  static base::Result<Tokenizer> FromJson(std::string_view tokenizer_json);
  static base::Result<Tokenizer> FromVocabAndMerges(std::string_view vocab_json,
                                                    std::string_view merges_txt);

  uint32_t size() const { return vocabulary_.size(); }  // highest id + 1

  // Ill-formed UTF-8 counts as U+FFFD. Cost in a canister: docs/tokenizer.md.
  std::vector<TokenId> Encode(std::string_view text) const;

  // Errors: an id that no token has.
  base::Result<std::string> Token(TokenId id) const;                     // "Ġis"
  base::Result<std::string> Decode(std::span<const TokenId> ids) const;  // special ones left out

  bool Has(TokenId id) const { return vocabulary_.Has(id); }  // a model may draw ids beyond
  bool IsSpecial(TokenId id) const;
  std::optional<TokenId> SpecialId(std::string_view content) const;
  // Raw bytes, which need not be whole characters. Requires an id that a token has.
  std::string_view TokenBytes(TokenId id) const { return vocabulary_.BytesOf(id); }

 private:
  friend class TokenizerBuilder;
  Tokenizer() = default;
  const AddedToken* FindAdded(TokenId id) const;
  const AddedToken* AddedAt(std::string_view text, size_t at) const;
  void EncodePlain(std::string_view text, std::vector<TokenId>& out) const;
  base::Status CheckId(TokenId id) const;

  Vocabulary vocabulary_;
  Bpe bpe_;
  std::vector<AddedToken> added_;  // longest first
  std::bitset<256> added_first_;   // bytes that an added token begins with
};

}  // namespace gpt2

#endif  // GPT2IC_GPT2_TOKENIZER_TOKENIZER_H_
