#include "gpt2/import/json_scanner.h"

#include <algorithm>

namespace gpt2 {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

void AppendUtf8(std::string& out, uint32_t code) {
  const auto put = [&](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      put(0xe0 | code >> 12);
    } else {
      put(0xf0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3f));
    }
    put(0x80 | (code >> 6 & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

}  // namespace

base::Status JsonScanner::Unexpected(std::string_view expected) const {
  if (position_ >= json_.size()) {
    return base::Err("JSON ends at byte ", json_.size(), ", expected ", expected);
  }
  return base::Err("JSON has '", base::Printable(json_.substr(position_, 1)), "' at byte ",
                   position_, ", expected ", expected);
}

void JsonScanner::SkipSpace() {
  while (Peek() == ' ' || Peek() == '\n' || Peek() == '\r' || Peek() == '\t') ++position_;
}

base::Result<JsonScanner::Kind> JsonScanner::Next() {
  SkipSpace();
  if (expect_ == Expect::kNothing) {
    if (position_ < json_.size()) TRY_STATUS(Unexpected("the end"));
    return Kind::kEnd;
  }
  const char close = InObject() ? '}' : ']';
  if (expect_ == Expect::kCommaOrEnd) {
    if (Peek() == close) return Close();
    if (Peek() != ',') TRY_STATUS(Unexpected(InObject() ? "',' or '}'" : "',' or ']'"));
    ++position_;
    SkipSpace();
    expect_ = InObject() ? Expect::kKey : Expect::kValue;
  }
  const bool may_close = expect_ == Expect::kKeyOrEnd || expect_ == Expect::kValueOrEnd;
  if (may_close && Peek() == close) return Close();
  if (expect_ == Expect::kKey || expect_ == Expect::kKeyOrEnd) return Key();
  return Value();
}

base::Result<JsonScanner::Kind> JsonScanner::Key() {
  if (Peek() != '"') TRY_STATUS(Unexpected("a key in quotes"));
  TRY_STATUS(String());
  SkipSpace();
  if (Peek() != ':') TRY_STATUS(Unexpected("':'"));
  ++position_;
  expect_ = Expect::kValue;
  return Kind::kKey;
}

base::Result<JsonScanner::Kind> JsonScanner::Value() {
  switch (Peek()) {
    case '{':
      return Open(Kind::kBeginObject);
    case '[':
      return Open(Kind::kBeginArray);
    case '"':
      TRY_STATUS(String());
      Done();
      return Kind::kString;
    case 't':
      return Word("true", Kind::kTrue);
    case 'f':
      return Word("false", Kind::kFalse);
    case 'n':
      return Word("null", Kind::kNull);
    default:
      return Number();
  }
}

base::Result<JsonScanner::Kind> JsonScanner::Open(Kind kind) {
  if (depth_ == kDepthMax) {
    return base::Err("JSON nests deeper than ", kDepthMax, " at byte ", position_);
  }
  const bool object = kind == Kind::kBeginObject;
  open_ = open_ << 1 | (object ? 1 : 0);
  ++depth_;
  ++position_;
  expect_ = object ? Expect::kKeyOrEnd : Expect::kValueOrEnd;
  return kind;
}

base::Result<JsonScanner::Kind> JsonScanner::Close() {
  const Kind kind = InObject() ? Kind::kEndObject : Kind::kEndArray;
  open_ >>= 1;
  --depth_;
  ++position_;
  Done();
  return kind;
}

base::Result<JsonScanner::Kind> JsonScanner::Word(std::string_view word, Kind kind) {
  if (json_.substr(position_, word.size()) != word) TRY_STATUS(Unexpected("a value"));
  position_ += word.size();
  Done();
  return kind;
}

base::Status JsonScanner::Digits() {
  if (!IsDigit(Peek())) return Unexpected("a digit");
  while (IsDigit(Peek())) ++position_;
  return {};
}

base::Result<JsonScanner::Kind> JsonScanner::Number() {
  const size_t start = position_;
  if (Peek() != '-' && !IsDigit(Peek())) TRY_STATUS(Unexpected("a value"));
  if (Peek() == '-') ++position_;
  if (Peek() == '0') {
    ++position_;
  } else {
    TRY_STATUS(Digits());
  }
  if (Peek() == '.') {
    ++position_;
    TRY_STATUS(Digits());
  }
  if (Peek() == 'e' || Peek() == 'E') {
    ++position_;
    if (Peek() == '+' || Peek() == '-') ++position_;
    TRY_STATUS(Digits());
  }
  text_ = json_.substr(start, position_ - start);
  Done();
  return Kind::kNumber;
}

base::Status JsonScanner::String() {
  text_.clear();
  ++position_;
  while (true) {
    if (position_ >= json_.size()) return Unexpected("the end of a string");
    const char c = json_[position_];
    if (static_cast<unsigned char>(c) < 0x20) return Unexpected("no control character in a string");
    ++position_;
    if (c == '"') return {};
    if (c == '\\') {
      TRY_STATUS(Escape());
    } else {
      text_.push_back(c);
    }
  }
}

base::Result<uint32_t> JsonScanner::Hex4() {
  uint32_t code = 0;
  for (int i = 0; i < 4; ++i, ++position_) {
    const char c = Peek();
    const char lower = static_cast<char>(c | 0x20);
    if (!IsDigit(c) && !(lower >= 'a' && lower <= 'f')) TRY_STATUS(Unexpected("a hex digit"));
    code = code << 4 | static_cast<uint32_t>(IsDigit(c) ? c - '0' : lower - 'a' + 10);
  }
  return code;
}

base::Status JsonScanner::Escape() {
  constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
  const char c = Peek();
  if (const size_t at = kFrom.find(c); c != '\0' && at != std::string_view::npos) {
    text_.push_back(kTo[at]);
    ++position_;
    return {};
  }
  if (c != 'u') return Unexpected("an escape");
  ++position_;
  uint32_t code = TRY(Hex4());
  if (code >= 0xd800 && code < 0xdc00 && json_.substr(position_, 2) == "\\u") {
    position_ += 2;
    const uint32_t low = TRY(Hex4());
    if (low < 0xdc00 || low > 0xdfff) return base::Err("JSON has half a surrogate pair");
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  }
  if (code >= 0xd800 && code <= 0xdfff) return base::Err("JSON has half a surrogate pair");
  AppendUtf8(text_, code);
  return {};
}

base::Status JsonScanner::SkipValue(Kind kind) {
  if (kind != Kind::kBeginObject && kind != Kind::kBeginArray) return {};
  const unsigned outside = depth_ - 1;
  while (depth_ > outside) TRY(Next());
  return {};
}

base::Result<uint64_t> JsonUint(std::string_view number, std::string_view what) {
  uint64_t value = 0;
  for (const char c : number) {
    const bool fits = IsDigit(c) && value <= (UINT64_MAX - static_cast<uint64_t>(c - '0')) / 10;
    if (!fits) {
      return base::Err(what, " is ", base::Printable(number), ", expected an integer below 2^64");
    }
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

double JsonDouble(std::string_view number) {
  double mantissa = 0;
  int64_t exponent = 0;
  size_t i = number.starts_with('-') ? 1 : 0;
  bool fraction = false;
  for (; i < number.size() && (IsDigit(number[i]) || number[i] == '.'); ++i) {
    if (number[i] == '.') {
      fraction = true;
    } else {
      mantissa = mantissa * 10 + (number[i] - '0');
      if (fraction) --exponent;
    }
  }
  if (i < number.size()) {  // at the 'e'
    const bool minus = number[i + 1] == '-';
    if (minus || number[i + 1] == '+') ++i;
    int64_t written = 0;
    for (++i; i < number.size(); ++i)
      written = std::min<int64_t>(written * 10 + (number[i] - '0'), 9999);
    exponent += minus ? -written : written;
  }
  double power = 1;
  for (int64_t n = std::min<int64_t>(exponent < 0 ? -exponent : exponent, 400); n > 0; --n)
    power *= 10;
  const double value = exponent < 0 ? mantissa / power : mantissa * power;
  return number.starts_with('-') ? -value : value;
}

}  // namespace gpt2
