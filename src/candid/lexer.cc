#include "candid/lexer.h"

#include <algorithm>
#include <array>

#include "candid/utf8.h"

namespace candid {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::array<std::string_view, 32> kKeywords = {"blob",    "bool",      "composite_query",
                                                        "empty",   "false",     "float32",
                                                        "float64", "func",      "import",
                                                        "int",     "int16",     "int32",
                                                        "int64",   "int8",      "nat",
                                                        "nat16",   "nat32",     "nat64",
                                                        "nat8",    "null",      "oneway",
                                                        "opt",     "principal", "query",
                                                        "record",  "reserved",  "service",
                                                        "text",    "true",      "type",
                                                        "variant", "vec"};

}  // namespace

bool IsIdentifier(std::string_view name) {
  if (name.empty() || !IsLetter(name[0])) return false;
  for (const char c : name) {
    if (!IsLetter(c) && !IsDigit(c)) return false;
  }
  return std::find(kKeywords.begin(), kKeywords.end(), name) == kKeywords.end();
}

void Lexer::Advance() {
  token_ = next_;
  next_ = Scan();
}

bool Lexer::Take(std::string_view punct) {
  if (!token_.Is(punct)) return false;
  Advance();
  return true;
}

base::Status Lexer::Expect(std::string_view punct) {
  if (!Take(punct)) return Wrong(punct);
  return {};
}

std::unexpected<base::Error> Lexer::Wrong(std::string_view expected) const {
  const std::string_view before = input_.substr(0, token_.at);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const size_t last = before.rfind('\n');
  const size_t column = token_.at - (last == std::string_view::npos ? 0 : last + 1) + 1;
  const std::string found =
      token_.kind == TokenKind::kEnd ? "the end" : base::Printable(token_.text, 30);
  return base::Err("found ", found, ", expected ", expected, ", at ", static_cast<int64_t>(line),
                   ":", column);
}

// Comments: // to the end of the line, and /* */ nested. An open one ends the input.
void Lexer::SkipSpace() {
  size_t nested = 0;
  for (; position_ < input_.size(); ++position_) {
    if (At(0) == '/' && At(1) == '*') {
      ++nested, ++position_;
    } else if (nested > 0) {
      if (At(0) == '*' && At(1) == '/') --nested, ++position_;
    } else if (At(0) == '/' && At(1) == '/') {
      position_ = std::min(input_.find('\n', position_), input_.size() - 1);
    } else if (At(0) != ' ' && At(0) != '\t' && At(0) != '\n' && At(0) != '\r') {
      return;
    }
  }
}

Token Lexer::Scan() {
  SkipSpace();
  const size_t start = position_;
  if (start >= input_.size()) return {TokenKind::kEnd, {}, input_.size()};
  const char c = At(0);
  if (IsLetter(c)) {
    while (IsLetter(At(0)) || IsDigit(At(0))) ++position_;
    return Make(TokenKind::kId, start);
  }
  if (IsDigit(c)) return ScanNumber(start);
  if (c == '"') return ScanText(start);
  position_ += c == '-' && At(1) == '>' ? 2 : 1;
  return Make(TokenKind::kPunct, start);
}

// Takes everything that could belong to a number; the parser decides whether it is one.
Token Lexer::ScanNumber(size_t start) {
  const bool hex = At(0) == '0' && (At(1) == 'x' || At(1) == 'X');
  for (;; ++position_) {
    const char c = At(0);
    const char last = position_ > start ? input_[position_ - 1] : '\0';
    const bool exponent = hex ? last == 'p' || last == 'P' : last == 'e' || last == 'E';
    if (IsLetter(c) || IsDigit(c) || c == '.' || (exponent && (c == '+' || c == '-'))) continue;
    return Make(TokenKind::kNumber, start);
  }
}

Token Lexer::ScanText(size_t start) {
  for (++position_; position_ < input_.size(); ++position_) {
    if (At(0) == '\\') {
      ++position_;
    } else if (At(0) == '"') {
      ++position_;
      return Make(TokenKind::kText, start);
    }
  }
  position_ = input_.size();
  return Make(TokenKind::kBad, start);
}

namespace {

// Reads what follows a backslash at text[i], and moves i behind it.
base::Status AppendEscape(std::string& out, std::string_view text, size_t& i) {
  constexpr std::string_view kLetters = "nrt\\\"'";
  constexpr std::string_view kMeanings = "\n\r\t\\\"'";
  const char c = i < text.size() ? text[i++] : '\0';
  if (const size_t letter = kLetters.find(c); c != '\0' && letter != std::string_view::npos) {
    out.push_back(kMeanings[letter]);
    return {};
  }
  if (c == 'u' && i < text.size() && text[i] == '{') {
    uint32_t scalar = 0;
    size_t digits = 0;
    for (++i; i < text.size() && text[i] != '}'; ++i) {
      if (text[i] == '_' && digits > 0) continue;
      if (HexDigit(text[i]) < 0 || scalar > 0x10ffff) return base::Err("bad digit in \\u{}");
      scalar = scalar * 16 + static_cast<uint32_t>(HexDigit(text[i]));
      ++digits;
    }
    if (i == text.size() || digits == 0) return base::Err("unclosed or empty \\u{}");
    ++i;
    if (!AppendUtf8(out, scalar)) return base::Err("\\u{} is no Unicode scalar value");
    return {};
  }
  const int high = HexDigit(c);
  const int low = i < text.size() ? HexDigit(text[i]) : -1;
  if (high < 0 || low < 0) return base::Err("unknown escape \\", base::Printable({&c, 1}));
  ++i;
  out.push_back(static_cast<char>(high * 16 + low));
  return {};
}

}  // namespace

base::Result<std::string> Unescape(const Token& token) {
  const std::string_view text = token.text.substr(1, token.text.size() - 2);
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i++];
    if (c != '\\') {
      out.push_back(c);
    } else {
      TRY_STATUS(AppendEscape(out, text, i));
    }
  }
  return out;
}

base::Result<std::string> UnescapeText(const Token& token) {
  std::string text = TRY(Unescape(token));
  if (!IsUtf8(base::AsBytes(text))) return base::Err("text is not UTF-8");
  return text;
}

}  // namespace candid
