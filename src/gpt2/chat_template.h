#ifndef GPT2IC_GPT2_CHAT_TEMPLATE_H_
#define GPT2IC_GPT2_CHAT_TEMPLATE_H_

#include <optional>
#include <string_view>
#include <vector>

#include "gpt2/token_id.h"

namespace gpt2 {

class Tokenizer;

// How a prompt becomes the ids that an instruct model continues. With the special tokens of
// gpt2-open-instruct-v1 in the vocabulary:
//   [### Instruction:] "\n" prompt "\n\n" [### Response:\n] "\n"
// where the texts are encoded by the tokenizer (for GPT-2's vocabulary 198, 628 and 198) and the
// answer ends with [### End]. Without them: the prompt as it is, up to [<|endoftext|>].
struct ChatTemplate {
  std::vector<TokenId> before, after;  // what stands around the prompt
  std::optional<TokenId> end_token;    // none: only the limit on tokens ends an answer
};

ChatTemplate MakeChatTemplate(const Tokenizer& tokenizer);

// Ids of the whole prompt. Empty only if the prompt is empty and there is no template around it.
std::vector<TokenId> RenderPrompt(const ChatTemplate& chat, const Tokenizer& tokenizer,
                                  std::string_view prompt);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_CHAT_TEMPLATE_H_
