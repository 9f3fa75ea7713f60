#include "gpt2/import/tensor_names.h"

#include "base/str_cat.h"

namespace gpt2 {
namespace {

void AddNorm(std::vector<TensorSlot>& slots, const std::string& name, uint64_t n, Norm& norm) {
  slots.push_back({name + ".weight", {n}, &norm.w});
  slots.push_back({name + ".bias", {n}, &norm.b});
}

void AddLinear(std::vector<TensorSlot>& slots, const std::string& name, uint64_t n_in,
               uint64_t n_out, Linear& linear) {
  slots.push_back({name + ".weight", {n_in, n_out}, &linear.w});
  slots.push_back({name + ".bias", {n_out}, &linear.b});
}

}  // namespace

std::vector<TensorSlot> TensorSlots(const Hparams& hparams, Weights& weights) {
  const uint64_t n = hparams.n_embd;
  std::vector<TensorSlot> slots;
  slots.push_back({"wte.weight", {hparams.n_vocab, n}, &weights.wte});
  slots.push_back({"wpe.weight", {hparams.n_ctx, n}, &weights.wpe});
  weights.h.resize(hparams.n_layer);
  for (uint32_t layer = 0; layer < hparams.n_layer; ++layer) {
    Block& block = weights.h[layer];
    const std::string h = base::StrCat("h.", layer);
    AddNorm(slots, h + ".ln_1", n, block.ln_1);
    AddLinear(slots, h + ".attn.c_attn", n, 3 * n, block.attn.c_attn);
    AddLinear(slots, h + ".attn.c_proj", n, n, block.attn.c_proj);
    AddNorm(slots, h + ".ln_2", n, block.ln_2);
    AddLinear(slots, h + ".mlp.c_fc", n, 4 * n, block.mlp.c_fc);
    AddLinear(slots, h + ".mlp.c_proj", 4 * n, n, block.mlp.c_proj);
  }
  AddNorm(slots, "ln_f", n, weights.ln_f);
  return slots;
}

bool IsMaskBuffer(std::string_view name) {
  if (!name.starts_with("h.")) return false;
  name.remove_prefix(2);
  const size_t digits = name.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos) return false;
  const std::string_view rest = name.substr(digits);
  return rest == ".attn.bias" || rest == ".attn.masked_bias";
}

std::string ShapeText(const std::vector<uint64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    base::AppendTo(text, shape[i]);
  }
  return text + "]";
}

}  // namespace gpt2
