#ifndef GPT2IC_GPT2_IMPORT_ONNX_PROTO_H_
#define GPT2IC_GPT2_IMPORT_ONNX_PROTO_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gpt2/import/onnx/wire.h"

namespace gpt2::onnx {

// The messages of onnx.proto as far as an importer needs them. Names as there.

inline constexpr size_t kNameBytesMax = 1024;
inline constexpr size_t kDimensionsMax = 8;
inline constexpr size_t kLiteralMax = 16;  // numbers of a tensor that is read when it is met

// TensorProto.DataType, those that matter here.
enum class Type : int32_t {
  kUndefined = 0,
  kFloat = 1,
  kUint8 = 2,
  kInt32 = 6,
  kInt64 = 7,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kBfloat16 = 16,
};
bool IsFloat(Type type);
std::string_view TypeName(Type type);  // "int64"; "another type"
uint64_t TypeBytes(Type type);         // of one number; 0 for a type not named above

// A tensor: what it is and where its numbers lie.
struct TensorProto {
  enum class Stored : uint8_t { kNothing, kRaw, kFloats, kInt32s, kInt64s, kDoubles };

  std::string name;
  Type type = Type::kUndefined;
  std::vector<uint64_t> dims;
  Stored stored = Stored::kNothing;
  Range data;                 // in the file
  bool external = false;      // the numbers lie in another file
  std::string external_file;  // its name

  std::optional<uint64_t> Count() const;  // nullopt: 2^64 or more
};

struct AttributeProto {
  std::string name;
  std::optional<int64_t> i;
  std::optional<float> f;
  std::string s;
  std::vector<int64_t> ints;
  std::vector<double> floats;
  std::optional<TensorProto> t;
  std::string ref_attr_name;  // in a function: the attribute of the caller that is meant
};

struct NodeProto {
  std::string name, op_type, domain;
  std::vector<std::string> input, output;
  std::vector<AttributeProto> attribute;

  const AttributeProto* Find(std::string_view name) const;
  int64_t Int(std::string_view name, int64_t otherwise) const;
  // "node /m/h.0/Add (Add)", by the name of its first output when it has none itself.
  std::string Text() const;
};

struct FunctionProto {
  std::string name, domain;
  std::vector<std::string> input, output;
  std::vector<AttributeProto> attribute_proto;  // with their defaults
  Range message;                                // its nodes are read when it is called
};
inline constexpr uint32_t kFunctionNode = 7;  // the field of a node in it

struct ValueInfoProto {
  std::string name;
  Type type = Type::kUndefined;
  bool has_shape = false;
  std::vector<int64_t> dims;  // -1: a name or nothing stands in its place
};

base::Result<TensorProto> ReadTensor(WireReader& wire, Range message);
base::Result<NodeProto> ReadNode(WireReader& wire, Range message);
base::Result<FunctionProto> ReadFunction(WireReader& wire, Range message);
base::Result<ValueInfoProto> ReadValueInfo(WireReader& wire, Range message);

// The numbers of a tensor of at most `count_max`, integers and bools included (above 2^53 rounded);
// nullopt for more of them or for a type that holds no numbers.
base::Result<std::optional<std::vector<double>>> ReadNumbers(WireReader& wire,
                                                             const TensorProto& tensor,
                                                             uint64_t count_max);

}  // namespace gpt2::onnx

#endif  // GPT2IC_GPT2_IMPORT_ONNX_PROTO_H_
