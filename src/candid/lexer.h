#ifndef GPT2IC_CANDID_LEXER_H_
#define GPT2IC_CANDID_LEXER_H_

#include <string>
#include <string_view>

#include "base/result.h"

namespace candid {

enum class TokenKind : uint8_t { kEnd, kBad, kId, kNumber, kText, kPunct };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;  // as written; a text with its quotes
  size_t at = 0;          // byte offset in the input

  bool Is(std::string_view punct) const { return kind == TokenKind::kPunct && text == punct; }
  bool IsId(std::string_view id) const { return kind == TokenKind::kId && text == id; }
};

// The tokens of the text form and of .did files, with two of them in view. Comments are skipped.
// Views point into the input.
class Lexer {
 public:
  explicit Lexer(std::string_view input) : input_(input) {
    Advance();
    Advance();
  }

  const Token& token() const { return token_; }  // the current one
  const Token& next() const { return next_; }    // the one after it
  void Advance();

  bool Take(std::string_view punct);  // whether the token is this punctuation, which is then passed
  base::Status Expect(std::string_view punct);
  // "found X, expected <what>, at line L"
  std::unexpected<base::Error> Wrong(std::string_view expected) const;

 private:
  void SkipSpace();
  Token Scan();
  Token ScanNumber(size_t start);
  Token ScanText(size_t start);
  Token Make(TokenKind kind, size_t start) const {
    return {kind, input_.substr(start, position_ - start), start};
  }
  char At(size_t offset) const {
    return position_ + offset < input_.size() ? input_[position_ + offset] : '\0';
  }

  std::string_view input_;
  size_t position_ = 0;
  Token token_, next_;
};

bool IsIdentifier(std::string_view name);  // and no keyword of the grammar

// The bytes of a quoted text: escapes \n \r \t \\ \" \' \xx and \u{x}.
base::Result<std::string> Unescape(const Token& token);
// The same, which must be UTF-8.
base::Result<std::string> UnescapeText(const Token& token);

}  // namespace candid

#endif  // GPT2IC_CANDID_LEXER_H_
