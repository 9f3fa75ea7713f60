#include <algorithm>
#include <cmath>

#include "gpt2/import/onnx/call.h"

namespace gpt2::onnx {
namespace {

int64_t ToSize(double number) {
  return std::isnan(number) || number < 0 || number > 1e15 ? -1 : static_cast<int64_t>(number);
}

Shape FromNumbers(const std::vector<double>& numbers) {
  Shape shape = Shape::OfRank(static_cast<int>(std::min<size_t>(numbers.size(), 100)));
  for (int i = 0; i < shape.rank; ++i) shape.dims[static_cast<size_t>(i)] = ToSize(numbers[i]);
  return shape;
}

// The numbers of a one-dimensional input that tells a shape; an empty one tells rank 0.
std::optional<std::vector<double>> TargetOf(const Value& value) {
  if (!value.numbers.empty() && !value.splat) return value.numbers;
  if (value.shape.Count() == 0) return std::vector<double>{};
  const int64_t rank = value.shape.rank == 1 ? value.shape.dims[0] : -1;
  if (rank < 0 || rank > static_cast<int64_t>(kDimensionsMax)) return std::nullopt;
  return std::vector<double>(static_cast<size_t>(rank), std::nan(""));
}

Shape ReshapeShape(const Call& call) {
  const Shape& from = call.In(0).shape;
  const auto target = TargetOf(call.In(1));
  if (!target) return {};
  Shape to = FromNumbers(*target);
  int64_t product = 1;  // of all but the -1; -1 if not known
  int rest = -1;
  for (int i = 0; i < to.rank; ++i) {
    const auto axis = static_cast<size_t>(i);
    if ((*target)[axis] == 0 && call.node.Int("allowzero", 0) == 0) to.dims[axis] = from.At(i);
    if ((*target)[axis] == -1) {
      rest = i;
    } else if (to.dims[axis] < 0 || __builtin_mul_overflow(product, to.dims[axis], &product)) {
      return to;  // -1 where the rest would stand
    }
  }
  const auto count = from.Count();
  if (rest >= 0 && count && product > 0) to.dims[static_cast<size_t>(rest)] = *count / product;
  return to;
}

Shape TransposeShape(const Call& call) {
  const Shape& from = call.In(0).shape;
  const AttributeProto* perm = call.node.Find("perm");
  if (perm == nullptr) {
    Shape to = Shape::OfRank(from.rank);
    for (int i = 0; i < to.rank; ++i) to.dims[static_cast<size_t>(i)] = from.At(from.rank - 1 - i);
    return to;
  }
  Shape to = Shape::OfRank(static_cast<int>(std::min<size_t>(perm->ints.size(), 100)));
  for (int i = 0; i < to.rank; ++i) {
    const int64_t axis = perm->ints[static_cast<size_t>(i)];
    if (axis >= 0 && axis < to.rank) {
      to.dims[static_cast<size_t>(i)] = from.At(static_cast<int>(axis));
    }
  }
  return to;
}

// Which axes of a shape of this rank are meant; nullopt if that is not known or out of range.
std::optional<std::vector<bool>> AxesOf(const Call& call, int rank) {
  const auto axes = call.Numbers(1, "axes");
  if (!axes || rank < 0 || rank > static_cast<int>(kDimensionsMax)) return std::nullopt;
  std::vector<bool> is(static_cast<size_t>(rank), false);
  for (double axis : *axes) {
    if (axis < 0) axis += rank;
    if (!(axis >= 0 && axis < rank)) return std::nullopt;
    is[static_cast<size_t>(axis)] = true;
  }
  return is;
}

Shape UnsqueezeShape(const Call& call) {
  const Shape& from = call.In(0).shape;
  const auto axes = call.Numbers(1, "axes");
  if (!axes || from.rank < 0) return {};
  Shape to = Shape::OfRank(from.rank + static_cast<int>(std::min<size_t>(axes->size(), 100)));
  const auto is_new = AxesOf(call, to.rank);
  if (to.rank < 0 || !is_new) return {};
  int at = 0;
  for (size_t i = 0; i < is_new->size(); ++i) to.dims[i] = (*is_new)[i] ? 1 : from.At(at++);
  return to;
}

Shape SqueezeShape(const Call& call) {
  const Shape& from = call.In(0).shape;
  if (from.rank < 0) return {};
  std::vector<bool> dropped(static_cast<size_t>(from.rank));
  if (call.in.size() < 2 && call.node.Find("axes") == nullptr) {
    for (int i = 0; i < from.rank; ++i) {
      if (from.At(i) < 0) return {};
      dropped[static_cast<size_t>(i)] = from.At(i) == 1;
    }
  } else {
    const auto axes = AxesOf(call, from.rank);
    if (!axes) return {};
    dropped = *axes;
  }
  Shape to = Shape::OfRank(static_cast<int>(std::ranges::count(dropped, false)));
  size_t at = 0;
  for (size_t i = 0; i < dropped.size(); ++i) {
    if (!dropped[i]) to.dims[at++] = from.dims[i];
  }
  return to;
}

Shape GatherShape(const Call& call) {
  const Shape &data = call.In(0).shape, &indices = call.In(1).shape;
  if (data.rank < 1 || indices.rank < 0) return {};
  int64_t axis = call.node.Int("axis", 0);
  if (axis < 0) axis += data.rank;
  Shape to = Shape::OfRank(data.rank - 1 + indices.rank);
  if (axis < 0 || axis >= data.rank || to.rank < 0) return {};
  size_t at = 0;
  for (int i = 0; i < data.rank; ++i) {
    if (i != axis) {
      to.dims[at++] = data.At(i);
      continue;
    }
    for (int j = 0; j < indices.rank; ++j) to.dims[at++] = indices.At(j);
  }
  return to;
}

Shape SliceShape(const Call& call) {
  Shape to = call.In(0).shape;
  const auto slices = SlicesOf(call);
  if (!slices) return Shape::OfRank(to.rank);
  for (const AxisSlice& slice : *slices) {
    const int axis = slice.axis < 0 ? slice.axis + to.rank : slice.axis;
    if (axis < 0 || axis >= to.rank) continue;
    int64_t& size = to.dims[static_cast<size_t>(axis)];
    if (slice.full(size)) continue;
    const double all = static_cast<double>(size);
    const auto bound = [&](double at) { return std::clamp(at < 0 ? at + all : at, 0.0, all); };
    const double left = size < 0 ? std::nan("") : bound(slice.end) - bound(slice.start);
    size = slice.step == 1 ? ToSize(left) : -1;
    if (all < 0 && slice.start == -1 && slice.end > 1e9) size = 1;
  }
  return to;
}

Shape ConcatShape(const Call& call) {
  Shape to = call.In(0).shape;
  if (to.rank < 1) return {};
  int64_t axis = call.node.Int("axis", 0);
  if (axis < 0) axis += to.rank;
  if (axis < 0 || axis >= to.rank) return {};
  int64_t& size = to.dims[static_cast<size_t>(axis)];
  for (size_t i = 1; i < call.in.size(); ++i) {
    const int64_t more = call.in[i]->shape.At(static_cast<int>(axis));
    size = size < 0 || more < 0 || __builtin_add_overflow(size, more, &size) ? -1 : size;
  }
  return to;
}

void SplitShapes(Call& call) {
  const Shape& from = call.In(0).shape;
  int64_t axis = call.node.Int("axis", 0);
  if (axis < 0) axis += from.rank;
  const auto sizes = call.Numbers(1, "split");
  for (size_t i = 0; i < call.out.size(); ++i) {
    Shape to = from;
    if (axis >= 0 && axis < to.rank) {
      int64_t& size = to.dims[static_cast<size_t>(axis)];
      const auto parts = static_cast<int64_t>(call.out.size());
      if (sizes && i < sizes->size()) {
        size = ToSize((*sizes)[i]);
      } else {
        size = !sizes && size > 0 && size % parts == 0 ? size / parts : -1;
      }
    }
    call.out[i].shape = to;
  }
}

Shape Broadcast(const Shape& a, const Shape& b) {
  if (a.rank < 0 || b.rank < 0) return {};
  Shape to = Shape::OfRank(std::max(a.rank, b.rank));
  for (int i = 1; i <= to.rank; ++i) {
    const int64_t x = i > a.rank ? 1 : a.At(-i), y = i > b.rank ? 1 : b.At(-i);
    to.dims[static_cast<size_t>(to.rank - i)] = x > 1    ? x
                                                : y > 1  ? y
                                                : x == 1 ? y
                                                : y == 1 ? x
                                                         : -1;
  }
  return to;
}

Shape MatMulShape(const Call& call) {
  const Shape &a = call.In(0).shape, &b = call.In(1).shape;
  if (a.rank < 2 || b.rank < 2) return {};
  Shape to = a.rank >= b.rank ? a : b;
  to.dims[static_cast<size_t>(to.rank - 2)] = a.At(-2);
  to.dims[static_cast<size_t>(to.rank - 1)] = b.At(-1);
  return to;
}

Shape GemmShape(const Call& call) {
  Shape to = Shape::OfRank(2);
  to.dims[0] = call.In(0).shape.At(call.node.Int("transA", 0) != 0 ? 1 : 0);
  to.dims[1] = call.In(1).shape.At(call.node.Int("transB", 0) != 0 ? 0 : 1);
  return to;
}

Shape ReduceShape(const Call& call) {
  const Shape& from = call.In(0).shape;
  const bool keep = call.node.Int("keepdims", 1) != 0;
  std::optional<std::vector<bool>> axes = AxesOf(call, from.rank);
  if (call.op() == "ArgMax" && from.rank > 0) {
    int64_t axis = call.node.Int("axis", 0);
    if (axis < 0) axis += from.rank;
    axes = std::vector<bool>(static_cast<size_t>(from.rank));
    if (axis >= 0 && axis < from.rank) (*axes)[static_cast<size_t>(axis)] = true;
  }
  if (!axes) return {};
  Shape to = Shape::OfRank(keep ? from.rank : static_cast<int>(std::ranges::count(*axes, false)));
  size_t at = 0;
  for (size_t i = 0; i < axes->size(); ++i) {
    if (!(*axes)[i]) to.dims[at++] = from.dims[i];
    if ((*axes)[i] && keep) to.dims[at++] = 1;
  }
  return to;
}

bool Broadcasts(std::string_view op) {
  for (const std::string_view name :
       {"Add", "Sub", "Mul", "Div", "Pow", "Mod", "Min", "Max", "Where", "And", "Or", "Xor",
        "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"}) {
    if (op == name) return true;
  }
  return false;
}

Shape OutputShape(const Call& call) {
  const std::string_view op = call.op();
  const Shape& first = call.In(0).shape;
  if (op == "Shape") {
    Shape to = Shape::OfRank(1);
    if (!call.out[0].numbers.empty()) to.dims[0] = static_cast<int64_t>(call.out[0].numbers.size());
    return to;
  }
  if (op == "Reshape") return ReshapeShape(call);
  if (op == "Transpose") return TransposeShape(call);
  if (op == "Unsqueeze") return UnsqueezeShape(call);
  if (op == "Squeeze") return SqueezeShape(call);
  if (op == "Flatten") return Shape::OfRank(2);
  if (op == "Gather") return GatherShape(call);
  if (op == "Slice") return SliceShape(call);
  if (op == "Concat") return ConcatShape(call);
  if (op == "MatMul") return MatMulShape(call);
  if (op == "Gemm") return GemmShape(call);
  if (op == "ReduceMean" || op == "ReduceSum" || op == "ReduceMax" || op == "ArgMax") {
    return ReduceShape(call);
  }
  if (op == "Range") return Shape::OfRank(1);
  if (op == "ConstantOfShape" || op == "Expand") {
    const auto target = TargetOf(call.In(op == "Expand" ? 1 : 0));
    if (!target) return {};
    return op == "Expand" ? Broadcast(first, FromNumbers(*target)) : FromNumbers(*target);
  }
  for (const std::string_view unknown :
       {"GatherND", "NonZero", "If", "Loop", "Size", "Tile", "Compress", "TopK", "Einsum"}) {
    if (op == unknown) return {};
  }
  Shape to = first;
  for (size_t i = 1; i < call.in.size() && Broadcasts(op); ++i) {
    to = Broadcast(to, call.in[i]->shape);
  }
  return to;
}

}  // namespace

Shape Shape::OfRank(int rank) {
  Shape shape;
  if (rank < 0 || rank > static_cast<int>(kDimensionsMax)) return shape;
  shape.rank = rank;
  shape.dims.fill(-1);
  return shape;
}

int64_t Shape::At(int axis) const {
  if (axis < 0) axis += rank;
  return rank < 0 || axis < 0 || axis >= rank ? -1 : dims[static_cast<size_t>(axis)];
}

std::optional<int64_t> Shape::Count() const {
  if (rank < 0) return std::nullopt;
  int64_t count = 1;
  for (int i = 0; i < rank; ++i) {
    const int64_t size = dims[static_cast<size_t>(i)];
    if (size < 0 || __builtin_mul_overflow(count, size, &count)) return std::nullopt;
  }
  return count;
}

const Value& Call::In(size_t i) const { return i < in.size() ? *in[i] : absent; }

std::optional<std::vector<double>> Call::Numbers(size_t i, std::string_view attribute) const {
  if (const AttributeProto* found = node.Find(attribute); found != nullptr) {
    return std::vector<double>(found->ints.begin(), found->ints.end());
  }
  const Value& value = In(i);
  if (value.kind == Kind::kAbsent || value.numbers.empty() || value.splat) return std::nullopt;
  return value.numbers;
}

bool AxisSlice::full(int64_t size) const {
  if (start != 0 || step != 1) return false;
  return end > 1e9 || (size >= 0 && end >= static_cast<double>(size));
}

std::optional<std::vector<AxisSlice>> SlicesOf(const Call& call) {
  const bool old = call.node.Find("starts") != nullptr;  // up to opset 9
  const auto starts = call.Numbers(1, "starts"), ends = call.Numbers(2, "ends");
  auto axes = old ? call.Numbers(99, "axes") : call.Numbers(3, "axes");
  const auto steps = call.Numbers(4, "steps");
  if (!axes && call.In(3).kind != Kind::kAbsent) return std::nullopt;
  const size_t count = axes ? axes->size() : starts ? starts->size() : ends ? ends->size() : 0;
  if (count == 0 || count > kDimensionsMax) return std::nullopt;
  std::vector<AxisSlice> slices(count);
  for (size_t i = 0; i < count; ++i) {
    const double axis = axes ? (*axes)[i] : static_cast<double>(i);
    if (!(axis >= -8 && axis < 8)) return std::nullopt;
    slices[i].axis = static_cast<int>(axis);
    slices[i].start = starts && i < starts->size() ? (*starts)[i] : std::nan("");
    slices[i].end = ends && i < ends->size() ? (*ends)[i] : std::nan("");
    const bool has_steps = call.In(4).kind != Kind::kAbsent;
    slices[i].step = !has_steps ? 1 : steps && i < steps->size() ? (*steps)[i] : std::nan("");
  }
  return slices;
}

void InferShapes(Call& call) {
  if (call.op() == "Split") return SplitShapes(call);
  call.out[0].shape = OutputShape(call);
}

}  // namespace gpt2::onnx
