#include <algorithm>
#include <cmath>

#include "gpt2/hparams.h"
#include "gpt2/import/onnx/interpreter.h"

// Nodes that move an activation without computing: views, selections, splits.
namespace gpt2::onnx {
namespace {

// The kinds with one row per position and the channels on the last axis.
bool IsRows(const Value& value) {
  switch (value.kind) {
    case Kind::kTokenRows:
    case Kind::kPositionRows:
    case Kind::kResidual:
    case Kind::kNormPart:
    case Kind::kNormed:
    case Kind::kLinear:
    case Kind::kUnary:
      return true;
    case Kind::kPart:
    case Kind::kContext:
      return value.layout == Layout::kTokens;
    default:
      return false;
  }
}

bool HasHeads(const Value& value) {
  return value.kind == Kind::kPart || value.kind == Kind::kContext;
}

// in, with the shape and type that out has already.
Value ViewOf(const Value& in, const Value& out) {
  Value view = in;
  view.shape = out.shape;
  view.type = out.type;
  return view;
}

// Which layout the last three axes have after they are permuted.
std::optional<Layout> Permuted(Layout layout, const std::array<int64_t, 3>& axes) {
  const std::string_view names = layout == Layout::kThd   ? "THD"
                                 : layout == Layout::kHtd ? "HTD"
                                                          : "HDT";
  std::string permuted;
  for (const int64_t axis : axes) permuted += names[static_cast<size_t>(axis)];
  if (permuted == "THD") return Layout::kThd;
  if (permuted == "HTD") return Layout::kHtd;
  if (permuted == "HDT") return Layout::kHdt;
  return std::nullopt;
}

// Whether a reshape of [t, h, d] to this rank and last size makes [t, h*d] of it.
bool JoinsHeads(const Value& in, int rank, int64_t last, uint64_t n_embd) {
  const bool one_head = in.head_dim == n_embd;
  const bool kept = rank == 3 && last > 0 && last == in.head_dim && !one_head;  // [b*t, h, d]
  if (rank >= 0 && rank < in.shape.rank) return !kept;
  return last == static_cast<int64_t>(n_embd) && !one_head;
}

uint32_t ToCount(int64_t size) {
  return size > 0 && size <= kEmbdMax ? static_cast<uint32_t>(size) : 0;
}

}  // namespace

bool Interpreter::View(Call& call) {
  const std::string_view op = call.op();
  const Value& in = call.In(0);
  if (op == "Concat") return ViewConcat(call), true;
  if (!IsActivation(in.kind)) return false;
  if (op == "Cast" && !IsFloat(static_cast<Type>(call.node.Int("to", 0))) &&
      in.kind != Kind::kNextToken) {
    Alien(call, "makes integers of ", Describe(in.kind));
    return true;
  }
  if (op == "Identity" || op == "Cast" || op == "CastLike" || op == "Dropout" ||
      op == "Unsqueeze" || op == "Squeeze" || op == "Expand") {
    return call.out[0] = ViewOf(in, call.out[0]), true;
  }
  if (op == "Reshape" || op == "Flatten") return ViewReshape(call), true;
  if (op == "Transpose") return ViewTranspose(call), true;
  if (op == "Gather") return ViewGather(call), true;
  if (op == "Slice") return ViewSlice(call), true;
  if (op == "Split" || op == "SplitToSequence") return ViewSplit(call), true;
  if (op == "SequenceAt") return SequenceAt(call), true;
  return false;
}

void Interpreter::ViewReshape(Call& call) {
  const Value& in = call.In(0);
  Value out = ViewOf(in, call.out[0]);
  const int64_t width = in.shape.Last(), last = out.shape.Last();
  if (!HasHeads(in)) {
    if (IsRows(in) && width > 0 && last > 0 && width != last) {
      return Alien(call, "makes rows of ", last, " out of rows of ", width, " of ",
                   Describe(in.kind));
    }
    call.out[0] = std::move(out);
    return;
  }
  const uint64_t n_embd =
      linears_[in.kind == Kind::kPart ? in.index : attentions_[in.index].c_attn].n_in();
  const int rank_in = in.shape.rank, rank = out.shape.rank;
  const bool whole = last == static_cast<int64_t>(n_embd);  // all heads' channels in a row
  if (in.layout == Layout::kTokens) {
    if (rank < 3 || (whole && rank == 3) || (last < 0 && rank <= rank_in)) {
      call.out[0] = std::move(out);
      return;
    }
    out.layout = Layout::kThd;
    out.head_dim = ToCount(last);
    out.heads = ToCount(out.shape.At(-2));
    if (out.head_dim == 0 && out.heads > 0 && n_embd % out.heads == 0) {
      out.head_dim = static_cast<uint32_t>(n_embd / out.heads);
    }
    if (out.head_dim > 0) out.shape.dims[static_cast<size_t>(rank - 1)] = out.head_dim;
  } else if (in.layout == Layout::kThd && JoinsHeads(in, rank, last, n_embd)) {
    out.layout = Layout::kTokens;
    if (rank > 0) out.shape.dims[static_cast<size_t>(rank - 1)] = static_cast<int64_t>(n_embd);
  } else if (last > 0 && width > 0 && last != width) {
    return Alien(call, "joins heads before positions and heads are swapped back");
  }
  call.out[0] = std::move(out);
}

void Interpreter::ViewTranspose(Call& call) {
  const Value& in = call.In(0);
  const AttributeProto* perm = call.node.Find("perm");
  const size_t rank = perm == nullptr ? 0 : perm->ints.size();
  size_t kept = 0;  // leading axes that stay
  while (kept < rank && perm->ints[kept] == static_cast<int64_t>(kept)) ++kept;
  Value out = ViewOf(in, call.out[0]);
  if (rank > 0 && kept == rank) {
    call.out[0] = std::move(out);
    return;
  }
  if (HasHeads(in) && in.layout != Layout::kTokens && rank >= 3 && kept + 3 >= rank) {
    std::array<int64_t, 3> axes;
    bool valid = true;
    for (size_t i = 0; i < 3; ++i) {
      axes[i] = perm->ints[rank - 3 + i] - static_cast<int64_t>(rank - 3);
      valid &= axes[i] >= 0 && axes[i] < 3;
    }
    const auto layout = valid ? Permuted(in.layout, axes) : std::nullopt;
    if (layout) {
      out.layout = *layout;
      call.out[0] = std::move(out);
      return;
    }
  }
  Alien(call, "permutes the axes of ", Describe(in.kind), " in a way that GPT-2 does not");
}

void Interpreter::ViewGather(Call& call) {
  const Value& in = call.In(0);
  const int rank = in.shape.rank < 0 ? 3 : in.shape.rank;
  int64_t axis = call.node.Int("axis", 0);
  if (axis < 0) axis += rank;
  const auto index = call.In(1).Scalar();
  Value out = ViewOf(in, call.out[0]);
  if (in.kind == Kind::kNextToken || (axis == 0 && rank == 3 && index == 0.0)) {
    call.out[0] = std::move(out);
    return;
  }
  // Computed, from the shape or from attention_mask: the last of those that count.
  const bool computed = call.In(1).kind == Kind::kOpaque && (!index || std::isnan(*index));
  const int64_t size = in.shape.At(static_cast<int>(axis));
  const bool is_last =
      index && (*index == -1 || (size > 0 && *index == static_cast<double>(size - 1)));
  const bool of_rows =
      in.kind == Kind::kResidual || in.kind == Kind::kNormed || in.kind == Kind::kLinear;
  if (of_rows && axis == rank - 2 && (is_last || computed)) {
    out.last = true;
    call.out[0] = std::move(out);
    return;
  }
  Alien(call, "picks a part of ", Describe(in.kind), " that is not its last position");
}

void Interpreter::ViewSlice(Call& call) {
  const Value& in = call.In(0);
  const auto slices = SlicesOf(call);
  if (!slices) return Alien(call, "cuts ", Describe(in.kind), " at positions that are not known");
  Value out = ViewOf(in, call.out[0]);
  const int rank = in.shape.rank < 0 ? 3 : in.shape.rank;
  for (const AxisSlice& slice : *slices) {
    const int axis = slice.axis < 0 ? slice.axis + rank : slice.axis;
    const int64_t size = in.shape.At(axis);
    if (slice.full(size) || in.kind == Kind::kNextToken) continue;
    const bool rows =
        in.kind == Kind::kResidual || in.kind == Kind::kNormed || in.kind == Kind::kLinear;
    const bool to_end = slice.end > 1e9 || (size > 0 && slice.end == static_cast<double>(size));
    if (rows && axis == rank - 2 && to_end && slice.step == 1 &&
        (slice.start == -1 || (size > 0 && slice.start == static_cast<double>(size - 1)))) {
      out.last = true;
      continue;
    }
    const double third =
        in.kind == Kind::kLinear ? static_cast<double>(linears_[in.index].n_in()) : 0;
    const double which = third > 0 ? slice.start / third : -1;
    const bool whole = slice.end == slice.start + third || (which == 2 && to_end);
    if (in.kind == Kind::kLinear && axis == rank - 1 && slice.step == 1 && whole &&
        (which == 0 || which == 1 || which == 2)) {
      const Shape shape = out.shape;
      out = Part(in.index, which);
      out.shape = shape;
      if (out.kind == Kind::kPart) continue;
    }
    return Alien(call, "cuts ", Describe(in.kind), " where GPT-2 does not");
  }
  call.out[0] = std::move(out);
}

// q, k or v of a linear with three times as many outputs as inputs; kAbsent if it is none.
Value Interpreter::Part(uint32_t linear, double which) const {
  const LinearRecord& record = linears_[linear];
  if (record.input != Kind::kNormed || record.n_out() != 3 * record.n_in()) return {};
  if (which != 0 && which != 1 && which != 2) return {};
  Value part{.kind = Kind::kPart, .type = Type::kFloat, .index = linear};
  part.which = static_cast<Which>(static_cast<int>(which));
  return part;
}

void Interpreter::ViewSplit(Call& call) {
  const Value& in = call.In(0);
  const int rank = in.shape.rank;
  int64_t axis = call.node.Int("axis", 0);
  const bool last_axis = axis == -1 || axis == (rank < 0 ? 2 : rank - 1);
  const auto sizes = call.Numbers(1, "split");
  bool thirds = in.kind == Kind::kLinear && last_axis;
  if (thirds) {
    const auto third = static_cast<double>(linears_[in.index].n_in());
    if (sizes) thirds = std::ranges::all_of(*sizes, [&](double n) { return n == third; });
    if (call.op() == "Split") thirds &= call.out.size() == 3 && (!sizes || sizes->size() == 3);
    if (call.op() == "SplitToSequence")
      thirds &= sizes && (sizes->size() == 1 || sizes->size() == 3);
  }
  if (!thirds || Part(in.index, 0).kind == Kind::kAbsent) {
    return Alien(call, "splits ", Describe(in.kind),
                 ", expected queries, keys and values of the same size after a layer norm");
  }
  if (call.op() == "SplitToSequence") {
    call.out[0] = ViewOf(in, call.out[0]);
    call.out[0].kind = Kind::kQkv;
    if (rank > 0) {
      const auto third = static_cast<int64_t>(linears_[in.index].n_in());
      call.out[0].shape.dims[static_cast<size_t>(rank - 1)] = third;
    }
    return;
  }
  for (size_t i = 0; i < 3; ++i) {
    const Shape shape = call.out[i].shape;
    call.out[i] = Part(in.index, static_cast<double>(i));
    call.out[i].shape = shape;
  }
}

void Interpreter::SequenceAt(Call& call) {
  const Value& in = call.In(0);
  const auto index = call.In(1).Scalar();
  Value part = in.kind == Kind::kQkv && index ? Part(in.index, *index) : Value{};
  if (part.kind == Kind::kAbsent) return Alien(call, "takes an element that is not known");
  part.shape = in.shape;
  call.out[0] = std::move(part);
}

void Interpreter::ViewConcat(Call& call) {
  if (call.in.size() == 1) {
    call.out[0] = ViewOf(call.In(0), call.out[0]);
    return;
  }
  const Value &past = call.In(0), &part = call.In(1);
  if (call.in.size() != 2 || past.kind != Kind::kPast || part.kind != Kind::kPart) {
    return Alien(call, "joins ", Describe(past.kind), " and ", Describe(part.kind));
  }
  const int rank = part.shape.rank < 0 ? 4 : part.shape.rank;
  int64_t axis = call.node.Int("axis", 0);
  if (axis >= 0) axis -= rank;
  const bool positions = part.layout == Layout::kHtd   ? axis == -2
                         : part.layout == Layout::kThd ? axis == -3
                         : part.layout == Layout::kHdt ? axis == -1
                                                       : false;
  if (!positions || part.which == kQ) {
    return Alien(call, "joins the past to something else than new keys or values");
  }
  const auto layer = LayerOf(part.index);
  const int expected = layer ? static_cast<int>(2 * *layer) + (part.which == kV ? 1 : 0) : -1;
  if (past.past_index >= 0 && past.past_index != expected) {
    return Alien(call, "takes number ", past.past_index, " of the past, expected ", expected);
  }
  call.out[0] = ViewOf(part, call.out[0]);
  call.out[0].cached = true;
}

}  // namespace gpt2::onnx
