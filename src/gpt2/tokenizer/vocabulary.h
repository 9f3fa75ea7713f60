#ifndef GPT2IC_GPT2_TOKENIZER_VOCABULARY_H_
#define GPT2IC_GPT2_TOKENIZER_VOCABULARY_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gpt2/token_id.h"

namespace gpt2 {

// GPT-2 writes the bytes of a token as printable characters: those that are printable stand for
// themselves, the other 68 for U+0100 onwards ("Ġis" is " is").
std::string ToByteLevel(std::string_view bytes);
// The bytes again; nothing when a character is not one of the 256.
std::optional<std::string> FromByteLevel(std::string_view text);

// Tokens and their ids: all bytes in one arena, a flat hash table over it. 50,257 tokens take 2 MB.
class Vocabulary {
 public:
  static constexpr TokenId kIdsMax = 1'000'000;
  static constexpr TokenId kNone = ~TokenId{0};

  // Requires room for about `tokens` of them, which is only a hint.
  void Reserve(size_t tokens);
  // Adds a token under its raw bytes. Errors: the id is taken by another token, or beyond kIdsMax.
  base::Status Add(std::string_view bytes, TokenId id);
  TokenId Find(std::string_view bytes) const;  // kNone when there is none

  uint32_t size() const { return static_cast<uint32_t>(spans_.size()); }  // highest id + 1
  bool Has(TokenId id) const { return id < size() && spans_[id].start != kGap; }
  std::string_view BytesOf(TokenId id) const;  // requires Has(id)

 private:
  static constexpr uint32_t kGap = ~uint32_t{0};
  struct Span {
    uint32_t start = kGap, size = 0;
  };
  void Grow();
  void Insert(TokenId id);

  std::string arena_;
  std::vector<Span> spans_;     // by id
  std::vector<TokenId> slots_;  // power of two, linear probing
  size_t count_ = 0;
};

// The merges of byte-pair encoding: a pair of neighbouring tokens, its rank (lower goes first), and
// the token it becomes.
struct Merge {
  uint32_t rank;
  TokenId result;
};

class MergeTable {
 public:
  static constexpr uint32_t kNoRank = ~uint32_t{0};
  explicit MergeTable(size_t merges = 0);
  // The first merge of a pair counts, as in Hugging Face's map built from the list the last one
  // would; files do not repeat pairs.
  void Add(TokenId left, TokenId right, Merge merge);
  Merge Find(TokenId left, TokenId right) const;  // rank kNoRank when there is none

 private:
  struct Entry {
    uint64_t pair;  // left << 32 | right; all ones: empty
    Merge merge;
  };
  static uint64_t Hash(uint64_t pair) { return (pair * 0x9e3779b97f4a7c15) >> 20; }
  std::vector<Entry> entries_;
  uint64_t mask_;
};

}  // namespace gpt2

#endif  // GPT2IC_GPT2_TOKENIZER_VOCABULARY_H_
