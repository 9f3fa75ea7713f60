#ifndef GPT2IC_GPT2_IMPORT_CONFIG_H_
#define GPT2IC_GPT2_IMPORT_CONFIG_H_

#include <optional>
#include <string_view>

#include "base/result.h"
#include "gpt2/hparams.h"
#include "gpt2/token_id.h"

namespace gpt2 {

// What a Hugging Face config.json says of a GPT-2.
struct Config {
  Hparams hparams;
  std::optional<TokenId> bos_token_id, eos_token_id;
};

inline constexpr uint64_t kConfigBytesMax = 1 << 20;

// Reads a config.json. Keys that change the computation are checked (activation_function is
// gelu_new, n_inner null or 4*n_embd, the attention scaled as in GPT-2; absent means GPT-2's own
// value); others are ignored. Token ids beyond the vocabulary are left out.
base::Result<Config> ParseConfig(std::string_view json);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_IMPORT_CONFIG_H_
