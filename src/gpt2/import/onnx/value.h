#ifndef GPT2IC_GPT2_IMPORT_ONNX_VALUE_H_
#define GPT2IC_GPT2_IMPORT_ONNX_VALUE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gpt2/import/onnx/proto.h"

namespace gpt2::onnx {

// The importer runs the graph with meanings in place of numbers: each value is told by what it is
// in GPT-2 ("row of wte", "queries of layer 3, heads first"). Two graphs of the same meaning give
// the same result however their exporters spell it. What is not understood becomes kAlien with the
// sentence that says why; it is an error only if the output depends on it.

enum class Kind : uint8_t {
  kAbsent,  // an optional input that is left out
  // Not computed from the token ids' embeddings:
  kOpaque,  // shapes, masks, positions, constants
  kIds,     // an integer input of the graph, perhaps reshaped
  kPast,    // keys and values of earlier positions, or some of them
  kWeight,  // a stored tensor of floats; small ones have their numbers too
  // Activations. `index` points into the record table in brackets.
  kTokenRows,     // [refs] rows of a table by token id
  kPositionRows,  // [refs] rows of a table by position
  kResidual,      // [residuals]
  kNormPart,      // [residuals] a stage of a spelled out layer norm
  kNormed,        // [norms]
  kLinear,        // [linears] x W, or x W + b
  kUnary,         // [unaries] an elementwise function of a linear
  kQkv,           // [linears] a sequence of q, k and v
  kPart,          // [linears] q, k or v
  kScores,        // [linears] q k^T
  kProbs,         // [linears] softmax of that
  kContext,       // [attentions] probs v
  kNextToken,     // [linears] argmax of it
  kAlien,         // [aliens]
};

inline bool IsActivation(Kind kind) { return kind >= Kind::kTokenRows && kind < Kind::kAlien; }
std::string_view Describe(Kind kind);  // "the residual stream"

// As far as it is known: rank -1 and sizes of -1 are not.
struct Shape {
  int rank = -1;
  std::array<int64_t, kDimensionsMax> dims{};

  static Shape Unknown() { return {}; }
  static Shape OfRank(int rank);  // Unknown if rank is out of range
  int64_t At(int axis) const;     // -1 also beyond the rank; negative axes count from the end
  int64_t Last() const { return At(-1); }
  std::optional<int64_t> Count() const;
};

// What numbers that are no activation come from; a result has what its inputs have.
enum Taint : uint8_t {
  kFromIds = 1,    // from the content of an integer input
  kFromShape = 2,  // from the shape of something
  kRange = 4,      // 0, 1, 2 ... or a piece of it
  kShifted = 8,    // that, moved or stretched
  kCausal = 16,    // two such compared, or a triangle
};

enum class NormStage : uint8_t {
  kMean,
  kCentered,
  kSquared,
  kVariance,
  kVarianceEpsilon,
  kStd,
  kInverseStd,
  kNormalised,
  kScaled,  // by the weight; [refs] weight
};

// How the last axes of q, k, v or the context are laid out: t position, h head, d of head_dim.
enum class Layout : uint8_t { kTokens /* [t, h*d] */, kThd, kHtd, kHdt };

enum Which : uint8_t { kQ, kK, kV };

struct Value {
  Kind kind = Kind::kAbsent;
  Type type = Type::kUndefined;
  Shape shape = {};
  uint32_t index = 0;

  std::vector<double> numbers =
      {};               // kOpaque, kWeight: all of them if known, NaN for one that is not
  bool splat = false;   // one number stands for all
  bool stored = false;  // kOpaque: tensor `index` of the file as it is
  uint8_t taints = 0;

  bool transposed = false;  // kWeight: against how tensor `index` is stored
  NormStage stage{};        // kNormPart
  uint32_t ref = 0;         // kNormPart from kScaled on: its weight
  double epsilon = 0;       // kNormPart from kVarianceEpsilon on
  Which which{};            // kPart
  Layout layout{};          // kPart, kContext
  uint32_t heads = 0;       // kPart, kScores, kProbs: 0 if not known
  uint32_t head_dim = 0;    // the same
  double scale = 1;         // kPart, kScores: a factor; NaN: computed from a shape
  bool causal = false;      // kScores, kProbs
  bool cached = false;      // kPart, kScores, kProbs: with those of earlier positions
  bool last = false;        // only the last position is left
  int past_index = -1;      // kPast: first index of the input, if known

  std::optional<double> Scalar() const {
    if (numbers.size() != 1) return std::nullopt;
    return numbers[0];
  }
  bool Is(double number) const { return numbers.size() == 1 && numbers[0] == number; }
};

// A use of a stored tensor. shape: as it is used, without leading ones.
struct WeightRef {
  uint32_t tensor = 0;
  bool transposed = false;
  std::vector<uint64_t> shape = {};
};

struct Residual {
  std::optional<uint32_t> before;  // [residuals] what `linear` was added to
  uint32_t linear = 0;             // [linears]
  uint32_t depth = 0;              // additions up to here
  WeightRef wte = {}, wpe = {};    // of the first
};

struct NormRecord {
  uint32_t residual = 0;
  WeightRef w;
  std::optional<WeightRef> b;  // left out: all zeros
  double epsilon = 0;
};

struct LinearRecord {
  Kind input = Kind::kAlien;
  uint32_t index = 0;          // of the input
  bool last = false;           // of the input
  WeightRef w;                 // shape [n_in, n_out]
  std::optional<WeightRef> b;  // left out: all zeros, which newer exporters drop
  uint64_t n_in() const { return w.shape[0]; }
  uint64_t n_out() const { return w.shape[1]; }
};

// An elementwise function by its values at kSampleAt.
inline constexpr std::array<double, 12> kSampleAt = {-8.0, -3.0, -2.0, -1.0, -0.5, -0.1,
                                                     0.3,  0.9,  1.5,  2.2,  3.0,  6.0};
using Samples = std::array<double, kSampleAt.size()>;

struct Unary {
  uint32_t linear = 0;
  Samples samples{};
};

struct AttentionRecord {
  uint32_t c_attn = 0;  // [linears]
  uint32_t heads = 0, head_dim = 0;
  double scale = 1;
  bool causal = false, cached = false;
};

}  // namespace gpt2::onnx

#endif  // GPT2IC_GPT2_IMPORT_ONNX_VALUE_H_
