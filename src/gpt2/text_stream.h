#ifndef GPT2IC_GPT2_TEXT_STREAM_H_
#define GPT2IC_GPT2_TEXT_STREAM_H_

#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace gpt2 {

// The text of tokens that come one after another. A token's bytes may end within a character: these
// wait in `pending` until the next ones come, so that `text` always has whole characters. Bytes
// that are no UTF-8 become U+FFFD, and the text is the same however the bytes were cut.
void AppendText(std::string& text, base::Bytes& pending, std::string_view bytes);
// At the end: what was held back.
void FlushText(std::string& text, base::Bytes& pending);

// Where the first of the stop texts begins in `text`, looking only at what a token that came last
// may have finished; npos: not at all. Ask after each token.
size_t FindStop(std::string_view text, std::span<const std::string> stop);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_TEXT_STREAM_H_
