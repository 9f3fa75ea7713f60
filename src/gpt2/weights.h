#ifndef GPT2IC_GPT2_WEIGHTS_H_
#define GPT2IC_GPT2_WEIGHTS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/check.h"

namespace gpt2 {

// The numbers of one tensor, row-major. Allocated without being cleared: a page of a canister's
// heap that is not touched costs nothing.
class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(uint64_t count) : count_(static_cast<size_t>(count)) {
    CHECK(count <= SIZE_MAX / sizeof(float));
    values_ = std::make_unique_for_overwrite<float[]>(count_);
  }

  size_t size() const { return count_; }
  const float* data() const { return values_.get(); }
  float* data() { return values_.get(); }
  std::span<const float> values() const { return {values_.get(), count_}; }
  std::span<float> values() { return {values_.get(), count_}; }

 private:
  std::unique_ptr<float[]> values_;
  size_t count_ = 0;
};

// One path here is one name in the file: weights.h[3].attn.c_attn.w is
// "transformer.h.3.attn.c_attn.weight".
struct Norm {
  Tensor w, b;  // [n_embd], [n_embd]
};
struct Linear {
  Tensor w, b;  // [n_in, n_out] row-major (Conv1D order), [n_out]
};
struct Attn {
  Linear c_attn;  // [n_embd, 3*n_embd], columns q | k | v
  Linear c_proj;  // [n_embd, n_embd]
};
struct Mlp {
  Linear c_fc;    // [n_embd, 4*n_embd]
  Linear c_proj;  // [4*n_embd, n_embd]
};
struct Block {
  Norm ln_1;
  Attn attn;
  Norm ln_2;
  Mlp mlp;
};
struct Weights {
  Tensor wte;            // [n_vocab, n_embd]
  Tensor wpe;            // [n_ctx, n_embd]
  std::vector<Block> h;  // n_layer of them
  Norm ln_f;
  std::optional<Tensor> lm_head;  // [n_vocab, n_embd]; absent: tied, the head is wte

  const Tensor& head() const { return lm_head ? *lm_head : wte; }
};

}  // namespace gpt2

#endif  // GPT2IC_GPT2_WEIGHTS_H_
