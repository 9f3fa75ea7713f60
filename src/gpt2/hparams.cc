#include "gpt2/hparams.h"

#include <string_view>

namespace gpt2 {
namespace {

base::Status CheckRange(std::string_view name, uint32_t value, uint32_t max) {
  if (value >= 1 && value <= max) return {};
  return base::Err(name, " is ", value, ", expected 1 to ", max);
}

}  // namespace

base::Status CheckHparams(const Hparams& hparams) {
  TRY_STATUS(CheckRange("n_vocab", hparams.n_vocab, kVocabMax));
  TRY_STATUS(CheckRange("n_ctx", hparams.n_ctx, kCtxMax));
  TRY_STATUS(CheckRange("n_embd", hparams.n_embd, kEmbdMax));
  TRY_STATUS(CheckRange("n_head", hparams.n_head, kEmbdMax));
  TRY_STATUS(CheckRange("n_layer", hparams.n_layer, kLayerMax));
  if (hparams.n_embd % hparams.n_head != 0) {
    return base::Err("n_head is ", hparams.n_head, ", expected a divisor of n_embd ",
                     hparams.n_embd);
  }
  if (!(hparams.layer_norm_epsilon > 0 && hparams.layer_norm_epsilon < 1)) {
    return base::Err("layer_norm_epsilon is not between 0 and 1");
  }
  return {};
}

}  // namespace gpt2
