#include "gpt2/import/onnx/extract.h"

#include <algorithm>
#include <cmath>

#include "gpt2/import/tensor_names.h"

namespace gpt2::onnx {
namespace {

// The records of one block, in the order of the forward pass.
struct BlockRecords {
  const NormRecord* ln_1 = nullptr;
  const LinearRecord* c_attn = nullptr;
  const AttentionRecord* attn = nullptr;
  const LinearRecord* attn_c_proj = nullptr;
  const NormRecord* ln_2 = nullptr;
  const LinearRecord* c_fc = nullptr;
  const LinearRecord* mlp_c_proj = nullptr;
};

template <class... Parts>
std::unexpected<base::Error> NotGpt2(const Parts&... parts) {
  return base::Err("not a GPT-2: ", parts...);
}

uint32_t ToUint32(uint64_t size) {
  return static_cast<uint32_t>(std::min<uint64_t>(size, UINT32_MAX));
}

class Extractor {
 public:
  explicit Extractor(const Interpreter& run) : run_(run) {}

  base::Result<Extracted> Run(const std::vector<std::string>& outputs) {
    head_ = &run_.linear(TRY(FindHead(outputs)));
    ln_f_ = &run_.norm(head_->index);
    TRY_STATUS(WalkBlocks());
    TRY_STATUS(DeriveHparams());
    Extracted extracted;
    extracted.model.hparams = hparams_;
    extracted.model.graph = graph_;
    TRY_STATUS(PlaceAll(extracted.model.tensors));
    TRY_STATUS(PlaceHead(extracted));
    return extracted;
  }

 private:
  base::Result<uint32_t> FindHead(const std::vector<std::string>& outputs) const;
  base::Status WalkBlocks();
  base::Status WalkMlp(const std::string& h, uint32_t& residual, BlockRecords& block) const;
  base::Status WalkAttention(const std::string& h, uint32_t& residual, BlockRecords& block) const;
  base::Status DeriveHparams();
  base::Status DeriveHeads();
  base::Result<uint32_t> HeadDim(const AttentionRecord& attn, const std::string& where) const;
  base::Status CheckPastInputs() const;
  base::Status CheckEpsilon() const;
  base::Status PlaceAll(std::vector<PlannedTensor>& places) const;
  base::Status PlaceHead(Extracted& extracted) const;
  std::vector<std::optional<WeightRef>> Refs() const;
  base::Result<PlannedTensor> Place(const std::string& name, const std::vector<uint64_t>& shape,
                                    const WeightRef& ref) const;

  const Interpreter& run_;
  const LinearRecord* head_ = nullptr;
  const NormRecord* ln_f_ = nullptr;
  const Residual* first_ = nullptr;
  std::vector<BlockRecords> blocks_;
  Hparams hparams_;
  OnnxGraph graph_ = OnnxGraph::kNoCache;
};

base::Result<uint32_t> Extractor::FindHead(const std::vector<std::string>& outputs) const {
  const Value* alien = nullptr;
  Kind last = Kind::kAbsent;
  for (const std::string& name : outputs) {
    const Value* value = run_.Find(name);
    if (value == nullptr) {
      return base::Err("ONNX: output ", base::Printable(name, 100), " is made by no node");
    }
    const bool logits = value->kind == Kind::kNextToken || value->kind == Kind::kLinear;
    if (logits && run_.linear(value->index).input == Kind::kNormed) return value->index;
    if (value->kind == Kind::kAlien && alien == nullptr) alien = value;
    last = value->kind;
  }
  if (alien != nullptr) return NotGpt2(run_.alien(alien->index));
  if (outputs.empty()) return base::Err("ONNX: the graph has no output");
  return NotGpt2("no output is the next token or the logits after ln_f, but ", Describe(last));
}

base::Status Extractor::WalkBlocks() {
  uint32_t residual = ln_f_->residual;
  const uint32_t depth = run_.residual(residual).depth;
  if (depth == 0 || depth % 2 != 0 || depth / 2 > kLayerMax) {
    return NotGpt2("the residual stream is added to ", depth,
                   " times, expected 2 for each of 1 to ", kLayerMax, " layers");
  }
  blocks_.resize(depth / 2);
  for (size_t layer = blocks_.size(); layer-- > 0;) {
    const std::string h = base::StrCat("h.", layer);
    TRY_STATUS(WalkMlp(h, residual, blocks_[layer]));
    TRY_STATUS(WalkAttention(h, residual, blocks_[layer]));
  }
  first_ = &run_.residual(residual);
  return {};
}

base::Status Extractor::WalkMlp(const std::string& h, uint32_t& residual,
                                BlockRecords& block) const {
  const Residual& sum = run_.residual(residual);
  block.mlp_c_proj = &run_.linear(sum.linear);
  if (block.mlp_c_proj->input != Kind::kUnary) {
    return NotGpt2(h, ".mlp.c_proj takes ", Describe(block.mlp_c_proj->input),
                   ", expected an activation function's value");
  }
  const Unary& act = run_.unary(block.mlp_c_proj->index);
  if (!IsGeluNew(act.samples)) {
    return NotGpt2(h, ".mlp: the activation function is ", NameOfActivation(act.samples),
                   ", expected gelu_new (with tanh)");
  }
  block.c_fc = &run_.linear(act.linear);
  if (block.c_fc->input != Kind::kNormed) {
    return NotGpt2(h, ".mlp.c_fc takes ", Describe(block.c_fc->input),
                   ", expected the output of a layer norm");
  }
  block.ln_2 = &run_.norm(block.c_fc->index);
  if (block.ln_2->residual != *sum.before || block.c_fc->last || block.mlp_c_proj->last) {
    return NotGpt2(h, ".ln_2 does not take the residual stream after attention");
  }
  residual = *sum.before;
  return {};
}

base::Status Extractor::WalkAttention(const std::string& h, uint32_t& residual,
                                      BlockRecords& block) const {
  const Residual& sum = run_.residual(residual);
  block.attn_c_proj = &run_.linear(sum.linear);
  if (block.attn_c_proj->input != Kind::kContext) {
    return NotGpt2(h, ".attn.c_proj takes ", Describe(block.attn_c_proj->input),
                   ", expected the output of attention");
  }
  block.attn = &run_.attention(block.attn_c_proj->index);
  block.c_attn = &run_.linear(block.attn->c_attn);  // of a norm: Interpreter::Part
  block.ln_1 = &run_.norm(block.c_attn->index);
  if (block.ln_1->residual != *sum.before || block.c_attn->last) {
    return NotGpt2(h, ".ln_1 does not take the residual stream before attention");
  }
  residual = *sum.before;
  return {};
}

base::Status Extractor::DeriveHparams() {
  hparams_.n_vocab = ToUint32(first_->wte.shape[0]);
  hparams_.n_embd = ToUint32(first_->wte.shape[1]);
  hparams_.n_ctx = ToUint32(first_->wpe.shape[0]);
  hparams_.n_layer = static_cast<uint32_t>(blocks_.size());
  hparams_.layer_norm_epsilon = static_cast<float>(ln_f_->epsilon);
  hparams_.n_head = 1;
  TRY_STATUS(CheckHparams(hparams_));
  TRY_STATUS(DeriveHeads());
  TRY_STATUS(CheckPastInputs());
  return CheckEpsilon();
}

base::Result<uint32_t> Extractor::HeadDim(const AttentionRecord& attn,
                                          const std::string& where) const {
  uint32_t head_dim = attn.head_dim;
  const bool scaled = attn.scale > 1e-4 && attn.scale < 1e4;  // false for NaN too
  if (head_dim == 0 && attn.heads > 0 && hparams_.n_embd % attn.heads == 0) {
    head_dim = hparams_.n_embd / attn.heads;
  }
  if (head_dim == 0 && scaled) {
    head_dim = static_cast<uint32_t>(1 / (attn.scale * attn.scale) + 0.5);
  }
  if (head_dim == 0) return NotGpt2(where, ": the number of heads does not follow from the graph");
  const uint64_t heads = attn.heads > 0 ? attn.heads : hparams_.n_embd / head_dim;
  if (heads * head_dim != hparams_.n_embd) {
    return NotGpt2(where, " has ", heads, " heads of ", head_dim,
                   ", expected n_head that divides n_embd ", hparams_.n_embd);
  }
  const double off = attn.scale * attn.scale * head_dim - 1;
  if (!std::isnan(attn.scale) && !(off < 1e-4 && off > -1e-4)) {
    return NotGpt2(where, " does not divide its scores by the square root of head_dim ", head_dim);
  }
  return head_dim;
}

base::Status Extractor::DeriveHeads() {
  graph_ = blocks_[0].attn->cached ? OnnxGraph::kKvCache : OnnxGraph::kNoCache;
  for (size_t layer = 0; layer < blocks_.size(); ++layer) {
    const AttentionRecord& attn = *blocks_[layer].attn;
    const std::string where = base::StrCat("h.", layer, ".attn");
    const uint32_t n_head = hparams_.n_embd / TRY(HeadDim(attn, where));
    if (layer == 0) hparams_.n_head = n_head;
    if (n_head != hparams_.n_head) {
      return NotGpt2(where, " has ", n_head, " heads, expected ", hparams_.n_head, " as in h.0");
    }
    if (attn.cached != (graph_ == OnnxGraph::kKvCache)) {
      return NotGpt2(where, ": some layers use past keys and values, some do not");
    }
    if (!attn.causal && !attn.cached) {
      return NotGpt2(where, " has no mask that hides later positions");
    }
  }
  return {};
}

base::Status Extractor::CheckPastInputs() const {
  for (const Shape& past : run_.past_inputs()) {
    if (past.rank != 5 || graph_ != OnnxGraph::kKvCache) continue;
    const auto differs = [](int64_t size, uint32_t expected) {
      return size >= 0 && size != static_cast<int64_t>(expected);
    };
    if (differs(past.At(0), 2 * hparams_.n_layer) || differs(past.At(2), hparams_.n_head) ||
        differs(past.At(4), hparams_.head_dim())) {
      return NotGpt2("the input of past keys and values is for ", past.At(0) / 2, " layers of ",
                     past.At(2), " heads of ", past.At(4), ", expected ", hparams_.n_layer, " of ",
                     hparams_.n_head, " of ", hparams_.head_dim());
    }
  }
  return {};
}

base::Status Extractor::CheckEpsilon() const {
  for (size_t layer = 0; layer < blocks_.size(); ++layer) {
    for (const NormRecord* norm : {blocks_[layer].ln_1, blocks_[layer].ln_2}) {
      if (static_cast<float>(norm->epsilon) == hparams_.layer_norm_epsilon) continue;
      return NotGpt2("h.", layer, norm == blocks_[layer].ln_1 ? ".ln_1" : ".ln_2",
                     " has another epsilon than ln_f");
    }
  }
  return {};
}

// In the order of TensorSlots; nullopt: all zeros.
std::vector<std::optional<WeightRef>> Extractor::Refs() const {
  std::vector<std::optional<WeightRef>> refs = {first_->wte, first_->wpe};
  const auto add = [&](const auto& record) {
    refs.push_back(record.w);
    refs.push_back(record.b);
  };
  for (const BlockRecords& block : blocks_) {
    add(*block.ln_1);
    add(*block.c_attn);
    add(*block.attn_c_proj);
    add(*block.ln_2);
    add(*block.c_fc);
    add(*block.mlp_c_proj);
  }
  add(*ln_f_);
  return refs;
}

base::Result<PlannedTensor> Extractor::Place(const std::string& name,
                                             const std::vector<uint64_t>& shape,
                                             const WeightRef& ref) const {
  const TensorProto& tensor = run_.tensors()[ref.tensor];
  const std::string both =
      base::StrCat("tensor ", name, " (in the file ", base::Printable(tensor.name, 100), ")");
  if (ref.shape != shape) {
    return NotGpt2(both, ": shape is ", ShapeText(ref.shape), ", expected ", ShapeText(shape));
  }
  PlannedTensor place{name, tensor.data.begin, shape[0], Dtype::kF32, nullptr};
  if (shape.size() == 2) {
    place.count *= shape[1];
    place.cols = shape[1];
  }
  if (ref.transposed) place.order = Order::kTransposed;
  if (tensor.type == Type::kFloat16) {
    place.dtype = Dtype::kF16;
  } else if (tensor.type == Type::kBfloat16) {
    place.dtype = Dtype::kBf16;
  } else if (tensor.type != Type::kFloat) {
    return base::Err("ONNX: ", both, " is ", TypeName(tensor.type),
                     ", expected float32, float16 or bfloat16");
  }
  const bool floats = tensor.stored == TensorProto::Stored::kFloats && tensor.type == Type::kFloat;
  if (tensor.stored != TensorProto::Stored::kRaw && !floats) {
    return base::Err("ONNX: ", both, " is not stored as raw_data or float_data");
  }
  if (tensor.data.size() != place.count * place.bytes_each()) {
    return base::Err("ONNX: ", both, " has ", tensor.data.size(), " bytes, expected ",
                     place.count * place.bytes_each());
  }
  return place;
}

base::Status Extractor::PlaceAll(std::vector<PlannedTensor>& places) const {
  Weights unused;
  const std::vector<TensorSlot> slots = TensorSlots(hparams_, unused);
  const std::vector<std::optional<WeightRef>> refs = Refs();
  for (size_t i = 0; i < slots.size(); ++i) {
    if (refs[i]) {
      places.push_back(TRY(Place(slots[i].name, slots[i].shape, *refs[i])));
    } else {
      PlannedTensor zeros{slots[i].name, 0, slots[i].count(), Dtype::kF32, nullptr};
      zeros.order = Order::kZeros;
      places.push_back(std::move(zeros));
    }
  }
  return {};
}

base::Status Extractor::PlaceHead(Extracted& extracted) const {
  if (head_->b) return NotGpt2("the head has a bias");
  WeightRef head = head_->w;  // [n_embd, n_vocab]; as lm_head.weight it is seen the other way round
  std::swap(head.shape[0], head.shape[1]);
  head.transposed = !head.transposed;
  auto place = TRY(Place(std::string(kHeadName), {hparams_.n_vocab, hparams_.n_embd}, head));
  const bool same = head.tensor == first_->wte.tensor && head.transposed == first_->wte.transposed;
  if (!same) extracted.head = std::move(place);
  return {};
}

}  // namespace

base::Result<Extracted> Extract(const Interpreter& run, const std::vector<std::string>& outputs) {
  return Extractor(run).Run(outputs);
}

}  // namespace gpt2::onnx
