#ifndef GPT2IC_BASE_HEX_H_
#define GPT2IC_BASE_HEX_H_

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace base {

std::string ToHex(ByteSpan bytes);               // lower case
Result<Bytes> FromHex(std::string_view digits);  // either case, an even number of digits

}  // namespace base

#endif  // GPT2IC_BASE_HEX_H_
