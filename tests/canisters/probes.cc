#include "probes.h"

#include "base/sha256.h"
#include "candid/decode.h"
#include "gpt2/import/config.h"
#include "gpt2/import/loader.h"
#include "gpt2/make_model.h"
#include "gpt2/memory_file.h"
#include "gpt2/model/model.h"
#include "gpt2/packed/packed_session.h"
#include "gpt2/packed/packer.h"
#include "gpt2/session.h"
#include "gpt2/tokenizer/tokenizer.h"
#include "receipt/ledger.h"
#include "simd/every_op.h"

namespace probes {
namespace {

using base::Bytes;
using base::ByteSpan;
using base::Result;

void AppendFloats(Bytes& out, std::span<const float> floats) {
  base::Append(out, {reinterpret_cast<const uint8_t*>(floats.data()), floats.size_bytes()});
}

Bytes Text(std::string_view text) { return {text.begin(), text.end()}; }

Result<Bytes> RunLogits(ByteSpan message) {
  base::ByteReader in(message);
  const uint32_t config_bytes = TRY(in.Fixed<uint32_t>());
  const auto config = TRY(gpt2::ParseConfig(base::AsText(TRY(in.Take(config_bytes)))));
  std::vector<gpt2::TokenId> ids(TRY(in.Fixed<uint32_t>()));
  for (gpt2::TokenId& id : ids) id = TRY(in.Fixed<uint32_t>());
  gpt2::SpanSource source(TRY(in.Take(in.remaining())));
  auto loader = TRY(gpt2::SafetensorsLoader::Open(config.hparams, source));
  while (!TRY(loader.Step())) {
  }
  const gpt2::Model model(config.hparams, loader.Take());
  gpt2::Session session(model);
  Bytes out;
  for (const gpt2::TokenId id : ids) {
    TRY_STATUS(session.Append({&id, 1}));
    session.Step();
    AppendFloats(out, session.Logits());
  }
  return out;
}

Result<Bytes> RunPacked(const gpt2::MakeModelArgs& args, gpt2::PackedMode mode, uint32_t tokens,
                        uint32_t piece) {
  gpt2::MemoryFile safetensors, packed;
  TRY_STATUS(gpt2::WriteRandomModel(args, safetensors));
  auto packer = TRY(gpt2::Packer::Open(args.hparams, mode, safetensors, packed));
  while (!TRY(packer.Step())) {
  }
  const gpt2::PackedModel model = TRY(gpt2::PackedModel::Load(packed));
  const base::Sha256Digest digest = base::Sha256Of(packed.bytes());
  Bytes out(digest.begin(), digest.end());
  gpt2::PackedSession session(model);
  for (uint32_t i = 0; i < tokens; ++i) {
    const gpt2::TokenId id = (i * 7919 + i / 3) % args.hparams.n_vocab;
    TRY_STATUS(session.Append({&id, 1}));
    if (i % piece != piece - 1 && i + 1 != tokens) continue;
    while (!session.Prefilled()) session.Step();
    AppendFloats(out, session.Logits());
  }
  return out;
}

}  // namespace

Bytes Logits(ByteSpan message) {
  Result<Bytes> result = RunLogits(message);
  return result ? std::move(*result) : Text(result.error().message);
}

Bytes PackedLogits(ByteSpan message) {
  base::ByteReader in(message);
  uint32_t n[10];
  for (uint32_t& number : n) number = in.Fixed<uint32_t>().value();
  const gpt2::Hparams hparams{n[1], n[2], n[3], n[4], n[5]};
  Result<Bytes> result =
      RunPacked({hparams, n[9], n[6] != 0}, static_cast<gpt2::PackedMode>(n[0]), n[7], n[8]);
  return result ? std::move(*result) : Text(result.error().message);
}

Bytes PackedFile(ByteSpan file) {
  gpt2::SpanSource source(file);
  const auto model = gpt2::PackedModel::Load(source);
  return Text(model ? "accepted" : model.error().message);
}

// Against the shape that the corpus is made for (tools/make_corpora.py): the embedding's bits.
Bytes Safetensors(ByteSpan file) {
  gpt2::SpanSource source(file);
  const gpt2::Hparams small{5, 3, 4, 2, 1, 1e-5f};
  auto loader = gpt2::SafetensorsLoader::Open(small, source);
  if (!loader) return Text(loader.error().message);
  while (!loader->Step().value()) {
  }
  const gpt2::Weights weights = loader->Take();
  const auto values = weights.head().values();
  return {reinterpret_cast<const uint8_t*>(values.data()),
          reinterpret_cast<const uint8_t*>(values.data() + values.size())};
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

Bytes Receipt(ByteSpan file) {
  if (const auto receipt = receipt::Decode(file)) return receipt::Encode(*receipt);
  auto ledger = receipt::Ledger::Restore(file, 0);
  if (!ledger) return Text(ledger.error().message);
  Bytes out = ledger->Save();
  base::Append(out, ledger->tree().hash());
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
