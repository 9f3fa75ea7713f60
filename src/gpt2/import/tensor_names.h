#ifndef GPT2IC_GPT2_IMPORT_TENSOR_NAMES_H_
#define GPT2IC_GPT2_IMPORT_TENSOR_NAMES_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gpt2/hparams.h"
#include "gpt2/weights.h"

namespace gpt2 {

// One tensor of a GPT-2: its name in the file without "transformer.", its shape, its place.
struct TensorSlot {
  std::string name;
  std::vector<uint64_t> shape;
  Tensor* place;

  uint64_t count() const {  // cannot overflow: see hparams.h
    uint64_t count = 1;
    for (const uint64_t size : shape) count *= size;
    return count;
  }
};

inline constexpr std::string_view kPrefix = "transformer.";
inline constexpr std::string_view kHeadName = "lm_head.weight";  // never has the prefix

// All tensors that a model of these hyperparameters must have, in the order the forward pass uses
// them, pointing into `weights`. Sizes weights.h; allocates no tensor. lm_head is not among them.
std::vector<TensorSlot> TensorSlots(const Hparams& hparams, Weights& weights);

// "h.N.attn.bias" and "h.N.attn.masked_bias": the causal mask, which real files carry along.
bool IsMaskBuffer(std::string_view name);

// "[768, 2304]"
std::string ShapeText(const std::vector<uint64_t>& shape);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_IMPORT_TENSOR_NAMES_H_
