#ifndef GPT2IC_GPT2_MODEL_MODEL_H_
#define GPT2IC_GPT2_MODEL_MODEL_H_

#include <span>
#include <vector>

#include "gpt2/hparams.h"
#include "gpt2/kernels/kv_cache.h"
#include "gpt2/token_id.h"
#include "gpt2/weights.h"

namespace gpt2 {

// The numbers between the kernels of one token.
struct Activations {
  explicit Activations(const Hparams& hparams);

  std::vector<float> x;       // [n_embd]    the residual stream
  std::vector<float> xn;      // [n_embd]    x, normed
  std::vector<float> qkv;     // [3*n_embd]
  std::vector<float> out;     // [n_embd]    of a sublayer
  std::vector<float> hidden;  // [4*n_embd]  of the MLP
  std::vector<float> scores;  // [pos+1]     of attention, grown as needed
};

// GPT-2 in float32. Never changes once made: many sessions may share one.
class Model {
 public:
  // Requires CheckHparams and weights of those shapes (CHECKed), as the loader makes them.
  Model(Hparams hparams, Weights weights);

  const Hparams& hparams() const { return hparams_; }
  const Weights& weights() const { return weights_; }

  // Runs `token` at position `pos` through all blocks. Takes rows 0..pos-1 of `kv`, writes row pos,
  // leaves the residual in act.x.
  // Cost: 12*n_layer*n_embd^2 multiply-adds, and 2*n_layer*n_embd*(pos+1) in attention.
  void Forward(TokenId token, uint32_t pos, KvCache& kv, Activations& act) const;

  // The logits [n_vocab] that follow from act.x. Cost: n_vocab*n_embd multiply-adds.
  void Head(Activations& act, std::span<float> logits) const;

 private:
  Hparams hparams_;
  Weights weights_;
};

}  // namespace gpt2

#endif  // GPT2IC_GPT2_MODEL_MODEL_H_
