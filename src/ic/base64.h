#ifndef GPT2IC_IC_BASE64_H_
#define GPT2IC_IC_BASE64_H_

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace ic {

std::string ToBase64(base::ByteSpan bytes);  // RFC 4648, padded
// Padded or not; nothing but the alphabet, and no stray bits at the end.
base::Result<base::Bytes> FromBase64(std::string_view text);

}  // namespace ic

#endif  // GPT2IC_IC_BASE64_H_
