#ifndef GPT2IC_CANDID_TEXT_PROBE_H_
#define GPT2IC_CANDID_TEXT_PROBE_H_

#include <string_view>

namespace candid {

// Reads any text as values and as a .did file. What is read must survive being printed and read
// again, and being encoded and decoded; a CHECK fails otherwise. For fuzzing.
void TextProbe(std::string_view text);

}  // namespace candid

#endif  // GPT2IC_CANDID_TEXT_PROBE_H_
