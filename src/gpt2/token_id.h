#ifndef GPT2IC_GPT2_TOKEN_ID_H_
#define GPT2IC_GPT2_TOKEN_ID_H_

#include <cstdint>

namespace gpt2 {

using TokenId = uint32_t;  // row of wte

}  // namespace gpt2

#endif  // GPT2IC_GPT2_TOKEN_ID_H_
