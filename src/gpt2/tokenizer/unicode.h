#ifndef GPT2IC_GPT2_TOKENIZER_UNICODE_H_
#define GPT2IC_GPT2_TOKENIZER_UNICODE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gpt2 {

struct CodePointRange {
  uint32_t first, last;
};
extern const CodePointRange kLetterRanges[];  // general category L*
extern const size_t kLetterRangesCount;
extern const CodePointRange kNumberRanges[];  // N*
extern const size_t kNumberRangesCount;

// How GPT-2's pre-tokenizer tells characters apart: \s, \p{L}, \p{N}, and the rest.
enum class CharClass : uint8_t { kSpace, kLetter, kNumber, kOther };
CharClass ClassOf(uint32_t code_point);

// One step through UTF-8. `valid` is false for a maximal piece of an ill-formed sequence, which is
// what one U+FFFD stands for (Unicode 15, section 3.9, and Rust's from_utf8_lossy).
struct Utf8Step {
  uint32_t code_point;
  uint32_t size;  // bytes, at least 1
  bool valid;
};
Utf8Step DecodeUtf8(std::string_view text, size_t at);  // requires at < text.size()

void AppendUtf8(std::string& out, uint32_t code_point);

// The text with every ill-formed piece replaced by U+FFFD.
std::string ReplaceIllFormed(std::string_view text);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_TOKENIZER_UNICODE_H_
