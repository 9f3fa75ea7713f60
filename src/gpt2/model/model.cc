#include "gpt2/model/model.h"

#include <algorithm>

#include "gpt2/kernels/attention.h"
#include "gpt2/kernels/kernels.h"

namespace gpt2 {
namespace {

void CheckNorm(const Norm& norm, uint64_t n) { CHECK(norm.w.size() == n && norm.b.size() == n); }

void CheckLinear(const Linear& linear, uint64_t n_in, uint64_t n_out) {
  CHECK(linear.w.size() == n_in * n_out && linear.b.size() == n_out);
}

void CheckWeights(const Hparams& hparams, const Weights& weights) {
  const uint64_t n_embd = hparams.n_embd;
  CHECK(weights.wte.size() == hparams.n_vocab * n_embd);
  CHECK(weights.wpe.size() == hparams.n_ctx * n_embd);
  CHECK(weights.head().size() == hparams.n_vocab * n_embd);
  CHECK(weights.h.size() == hparams.n_layer);
  CheckNorm(weights.ln_f, n_embd);
  for (const Block& block : weights.h) {
    CheckNorm(block.ln_1, n_embd);
    CheckLinear(block.attn.c_attn, n_embd, 3 * n_embd);
    CheckLinear(block.attn.c_proj, n_embd, n_embd);
    CheckNorm(block.ln_2, n_embd);
    CheckLinear(block.mlp.c_fc, n_embd, 4 * n_embd);
    CheckLinear(block.mlp.c_proj, 4 * n_embd, n_embd);
  }
}

}  // namespace

Activations::Activations(const Hparams& hparams)
    : x(hparams.n_embd),
      xn(hparams.n_embd),
      qkv(size_t{3} * hparams.n_embd),
      out(hparams.n_embd),
      hidden(size_t{4} * hparams.n_embd) {}

Model::Model(Hparams hparams, Weights weights) : hparams_(hparams), weights_(std::move(weights)) {
  CHECK(CheckHparams(hparams_).has_value());
  CheckWeights(hparams_, weights_);
}

void Model::Forward(TokenId token, uint32_t pos, KvCache& kv, Activations& act) const {
  CHECK(token < hparams_.n_vocab && pos < hparams_.n_ctx);
  const size_t n_embd = hparams_.n_embd;
  const float epsilon = hparams_.layer_norm_epsilon;
  kv.Reserve(pos);
  if (act.scores.size() <= pos) act.scores.resize(size_t{pos} + KvCache::kChunkPositions);

  const std::span<const float> q{act.qkv.data(), n_embd};
  const float* k = act.qkv.data() + n_embd;
  const float* v = k + n_embd;

  std::copy_n(weights_.wte.data() + token * n_embd, n_embd, act.x.data());
  AddTo(act.x, weights_.wpe.values().subspan(pos * n_embd, n_embd));
  for (uint32_t layer = 0; layer < hparams_.n_layer; ++layer) {
    const Block& block = weights_.h[layer];
    LayerNorm(act.x, block.ln_1, epsilon, act.xn);                      // [n_embd]
    MatVec(act.xn, block.attn.c_attn, act.qkv);                         // -> [3*n_embd]
    std::copy_n(k, n_embd, kv.Key(layer, pos));                         // row pos
    std::copy_n(v, n_embd, kv.Value(layer, pos));                       // row pos
    Attention(q, kv, layer, pos, hparams_.n_head, act.scores, act.xn);  // -> [n_embd]
    MatVec(act.xn, block.attn.c_proj, act.out);                         // -> [n_embd]
    AddTo(act.x, act.out);

    LayerNorm(act.x, block.ln_2, epsilon, act.xn);  // [n_embd]
    MatVec(act.xn, block.mlp.c_fc, act.hidden);     // -> [4*n_embd]
    Gelu(act.hidden);                               // [4*n_embd]
    MatVec(act.hidden, block.mlp.c_proj, act.out);  // -> [n_embd]
    AddTo(act.x, act.out);
  }
}

void Model::Head(Activations& act, std::span<float> logits) const {
  CHECK(logits.size() == hparams_.n_vocab);
  LayerNorm(act.x, weights_.ln_f, hparams_.layer_norm_epsilon, act.xn);
  MatVecRows(act.xn, weights_.head(), logits);
}

}  // namespace gpt2
