#ifndef GPT2IC_GPT2_IMPORT_JSON_SCANNER_H_
#define GPT2IC_GPT2_IMPORT_JSON_SCANNER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gpt2 {

// Reads JSON (RFC 8259) token by token, without recursion and without a tree: a config.json has 30
// keys of which 10 matter, and a safetensors header is a flat list. Nesting is bounded.
class JsonScanner {
 public:
  static constexpr unsigned kDepthMax = 63;  // one bit of open_ each

  enum class Kind {
    kBeginObject,
    kEndObject,
    kBeginArray,
    kEndArray,
    kKey,
    kString,
    kNumber,
    kTrue,
    kFalse,
    kNull,
    kEnd,  // of the document, nothing behind it
  };

  explicit JsonScanner(std::string_view json) : json_(json) {}

  // The next token. After an Err or kEnd the scanner is not used any more.
  base::Result<Kind> Next();

  // Of the last kKey or kString: the text, escapes resolved. Of the last kNumber: as it stands.
  const std::string& text() const { return text_; }
  unsigned depth() const { return depth_; }  // containers that are open
  size_t position() const { return position_; }

  // Takes the rest of the value whose first token was `kind`.
  base::Status SkipValue(Kind kind);

 private:
  // What the grammar allows at this place.
  enum class Expect { kValue, kValueOrEnd, kKey, kKeyOrEnd, kCommaOrEnd, kNothing };

  char Peek() const { return position_ < json_.size() ? json_[position_] : '\0'; }
  bool InObject() const { return (open_ & 1) != 0; }
  void SkipSpace();
  base::Result<Kind> Value();
  base::Result<Kind> Key();
  base::Result<Kind> Open(Kind kind);
  base::Result<Kind> Close();
  base::Result<Kind> Word(std::string_view word, Kind kind);
  base::Result<Kind> Number();
  base::Status Digits();
  base::Status String();
  base::Status Escape();
  base::Result<uint32_t> Hex4();
  base::Status Unexpected(std::string_view expected) const;
  void Done() { expect_ = depth_ == 0 ? Expect::kNothing : Expect::kCommaOrEnd; }

  std::string_view json_;
  size_t position_ = 0;
  Expect expect_ = Expect::kValue;
  uint64_t open_ = 0;  // a bit for each open container, the innermost lowest; set: an object
  unsigned depth_ = 0;
  std::string text_;
};

// A JSON number as an unsigned integer; Err (with `what` as its subject) if it is not one.
base::Result<uint64_t> JsonUint(std::string_view number, std::string_view what);

// A JSON number as a double: exact up to 15 digits and exponents to +-22, else off by a few units
// in the last place.
double JsonDouble(std::string_view number);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_IMPORT_JSON_SCANNER_H_
