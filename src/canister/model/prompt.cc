#include "canister/model/prompt.h"

namespace model {
namespace {

uint64_t InputBytes(const Input& input) {
  uint64_t bytes = input.prompt.size() + 4 * uint64_t{input.tokens.size()};
  constexpr uint64_t kAround = 16;  // what the template puts around a message is not free either
  for (const Message& message : input.messages) bytes += message.content.size() + kAround;
  return bytes;
}

class MessageRenderer {
 public:
  MessageRenderer(const gpt2::Tokenizer& tokenizer, const gpt2::ChatTemplate& chat)
      : tokenizer_(tokenizer), chat_(chat) {}

  Answer<RenderedPrompt> Render(const std::vector<Message>& messages) {
    if (messages.empty() || messages.back().role != "user") {
      return Fail("bad_input", "the last of ", messages.size(),
                  " messages is not of role \"user\"");
    }
    out_.end_token = chat_.end_token;
    for (const Message& message : messages) TRY_STATUS(Add(message));
    return std::move(out_);
  }

 private:
  Done Add(const Message& message) {
    if (message.role == "system") {
      system_ += message.content + "\n\n";
    } else if (message.role == "user") {
      AddUser(message.content);
    } else if (message.role == "assistant") {
      Append(tokenizer_.Encode(message.content));
      if (chat_.end_token && !chat_.before.empty()) out_.tokens.push_back(*chat_.end_token);
    } else {
      return Fail("bad_input", "a message has role \"", base::Printable(message.role),
                  "\", expected system, user or assistant");
    }
    return {};
  }

  void AddUser(const std::string& content) {
    if (chat_.before.empty() && !out_.tokens.empty()) Append(tokenizer_.Encode("\n"));
    out_.turns.push_back(static_cast<uint32_t>(out_.tokens.size()));
    Append(gpt2::RenderPrompt(chat_, tokenizer_, system_ + content));
    system_.clear();
  }

  void Append(const std::vector<gpt2::TokenId>& ids) {
    out_.tokens.insert(out_.tokens.end(), ids.begin(), ids.end());
  }

  const gpt2::Tokenizer& tokenizer_;
  const gpt2::ChatTemplate& chat_;
  RenderedPrompt out_;
  std::string system_;  // in front of the user's text that comes next
};

}  // namespace

Answer<RenderedPrompt> RenderInput(const Input& input, const gpt2::Tokenizer* tokenizer,
                                   const gpt2::ChatTemplate& chat, uint64_t bytes_max) {
  if (InputBytes(input) > bytes_max) {
    return Fail("too_large", "the input has ", InputBytes(input), " bytes, expected at most ",
                bytes_max);
  }
  RenderedPrompt out{input.tokens, {0}, chat.end_token};
  if (input.which != InputKind::kTokens) {
    if (tokenizer == nullptr) {
      return Fail("not_ready", "the tokenizer is not set up: call setup_tokenizer first");
    }
    if (input.which == InputKind::kMessages) {
      out = TRY(MessageRenderer(*tokenizer, chat).Render(input.messages));
    } else {
      out.tokens = tokenizer->Encode(input.prompt);
    }
  }
  if (out.tokens.empty()) return Fail("bad_input", "the input has 0 tokens, expected at least 1");
  return out;
}

}  // namespace model
