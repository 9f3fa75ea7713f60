#ifndef GPT2IC_GPT2_TOKENIZER_PRE_TOKENIZER_H_
#define GPT2IC_GPT2_TOKENIZER_PRE_TOKENIZER_H_

#include <cstddef>
#include <string_view>

namespace gpt2 {

// The end of the word that begins at `at` (< text.size()) by GPT-2's pattern, of which the first
// alternative that matches counts:
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// Words follow each other without gaps. Requires well-formed UTF-8.
size_t WordEnd(std::string_view text, size_t at);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_TOKENIZER_PRE_TOKENIZER_H_
