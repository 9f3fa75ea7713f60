#include <cmath>

#include "gpt2/import/onnx/interpreter.h"

// Products, attention, and what is done with logits.
namespace gpt2::onnx {
namespace {

bool IsHost(const Value& value) { return value.kind < Kind::kTokenRows; }

// What can enter a linear layer.
bool IsInput(const Value& value) {
  return value.kind == Kind::kResidual || value.kind == Kind::kNormed ||
         value.kind == Kind::kLinear || value.kind == Kind::kUnary ||
         (value.kind == Kind::kContext && value.layout == Layout::kTokens);
}

bool IsLastAxis(const Call& call, int64_t axis) {
  const int rank = call.In(0).shape.rank;
  return axis == -1 || axis == (rank < 0 ? 3 : rank - 1);  // scores have four
}

// Takes what one of two says; nullopt if they disagree.
std::optional<uint32_t> Agreed(uint32_t a, uint32_t b) {
  if (a != 0 && b != 0 && a != b) return std::nullopt;
  return a != 0 ? a : b;
}

// Both say the same of heads and head_dim, or one says nothing; `out` has what is known then.
bool AgreeOnHeads(const Value& a, const Value& b, Value& out) {
  const auto heads = Agreed(a.heads, b.heads), head_dim = Agreed(a.head_dim, b.head_dim);
  if (!heads || !head_dim) return false;
  out.heads = *heads;
  out.head_dim = *head_dim;
  return true;
}

}  // namespace

void Interpreter::Linear(Call& call, const Value& x, WeightRef w, std::optional<WeightRef> b) {
  const int64_t width = x.shape.Last();
  if (width > 0 && static_cast<uint64_t>(width) != w.shape[0]) {
    return Alien(call, "multiplies rows of ", width, " by tensor ",
                 base::Printable(tensors_[w.tensor].name, 100), ", which takes ", w.shape[0]);
  }
  Value out{.kind = Kind::kLinear, .type = x.type, .shape = call.out[0].shape};
  linears_.push_back({x.kind, x.index, x.last, std::move(w), std::move(b)});
  out.index = static_cast<uint32_t>(linears_.size() - 1);
  out.last = x.last;
  call.out[0] = std::move(out);
}

void Interpreter::MatMul(Call& call) {
  const Value &a = call.In(0), &b = call.In(1);
  if (IsInput(a) && b.kind == Kind::kWeight) {
    const auto w = Matrix(b);
    if (w) return Linear(call, a, *w, {});
  }
  std::optional<Value> product;
  if (a.kind == Kind::kPart && b.kind == Kind::kPart) product = AttentionScores(call, a, b);
  if (a.kind == Kind::kProbs && b.kind == Kind::kPart) product = AttentionContext(a, b);
  if (call.out[0].kind == Kind::kAlien) return;
  if (!product) {
    return Alien(call, "multiplies ", Describe(a.kind), " by ", Describe(b.kind),
                 ", which GPT-2 does not");
  }
  product->shape = call.out[0].shape;
  call.out[0] = *std::move(product);
}

void Interpreter::Gemm(Call& call) {
  const Value &a = call.In(0), &b = call.In(1), &c = call.In(2);
  auto w = Matrix(b);
  const auto factor = [&](std::string_view name) {
    const AttributeProto* found = call.node.Find(name);
    return found != nullptr && found->f ? *found->f : 1.0f;
  };
  const bool plain = call.node.Int("transA", 0) == 0 && factor("alpha") == 1 &&
                     (c.kind == Kind::kAbsent || factor("beta") == 1);
  if (!IsInput(a) || !w || !plain) {
    return Alien(call, "multiplies ", Describe(a.kind), " by ", Describe(b.kind),
                 ", expected rows by a stored tensor with alpha and beta 1");
  }
  if (call.node.Int("transB", 0) != 0) {
    std::swap(w->shape[0], w->shape[1]);
    w->transposed = !w->transposed;
  }
  std::optional<WeightRef> bias;
  if (c.kind != Kind::kAbsent) {
    bias = Vector(c, w->shape[1]);
    if (!bias) return Alien(call, "has a bias that is not a stored tensor [", w->shape[1], "]");
  }
  Linear(call, a, *w, bias);
}

std::optional<Value> Interpreter::AttentionScores(Call& call, const Value& q, const Value& k) {
  if (q.which != kQ || k.which != kK || q.index != k.index) return std::nullopt;
  if (q.layout != Layout::kHtd || k.layout != Layout::kHdt) return std::nullopt;
  Value scores{.kind = Kind::kScores, .type = q.type};
  scores.index = q.index;
  scores.scale = q.scale * k.scale;
  scores.cached = k.cached;
  if (!AgreeOnHeads(q, k, scores)) {
    Alien(call, "multiplies queries of ", q.heads, " heads of ", q.head_dim, " by keys of ",
          k.heads, " heads of ", k.head_dim);
    return std::nullopt;
  }
  return scores;
}

std::optional<Value> Interpreter::AttentionContext(const Value& probs, const Value& v) {
  if (v.which != kV || v.index != probs.index || v.layout != Layout::kHtd) return std::nullopt;
  if (v.cached != probs.cached) return std::nullopt;
  Value out{.kind = Kind::kContext, .type = v.type, .layout = Layout::kHtd};
  if (!AgreeOnHeads(probs, v, out)) return std::nullopt;
  const double scale = probs.scale * v.scale;
  attentions_.push_back({probs.index, out.heads, out.head_dim, scale, probs.causal, probs.cached});
  out.index = static_cast<uint32_t>(attentions_.size() - 1);
  return out;
}

// Scores with something added or put in their place where the mask says so. Which positions it
// hides is not followed through; that it comes from a comparison of positions or a triangle is.
std::optional<Value> Interpreter::Masked(const Value& scores, const Value& mask) const {
  Value masked = scores;
  masked.causal |= (TaintsOf(mask) & kCausal) != 0;
  return masked;
}

void Interpreter::Softmax(Call& call) {
  const Value& x = call.In(0);
  const int64_t axis = call.node.Int("axis", call.opset < 13 ? 1 : -1);
  if (x.kind != Kind::kScores || !IsLastAxis(call, axis)) {
    return Alien(call, "takes ", Describe(x.kind),
                 ", expected attention scores over the last axis");
  }
  Value probs = x;
  probs.kind = Kind::kProbs;
  call.out[0] = std::move(probs);
}

void Interpreter::Where(Call& call) {
  const Value& condition = call.In(0);
  for (const auto& [x, other] :
       {std::pair(&call.In(1), &call.In(2)), std::pair(&call.In(2), &call.In(1))}) {
    if (!IsHost(condition) || !IsHost(*other)) continue;
    std::optional<Value> result;
    if (x->kind == Kind::kScores) {
      result = Masked(*Masked(*x, condition), *other);
    } else if (x->kind == Kind::kProbs && other->Is(0)) {  // rows that hide everything
      result = *x;
    }
    if (!result) continue;
    if (call.out[0].shape.rank >= 0) result->shape = call.out[0].shape;
    call.out[0] = *std::move(result);
    return;
  }
  Alien(call, "chooses between ", Describe(call.In(1).kind), " and ", Describe(call.In(2).kind),
        ", which GPT-2 does not");
}

// The operator of opset 23 in its four-dimensional form.
void Interpreter::Attention(Call& call) {
  const Value &q = call.In(0), &k = call.In(1), &v = call.In(2), &mask = call.In(3);
  const bool parts = q.kind == Kind::kPart && k.kind == Kind::kPart && v.kind == Kind::kPart;
  if (!parts || !IsHost(mask) || call.In(4).kind != Kind::kAbsent || k.layout != Layout::kHtd) {
    return Alien(call, "takes ", Describe(q.kind), ", ", Describe(k.kind), " and ",
                 Describe(v.kind), ", expected queries, keys and values, heads first");
  }
  Value turned = k;
  turned.layout = Layout::kHdt;
  auto scores = AttentionScores(call, q, turned);
  if (!scores) return Alien(call, "takes queries and keys that do not belong together");
  const AttributeProto* scale = call.node.Find("scale");
  const auto softcap = call.node.Find("softcap");
  if (softcap != nullptr && softcap->f && *softcap->f != 0) {
    return Alien(call, "limits the scores, which GPT-2 does not");
  }
  const bool given = scale != nullptr && scale->f;
  scores->scale *= given ? *scale->f : std::nan("");  // nan: 1 / sqrt(head_dim), as it must be
  scores->causal = call.node.Int("is_causal", 0) != 0;
  Value probs = *Masked(*scores, mask);
  probs.kind = Kind::kProbs;
  auto context = AttentionContext(probs, v);
  if (!context) return Alien(call, "takes values that do not belong to the queries");
  context->shape = call.out[0].shape;
  call.out[0] = *std::move(context);
}

void Interpreter::ArgMax(Call& call) {
  const Value& x = call.In(0);
  if (x.kind != Kind::kLinear || !IsLastAxis(call, call.node.Int("axis", 0))) {
    return Alien(call, "takes ", Describe(x.kind), ", expected logits over the last axis");
  }
  Value token{.kind = Kind::kNextToken, .type = Type::kInt64, .shape = call.out[0].shape};
  token.index = x.index;
  call.out[0] = std::move(token);
}

}  // namespace gpt2::onnx
