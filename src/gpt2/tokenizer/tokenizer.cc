#include "gpt2/tokenizer/tokenizer.h"

#include <algorithm>

#include "gpt2/tokenizer/pre_tokenizer.h"
#include "gpt2/tokenizer/unicode.h"

namespace gpt2 {

const AddedToken* Tokenizer::FindAdded(TokenId id) const {
  const auto it = std::ranges::find(added_, id, &AddedToken::id);
  return it == added_.end() ? nullptr : &*it;
}

bool Tokenizer::IsSpecial(TokenId id) const {
  const AddedToken* added = FindAdded(id);
  return added != nullptr && added->special;
}

std::optional<TokenId> Tokenizer::SpecialId(std::string_view content) const {
  for (const AddedToken& token : added_) {
    if (token.special && token.content == content) return token.id;
  }
  return std::nullopt;
}

// The longest added token that stands at `at`.
const AddedToken* Tokenizer::AddedAt(std::string_view text, size_t at) const {
  if (!added_first_[static_cast<uint8_t>(text[at])]) return nullptr;
  for (const AddedToken& token : added_) {
    if (text.substr(at).starts_with(token.content)) return &token;
  }
  return nullptr;
}

void Tokenizer::EncodePlain(std::string_view text, std::vector<TokenId>& out) const {
  for (size_t at = 0; at < text.size();) {
    const size_t end = WordEnd(text, at);
    bpe_.Encode(text.substr(at, end - at), out);
    at = end;
  }
}

std::vector<TokenId> Tokenizer::Encode(std::string_view raw) const {
  std::string replaced;
  std::string_view text = raw;
  for (size_t at = 0; at < raw.size();) {
    const Utf8Step step = DecodeUtf8(raw, at);
    if (!step.valid) {
      replaced = ReplaceIllFormed(raw);
      text = replaced;
      break;
    }
    at += step.size;
  }
  std::vector<TokenId> out;
  size_t plain = 0;
  for (size_t at = 0; at < text.size();) {
    const AddedToken* added = AddedAt(text, at);
    if (added == nullptr) {
      ++at;
      continue;
    }
    EncodePlain(text.substr(plain, at - plain), out);
    out.push_back(added->id);
    at += added->content.size();
    plain = at;
  }
  EncodePlain(text.substr(plain), out);
  return out;
}

base::Status Tokenizer::CheckId(TokenId id) const {
  if (vocabulary_.Has(id)) return {};
  return base::Err("token id ", id, ", expected one of the vocabulary of ", size());
}

base::Result<std::string> Tokenizer::Token(TokenId id) const {
  TRY_STATUS(CheckId(id));
  if (const AddedToken* added = FindAdded(id)) return added->content;
  return ToByteLevel(vocabulary_.BytesOf(id));
}

base::Result<std::string> Tokenizer::Decode(std::span<const TokenId> ids) const {
  std::string bytes;
  for (const TokenId id : ids) {
    TRY_STATUS(CheckId(id));
    if (!IsSpecial(id)) bytes += vocabulary_.BytesOf(id);
  }
  return ReplaceIllFormed(bytes);
}

}  // namespace gpt2
