#include <cstdint>

#include "base/check.h"
#include "gpt2/import/config.h"

// Any bytes as config.json; what is accepted is a model that may be made.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto config = gpt2::ParseConfig({reinterpret_cast<const char*>(data), size});
  if (!config) {
    CHECK(!config.error().message.empty());
    return 0;
  }
  CHECK(gpt2::CheckHparams(config->hparams).has_value());
  CHECK(!config->eos_token_id || *config->eos_token_id < config->hparams.n_vocab);
  return 0;
}
