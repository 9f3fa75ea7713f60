#include "gpt2/tokenizer/pre_tokenizer.h"

#include "gpt2/tokenizer/unicode.h"

namespace gpt2 {
namespace {

// Bytes of 's, 't, 're, 've, 'm, 'll or 'd at `at`, where an apostrophe stands; 0: none of them.
size_t ContractionSize(std::string_view text, size_t at) {
  const std::string_view rest = text.substr(at + 1, 2);
  if (rest.starts_with("re") || rest.starts_with("ve") || rest.starts_with("ll")) return 3;
  if (rest.empty()) return 0;
  const char c = rest[0];
  return c == 's' || c == 't' || c == 'm' || c == 'd' ? 2 : 0;
}

// Where the run of characters of one class that goes on at `at` ends.
size_t RunEnd(std::string_view text, size_t at, CharClass wanted) {
  while (at < text.size()) {
    const Utf8Step step = DecodeUtf8(text, at);
    if (ClassOf(step.code_point) != wanted) break;
    at += step.size;
  }
  return at;
}

// A run of white space: all of it at the end of the text, else all but its last character, which
// may belong to the word that follows.
size_t SpaceEnd(std::string_view text, size_t at) {
  size_t last = at, end = at;
  while (end < text.size()) {
    const Utf8Step step = DecodeUtf8(text, end);
    if (ClassOf(step.code_point) != CharClass::kSpace) return last > at ? last : end;
    last = end;
    end += step.size;
  }
  return end;
}

}  // namespace

size_t WordEnd(std::string_view text, size_t at) {
  if (text[at] == '\'') {
    if (const size_t size = ContractionSize(text, at)) return at + size;
  }
  const size_t start = text[at] == ' ' && at + 1 < text.size() ? at + 1 : at;
  const Utf8Step step = DecodeUtf8(text, start);
  const CharClass first = ClassOf(step.code_point);
  if (first == CharClass::kSpace) return SpaceEnd(text, at);
  return RunEnd(text, start + step.size, first);
}

}  // namespace gpt2
