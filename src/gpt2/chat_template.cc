#include "gpt2/chat_template.h"

#include "gpt2/tokenizer/tokenizer.h"

namespace gpt2 {
namespace {

void Append(std::vector<TokenId>& out, const std::vector<TokenId>& ids) {
  out.insert(out.end(), ids.begin(), ids.end());
}

}  // namespace

ChatTemplate MakeChatTemplate(const Tokenizer& tokenizer) {
  const auto instruction = tokenizer.SpecialId("### Instruction:");
  const auto response = tokenizer.SpecialId("### Response:\n");
  const auto end = tokenizer.SpecialId("### End");
  if (!instruction || !response || !end) return {{}, {}, tokenizer.SpecialId("<|endoftext|>")};
  ChatTemplate chat;
  const std::vector<TokenId> newline = tokenizer.Encode("\n");
  chat.before = {*instruction};
  Append(chat.before, newline);
  chat.after = tokenizer.Encode("\n\n");
  chat.after.push_back(*response);
  Append(chat.after, newline);
  chat.end_token = end;
  return chat;
}

std::vector<TokenId> RenderPrompt(const ChatTemplate& chat, const Tokenizer& tokenizer,
                                  std::string_view prompt) {
  std::vector<TokenId> ids = chat.before;
  Append(ids, tokenizer.Encode(prompt));
  Append(ids, chat.after);
  return ids;
}

}  // namespace gpt2
