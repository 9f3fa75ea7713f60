#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "gpt2/import/loader.h"
#include "gpt2/import/safetensors.h"

namespace {

class SpanSource : public gpt2::ByteSource {
 public:
  explicit SpanSource(base::ByteSpan bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  base::Status Read(uint64_t offset, std::span<uint8_t> out) override {
    // The loader asks for nothing beyond the file, whatever its header says.
    CHECK(offset <= bytes_.size() && out.size() <= bytes_.size() - offset);
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return {};
  }

 private:
  base::ByteSpan bytes_;
};

}  // namespace

// Any bytes as a safetensors file, for a model small enough that the corpus holds whole ones
// (tools/make_corpora.py). What is accepted loads to the end.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  SpanSource source({data, size});
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
