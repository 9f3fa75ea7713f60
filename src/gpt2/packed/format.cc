#include "gpt2/packed/format.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace gpt2 {
namespace {

constexpr std::string_view kMagic = "gpt2pack";
constexpr uint32_t kSeparateHead = 1;

// Gives out places from front to back.
class Places {
 public:
  explicit Places(PackedMode mode) : mode_(mode) {}

  uint64_t Take(uint64_t bytes) {
    const uint64_t place = end_;
    end_ = RoundUp(end_ + bytes, kPackedAlignment);
    return place;
  }
  PackedFloats Floats(uint64_t count) { return {Take(RoundUp(count, 4) * sizeof(float)), count}; }
  PackedNormPlace Norm(uint64_t n) {
    const PackedFloats w = Floats(n);
    return {w, Floats(n)};
  }
  PackedMatrixPlace Matrix(uint64_t n_in, uint64_t n_out) {
    PackedMatrixPlace place = Head(n_in, n_out);
    place.bias = Take(place.n_out_padded() * sizeof(float));
    return place;
  }
  PackedMatrixPlace Head(uint64_t n_in, uint64_t n_out) {
    PackedMatrixPlace place{.n_in = n_in, .n_out = n_out};
    place.weights = Take(place.n_in_padded() * place.n_out_padded() * WeightBytes(mode_));
    place.scale = Take(place.n_out_padded() * sizeof(float));
    return place;
  }
  uint64_t end() const { return end_; }

 private:
  PackedMode mode_;
  uint64_t end_ = kPackedHeaderBytes;
};

template <class T>
T ReadAt(base::ByteSpan bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

}  // namespace

PackedLayout::PackedLayout(const PackedHeader& header) {
  const uint64_t n = header.hparams.n_embd;
  Places places(header.mode);
  wpe = places.Take(header.hparams.n_ctx * RoundUp(n, 4) * sizeof(float));
  for (uint32_t layer = 0; layer < header.hparams.n_layer; ++layer) {
    PackedBlockPlace block;
    block.ln_1 = places.Norm(n);
    block.c_attn = places.Matrix(n, 3 * n);
    block.attn_c_proj = places.Matrix(n, n);
    block.ln_2 = places.Norm(n);
    block.c_fc = places.Matrix(n, 4 * n);
    block.mlp_c_proj = places.Matrix(4 * n, n);
    h.push_back(block);
  }
  ln_f = places.Norm(n);
  wte = places.Head(n, header.hparams.n_vocab);
  if (header.separate_head) lm_head = places.Head(n, header.hparams.n_vocab);
  file_bytes = places.end();
}

base::Status CheckPackedHparams(const Hparams& hparams) {
  TRY_STATUS(CheckHparams(hparams));
  if (hparams.n_ctx <= kPackedCtxMax) return {};
  return base::Err("n_ctx is ", hparams.n_ctx, ", expected at most ", kPackedCtxMax,
                   " in a packed model");
}

base::Bytes EncodePackedHeader(const PackedHeader& header) {
  base::Bytes out;
  const Hparams& hparams = header.hparams;
  base::Append(out, kMagic);
  base::AppendFixed(out, kPackedVersion);
  base::AppendFixed(out, static_cast<uint32_t>(header.mode));
  for (const uint32_t value :
       {hparams.n_vocab, hparams.n_ctx, hparams.n_embd, hparams.n_head, hparams.n_layer}) {
    base::AppendFixed(out, value);
  }
  base::AppendFixed(out, hparams.layer_norm_epsilon);
  base::AppendFixed(out, header.separate_head ? kSeparateHead : 0u);
  base::AppendFixed(out, uint32_t{0});
  base::AppendFixed(out, PackedLayout(header).file_bytes);
  out.resize(kPackedHeaderBytes);
  return out;
}

base::Result<PackedHeader> ParsePackedHeader(base::ByteSpan bytes, uint64_t file_bytes) {
  if (bytes.size() < kPackedHeaderBytes || !base::AsText(bytes).starts_with(kMagic)) {
    return base::Err("not a packed model: it does not begin with \"", kMagic, "\" and a header of ",
                     kPackedHeaderBytes, " bytes");
  }
  const auto version = ReadAt<uint32_t>(bytes, 8);
  if (version != kPackedVersion) {
    return base::Err("packed model of version ", version, ", expected ", kPackedVersion);
  }
  const auto mode = ReadAt<uint32_t>(bytes, 12);
  if (mode > 1) return base::Err("packed model of mode ", mode, ", expected 0 or 1");
  PackedHeader header;
  header.mode = static_cast<PackedMode>(mode);
  Hparams& hparams = header.hparams;
  uint32_t* const fields[] = {&hparams.n_vocab, &hparams.n_ctx, &hparams.n_embd, &hparams.n_head,
                              &hparams.n_layer};
  for (size_t i = 0; i < 5; ++i) *fields[i] = ReadAt<uint32_t>(bytes, 16 + 4 * i);
  hparams.layer_norm_epsilon = ReadAt<float>(bytes, 36);
  TRY_STATUS(CheckPackedHparams(hparams));
  header.separate_head = ReadAt<uint32_t>(bytes, 40) == kSeparateHead;
  // Also catches unknown flags and anything in the reserved bytes.
  const base::Bytes expected = EncodePackedHeader(header);
  if (!std::equal(expected.begin(), expected.end(), bytes.begin())) {
    return base::Err("the header of the packed model does not fit its own hyperparameters");
  }
  const auto expected_bytes = ReadAt<uint64_t>(bytes, 48);
  if (file_bytes != expected_bytes) {
    return base::Err("the packed model has ", file_bytes, " bytes, expected ", expected_bytes);
  }
  return header;
}

}  // namespace gpt2
