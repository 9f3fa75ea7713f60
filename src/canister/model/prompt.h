#ifndef GPT2IC_CANISTER_MODEL_PROMPT_H_
#define GPT2IC_CANISTER_MODEL_PROMPT_H_

#include <vector>

#include "canister/model/api.h"
#include "gpt2/chat_template.h"
#include "gpt2/tokenizer/tokenizer.h"

namespace model {

struct RenderedPrompt {
  std::vector<gpt2::TokenId> tokens;
  std::vector<uint32_t> turns;  // where each user's turn begins in tokens
  std::optional<gpt2::TokenId> end_token;
};

// The ids that an input stands for.
//   prompt    the text as it is
//   messages  by the model's chat template: a user's turn with what the template has around it, an
//             assistant's with the end token behind it, a system's text in front of the user's that
//             follows. Without a template: the texts, a new line between two. The last must be the
//             user's.
//   tokens    as they are
// `tokenizer` may be null for tokens only. An answer ends with the template's end token, or for
// a base model with <|endoftext|>.
Answer<RenderedPrompt> RenderInput(const Input& input, const gpt2::Tokenizer* tokenizer,
                                   const gpt2::ChatTemplate& chat, uint64_t bytes_max);

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_PROMPT_H_
