#ifndef GPT2IC_CANDID_UTF8_H_
#define GPT2IC_CANDID_UTF8_H_

#include <string>

#include "base/bytes.h"

namespace candid {

// Whether the bytes are UTF-8 of Unicode scalar values (shortest form, no surrogates).
bool IsUtf8(base::ByteSpan bytes);
// Appends a scalar value; false when it is none (a surrogate, or above 0x10ffff).
bool AppendUtf8(std::string& out, uint32_t scalar);

}  // namespace candid

#endif  // GPT2IC_CANDID_UTF8_H_
