#include "gpt2/packed/packed_model.h"

#include <algorithm>
#include <bit>

#include "simd/simd.h"

namespace gpt2 {
namespace {

// One read from stable memory must stay below a slice of the IC (docs/metering.md).
constexpr uint64_t kReadBytesMax = 128 << 20;

// True if each of `count` numbers (a multiple of 4) is at most `most` in magnitude. As
// integers, magnitudes of floats are in the same order and every NaN is above all of them.
bool AllBounded(const float* x, uint64_t count, float most) {
  using namespace simd;
  const I32x4 magnitude = Splat(int32_t{0x7fffffff});
  I32x4 max = Splat(int32_t{0});
  for (uint64_t i = 0; i < count; i += 4) max = Max(max, And(Bits(Load(x + i)), magnitude));
  int32_t lanes[4];
  Store(lanes, max);
  return *std::ranges::max_element(lanes) <= std::bit_cast<int32_t>(most);
}

}  // namespace

base::Result<PackedModel> PackedModel::Load(ByteSource& source) {
  uint8_t raw[kPackedHeaderBytes] = {};
  if (source.size() >= sizeof(raw)) TRY_STATUS(source.Read(0, raw));
  const PackedHeader header = TRY(ParsePackedHeader(raw, source.size()));
  if (source.size() > SIZE_MAX / 2) {
    return base::Err("the packed model has ", source.size(), " bytes, at most ", SIZE_MAX / 2,
                     " fit into this memory");
  }
  base::AlignedBuffer file(source.size());
  for (uint64_t at = 0; at < file.size(); at += kReadBytesMax) {
    const auto size = static_cast<size_t>(std::min(file.size() - at, kReadBytesMax));
    TRY_STATUS(source.Read(at, file.bytes().subspan(static_cast<size_t>(at), size)));
  }
  PackedModel model(header, std::move(file));
  TRY_STATUS(model.CheckFloats(PackedLayout(header)));
  return model;
}

PackedModel::PackedModel(const PackedHeader& header, base::AlignedBuffer file)
    : header_(header), file_(std::move(file)) {
  const PackedLayout layout(header);
  for (const PackedBlockPlace& block : layout.h) {
    h_.push_back({NormAt(block.ln_1), MatrixAt(block.c_attn), MatrixAt(block.attn_c_proj),
                  NormAt(block.ln_2), MatrixAt(block.c_fc), MatrixAt(block.mlp_c_proj)});
  }
  ln_f_ = NormAt(layout.ln_f);
  wte_ = MatrixAt(layout.wte);
  head_ = layout.lm_head ? MatrixAt(*layout.lm_head) : wte_;
  wpe_ = FloatsAt(layout.wpe);
}

IntMatrix PackedModel::MatrixAt(const PackedMatrixPlace& place) const {
  IntMatrix matrix;
  const uint8_t* weights = file_.data() + place.weights;
  if (header_.mode == PackedMode::kInt8) {
    matrix.weights8 = reinterpret_cast<const int8_t*>(weights);
  } else {
    matrix.weights16 = reinterpret_cast<const int16_t*>(weights);
  }
  matrix.scale = FloatsAt(place.scale);
  if (place.bias != 0) matrix.bias = FloatsAt(place.bias);
  matrix.n_in = static_cast<uint32_t>(place.n_in_padded());
  matrix.blocks = static_cast<uint32_t>(place.n_out_padded() / kBlockRows);
  return matrix;
}

base::Status PackedModel::CheckFloats(const PackedLayout& layout) const {
  bool bounded = true;
  const auto check = [&](uint64_t offset, uint64_t count, float most = kWeightMax) {
    bounded = bounded && AllBounded(FloatsAt(offset), RoundUp(count, 4), most);
  };
  const auto check_norm = [&](const PackedNormPlace& norm) {
    check(norm.w.offset, norm.w.count);
    check(norm.b.offset, norm.b.count);
  };
  const auto check_matrix = [&](const PackedMatrixPlace& matrix) {
    check(matrix.scale, matrix.n_out, kWeightMax / WeightSteps(header_.mode));
    if (matrix.bias != 0) check(matrix.bias, matrix.n_out);
  };
  check(layout.wpe, hparams().n_ctx * RoundUp(hparams().n_embd, 4));
  for (const PackedBlockPlace& block : layout.h) {
    check_norm(block.ln_1);
    check_matrix(block.c_attn);
    check_matrix(block.attn_c_proj);
    check_norm(block.ln_2);
    check_matrix(block.c_fc);
    check_matrix(block.mlp_c_proj);
  }
  check_norm(layout.ln_f);
  check_matrix(layout.wte);
  if (layout.lm_head) check_matrix(*layout.lm_head);
  if (bounded) return {};
  return base::Err("the packed model holds a float that is NaN or above ",
                   static_cast<uint32_t>(kWeightMax), " in magnitude");
}

void PackedModel::Embed(TokenId token, uint32_t pos, float* x) const {
  CHECK(token < hparams().n_vocab && pos < hparams().n_ctx);
  const uint32_t n_embd = hparams().n_embd;
  const size_t row = size_t{token / kBlockRows} * kBlockRows * wte_.n_in + token % kBlockRows * 2;
  const float scale = wte_.scale[token];
  const float* wpe = wpe_ + size_t{pos} * RoundUp(n_embd, 4);
  for (uint32_t i = 0; i < n_embd; ++i) {
    const size_t at = row + size_t{i / 2} * 2 * kBlockRows + i % 2;
    const int weight = wte_.weights8 != nullptr ? wte_.weights8[at] : wte_.weights16[at];
    x[i] = static_cast<float>(weight) * scale + wpe[i];
  }
  std::fill(x + n_embd, x + RoundUp(n_embd, 4), 0.0f);
}

}  // namespace gpt2
