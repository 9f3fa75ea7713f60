#include "cli/weight_error.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "gpt2/import/tensor_names.h"
#include "gpt2/import/tensor_plan.h"
#include "gpt2/quantize/quantize.h"

namespace cli {
namespace {

using gpt2::MatrixOrder;
using gpt2::PackedMatrixPlace;
using gpt2::PackedMode;

struct Matrix {
  std::string tensor;
  MatrixOrder order;
  PackedMatrixPlace place;
};

std::vector<Matrix> Matrices(const gpt2::PackedLayout& layout) {
  std::vector<Matrix> out;
  for (size_t i = 0; i < layout.h.size(); ++i) {
    const std::string h = base::StrCat("h.", i);
    const auto add = [&](const char* name, const PackedMatrixPlace& place) {
      out.push_back({h + name, MatrixOrder::kInputsFirst, place});
    };
    add(".attn.c_attn.weight", layout.h[i].c_attn);
    add(".attn.c_proj.weight", layout.h[i].attn_c_proj);
    add(".mlp.c_fc.weight", layout.h[i].c_fc);
    add(".mlp.c_proj.weight", layout.h[i].mlp_c_proj);
  }
  out.push_back({"wte.weight", MatrixOrder::kOutputsFirst, layout.wte});
  if (layout.lm_head) {
    out.push_back({std::string(gpt2::kHeadName), MatrixOrder::kOutputsFirst, *layout.lm_head});
  }
  return out;
}

// The packed weights of one matrix, as numbers.
class Packed {
 public:
  static base::Result<Packed> Read(gpt2::ByteSource& file, const PackedMatrixPlace& place,
                                   PackedMode mode) {
    Packed out;
    out.place_ = place;
    out.mode_ = mode;
    out.weights_.resize(place.n_in_padded() * place.n_out_padded() * WeightBytes(mode));
    out.scale_.resize(place.n_out_padded());
    TRY_STATUS(file.Read(place.weights, out.weights_));
    TRY_STATUS(file.Read(place.scale, {reinterpret_cast<uint8_t*>(out.scale_.data()),
                                       out.scale_.size() * sizeof(float)}));
    return out;
  }
  double At(uint64_t in, uint64_t row) const {
    const uint64_t at = row / 4 * 4 * place_.n_in_padded() + in / 2 * 8 + row % 4 * 2 + in % 2;
    int16_t exact;
    std::memcpy(&exact, weights_.data() + (mode_ == PackedMode::kExact ? 2 * at : 0), 2);
    const int steps = mode_ == PackedMode::kExact ? exact : static_cast<int8_t>(weights_[at]);
    return steps * double{scale_[row]};
  }

 private:
  PackedMatrixPlace place_;
  PackedMode mode_ = PackedMode::kInt8;
  std::vector<uint8_t> weights_;
  std::vector<float> scale_;
};

}  // namespace

double WeightError::relative() const {
  return squares == 0 ? 0 : std::sqrt(error_squares / squares);
}

base::Result<std::vector<WeightError>> WeightErrors(std::span<const gpt2::PlannedTensor> tensors,
                                                    gpt2::ByteSource& source,
                                                    gpt2::ByteSource& packed) {
  constexpr uint64_t kPiece = 1 << 20;
  uint8_t raw[gpt2::kPackedHeaderBytes];
  TRY_STATUS(packed.Read(0, raw));
  const gpt2::PackedHeader header = TRY(gpt2::ParsePackedHeader(raw, packed.size()));
  std::vector<WeightError> out;
  std::vector<uint8_t> convert;
  for (const Matrix& m : Matrices(gpt2::PackedLayout(header))) {
    const auto tensor = std::ranges::find(tensors, m.tensor, &gpt2::PlannedTensor::name);
    const Packed weights = TRY(Packed::Read(packed, m.place, header.mode));
    WeightError error{m.tensor};
    const bool inputs_first = m.order == MatrixOrder::kInputsFirst;
    const uint64_t width = inputs_first ? m.place.n_out : m.place.n_in;
    const uint64_t whole_rows = std::max<uint64_t>(kPiece / width, 1) * width;
    std::vector<float> piece;
    for (uint64_t first = 0; first < tensor->count; first += piece.size()) {
      piece.resize(std::min(whole_rows, tensor->count - first));
      TRY_STATUS(gpt2::ReadTensor(source, *tensor, first, piece, convert));
      for (uint64_t i = 0; i < piece.size(); ++i) {
        const uint64_t row = (first + i) / width, column = (first + i) % width;
        const double found = inputs_first ? weights.At(row, column) : weights.At(column, row);
        error.squares += double{piece[i]} * piece[i];
        error.error_squares += (found - piece[i]) * (found - piece[i]);
      }
    }
    out.push_back(error);
  }
  return out;
}

}  // namespace cli
