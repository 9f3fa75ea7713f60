#include "gpt2/import/onnx/interpreter.h"

#include <algorithm>

namespace gpt2::onnx {
namespace {

constexpr size_t kMessageBytesMax = 100;

bool IsComparison(std::string_view op) {
  for (const std::string_view name : {"IsNaN", "IsInf", "Equal", "Less", "LessOrEqual", "Greater",
                                      "GreaterOrEqual", "Not", "And", "Or", "Xor"}) {
    if (op == name) return true;
  }
  return false;
}

// 0, 1, 2, ... along the last axis and nothing else.
bool CountsUp(const std::vector<double>& numbers) {
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] != static_cast<double>(i)) return false;
  }
  return !numbers.empty();
}

// A tensor that is a mask of positions by positions, for its shape.
bool IsTriangleShape(const Shape& shape) {
  return shape.Last() > 1 && shape.Last() == shape.At(-2);
}

Shape ShapeOf(const std::vector<uint64_t>& dims) {
  Shape shape = Shape::OfRank(static_cast<int>(dims.size()));
  for (size_t i = 0; i < dims.size(); ++i) shape.dims[i] = static_cast<int64_t>(dims[i]);
  return shape;
}

Value FromNumbers(std::vector<double> numbers, Type type, int rank) {
  Value value{.kind = Kind::kOpaque, .type = type, .shape = Shape::OfRank(rank)};
  if (rank == 1) value.shape.dims[0] = static_cast<int64_t>(numbers.size());
  value.numbers = std::move(numbers);
  return value;
}

}  // namespace

std::string_view Describe(Kind kind) {
  switch (kind) {
    case Kind::kAbsent:
      return "nothing";
    case Kind::kOpaque:
      return "a number or mask";
    case Kind::kIds:
      return "an integer input";
    case Kind::kPast:
      return "the past keys and values";
    case Kind::kWeight:
      return "a stored tensor";
    case Kind::kTokenRows:
      return "the token embedding";
    case Kind::kPositionRows:
      return "the position embedding";
    case Kind::kResidual:
      return "the residual stream";
    case Kind::kNormPart:
      return "a part of a layer norm";
    case Kind::kNormed:
      return "the output of a layer norm";
    case Kind::kLinear:
      return "the output of a linear layer";
    case Kind::kUnary:
      return "an activation function's value";
    case Kind::kQkv:
      return "queries, keys and values";
    case Kind::kPart:
      return "queries, keys or values";
    case Kind::kScores:
      return "attention scores";
    case Kind::kProbs:
      return "attention probabilities";
    case Kind::kContext:
      return "the output of attention";
    case Kind::kNextToken:
      return "the next token";
    case Kind::kAlien:
      return "something not understood";
  }
  return "something";
}

base::Status Interpreter::Define(const std::string& name, Value value) {
  name_bytes_ += name.size();
  if (values_.size() >= kValuesMax || name_bytes_ > kNameBytesTotalMax) {
    return base::Err("ONNX: the graph has more than ", kValuesMax, " values or ",
                     kNameBytesTotalMax, " bytes of names");
  }
  if (!values_.emplace(name, std::move(value)).second) {
    return base::Err("ONNX: two tensors or nodes are named ",
                     base::Printable(name, kMessageBytesMax));
  }
  return {};
}

const Value* Interpreter::Find(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

base::Result<Value> Interpreter::ValueOf(WireReader& wire, TensorProto tensor) {
  if (tensor.external) {
    return base::Err("ONNX: tensor ", base::Printable(tensor.name, kMessageBytesMax),
                     " is stored in another file, ",
                     base::Printable(tensor.external_file, kMessageBytesMax),
                     "; export the model into one file (external_data=False)");
  }
  Value value{.kind = Kind::kOpaque, .type = tensor.type, .shape = ShapeOf(tensor.dims)};
  value.index = static_cast<uint32_t>(tensors_.size());
  auto numbers = TRY(ReadNumbers(wire, tensor, kLiteralMax));
  if (numbers) value.numbers = *std::move(numbers);
  if (value.numbers.size() > 1 && CountsUp(value.numbers)) value.taints = kRange;
  if (IsFloat(tensor.type)) {
    value.kind = Kind::kWeight;
  } else if (IsTriangleShape(value.shape)) {
    value.taints = kCausal;
  } else if (tensor.type == Type::kInt64 && table_numbers_left_ > 0 && !tensor.dims.empty() &&
             tensor.Count() == tensor.dims.back()) {
    const auto table = TRY(ReadNumbers(wire, tensor, table_numbers_left_));
    if (table && table->size() > kLiteralMax) {
      table_numbers_left_ -= std::min<uint64_t>(table_numbers_left_, table->size());
      if (CountsUp(*table)) value.taints = kRange;
    }
  }
  tensors_.push_back(std::move(tensor));
  return value;
}

base::Status Interpreter::AddTensor(WireReader& wire, TensorProto tensor) {
  const std::string name = tensor.name;
  return Define(name, TRY(ValueOf(wire, std::move(tensor))));
}

base::Status Interpreter::AddInput(const ValueInfoProto& input) {
  if (Find(input.name) != nullptr) return {};  // an initializer that is listed as an input too
  Value value{.kind = Kind::kOpaque, .type = input.type};
  if (input.has_shape) {
    value.shape = Shape::OfRank(static_cast<int>(input.dims.size()));
    std::ranges::copy(input.dims, value.shape.dims.begin());
  }
  if (input.type == Type::kInt64 || input.type == Type::kInt32) {
    // The one place where a name decides: which of two integer inputs is position_ids.
    if (input.name.contains("position")) {
      value.taints = kRange;
    } else {
      value.kind = Kind::kIds;
    }
  }
  if (IsFloat(input.type) && (value.shape.rank < 0 || value.shape.rank > 3)) {
    value.kind = Kind::kPast;
    past_inputs_.push_back(value.shape);
  }
  return Define(input.name, std::move(value));
}

base::Result<Value> Interpreter::Constant(WireReader& wire, const NodeProto& node) {
  for (const AttributeProto& a : node.attribute) {
    if (a.name == "value" && a.t) return ValueOf(wire, *a.t);
    if (a.name == "value_int" && a.i) {
      return FromNumbers({static_cast<double>(*a.i)}, Type::kInt64, 0);
    }
    if (a.name == "value_float" && a.f) return FromNumbers({*a.f}, Type::kFloat, 0);
    if (a.name == "value_ints" && a.ints.size() <= kLiteralMax) {
      return FromNumbers({a.ints.begin(), a.ints.end()}, Type::kInt64, 1);
    }
    if (a.name == "value_floats" && a.floats.size() <= kLiteralMax) {
      return FromNumbers(a.floats, Type::kFloat, 1);
    }
  }
  return Value{.kind = Kind::kOpaque};
}

void Interpreter::SetAlien(Value& value, uint32_t index) {
  value = Value{.kind = Kind::kAlien, .type = value.type, .shape = value.shape, .index = index};
}

base::Status Interpreter::AddFunction(FunctionProto function) {
  if (functions_.size() == kFunctionsMax) {
    return base::Err("ONNX: the file has more than ", kFunctionsMax, " functions");
  }
  functions_.push_back(std::move(function));
  return {};
}

const FunctionProto* Interpreter::FunctionOf(const NodeProto& node) const {
  const auto found = std::ranges::find_if(functions_, [&](const FunctionProto& f) {
    return f.name == node.op_type && f.domain == node.domain;
  });
  return found == functions_.end() ? nullptr : &*found;
}

// Runs the nodes of a function where it is called, with names of its own.
base::Status Interpreter::CallFunction(WireReader& wire, const FunctionProto& function,
                                       Call& call) {
  if (function_depth_ == 0) function_runs_ = 0;
  if (++function_depth_ > kFunctionDepthMax) {
    return base::Err("ONNX: ", call.node.Text(), ": functions call each other more than ",
                     kFunctionDepthMax, " deep");
  }
  std::map<std::string, Value, std::less<>> inner;
  for (size_t i = 0; i < function.input.size(); ++i) inner[function.input[i]] = call.In(i);
  values_.swap(inner);
  Range message = function.message;
  Field field;
  while (TRY(wire.Next(message, field))) {
    if (field.number != kFunctionNode || field.type != WireType::kBytes) continue;
    NodeProto node = TRY(ReadNode(wire, field.bytes));
    for (AttributeProto& attribute : node.attribute) {
      if (attribute.ref_attr_name.empty()) continue;
      const AttributeProto* meant = call.node.Find(attribute.ref_attr_name);
      const auto otherwise = std::ranges::find(function.attribute_proto, attribute.ref_attr_name,
                                               &AttributeProto::name);
      if (meant == nullptr && otherwise != function.attribute_proto.end()) meant = &*otherwise;
      std::string name = meant == nullptr ? "" : attribute.name;
      attribute = meant == nullptr ? AttributeProto{} : *meant;
      attribute.name = std::move(name);
    }
    TRY_STATUS(Run(wire, node));
  }
  values_.swap(inner);
  for (size_t i = 0; i < call.out.size() && i < function.output.size(); ++i) {
    if (const auto made = inner.find(function.output[i]); made != inner.end()) {
      call.out[i] = made->second;
    }
  }
  --function_depth_;
  return {};
}

base::Status Interpreter::Run(WireReader& wire, const NodeProto& node) {
  if (function_depth_ > 0) ++function_runs_;
  if (++runs_ > kRunsMax || function_runs_ > kFunctionRunsMax) {
    return base::Err("ONNX: ", node.Text(), ": functions run more than ", kFunctionRunsMax,
                     " nodes for one of the graph, or ", kRunsMax, " in all");
  }
  Call call{.node = node, .opset = opset_};
  for (const std::string& name : node.input) {
    const Value* value = name.empty() ? &call.absent : Find(name);
    if (value == nullptr) {
      return base::Err("ONNX: ", node.Text(), " takes ", base::Printable(name, kMessageBytesMax),
                       ", which nothing before it makes");
    }
    call.in.push_back(value);
  }
  call.out.resize(std::max<size_t>(node.output.size(), 1));
  if (node.op_type == "ConstantOfShape") {
    const AttributeProto* fill = node.Find("value");
    if (fill != nullptr && fill->t) call.fill = TRY(ReadNumbers(wire, *fill->t, 1));
  }
  const bool standard = node.domain.empty() || node.domain == "ai.onnx";
  if (standard && node.op_type == "Constant") {
    call.out[0] = TRY(Constant(wire, node));
  } else if (const FunctionProto* function = FunctionOf(node)) {
    TRY_STATUS(CallFunction(wire, *function, call));
  } else if (standard) {
    Apply(call);
  } else {
    Alien(call, "is of the domain ", base::Printable(node.domain), ", which is not known here");
  }
  for (size_t i = 0; i < node.output.size(); ++i) {
    if (!node.output[i].empty()) TRY_STATUS(Define(node.output[i], std::move(call.out[i])));
  }
  return {};
}

void Interpreter::Apply(Call& call) {
  const std::string_view op = call.op();
  const bool activations =
      std::ranges::any_of(call.in, [](const Value* v) { return IsActivation(v->kind); });
  for (Value& value : call.out) {
    value.kind = Kind::kOpaque;
    value.type = call.In(0).type;
  }
  if (op == "Shape" || IsComparison(op)) return Host(call);
  if (op == "CastLike" && call.In(0).kind < Kind::kTokenRows) return Host(call);
  for (const Value* value : call.in) {
    if (value->kind != Kind::kAlien) continue;
    for (Value& out : call.out) SetAlien(out, value->index);
    return;
  }
  if (!activations) return Host(call);
  InferShapes(call);
  if (View(call)) return;
  if (op == "MatMul") return MatMul(call);
  if (op == "Gemm") return Gemm(call);
  if (op == "Softmax") return Softmax(call);
  if (op == "Where") return Where(call);
  if (op == "Attention") return Attention(call);
  if (op == "ArgMax") return ArgMax(call);
  if (op == "LayerNormalization") return LayerNorm(call);
  if (op == "ReduceMean") return ReduceMean(call);
  Arithmetic(call);
}

std::optional<WeightRef> Interpreter::Matrix(const Value& value) const {
  if (value.kind != Kind::kWeight || value.shape.rank < 2) return std::nullopt;
  WeightRef ref{value.index, value.transposed, {}};
  for (int i = 0; i < value.shape.rank; ++i) {
    const int64_t size = value.shape.At(i);
    if (i < value.shape.rank - 2 && size != 1) return std::nullopt;
    if (i >= value.shape.rank - 2) ref.shape.push_back(static_cast<uint64_t>(size));
  }
  return ref;
}

std::optional<WeightRef> Interpreter::Vector(const Value& value, uint64_t size) const {
  if (value.kind != Kind::kWeight || value.shape.rank < 1) return std::nullopt;
  if (value.shape.Count() != static_cast<int64_t>(size)) return std::nullopt;
  if (value.shape.Last() != static_cast<int64_t>(size)) return std::nullopt;
  return WeightRef{value.index, false, {size}};
}

uint8_t Interpreter::TaintsOf(const Value& value) const {
  if (value.kind == Kind::kIds) return kFromIds;
  if (value.kind == Kind::kWeight && IsTriangleShape(value.shape)) return kCausal;
  return value.kind == Kind::kOpaque ? value.taints : 0;
}

std::optional<uint32_t> Interpreter::LayerOf(uint32_t linear) const {
  const LinearRecord& record = linears_[linear];
  if (record.input != Kind::kNormed) return std::nullopt;
  return residuals_[norms_[record.index].residual].depth / 2;
}

}  // namespace gpt2::onnx
