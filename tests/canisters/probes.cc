#include "probes.h"

#include "base/sha256.h"
#include "candid/decode.h"
#include "gpt2/import/config.h"
#include "gpt2/import/loader.h"
#include "gpt2/model/model.h"
#include "gpt2/session.h"
#include "gpt2/tokenizer/tokenizer.h"
#include "simd/every_op.h"

namespace probes {
namespace {

using base::Bytes;
using base::ByteSpan;
using base::Result;

class SpanSource : public gpt2::ByteSource {
 public:
  explicit SpanSource(ByteSpan bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  base::Status Read(uint64_t offset, std::span<uint8_t> out) override {
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset) {
      return base::Err("the file ends before ", offset, " + ", out.size());
    }
    std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return {};
  }

 private:
  ByteSpan bytes_;
};

Bytes Text(std::string_view text) { return {text.begin(), text.end()}; }

template <class T>
Bytes Outcome(const Result<T>& result, std::string_view accepted) {
  return Text(result ? accepted : result.error().message);
}

Result<Bytes> RunLogits(ByteSpan message) {
  base::ByteReader in(message);
  const uint32_t config_bytes = TRY(in.Fixed<uint32_t>());
  const auto config = TRY(gpt2::ParseConfig(base::AsText(TRY(in.Take(config_bytes)))));
  std::vector<gpt2::TokenId> ids(TRY(in.Fixed<uint32_t>()));
  for (gpt2::TokenId& id : ids) id = TRY(in.Fixed<uint32_t>());
  SpanSource source(TRY(in.Take(in.remaining())));
  auto loader = TRY(gpt2::SafetensorsLoader::Open(config.hparams, source));
  while (!TRY(loader.Step())) {
  }
  const gpt2::Model model(config.hparams, loader.Take());
  gpt2::Session session(model);
  Bytes out;
  for (const gpt2::TokenId id : ids) {
    TRY_STATUS(session.Append({&id, 1}));
    session.Step();
    const std::span<const float> logits = session.Logits();
    base::Append(out, {reinterpret_cast<const uint8_t*>(logits.data()), logits.size_bytes()});
  }
  return out;
}

}  // namespace

Bytes Logits(ByteSpan message) {
  Result<Bytes> result = RunLogits(message);
  return result ? std::move(*result) : Text(result.error().message);
}

// Against the shape that the corpus is made for.
Bytes Safetensors(ByteSpan file) {
  SpanSource source(file);
  const gpt2::Hparams tiny{512, 128, 64, 4, 2, 1e-5f};
  return Outcome(gpt2::SafetensorsLoader::Open(tiny, source), "accepted");
}

Bytes TokenizerJson(ByteSpan file) {
  const auto tokenizer = gpt2::Tokenizer::FromJson(base::AsText(file));
  if (!tokenizer) return Text(tokenizer.error().message);
  Bytes ids;
  for (const gpt2::TokenId id : tokenizer->Encode("it's 12 words,  <|endoftext|>\n")) {
    base::AppendFixed(ids, id);
  }
  return ids;
}

Bytes ConfigJson(ByteSpan file) {
  const auto config = gpt2::ParseConfig(base::AsText(file));
  if (!config) return Text(config.error().message);
  return Text(base::StrCat(config->hparams.n_vocab, " ", config->hparams.n_ctx, " ",
                           config->hparams.n_embd, " ", config->hparams.n_head, " ",
                           config->hparams.n_layer));
}

Bytes Candid(ByteSpan message) {
  Bytes out;
  base::AppendFixed(out, candid::DecodeProbe(message));
  return out;
}

Bytes Sha256(ByteSpan message) {
  const base::Sha256Digest digest = base::Sha256Of(message);
  return {digest.begin(), digest.end()};
}

Bytes Simd(ByteSpan message) {
  Bytes out;
  for (size_t at = 0; at + simd::kEveryOpInputBytes <= message.size();
       at += simd::kEveryOpInputBytes) {
    for (const simd::OpResult& result : simd::EveryOp::Run(message.data() + at)) {
      base::Append(out, result.bytes);
    }
  }
  return out;
}

}  // namespace probes
