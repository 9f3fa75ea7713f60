#include <algorithm>
#include <cmath>

#include "gpt2/import/onnx/interpreter.h"

// Elementwise nodes: embeddings, biases and residuals added, layer norms spelled out, attention
// scaled and masked, activation functions.
namespace gpt2::onnx {
namespace {

bool IsHost(const Value& value) { return value.kind < Kind::kTokenRows; }

Value StageOf(const Value& x, NormStage stage) {
  Value next = x;
  next.kind = Kind::kNormPart;
  next.stage = stage;
  next.numbers.clear();
  return next;
}

bool IsStage(const Value& x, NormStage stage) {
  return x.kind == Kind::kNormPart && x.stage == stage;
}

bool SameNorm(const Value& x, const Value& y) { return x.index == y.index && x.last == y.last; }

}  // namespace

void Interpreter::Arithmetic(Call& call) {
  const std::string_view op = call.op();
  const Value &x = call.In(0), &y = call.In(1);
  std::optional<Value> result;
  if (call.in.size() == 2) {
    if (op == "Add") {
      result = AddPair(x, y);
      if (!result) result = AddPair(y, x);
    } else if (op == "Mul") {
      result = MulPair(x, y);
      if (!result) result = MulPair(y, x);
    } else if (op == "Div") {
      result = y.Is(1) ? x : Scaled(x, y, /*divide=*/true);
    } else if (op == "Sub" && x.kind == Kind::kScores && IsHost(y)) {
      result = Masked(x, y);
    }
    if (!result) result = NormStep(call, x, y);
  } else if (call.in.size() == 1) {
    result = NormStepOfOne(call, x);
  }
  if (!result) result = Elementwise(call);
  if (!result) {
    return Alien(call, "takes ", Describe(x.kind),
                 call.in.size() > 1 ? base::StrCat(" and ", Describe(y.kind)) : "",
                 ", which GPT-2 does not");
  }
  if (call.out[0].shape.rank >= 0) result->shape = call.out[0].shape;
  result->type = call.out[0].type;
  call.out[0] = *std::move(result);
}

// wte rows + wpe rows
std::optional<Value> Interpreter::Embed(const Value& x, const Value& y) {
  if (x.kind != Kind::kTokenRows) return std::nullopt;
  std::optional<WeightRef> wpe;
  if (y.kind == Kind::kPositionRows) wpe = refs_[y.index];
  if (y.kind == Kind::kWeight) wpe = Matrix(y);  // folded by an exporter: as many as it was given
  if (!wpe) return std::nullopt;
  residuals_.push_back({.before = {}, .wte = refs_[x.index], .wpe = *wpe});
  Value sum{.kind = Kind::kResidual};
  sum.index = static_cast<uint32_t>(residuals_.size() - 1);
  return sum;
}

std::optional<Value> Interpreter::AddBias(const Value& x, const Value& y) {
  if (x.kind != Kind::kLinear || linears_[x.index].b) return std::nullopt;
  const auto bias = Vector(y, linears_[x.index].n_out());
  if (!bias) return std::nullopt;
  linears_.push_back(linears_[x.index]);
  linears_.back().b = bias;
  Value sum = x;
  sum.index = static_cast<uint32_t>(linears_.size() - 1);
  return sum;
}

std::optional<Value> Interpreter::AddPair(const Value& x, const Value& y) {
  if (IsActivation(x.kind) && y.Is(0)) return x;
  if (auto sum = Embed(x, y)) return sum;
  if (auto sum = AddBias(x, y)) return sum;
  if (x.kind == Kind::kResidual && y.kind == Kind::kLinear) {
    const uint32_t depth = residuals_[x.index].depth + 1;
    residuals_.push_back({.before = x.index, .linear = y.index, .depth = depth});
    Value sum = x;
    sum.index = static_cast<uint32_t>(residuals_.size() - 1);
    sum.last = x.last || y.last;
    return sum;
  }
  if (x.kind == Kind::kScores && IsHost(y)) return Masked(x, y);
  if (IsStage(x, NormStage::kVariance) && y.Scalar()) {
    Value sum = StageOf(x, NormStage::kVarianceEpsilon);
    sum.epsilon = *y.Scalar();
    return sum;
  }
  if (IsStage(x, NormStage::kScaled)) {
    const WeightRef w = refs_[x.ref];
    const auto b = Vector(y, w.shape[0]);
    if (b) return Normed(x, {.residual = x.index, .w = w, .b = b, .epsilon = x.epsilon});
  }
  return std::nullopt;
}

Value Interpreter::Normed(const Value& x, NormRecord record) {
  norms_.push_back(std::move(record));
  Value out{.kind = Kind::kNormed};
  out.index = static_cast<uint32_t>(norms_.size() - 1);
  out.last = x.last;
  return out;
}

// Queries, keys or scores times a number; a number that is computed from a shape may be unknown.
std::optional<Value> Interpreter::Scaled(const Value& x, const Value& y, bool divide) {
  if ((x.kind != Kind::kPart && x.kind != Kind::kScores) || !IsHost(y)) return std::nullopt;
  const bool of_shape = (y.taints & kFromShape) != 0 && (y.taints & (kCausal | kFromIds)) == 0;
  auto factor = y.Scalar();
  if (!factor && of_shape) factor = std::nan("");
  if (!factor || (std::isnan(*factor) && !of_shape)) return std::nullopt;
  Value product = x;
  product.scale = divide ? x.scale / *factor : x.scale * *factor;
  return product;
}

std::optional<Value> Interpreter::MulPair(const Value& x, const Value& y) {
  if (IsActivation(x.kind) && y.Is(1)) return x;
  if (auto product = Scaled(x, y, /*divide=*/false)) return product;
  // The first exporters' masks: scores * mask - 1e4 * (1 - mask).
  if (x.kind == Kind::kScores && (TaintsOf(y) & kCausal) != 0) return x;
  if (IsStage(x, NormStage::kCentered) && IsStage(y, NormStage::kCentered) && SameNorm(x, y)) {
    return StageOf(x, NormStage::kSquared);
  }
  if (IsStage(x, NormStage::kCentered) && IsStage(y, NormStage::kInverseStd) && SameNorm(x, y)) {
    Value product = StageOf(x, NormStage::kNormalised);
    product.epsilon = y.epsilon;
    return product;
  }
  if (IsStage(x, NormStage::kNormalised) && y.kind == Kind::kWeight && y.shape.Last() > 0) {
    const auto w = Vector(y, static_cast<uint64_t>(y.shape.Last()));
    if (w) {
      refs_.push_back(*w);
      Value product = StageOf(x, NormStage::kScaled);
      product.ref = static_cast<uint32_t>(refs_.size() - 1);
      return product;
    }
  }
  return std::nullopt;
}

std::optional<Value> Interpreter::NormStep(const Call& call, const Value& x, const Value& y) {
  const std::string_view op = call.op();
  if (op == "Sub" && x.kind == Kind::kResidual && IsStage(y, NormStage::kMean) && SameNorm(x, y)) {
    return StageOf(x, NormStage::kCentered);
  }
  if (op == "Pow" && IsStage(x, NormStage::kCentered) && y.Is(2)) {
    return StageOf(x, NormStage::kSquared);
  }
  if (op == "Pow" && IsStage(x, NormStage::kVarianceEpsilon)) {
    if (y.Is(0.5)) return StageOf(x, NormStage::kStd);
    if (y.Is(-0.5)) return StageOf(x, NormStage::kInverseStd);
  }
  if (op == "Div" && IsStage(x, NormStage::kCentered) && IsStage(y, NormStage::kStd) &&
      SameNorm(x, y)) {
    Value quotient = StageOf(x, NormStage::kNormalised);
    quotient.epsilon = y.epsilon;
    return quotient;
  }
  if (op == "Div" && x.Is(1) && IsStage(y, NormStage::kStd)) {
    return StageOf(y, NormStage::kInverseStd);
  }
  return std::nullopt;
}

std::optional<Value> Interpreter::NormStepOfOne(const Call& call, const Value& x) {
  if (call.op() == "Sqrt" && IsStage(x, NormStage::kVarianceEpsilon)) {
    return StageOf(x, NormStage::kStd);
  }
  if (call.op() == "Reciprocal" && IsStage(x, NormStage::kStd)) {
    return StageOf(x, NormStage::kInverseStd);
  }
  return std::nullopt;
}

void Interpreter::ReduceMean(Call& call) {
  const Value& x = call.In(0);
  const auto axes = call.Numbers(1, "axes");
  const bool last_axis =
      axes && axes->size() == 1 && ((*axes)[0] == -1 || (*axes)[0] == x.shape.rank - 1);
  const bool stage = x.kind == Kind::kResidual || IsStage(x, NormStage::kSquared);
  if (!stage || !last_axis || call.node.Int("keepdims", 1) == 0) {
    return Alien(call, "takes the mean of ", Describe(x.kind), ", which GPT-2 does not");
  }
  Value mean = StageOf(x, x.kind == Kind::kResidual ? NormStage::kMean : NormStage::kVariance);
  mean.shape = call.out[0].shape;
  call.out[0] = std::move(mean);
}

void Interpreter::LayerNorm(Call& call) {
  const Value& x = call.In(0);
  const int64_t axis = call.node.Int("axis", -1);
  if (x.kind != Kind::kResidual || (axis != -1 && axis != x.shape.rank - 1)) {
    return Alien(call, "normalises ", Describe(x.kind),
                 ", expected the residual stream over its last axis");
  }
  const Residual& first = residuals_[0];  // there is one, since x is one
  const uint64_t n_embd = first.wte.shape[1];
  const auto w = Vector(call.In(1), n_embd), b = Vector(call.In(2), n_embd);
  if (!w || (!b && call.In(2).kind != Kind::kAbsent)) {
    return Alien(call, "has no stored weight and bias of ", n_embd, " numbers each");
  }
  const AttributeProto* epsilon = call.node.Find("epsilon");
  const double number = epsilon != nullptr && epsilon->f ? *epsilon->f : 1e-5f;
  Value out = Normed(x, {.residual = x.index, .w = *w, .b = b, .epsilon = number});
  out.shape = call.out[0].shape;
  call.out[0] = std::move(out);
}

// The values of `value` at kSampleAt, if it is a constant or a function of `linear`, which is set
// or must agree.
std::optional<Samples> Interpreter::SamplesOf(const Value& value,
                                              std::optional<uint32_t>& linear) const {
  Samples samples;
  if (IsHost(value)) {
    const auto number = value.Scalar();
    if (!number) return std::nullopt;
    samples.fill(*number);
    return samples;
  }
  if (value.kind != Kind::kLinear && value.kind != Kind::kUnary) return std::nullopt;
  const uint32_t of = value.kind == Kind::kLinear ? value.index : unaries_[value.index].linear;
  if (linear && *linear != of) return std::nullopt;
  linear = of;
  return value.kind == Kind::kLinear ? kSampleAt : unaries_[value.index].samples;
}

std::optional<Value> Interpreter::Elementwise(const Call& call) {
  std::optional<uint32_t> linear;
  const auto x = SamplesOf(call.In(0), linear);
  const auto y = call.in.size() == 2 ? SamplesOf(call.In(1), linear) : x;
  if (!x || !y || !linear || call.in.size() > 2) return std::nullopt;
  Unary unary{*linear, {}};
  for (size_t i = 0; i < kSampleAt.size(); ++i) {
    std::optional<double> result;
    if (call.in.size() == 2) {
      result = Binary(call.op(), (*x)[i], (*y)[i]);
    } else if (call.op() == "Gelu") {
      const AttributeProto* approximate = call.node.Find("approximate");
      const bool tanh = approximate != nullptr && approximate->s == "tanh";
      result = tanh ? GeluTanh((*x)[i]) : GeluErf((*x)[i]);
    } else {
      result = UnaryOp(call.op(), (*x)[i]);
    }
    if (!result) return std::nullopt;
    unary.samples[i] = *result;
  }
  unaries_.push_back(unary);
  Value out{.kind = Kind::kUnary};
  out.index = static_cast<uint32_t>(unaries_.size() - 1);
  out.last = call.In(0).last || call.In(1).last;
  return out;
}

}  // namespace gpt2::onnx
