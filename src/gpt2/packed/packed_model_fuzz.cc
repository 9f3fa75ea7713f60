// Any bytes as a packed model: refused with a sentence, or run without a fault.
#include "gpt2/packed/packed_session.h"

namespace {

class Input : public gpt2::ByteSource {
 public:
  explicit Input(base::ByteSpan bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  base::Status Read(uint64_t offset, std::span<uint8_t> out) override {
    CHECK(offset <= bytes_.size() && out.size() <= bytes_.size() - offset);
    std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return {};
  }

 private:
  base::ByteSpan bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input({data, size});
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
