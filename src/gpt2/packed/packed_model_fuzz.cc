// Any bytes as a packed model: refused with a sentence, or run without a fault.
#include "gpt2/memory_file.h"
#include "gpt2/packed/packed_session.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  gpt2::SpanSource input({data, size});
  const auto model = gpt2::PackedModel::Load(input);
  if (!model) {
    CHECK(!model.error().message.empty());
    return 0;
  }
  gpt2::PackedSession session(*model);
  for (uint32_t i = 0; i < std::min(model->hparams().n_ctx, 9u); ++i) {
    CHECK(session.Append({{i % model->hparams().n_vocab}}).has_value());
  }
  while (!session.Prefilled()) session.Step();
  for (const float logit : session.Logits()) CHECK(logit == logit);
  return 0;
}
