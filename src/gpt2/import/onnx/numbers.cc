#include <algorithm>
#include <cmath>

#include "gpt2/import/onnx/call.h"

namespace gpt2::onnx {
namespace {

using Numbers = std::vector<double>;

bool Integral(Type type) { return type == Type::kInt64 || type == Type::kInt32; }

void ShapeNumbers(Call& call) {
  const Shape& shape = call.In(0).shape;
  if (shape.rank < 0) return;
  const auto bound = [&](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + shape.rank : at, 0, shape.rank);
  };
  const int64_t start = bound(call.node.Int("start", 0));
  const int64_t end = bound(call.node.Int("end", shape.rank));
  for (int64_t axis = start; axis < end; ++axis) {
    const int64_t size = shape.dims[static_cast<size_t>(axis)];
    call.out[0].numbers.push_back(size < 0 ? std::nan("") : static_cast<double>(size));
  }
}

void GatherNumbers(Call& call) {
  const Numbers& data = call.In(0).numbers;
  const Numbers& indices = call.In(1).numbers;
  if (call.In(0).shape.rank != 1 || call.In(0).splat) return;
  Numbers taken;
  for (double i : indices) {
    if (i < 0) i += static_cast<double>(data.size());
    if (!(i >= 0 && i < static_cast<double>(data.size()))) return;
    taken.push_back(data[static_cast<size_t>(i)]);
  }
  call.out[0].numbers = std::move(taken);
}

void SliceNumbers(Call& call) {
  const Numbers& data = call.In(0).numbers;
  const auto slices = SlicesOf(call);
  if (call.In(0).shape.rank != 1 || call.In(0).splat || !slices || slices->size() != 1) return;
  const AxisSlice& slice = slices->front();
  if (std::isnan(slice.start) || std::isnan(slice.end) || slice.step != 1) return;
  const double size = static_cast<double>(data.size());
  const auto bound = [&](double at) {
    return static_cast<ptrdiff_t>(std::clamp(at < 0 ? at + size : at, 0.0, size));
  };
  const ptrdiff_t start = bound(slice.start), end = bound(slice.end);
  if (start < end) call.out[0].numbers.assign(data.begin() + start, data.begin() + end);
}

void ConcatNumbers(Call& call) {
  Numbers all;
  for (const Value* value : call.in) {
    if (value->shape.Count() == 0) continue;
    if (value->numbers.empty() || value->splat) return;
    all.insert(all.end(), value->numbers.begin(), value->numbers.end());
  }
  if (all.size() <= kLiteralMax) call.out[0].numbers = std::move(all);
}

void BinaryNumbers(Call& call) {
  const Value &x = call.In(0), &y = call.In(1);
  const size_t n = std::max(x.numbers.size(), y.numbers.size());
  if (x.numbers.empty() || y.numbers.empty() || call.in.size() != 2) return;
  if ((x.numbers.size() != n && x.numbers.size() != 1) ||
      (y.numbers.size() != n && y.numbers.size() != 1)) {
    return;
  }
  Value& out = call.out[0];
  out.splat = n == 1 && (x.splat || y.splat);
  for (size_t i = 0; i < n; ++i) {
    const double a = x.numbers[x.numbers.size() == 1 ? 0 : i];
    const double b = y.numbers[y.numbers.size() == 1 ? 0 : i];
    const double result = Binary(call.op(), a, b);
    out.numbers.push_back(call.op() == "Div" && Integral(x.type) ? std::trunc(result) : result);
  }
}

void CopyNumbers(Call& call) {
  Value& out = call.out[0];
  out.numbers = call.In(0).numbers;
  out.splat = call.In(0).splat;
  if (Integral(out.type)) {
    for (double& number : out.numbers) number = std::trunc(number);
  }
  if (out.type == Type::kBool) {
    for (double& number : out.numbers) number = std::isnan(number) ? number : number != 0;
  }
}

}  // namespace

void FoldNumbers(Call& call) {
  const std::string_view op = call.op();
  if (op == "Shape") return ShapeNumbers(call);
  if (op == "ConstantOfShape") {
    const bool given = call.fill && call.fill->size() == 1;
    call.out[0].numbers = {given ? call.fill->front() : 0.0};
    call.out[0].splat = true;
    return;
  }
  if (op == "Gather") return GatherNumbers(call);
  if (op == "Slice") return SliceNumbers(call);
  if (op == "Concat") return ConcatNumbers(call);
  for (const std::string_view copies :
       {"Identity", "Cast", "CastLike", "Squeeze", "Unsqueeze", "Reshape", "Flatten"}) {
    if (op == copies) return CopyNumbers(call);
  }
  if (op == "Expand" && call.In(0).numbers.size() == 1) {
    CopyNumbers(call);
    call.out[0].splat = true;
    return;
  }
  for (const std::string_view binary : {"Add", "Sub", "Mul", "Div", "Pow", "Min", "Max"}) {
    if (op == binary) return BinaryNumbers(call);
  }
  for (const double number : call.In(0).numbers) {
    const auto result = UnaryOp(op, number);
    if (!result) return;
    call.out[0].numbers.push_back(*result);
    call.out[0].splat = call.In(0).splat;
  }
}

}  // namespace gpt2::onnx
