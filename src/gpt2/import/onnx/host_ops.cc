#include <algorithm>
#include <cmath>

#include "gpt2/import/onnx/interpreter.h"

// Nodes that take no activation: shapes, positions, masks, views of weights and of the past, and
// the look-up of embeddings.
namespace gpt2::onnx {
namespace {

bool KeepsNumbers(std::string_view op) {
  for (const std::string_view name : {"Identity", "Cast", "CastLike", "Dropout", "Reshape",
                                      "Unsqueeze", "Squeeze", "Flatten", "Expand"}) {
    if (op == name) return true;
  }
  return false;
}

// What the other inputs say of such a node is only where to cut or how to shape.
bool IsViewOfFirst(std::string_view op) {
  for (const std::string_view name : {"Reshape", "Unsqueeze", "Squeeze", "Slice", "Expand", "Split",
                                      "SplitToSequence", "CastLike", "Tile", "Trilu"}) {
    if (op == name) return true;
  }
  return false;
}

bool SameWithoutOnes(const Shape& a, const Shape& b) {
  const auto sizes = [](const Shape& shape) {
    std::vector<int64_t> kept;
    for (int i = 0; i < shape.rank; ++i) {
      if (shape.At(i) != 1) kept.push_back(shape.At(i));
    }
    return kept;
  };
  return a.Count() && b.Count() && sizes(a) == sizes(b);
}

bool IsOrdering(std::string_view op) {
  return op == "Less" || op == "LessOrEqual" || op == "Greater" || op == "GreaterOrEqual";
}

// What becomes of 0, 1, 2, ... when it is computed with.
uint8_t RangeAfter(const Call& call, uint8_t taints) {
  const std::string_view op = call.op();
  if (op == "Range") {
    taints &= static_cast<uint8_t>(~kFromShape);
    const auto start = call.In(0).Scalar(), step = call.In(2).Scalar();
    const bool moved = (start && *start > 0) || (start && *start < 0);
    const bool stretched = !step || *step != 1;
    return static_cast<uint8_t>(taints | kRange | (moved || stretched ? kShifted : 0));
  }
  if (op == "CumSum") return taints | kRange;
  if ((taints & kRange) == 0) return taints;
  if (op == "Mul" || op == "Div") {
    const bool by_one = call.In(0).Is(1) || call.In(1).Is(1);
    return by_one ? taints : taints | kShifted;
  }
  if (op == "Add" || op == "Sub") {  // a sum with the number of past positions is still a position
    for (const Value* value : call.in) {
      const auto number = value->Scalar();
      if (number && !std::isnan(*number) && *number != 0) return taints | kShifted;
    }
  }
  return taints;
}

bool CountsUp(const std::vector<double>& numbers) {
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] != static_cast<double>(i)) return false;
  }
  return !numbers.empty();
}

}  // namespace

void Interpreter::Host(Call& call) {
  const std::string_view op = call.op();
  Value& out = call.out[0];
  if (op == "Cast") out.type = static_cast<Type>(call.node.Int("to", 0));
  if (op == "CastLike") out.type = call.In(1).type;
  uint8_t taints = 0;
  for (const Value* value : call.in) {
    if (value == call.in[0] || !IsViewOfFirst(op)) taints |= TaintsOf(*value);
  }
  if (op == "Shape" || op == "Size") {
    taints = kFromShape;
    out.type = Type::kInt64;
  }
  const bool both_range = (TaintsOf(call.In(0)) & TaintsOf(call.In(1)) & kRange) != 0;
  if ((IsOrdering(op) && both_range) || op == "Trilu") taints |= kCausal;
  taints = RangeAfter(call, taints);

  FoldNumbers(call);
  InferShapes(call);
  for (Value& value : call.out) value.taints = taints;
  if (!HostGather(call)) HostView(call);
}

void Interpreter::HostView(Call& call) {
  const Value& in = call.In(0);
  Value& out = call.out[0];
  const std::string_view op = call.op();
  if (in.kind == Kind::kWeight) {
    if (KeepsNumbers(op) || op == "Transpose") WeightView(call);
    if (op == "Slice") SliceOfTable(call);
    return;
  }
  if (in.kind == Kind::kIds) {
    const bool integral = out.type == Type::kInt64 || out.type == Type::kInt32;
    if ((KeepsNumbers(op) && integral) || op == "Transpose") out.kind = Kind::kIds;
    return;
  }
  if (in.kind != Kind::kPast || call.in.size() == 0) return;
  const bool alone = op != "Concat" || call.in.size() == 1;
  if (!KeepsNumbers(op) && op != "Transpose" && op != "Gather" && op != "Slice" && op != "Split" &&
      op != "SplitToSequence" && op != "SequenceAt" && op != "Concat") {
    return;
  }
  const auto index = call.In(1).Scalar();
  for (size_t i = 0; i < call.out.size() && alone; ++i) {
    call.out[i].kind = Kind::kPast;
    call.out[i].past_index = in.past_index;
    if (in.past_index >= 0 || in.shape.rank != 5 || call.node.Int("axis", 0) != 0) continue;
    if (op == "Split") call.out[i].past_index = static_cast<int>(i);
    const bool one = op == "Gather" || op == "SequenceAt";
    if (one && index && *index >= 0 && *index < 4096) {
      call.out[i].past_index = static_cast<int>(*index);
    }
    if (op == "SequenceAt") call.out[i].shape = Shape::OfRank(4);
    if (op == "SplitToSequence") call.out[i].shape = in.shape;
  }
}

// The first rows of wpe, as many as there are positions.
void Interpreter::SliceOfTable(Call& call) {
  const Value& in = call.In(0);
  const auto table = Matrix(in);
  const auto slices = SlicesOf(call);
  if (!table || in.shape.rank > 3 || !slices || slices->size() != 1) return;
  const AxisSlice& slice = slices->front();
  const int axis = slice.axis < 0 ? slice.axis + in.shape.rank : slice.axis;
  if (axis != in.shape.rank - 2 || slice.start < 0 || slice.start > 0 || slice.step != 1) return;
  refs_.push_back(*table);
  Value& out = call.out[0];
  out = Value{.kind = Kind::kPositionRows, .type = in.type, .shape = out.shape};
  out.index = static_cast<uint32_t>(refs_.size() - 1);
}

void Interpreter::WeightView(Call& call) {
  const Value& in = call.In(0);
  Value& out = call.out[0];
  if (!IsFloat(out.type)) return;
  Value view = in;
  view.type = out.type;
  view.shape = out.shape;
  if (call.op() == "Transpose") {
    const int rank = in.shape.rank;
    const AttributeProto* perm = call.node.Find("perm");
    bool same = perm != nullptr, swapped = rank >= 2;
    for (int i = 0; i < rank; ++i) {
      const auto at = static_cast<size_t>(i);
      const int64_t axis = perm == nullptr          ? rank - 1 - i
                           : at < perm->ints.size() ? perm->ints[at]
                                                    : -1;
      same &= axis == i;
      swapped &= axis == (i == rank - 1 ? rank - 2 : i == rank - 2 ? rank - 1 : i);
    }
    if (!same && !swapped) return;
    if (swapped && !same) view.transposed = !in.transposed;
    if (swapped && view.numbers.size() > 1) view.numbers.clear();
  } else if (call.op() == "Expand" && in.shape.Count() == 1) {
    view = out;
    view.numbers = in.numbers;
    view.splat = true;
  } else if (in.shape.Count() == 1) {
    if (view.shape.rank < 0) view.shape = in.shape;
  } else if (!SameWithoutOnes(in.shape, out.shape)) {
    return;
  }
  out = std::move(view);
}

bool Interpreter::HostGather(Call& call) {
  if (call.op() != "Gather" || call.node.Int("axis", 0) != 0) return false;
  const auto table = Matrix(call.In(0));
  const Value& rows = call.In(1);
  if (!table || table->shape[1] < 2 || call.In(0).shape.rank != 2) return false;
  const uint8_t taints = TaintsOf(rows);
  const bool positions =
      ((taints & kRange) != 0 && (taints & kShifted) == 0) || CountsUp(rows.numbers);
  if (rows.kind != Kind::kIds && !positions) {
    if ((taints & (kFromIds | kRange)) == 0) return false;
    Alien(call, "takes rows of tensor ", base::Printable(tensors_[table->tensor].name, 100),
          " by numbers that are neither the token ids nor the positions");
    return true;
  }
  refs_.push_back(*table);
  Value& out = call.out[0];
  out.kind = rows.kind == Kind::kIds ? Kind::kTokenRows : Kind::kPositionRows;
  out.index = static_cast<uint32_t>(refs_.size() - 1);
  out.type = call.In(0).type;
  return true;
}

}  // namespace gpt2::onnx
