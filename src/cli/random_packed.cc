#include "cli/random_packed.h"

#include <algorithm>
#include <cstring>
#include <random>

namespace cli {
namespace {

using gpt2::PackedLayout;
using gpt2::PackedMatrixPlace;

// Writes arrays front to back, with zeros up to the place of each.
class Writer {
 public:
  explicit Writer(gpt2::ByteSink& sink) : sink_(sink) {}

  base::Status Zeros(uint64_t until) {
    const base::Bytes zeros(static_cast<size_t>(until - at_));
    return Put(zeros);
  }
  base::Status Floats(uint64_t place, uint64_t count, float value) {
    TRY_STATUS(Zeros(place));
    const std::vector<float> floats(static_cast<size_t>(count), value);
    return Put({reinterpret_cast<const uint8_t*>(floats.data()), count * sizeof(float)});
  }
  base::Status Noise(uint64_t place, uint64_t bytes, gpt2::PackedMode mode) {
    TRY_STATUS(Zeros(place));
    base::Bytes piece;
    while (bytes > 0) {
      piece.resize(static_cast<size_t>(std::min<uint64_t>(bytes, 1 << 20)));
      for (size_t i = 0; i < piece.size(); i += 2) Fill(&piece[i], mode);
      TRY_STATUS(Put(piece));
      bytes -= piece.size();
    }
    return {};
  }
  base::Status Put(base::ByteSpan bytes) {
    at_ += bytes.size();
    return sink_.Write(bytes);
  }

 private:
  void Fill(uint8_t* two, gpt2::PackedMode mode) {
    const uint32_t bits = static_cast<uint32_t>(random_());
    const auto exact = static_cast<int16_t>(static_cast<int>(bits % 8191) - 4095);
    const int8_t small[2] = {static_cast<int8_t>(static_cast<int>(bits % 255) - 127),
                             static_cast<int8_t>(static_cast<int>(bits / 255 % 255) - 127)};
    std::memcpy(two, mode == gpt2::PackedMode::kExact ? static_cast<const void*>(&exact) : small,
                2);
  }

  gpt2::ByteSink& sink_;
  uint64_t at_ = 0;
  std::minstd_rand random_{1};
};

base::Status WriteMatrix(const PackedMatrixPlace& place, gpt2::PackedMode mode, Writer& writer) {
  const float step = 0.04f / gpt2::WeightSteps(mode);
  const uint64_t rows = place.n_out_padded();
  TRY_STATUS(writer.Noise(place.weights, place.n_in_padded() * rows * WeightBytes(mode), mode));
  TRY_STATUS(writer.Floats(place.scale, rows, step));
  return place.bias == 0 ? base::Status() : writer.Floats(place.bias, rows, 0);
}

base::Status WriteNorm(const gpt2::PackedNormPlace& norm, Writer& writer) {
  TRY_STATUS(writer.Floats(norm.w.offset, norm.w.count, 1));
  return writer.Floats(norm.b.offset, norm.b.count, 0);
}

}  // namespace

base::Status WriteRandomPacked(const gpt2::PackedHeader& header, gpt2::ByteSink& sink) {
  const PackedLayout layout(header);
  Writer writer(sink);
  TRY_STATUS(writer.Put(gpt2::EncodePackedHeader(header)));
  const uint64_t row = gpt2::RoundUp(header.hparams.n_embd, 4);
  TRY_STATUS(writer.Floats(layout.wpe, header.hparams.n_ctx * row, 0.01f));
  for (const gpt2::PackedBlockPlace& block : layout.h) {
    TRY_STATUS(WriteNorm(block.ln_1, writer));
    TRY_STATUS(WriteMatrix(block.c_attn, header.mode, writer));
    TRY_STATUS(WriteMatrix(block.attn_c_proj, header.mode, writer));
    TRY_STATUS(WriteNorm(block.ln_2, writer));
    TRY_STATUS(WriteMatrix(block.c_fc, header.mode, writer));
    TRY_STATUS(WriteMatrix(block.mlp_c_proj, header.mode, writer));
  }
  TRY_STATUS(WriteNorm(layout.ln_f, writer));
  TRY_STATUS(WriteMatrix(layout.wte, header.mode, writer));
  if (layout.lm_head) TRY_STATUS(WriteMatrix(*layout.lm_head, header.mode, writer));
  return writer.Zeros(layout.file_bytes);
}

}  // namespace cli
