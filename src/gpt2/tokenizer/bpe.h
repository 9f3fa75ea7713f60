#ifndef GPT2IC_GPT2_TOKENIZER_BPE_H_
#define GPT2IC_GPT2_TOKENIZER_BPE_H_

#include <array>
#include <string_view>
#include <vector>

#include "gpt2/tokenizer/vocabulary.h"

namespace gpt2 {

// Byte-pair encoding of one word: begins with its bytes and merges, again and again, the
// neighbouring pair of the lowest rank (the leftmost of equals), until no pair has one.
//
// Words are short, and for those a scan over all pairs is cheapest; a long run of letters would
// make it quadratic, so beyond kScanMax bytes the pairs stand in a heap over a linked list.
class Bpe {
 public:
  Bpe() = default;
  Bpe(const std::array<TokenId, 256>& byte_ids, MergeTable merges)
      : byte_ids_(byte_ids), merges_(std::move(merges)) {}

  // Appends the tokens of `word` to `out`.
  void Encode(std::string_view word, std::vector<TokenId>& out) const;

 private:
  static constexpr size_t kScanMax = 48;
  void EncodeShort(std::string_view word, std::vector<TokenId>& out) const;
  void EncodeLong(std::string_view word, std::vector<TokenId>& out) const;
  TokenId IdOf(char byte) const { return byte_ids_[static_cast<uint8_t>(byte)]; }

  std::array<TokenId, 256> byte_ids_ = {};
  MergeTable merges_;
};

}  // namespace gpt2

#endif  // GPT2IC_GPT2_TOKENIZER_BPE_H_
