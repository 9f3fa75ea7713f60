// Random weights at the scales at which GPT-2 starts its training: normal(0, 0.02), projections
// into the residual stream smaller by sqrt(2*n_layer), biases 0, layer norms near 1.
//
// Such a model is too tame to judge a quantiser by: its logits are almost flat and no channel
// stands out. Trained GPT-2s are different in two ways, which `outliers` plants:
// * a few residual channels (138, 378, 447 in the 124M) are about 1,000 times the median at the
//   first positions. Here: large entries in the first four rows of wpe.
// * attention and logits are peaked. Here: wte at the standard deviation of trained ones (0.14),
// the
//   inner matrices at twice that of a start of training. Random matrices at trained ones' 0.13 make
//   a chaotic function instead: there an error of 1 % in the scores of a random attention grows to
//   a nat in the logits within 12 layers, so that no quantiser could be told from another.
//
// A number is the sum of four 16-bit integers: near enough to normal (no tail beyond 3.5 sigma),
// and made of integers and one multiplication, so the same on every machine.
#include "gpt2/make_model.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gpt2/import/tensor_names.h"
#include "gpt2/sampler/philox.h"

namespace gpt2 {
namespace {

// Standard deviation of the sum of four uniform integers below 2^16: sqrt(4 * (2^32 - 1) / 12).
constexpr float kSumDeviation = 37837.2f;
constexpr float kSumMean = 2 * 65535.0f;
constexpr size_t kBufferFloats = 1 << 16;
constexpr uint32_t kOutlierChannels[] = {138, 378, 447};
constexpr uint64_t kOutlierPositions = 4;
// 1,000 times the median magnitude of the residual stream half way up the 124M shape.
constexpr float kOutlier = 900.0f;

struct Distribution {
  float mean, deviation;
};

// Projections into the residual stream: 2*n_layer of them add up, so each is smaller.
float ProjectionDeviation(const Hparams& hparams) {
  return 0.02f / std::sqrt(2.0f * static_cast<float>(hparams.n_layer));
}

Distribution DistributionOf(const MakeModelArgs& args, std::string_view name) {
  if (name.contains("ln_")) return {name.ends_with(".weight") ? 1.0f : 0.0f, 0.02f};
  if (name.ends_with(".bias")) return {0.0f, args.outliers ? 0.02f : 0.0f};
  if (name.ends_with("c_proj.weight")) return {0.0f, ProjectionDeviation(args.hparams)};
  if (!args.outliers) return {0.0f, 0.02f};
  if (name.ends_with("c_attn.weight")) return {0.0f, 0.035f};
  if (name.ends_with("c_fc.weight")) return {0.0f, 0.041f};
  return {0.0f, name == "wpe.weight" ? 0.02f : 0.14f};
}

float Normal(uint32_t a, uint32_t b, Distribution distribution) {
  const uint32_t sum = (a & 0xffff) + (a >> 16) + (b & 0xffff) + (b >> 16);
  const float deviation = distribution.deviation / kSumDeviation;
  return distribution.mean + (static_cast<float>(sum) - kSumMean) * deviation;
}

// Numbers first.. of tensor `stream`; first is even.
void Fill(uint64_t seed, uint64_t stream, uint64_t first, Distribution distribution,
          std::span<float> out) {
  for (size_t i = 0; i < out.size(); i += 2) {
    const auto bits = Philox(seed, (first + i) / 2, stream);
    out[i] = Normal(bits[0], bits[1], distribution);
    if (i + 1 < out.size()) out[i + 1] = Normal(bits[2], bits[3], distribution);
  }
}

// The outliers among numbers first.. of wpe. Their signs alternate, and small models have them in
// the channels that are left.
void PlantOutliers(uint32_t n_embd, uint64_t first, std::span<float> wpe) {
  for (uint64_t pos = 0; pos < kOutlierPositions; ++pos) {
    float value = kOutlier;
    for (const uint32_t channel : kOutlierChannels) {
      const uint64_t index = pos * n_embd + channel % n_embd;
      if (index >= first && index - first < wpe.size()) wpe[index - first] = value;
      value = -value;
    }
  }
}

base::Status WriteTensor(const MakeModelArgs& args, const TensorSlot& slot, uint64_t stream,
                         std::vector<float>& buffer, ByteSink& sink) {
  const Distribution distribution = DistributionOf(args, slot.name);
  for (uint64_t first = 0; first < slot.count(); first += kBufferFloats) {
    const auto count = std::min<uint64_t>(slot.count() - first, kBufferFloats);
    const std::span<float> piece = std::span(buffer).first(static_cast<size_t>(count));
    Fill(args.seed, stream, first, distribution, piece);
    if (args.outliers && slot.name == "wpe.weight") {
      PlantOutliers(args.hparams.n_embd, first, piece);
    }
    TRY_STATUS(sink.Write({reinterpret_cast<const uint8_t*>(piece.data()), piece.size_bytes()}));
  }
  return {};
}

base::Bytes Header(const std::vector<TensorSlot>& slots) {
  std::string json = R"({"__metadata__":{"format":"pt"})";
  uint64_t offset = 0;
  for (const TensorSlot& slot : slots) {
    const uint64_t end = offset + slot.count() * sizeof(float);
    json += base::StrCat(",\"", kPrefix, slot.name, R"(":{"dtype":"F32","shape":)",
                         ShapeText(slot.shape), R"(,"data_offsets":[)", offset, ",", end, "]}");
    offset = end;
  }
  json += "}";
  json.resize((json.size() + 7) / 8 * 8, ' ');  // the numbers lie aligned
  base::Bytes header;
  base::AppendFixed(header, uint64_t{json.size()});
  base::Append(header, json);
  return header;
}

constexpr Hparams Shape(uint32_t n_embd, uint32_t n_head, uint32_t n_layer) {
  return {.n_vocab = 50257, .n_ctx = 1024, .n_embd = n_embd, .n_head = n_head, .n_layer = n_layer};
}

}  // namespace

base::Status WriteRandomModel(const MakeModelArgs& args, ByteSink& safetensors) {
  TRY_STATUS(CheckHparams(args.hparams));
  Weights unused;
  const std::vector<TensorSlot> slots = TensorSlots(args.hparams, unused);
  TRY_STATUS(safetensors.Write(Header(slots)));
  std::vector<float> buffer(kBufferFloats);
  for (size_t i = 0; i < slots.size(); ++i) {
    TRY_STATUS(WriteTensor(args, slots[i], i + 1, buffer, safetensors));
  }
  return {};
}

std::string ConfigJson(const Hparams& hparams) {
  const uint32_t end_of_text = hparams.n_vocab - 1;  // as in GPT-2
  return base::StrCat(
      "{\n  \"activation_function\": \"gelu_new\",\n  \"architectures\": [\"GPT2LMHeadModel\"],\n",
      "  \"bos_token_id\": ", end_of_text, ",\n  \"eos_token_id\": ", end_of_text,
      ",\n  \"layer_norm_epsilon\": 1e-05,\n  \"model_type\": \"gpt2\",\n  \"n_ctx\": ",
      hparams.n_ctx, ",\n  \"n_embd\": ", hparams.n_embd, ",\n  \"n_head\": ", hparams.n_head,
      ",\n  \"n_layer\": ", hparams.n_layer, ",\n  \"n_positions\": ", hparams.n_ctx,
      ",\n  \"tie_word_embeddings\": true,\n  \"vocab_size\": ", hparams.n_vocab, "\n}\n");
}

std::optional<Hparams> ShapeByName(std::string_view name) {
  if (name == "tiny") {
    return Hparams{.n_vocab = 512, .n_ctx = 128, .n_embd = 64, .n_head = 4, .n_layer = 2};
  }
  // Large enough that an answer takes seconds in a canister, and small enough for a test.
  if (name == "mini") {
    return Hparams{.n_vocab = 512, .n_ctx = 256, .n_embd = 512, .n_head = 8, .n_layer = 8};
  }
  if (name == "gpt2") return Shape(768, 12, 12);
  if (name == "gpt2-medium") return Shape(1024, 16, 24);
  if (name == "gpt2-large") return Shape(1280, 20, 36);
  if (name == "gpt2-xl") return Shape(1600, 25, 48);
  return std::nullopt;
}

}  // namespace gpt2
