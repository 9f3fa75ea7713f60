#include "gpt2/import/onnx/proto.h"

#include <algorithm>
#include <bit>

namespace gpt2::onnx {
namespace {

constexpr size_t kNodeValuesMax = 1024;
constexpr size_t kAttributesMax = 64;
constexpr size_t kAttributeNumbersMax = 1024;

struct TypeInfo {
  Type type;
  std::string_view name;
  uint64_t bytes;
};
constexpr TypeInfo kTypes[] = {
    {Type::kFloat, "float32", 4},  {Type::kUint8, "uint8", 1},       {Type::kInt32, "int32", 4},
    {Type::kInt64, "int64", 8},    {Type::kBool, "bool", 1},         {Type::kFloat16, "float16", 2},
    {Type::kDouble, "float64", 8}, {Type::kBfloat16, "bfloat16", 2},
};

const TypeInfo* InfoOf(Type type) {
  const auto* info = std::ranges::find(kTypes, type, &TypeInfo::type);
  return info == std::end(kTypes) ? nullptr : info;
}

// Appends the numbers of a repeated field of integers, packed or one by one.
base::Status AppendInts(WireReader& wire, const Field& field, size_t count_max,
                        std::string_view what, std::vector<int64_t>& out) {
  const auto append = [&](uint64_t value) -> base::Status {
    if (out.size() == count_max) {
      return base::Err("ONNX: ", what, " has more than ", count_max, " numbers");
    }
    out.push_back(static_cast<int64_t>(value));
    return {};
  };
  if (field.type != WireType::kBytes) return append(field.value);
  for (Range range = field.bytes; range.size() > 0;) {
    TRY_STATUS(append(TRY(wire.Varint(range))));
  }
  return {};
}

base::Status AppendFloats(WireReader& wire, const Field& field, std::vector<double>& out) {
  const auto append = [&](uint64_t bits) -> base::Status {
    if (out.size() == kAttributeNumbersMax) {
      return base::Err("ONNX: an attribute has more than ", kAttributeNumbersMax, " numbers");
    }
    out.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
    return {};
  };
  if (field.type != WireType::kBytes) return append(field.value);
  for (Range range = field.bytes; range.size() > 0;) {
    TRY_STATUS(append(TRY(wire.Fixed(range, 4))));
  }
  return {};
}

// StringStringEntryProto; the key "location" holds the name of the other file.
base::Status TakeExternal(WireReader& wire, Range message, TensorProto& tensor) {
  std::string key, value;
  Field field;
  while (TRY(wire.Next(message, field))) {
    if (field.type != WireType::kBytes) continue;
    if (field.number == 1) key = TRY(wire.Text(field.bytes, kNameBytesMax, "a key"));
    if (field.number == 2) value = TRY(wire.Text(field.bytes, kNameBytesMax, "a value"));
  }
  tensor.external = true;
  if (key == "location") tensor.external_file = value;
  return {};
}

base::Status TakeData(TensorProto& tensor, TensorProto::Stored stored, const Field& field) {
  if (field.type == WireType::kBytes && field.bytes.size() == 0) return {};
  if (field.type != WireType::kBytes || tensor.stored != TensorProto::Stored::kNothing) {
    return base::Err("ONNX: tensor ", base::Printable(tensor.name, 100),
                     " is stored in pieces, expected one");
  }
  tensor.stored = stored;
  tensor.data = field.bytes;
  return {};
}

base::Status TakeTensorField(WireReader& wire, const Field& field, std::vector<int64_t>& dims,
                             TensorProto& tensor) {
  using Stored = TensorProto::Stored;
  switch (field.number) {
    case 1:
      return AppendInts(wire, field, kDimensionsMax, "a tensor's dims", dims);
    case 2:
      tensor.type = static_cast<Type>(static_cast<int32_t>(field.value));
      return {};
    case 4:
      return TakeData(tensor, Stored::kFloats, field);
    case 5:
      return TakeData(tensor, Stored::kInt32s, field);
    case 7:
      return TakeData(tensor, Stored::kInt64s, field);
    case 8:
      tensor.name = TRY(wire.Text(field.bytes, kNameBytesMax, "a tensor's name"));
      return {};
    case 9:
      return TakeData(tensor, Stored::kRaw, field);
    case 10:
      return TakeData(tensor, Stored::kDoubles, field);
    case 13:
      return TakeExternal(wire, field.bytes, tensor);
    case 14:
      tensor.external |= field.value == 1;
      return {};
    default:
      return {};
  }
}

base::Status TakeAttributeField(WireReader& wire, const Field& field, AttributeProto& attribute) {
  switch (field.number) {
    case 1:
      attribute.name = TRY(wire.Text(field.bytes, kNameBytesMax, "a name"));
      return {};
    case 2:
      attribute.f = std::bit_cast<float>(static_cast<uint32_t>(field.value));
      return {};
    case 3:
      attribute.i = static_cast<int64_t>(field.value);
      return {};
    case 4:
      if (field.bytes.size() <= kNameBytesMax) {
        attribute.s = TRY(wire.Text(field.bytes, kNameBytesMax, "a text"));
      }
      return {};
    case 5:
      attribute.t = TRY(ReadTensor(wire, field.bytes));
      return {};
    case 7:
      return AppendFloats(wire, field, attribute.floats);
    case 8:
      return AppendInts(wire, field, kAttributeNumbersMax, "an attribute", attribute.ints);
    case 21:
      attribute.ref_attr_name = TRY(wire.Text(field.bytes, kNameBytesMax, "a name"));
      return {};
    default:
      return {};
  }
}

base::Result<AttributeProto> ReadAttribute(WireReader& wire, Range message) {
  AttributeProto attribute;
  Field field;
  while (TRY(wire.Next(message, field))) TRY_STATUS(TakeAttributeField(wire, field, attribute));
  return attribute;
}

base::Status AppendName(WireReader& wire, const Field& field, std::vector<std::string>& names) {
  if (names.size() == kNodeValuesMax) {
    return base::Err("ONNX: a node at byte ", field.bytes.begin, " has more than ", kNodeValuesMax,
                     " inputs or outputs");
  }
  names.push_back(TRY(wire.Text(field.bytes, kNameBytesMax, "a name")));
  return {};
}

// TensorShapeProto.Dimension
base::Result<int64_t> ReadDimension(WireReader& wire, Range message) {
  int64_t size = -1;
  Field field;
  while (TRY(wire.Next(message, field))) {
    if (field.number == 1 && field.type == WireType::kVarint) {
      size = static_cast<int64_t>(field.value);
    }
  }
  return size < 0 ? -1 : size;
}

// TypeProto.Tensor
base::Status TakeTensorType(WireReader& wire, Range message, ValueInfoProto& info) {
  Field field;
  while (TRY(wire.Next(message, field))) {
    if (field.number == 1) info.type = static_cast<Type>(static_cast<int32_t>(field.value));
    if (field.number != 2 || field.type != WireType::kBytes) continue;
    info.has_shape = true;
    Range shape = field.bytes;
    while (TRY(wire.Next(shape, field))) {
      if (field.number != 1 || field.type != WireType::kBytes) continue;
      if (info.dims.size() == kDimensionsMax) {
        return base::Err("ONNX: input ", base::Printable(info.name, 100), " has more than ",
                         kDimensionsMax, " dimensions");
      }
      info.dims.push_back(TRY(ReadDimension(wire, field.bytes)));
    }
  }
  return {};
}

double ToDouble(uint64_t bits, Type type) {
  switch (type) {
    case Type::kFloat:
      return std::bit_cast<float>(static_cast<uint32_t>(bits));
    case Type::kDouble:
      return std::bit_cast<double>(bits);
    case Type::kInt32:
      return static_cast<int32_t>(bits);
    default:
      return static_cast<double>(static_cast<int64_t>(bits));
  }
}

// Bytes of one number as it is stored; 0: a varint.
size_t StoredBytes(const TensorProto& tensor) {
  switch (tensor.stored) {
    case TensorProto::Stored::kRaw:
      return static_cast<size_t>(TypeBytes(tensor.type));
    case TensorProto::Stored::kFloats:
      return 4;
    case TensorProto::Stored::kDoubles:
      return 8;
    default:
      return 0;
  }
}

}  // namespace

bool IsFloat(Type type) {
  return type == Type::kFloat || type == Type::kFloat16 || type == Type::kBfloat16 ||
         type == Type::kDouble;
}

std::string_view TypeName(Type type) {
  const TypeInfo* info = InfoOf(type);
  return info == nullptr ? "another type" : info->name;
}

uint64_t TypeBytes(Type type) {
  const TypeInfo* info = InfoOf(type);
  return info == nullptr ? 0 : info->bytes;
}

std::optional<uint64_t> TensorProto::Count() const {
  uint64_t count = 1;
  if (std::ranges::find(dims, 0u) != dims.end()) return 0;
  for (const uint64_t size : dims) {
    if (__builtin_mul_overflow(count, size, &count)) return std::nullopt;
  }
  return count;
}

const AttributeProto* NodeProto::Find(std::string_view name) const {
  const auto found = std::ranges::find(attribute, name, &AttributeProto::name);
  return found == attribute.end() ? nullptr : &*found;
}

int64_t NodeProto::Int(std::string_view name, int64_t otherwise) const {
  const AttributeProto* found = Find(name);
  return found != nullptr && found->i ? *found->i : otherwise;
}

std::string NodeProto::Text() const {
  const std::string& text = !name.empty() || output.empty() ? name : output[0];
  return base::StrCat("node ", base::Printable(text, 100), " (", base::Printable(op_type, 40), ")");
}

base::Result<TensorProto> ReadTensor(WireReader& wire, Range message) {
  TensorProto tensor;
  std::vector<int64_t> dims;
  Field field;
  while (TRY(wire.Next(message, field))) {
    TRY_STATUS(TakeTensorField(wire, field, dims, tensor));
  }
  for (const int64_t size : dims) {
    if (size < 0) {
      return base::Err("ONNX: tensor ", base::Printable(tensor.name, 100), " has a dimension of ",
                       size);
    }
    tensor.dims.push_back(static_cast<uint64_t>(size));
  }
  return tensor;
}

base::Result<NodeProto> ReadNode(WireReader& wire, Range message) {
  NodeProto node;
  Field field;
  while (TRY(wire.Next(message, field))) {
    switch (field.number) {
      case 1:
        TRY_STATUS(AppendName(wire, field, node.input));
        break;
      case 2:
        TRY_STATUS(AppendName(wire, field, node.output));
        break;
      case 3:
        node.name = TRY(wire.Text(field.bytes, kNameBytesMax, "a node's name"));
        break;
      case 4:
        node.op_type = TRY(wire.Text(field.bytes, kNameBytesMax, "an op_type"));
        break;
      case 5:
        if (node.attribute.size() == kAttributesMax) {
          return base::Err("ONNX: ", node.Text(), " has more than ", kAttributesMax, " attributes");
        }
        node.attribute.push_back(TRY(ReadAttribute(wire, field.bytes)));
        break;
      case 7:
        node.domain = TRY(wire.Text(field.bytes, kNameBytesMax, "a domain"));
        break;
      default:
        break;
    }
  }
  return node;
}

base::Result<FunctionProto> ReadFunction(WireReader& wire, Range message) {
  FunctionProto function;
  function.message = message;
  Field field;
  while (TRY(wire.Next(message, field))) {
    switch (field.number) {
      case 1:
        function.name = TRY(wire.Text(field.bytes, kNameBytesMax, "a function's name"));
        break;
      case 4:
        TRY_STATUS(AppendName(wire, field, function.input));
        break;
      case 5:
        TRY_STATUS(AppendName(wire, field, function.output));
        break;
      case 10:
        function.domain = TRY(wire.Text(field.bytes, kNameBytesMax, "a domain"));
        break;
      case 11:
        if (function.attribute_proto.size() == kAttributesMax) {
          return base::Err("ONNX: a function has more than ", kAttributesMax, " attributes");
        }
        function.attribute_proto.push_back(TRY(ReadAttribute(wire, field.bytes)));
        break;
      default:
        break;
    }
  }
  return function;
}

base::Result<ValueInfoProto> ReadValueInfo(WireReader& wire, Range message) {
  ValueInfoProto info;
  Field field;
  while (TRY(wire.Next(message, field))) {
    if (field.number == 1) info.name = TRY(wire.Text(field.bytes, kNameBytesMax, "a name"));
    if (field.number != 2 || field.type != WireType::kBytes) continue;
    Range type = field.bytes;
    while (TRY(wire.Next(type, field))) {
      if (field.number == 1) TRY_STATUS(TakeTensorType(wire, field.bytes, info));
    }
  }
  return info;
}

base::Result<std::optional<std::vector<double>>> ReadNumbers(WireReader& wire,
                                                             const TensorProto& tensor,
                                                             uint64_t count_max) {
  const auto count = tensor.Count();
  if (!count || *count > count_max || InfoOf(tensor.type) == nullptr) return std::nullopt;
  if (tensor.type == Type::kFloat16 || tensor.type == Type::kBfloat16) return std::nullopt;
  std::vector<double> numbers;
  const size_t bytes = StoredBytes(tensor);
  for (Range range = tensor.data; range.size() > 0;) {
    if (numbers.size() == *count) break;
    const uint64_t bits = TRY(bytes == 0 ? wire.Varint(range) : wire.Fixed(range, bytes));
    numbers.push_back(ToDouble(bits, tensor.type));
  }
  if (numbers.size() != *count) {
    return base::Err("ONNX: tensor ", base::Printable(tensor.name, 100), " holds ", numbers.size(),
                     " numbers, expected ", *count);
  }
  return numbers;
}

}  // namespace gpt2::onnx
