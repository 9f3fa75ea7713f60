#include "gpt2/text_stream.h"

#include <algorithm>

#include "gpt2/tokenizer/unicode.h"

namespace gpt2 {
namespace {

// Bytes of the character that begins with `lead`; 1 for a byte that begins none.
size_t CharacterBytes(uint8_t lead) {
  if (lead >= 0xf0 && lead < 0xf8) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc0 ? 2 : 1;
}

// The bytes of `text` up to the last whole character.
size_t WholeCharacters(std::string_view text) {
  const size_t looked_at = std::min<size_t>(text.size(), 3);
  for (size_t back = 1; back <= looked_at; ++back) {
    const auto byte = static_cast<uint8_t>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;  // within a character
    return CharacterBytes(byte) > back ? text.size() - back : text.size();
  }
  return text.size();
}

}  // namespace

void AppendText(std::string& text, base::Bytes& pending, std::string_view bytes) {
  base::Append(pending, bytes);
  const std::string_view all = base::AsText(pending);
  const size_t whole = WholeCharacters(all);
  text += ReplaceIllFormed(all.substr(0, whole));
  pending.erase(pending.begin(), pending.begin() + static_cast<ptrdiff_t>(whole));
}

void FlushText(std::string& text, base::Bytes& pending) {
  text += ReplaceIllFormed(base::AsText(pending));
  pending.clear();
}

size_t FindStop(std::string_view text, std::span<const std::string> stop) {
  constexpr size_t kTokenBytes = 256;  // a stop text may have begun so far before the last token
  const size_t from = text.size() > kTokenBytes ? text.size() - kTokenBytes : 0;
  size_t first = std::string_view::npos;
  for (const std::string& s : stop) {
    const size_t start = from > s.size() ? from - s.size() : 0;
    first = std::min(first, text.find(s, start));
  }
  return first;
}

}  // namespace gpt2
