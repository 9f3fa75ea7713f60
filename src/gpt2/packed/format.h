#ifndef GPT2IC_GPT2_PACKED_FORMAT_H_
#define GPT2IC_GPT2_PACKED_FORMAT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "gpt2/hparams.h"

namespace gpt2 {

// The packed model file: docs/packed-model.md. Everything but the header is where the header says
// by these rules alone: there is no table of offsets that could lie.

enum class PackedMode : uint32_t {
  kInt8 = 0,   // weights of 7 magnitude bits in a byte
  kExact = 1,  // weights of 12 magnitude bits in two bytes: almost lossless
};

inline constexpr uint32_t kPackedVersion = 1;
inline constexpr uint64_t kPackedHeaderBytes = 64;
inline constexpr uint64_t kPackedAlignment = 64;  // of every array
inline constexpr uint32_t kBlockRows = 4;         // rows of a matrix that lie interleaved
inline constexpr uint32_t kInputPadding = 16;     // n_in is padded to a multiple
inline constexpr uint32_t kPackedCtxMax = 1 << 16;
// No weight or bias may be larger: then no number of the forward pass overflows a float except
// where the overflow is harmless (docs/kernels.md, "No NaN").
inline constexpr float kWeightMax = 1e4f;

struct PackedHeader {
  Hparams hparams;
  PackedMode mode = PackedMode::kInt8;
  bool separate_head = false;
};

constexpr uint64_t RoundUp(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}
constexpr uint32_t WeightBytes(PackedMode mode) { return mode == PackedMode::kInt8 ? 1 : 2; }
// The largest magnitude of a quantised weight.
constexpr float WeightSteps(PackedMode mode) { return mode == PackedMode::kInt8 ? 127 : 4095; }

// Where one array of floats lies.
struct PackedFloats {
  uint64_t offset = 0;
  uint64_t count = 0;  // real ones; padded with zeros to a multiple of 4
};

// Where one matrix lies. Rows are outputs. Weights: for each block of 4 rows, for each pair of
// inputs, the 4 rows' two weights: 8 numbers that one dot product takes against the pair of
// activations, so that lanes are rows and nothing has to be summed across lanes.
struct PackedMatrixPlace {
  uint64_t weights = 0, scale = 0, bias = 0;  // offsets; bias 0: none
  uint64_t n_in = 0, n_out = 0;               // real ones

  uint64_t n_in_padded() const { return RoundUp(n_in, kInputPadding); }
  uint64_t n_out_padded() const { return RoundUp(n_out, kBlockRows); }
};

struct PackedNormPlace {
  PackedFloats w, b;
};

struct PackedBlockPlace {
  PackedNormPlace ln_1;
  PackedMatrixPlace c_attn, attn_c_proj;
  PackedNormPlace ln_2;
  PackedMatrixPlace c_fc, mlp_c_proj;
};

// Every array in the order of the file.
struct PackedLayout {
  explicit PackedLayout(const PackedHeader& header);

  uint64_t wpe = 0;  // offset of n_ctx rows of n_embd floats, each padded to a multiple of 4
  std::vector<PackedBlockPlace> h;
  PackedNormPlace ln_f;
  PackedMatrixPlace wte;  // also the head, unless there is a separate one
  std::optional<PackedMatrixPlace> lm_head;
  uint64_t file_bytes = 0;
};

base::Bytes EncodePackedHeader(const PackedHeader& header);
// Err: not a packed model, another version, hyperparameters out of range, a size that does not
// follow from them.
base::Result<PackedHeader> ParsePackedHeader(base::ByteSpan header, uint64_t file_bytes);

// CheckHparams, and n_ctx at most kPackedCtxMax.
base::Status CheckPackedHparams(const Hparams& hparams);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_PACKED_FORMAT_H_
