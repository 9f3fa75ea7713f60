#ifndef GPT2IC_GPT2_TOKENIZER_VECTORS_H_
#define GPT2IC_GPT2_TOKENIZER_VECTORS_H_

#include <string>
#include <string_view>

#include "gpt2/tokenizer/tokenizer.h"

namespace gpt2 {

struct VectorsResult {
  int passed = 0, failed = 0;
  std::string report;  // a line for each difference
};

// Replays a file {"encode": [{text, ids, tokens}], "decode": [{ids, text, each}]}, or a list of
// {text, ids, tokens, decoded}. Native only.
base::Result<VectorsResult> ReplayTokenizerVectors(const Tokenizer& tokenizer,
                                                   std::string_view vectors_json);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_TOKENIZER_VECTORS_H_
