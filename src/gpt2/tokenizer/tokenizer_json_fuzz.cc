#include <cstdint>

#include "base/check.h"
#include "gpt2/tokenizer/tokenizer.h"

// Any bytes as tokenizer.json; what is accepted must encode and decode without loss.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  const auto tokenizer = gpt2::Tokenizer::FromJson(json);
  if (!tokenizer) {
    CHECK(!tokenizer.error().message.empty());
    return 0;
  }
  std::string bytes;
  for (const gpt2::TokenId id : tokenizer->Encode("it's 12 words,  \xc3\xa9\n")) {
    bytes += tokenizer->TokenBytes(id);
  }
  CHECK(bytes == "it's 12 words,  \xc3\xa9\n");
  return 0;
}
