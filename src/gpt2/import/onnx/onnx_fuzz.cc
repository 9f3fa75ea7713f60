#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "gpt2/import/onnx/onnx.h"
#include "gpt2/memory_file.h"

// Any bytes as an ONNX file. The corpus: exports of a model small enough that they are whole
// (docs/model-import.md tells how they were made). What is accepted has every tensor in the file.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  gpt2::SpanSource source({data, size});
  (void)gpt2::LooksLikeOnnx(source);
  const auto model = gpt2::ReadOnnx(source);
  if (!model) {
    CHECK(!model.error().message.empty());
    return 0;
  }
  CHECK(gpt2::CheckHparams(model->hparams).has_value());
  std::vector<float> numbers;
  std::vector<uint8_t> buffer;
  for (const gpt2::PlannedTensor& tensor : model->tensors) {
    CHECK(tensor.order == gpt2::Order::kZeros || tensor.count * tensor.bytes_each() <= size);
    if (tensor.count > size) continue;
    numbers.resize(static_cast<size_t>(tensor.count));
    CHECK(gpt2::ReadTensor(source, tensor, 0, numbers, buffer).has_value());
  }
  return 0;
}
