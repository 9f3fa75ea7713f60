#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "gpt2/import/loader.h"
#include "gpt2/import/safetensors.h"
#include "gpt2/memory_file.h"

// Any bytes as a safetensors file, for a model small enough that the corpus holds whole ones
// (tools/make_corpora.py). What is accepted loads to the end.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  gpt2::SpanSource source({data, size});
  const gpt2::Hparams hparams{5, 3, 4, 2, 1, 1e-5f};
  auto loader = gpt2::SafetensorsLoader::Open(hparams, source);
  if (!loader) {
    CHECK(!loader.error().message.empty());
    return 0;
  }
  for (bool done = false; !done;) {
    auto step = loader->Step();
    CHECK(step.has_value());
    done = *step;
  }
  CHECK(loader->bytes_done() == loader->bytes_total());
  CHECK(loader->Take().head().size() == 20);
  return 0;
}
