#include "gpt2/quantize/quantize.h"

#include <algorithm>
#include <bit>

#include "gpt2/kernels/fused.h"
#include "simd/simd.h"

namespace gpt2 {
namespace {

using namespace simd;

constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves the rounded integer below

Magnitude MagnitudeOf(float x) { return std::bit_cast<Magnitude>(x) & 0x7fffffff; }

I32x4 Magnitudes(const float* x) { return Bits(Abs(Load(x))); }

I32x4 Steps(F32x4 x, F32x4 inverse) { return Bits(simd::Add(Mul(x, inverse), Splat(kRound))); }

// The weights of one pair of inputs of a block; lanes are rows.
void StorePairs(int8_t* to, I32x4 first, I32x4 second) { StoreLow8Pairs(to, first, second); }
void StorePairs(int16_t* to, I32x4 first, I32x4 second) { Store(to, Low16Pairs(first, second)); }

float InverseOf(Magnitude max, PackedMode mode) {
  return ScaleOf(MagnitudeValue(max), WeightSteps(mode)).inverse;
}

// The loops below take kInputPadding inputs at a time, unrolled: a step of a loop costs as much as
// the quantising of two weights.

// 4 whole rows, lanes are rows: two inputs lie n_out apart.
template <class Weight>
void InputsFirstBlock(const float* x, uint32_t n_in, uint32_t n_out, F32x4 inverse, Weight* to) {
  for (const Weight* end = to + 4 * n_in; to != end; to += 4 * kInputPadding) {
#pragma clang loop unroll(full)
    for (uint32_t i = 0; i < kInputPadding; i += 2) {
      const I32x4 first = Steps(Load(x), inverse);
      x += n_out;
      StorePairs(to + 4 * i, first, Steps(Load(x), inverse));
      x += n_out;
    }
  }
}

// 4 whole rows, lanes are inputs until they are turned over.
template <class Weight>
void OutputsFirstBlock(const float* x, uint32_t n_in, F32x4 inverse, Weight* to) {
  const float *x1 = x + n_in, *x2 = x1 + n_in, *x3 = x2 + n_in;
  for (const Weight* end = to + 4 * n_in; to != end; to += 4 * kInputPadding) {
#pragma clang loop unroll(full)
    for (uint32_t i = 0; i < kInputPadding; i += 4) {
      F32x4 a = Load(x + i), b = Load(x1 + i), c = Load(x2 + i), d = Load(x3 + i);
      Transpose(a, b, c, d);
      StorePairs(to + 4 * i, Steps(a, inverse), Steps(b, inverse));
      StorePairs(to + 4 * i + 8, Steps(c, inverse), Steps(d, inverse));
    }
    x += kInputPadding, x1 += kInputPadding, x2 += kInputPadding, x3 += kInputPadding;
  }
}

// Any block, number by number, with the same rounding.
template <class Weight>
void AnyBlock(const MatrixPiece& piece, uint64_t first_row, const float (&inverse)[4], Weight* to) {
  for (uint64_t i = 0; i < RoundUp(piece.n_in, kInputPadding); ++i) {
    for (uint64_t r = 0; r < kBlockRows; ++r) {
      const uint64_t row = first_row + r;
      int32_t steps = 0;
      if (i < piece.n_in && row < piece.n_out) {
        const uint64_t at =
            piece.order == MatrixOrder::kInputsFirst ? i * piece.n_out + row : row * piece.n_in + i;
        const float shifted = piece.values[at] * inverse[r] + kRound;
        steps = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(kRound);
      }
      to[i / 2 * 8 + r * 2 + i % 2] = static_cast<Weight>(steps);
    }
  }
}

template <class Weight>
void Blocks(const MatrixPiece& piece, PackedMode mode, std::span<const Magnitude> max,
            uint64_t first_block, uint64_t block_count, Weight* to) {
  const uint64_t n_in = piece.n_in;
  for (uint64_t b = 0; b < block_count; ++b, to += RoundUp(n_in, kInputPadding) * kBlockRows) {
    const uint64_t row = (first_block + b) * kBlockRows;
    float inverse[4] = {};
    for (uint64_t r = 0; r < 4 && row + r < piece.n_out; ++r) {
      inverse[r] = InverseOf(max[static_cast<size_t>(row + r)], mode);
    }
    if (row + 4 > piece.n_out || n_in % kInputPadding != 0) {
      AnyBlock(piece, row, inverse, to);
    } else if (piece.order == MatrixOrder::kInputsFirst) {
      InputsFirstBlock(piece.values + row, static_cast<uint32_t>(n_in),
                       static_cast<uint32_t>(piece.n_out), Load(inverse), to);
    } else {
      OutputsFirstBlock(piece.values + row * n_in, static_cast<uint32_t>(n_in), Load(inverse), to);
    }
  }
}

}  // namespace

static_assert(std::bit_cast<float>(kMagnitudeMax) == kWeightMax);

float MagnitudeValue(Magnitude magnitude) { return std::bit_cast<float>(magnitude); }

void ColumnMagnitudes(const float* rows, uint64_t count, std::span<Magnitude> max) {
  constexpr size_t kVectors = 8;  // columns whose maxima stay in locals while all rows pass
  const size_t n = max.size();
  size_t j = 0;
  for (; j + 4 * kVectors <= n; j += 4 * kVectors) {
    I32x4 sums[kVectors];
    for (size_t v = 0; v < kVectors; ++v) sums[v] = Load(&max[j + 4 * v]);
    const float* x = rows + j;
    for (const float* end = x + static_cast<size_t>(count) * n; x != end; x += n) {
      for (size_t v = 0; v < kVectors; ++v) sums[v] = Max(sums[v], Magnitudes(x + 4 * v));
    }
    for (size_t v = 0; v < kVectors; ++v) Store(&max[j + 4 * v], sums[v]);
  }
  for (uint64_t i = 0; i < count; ++i, rows += n) {
    for (size_t k = j; k < n; ++k) max[k] = std::max(max[k], MagnitudeOf(rows[k]));
  }
}

void RowMagnitudes(const float* rows, uint64_t n, std::span<Magnitude> max) {
  for (Magnitude& row_max : max) {
    const float* x = rows;
    rows += n;
    I32x4 max4 = Splat(int32_t{0});
    for (; rows - x >= 32; x += 32) {
#pragma clang loop unroll(full)
      for (size_t i = 0; i < 32; i += 4) max4 = Max(max4, Magnitudes(x + i));
    }
    int32_t lanes[4];
    Store(lanes, max4);
    row_max = *std::ranges::max_element(lanes);
    for (; x != rows; ++x) row_max = std::max(row_max, MagnitudeOf(*x));
  }
}

void QuantizeBlocks(const MatrixPiece& piece, PackedMode mode, std::span<const Magnitude> max,
                    uint64_t first_block, uint64_t block_count, uint8_t* out) {
  if (mode == PackedMode::kInt8) {
    Blocks(piece, mode, max, first_block, block_count, reinterpret_cast<int8_t*>(out));
  } else {
    Blocks(piece, mode, max, first_block, block_count, reinterpret_cast<int16_t*>(out));
  }
}

void RowScales(std::span<const Magnitude> max, PackedMode mode, std::span<float> scale) {
  for (size_t i = 0; i < max.size(); ++i) {
    scale[i] = ScaleOf(MagnitudeValue(max[i]), WeightSteps(mode)).step;
  }
}

}  // namespace gpt2
