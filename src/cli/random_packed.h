#ifndef GPT2IC_CLI_RANDOM_PACKED_H_
#define GPT2IC_CLI_RANDOM_PACKED_H_

#include "gpt2/byte_source.h"
#include "gpt2/packed/format.h"

namespace cli {

// A packed model with noise for weights, for what does not depend on them: instruction counts of
// shapes whose float32 file would take gigabytes.
base::Status WriteRandomPacked(const gpt2::PackedHeader& header, gpt2::ByteSink& sink);

}  // namespace cli

#endif  // GPT2IC_CLI_RANDOM_PACKED_H_
