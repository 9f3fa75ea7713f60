// Weights in float32 -> the blocks of a packed model (docs/packed-model.md): for each block of 4
// rows (outputs), for each pair of inputs, the 4 rows' two weights in steps of the row's scale.
#ifndef GPT2IC_GPT2_QUANTIZE_QUANTIZE_H_
#define GPT2IC_GPT2_QUANTIZE_QUANTIZE_H_

#include <cstdint>
#include <span>

#include "gpt2/packed/format.h"

namespace gpt2 {

// How a matrix lies in the source: [n_in, n_out] (Conv1D) or [n_out, n_in] (an embedding).
enum class MatrixOrder : uint8_t { kInputsFirst, kOutputsFirst };

// Magnitudes are compared as the bits of floats, whose order is the same: NaN is above all.
using Magnitude = int32_t;
inline constexpr Magnitude kMagnitudeMax = 0x461c4000;  // of 1e4f, kWeightMax
float MagnitudeValue(Magnitude magnitude);

// max[j] = max(max[j], magnitude of rows[i][j]) for `count` rows of max.size() floats.
void ColumnMagnitudes(const float* rows, uint64_t count, std::span<Magnitude> max);
// The largest magnitude of each row of n.
void RowMagnitudes(const float* rows, uint64_t n, std::span<Magnitude> max);

// Where a piece of a matrix lies, and its shape.
struct MatrixPiece {
  const float* values;
  MatrixOrder order;
  uint64_t n_in, n_out;  // n_out: of the piece
};

// Quantises blocks first_block .. first_block + block_count - 1 to `out`, [block_count,
// n_in_padded/2, 4, 2] of int8_t or int16_t. max [n_out] has the rows' magnitudes. Rows and inputs
// beyond the matrix become 0.
// Cost: 3 instructions a weight where 4 rows are whole and n_in is a multiple of 4, else some 30.
void QuantizeBlocks(const MatrixPiece& piece, PackedMode mode, std::span<const Magnitude> max,
                    uint64_t first_block, uint64_t block_count, uint8_t* out);

// scale[j] = value of one step of row j; 0 for a row of zeros.
void RowScales(std::span<const Magnitude> max, PackedMode mode, std::span<float> scale);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_QUANTIZE_QUANTIZE_H_
