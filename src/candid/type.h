#ifndef GPT2IC_CANDID_TYPE_H_
#define GPT2IC_CANDID_TYPE_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace candid {

// The type constructors, with the opcodes of the binary format.
enum class Kind : int8_t {
  kNull = -1,
  kBool = -2,
  kNat = -3,
  kInt = -4,
  kNat8 = -5,
  kNat16 = -6,
  kNat32 = -7,
  kNat64 = -8,
  kInt8 = -9,
  kInt16 = -10,
  kInt32 = -11,
  kInt64 = -12,
  kFloat32 = -13,
  kFloat64 = -14,
  kText = -15,
  kReserved = -16,
  kEmpty = -17,
  kOpt = -18,
  kVec = -19,
  kRecord = -20,
  kVariant = -21,
  kFunc = -22,
  kService = -23,
  kPrincipal = -24,
  kFuture = -25,  // every opcode this version of the specification does not know
  kAlias = -26,   // a name in a .did file, before it is resolved
};

std::string_view KindName(Kind kind);  // "nat8", "opt", ...

constexpr bool IsPrimitive(Kind kind) { return kind >= Kind::kEmpty || kind == Kind::kPrincipal; }

// Bytes of a value of a number type of fixed size or bool on the wire; 0 for every other kind.
constexpr uint32_t FixedSize(Kind kind) {
  constexpr uint8_t kSizes[] = {0, 0, 1, 0, 0, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8};
  const int index = -static_cast<int>(kind);
  return index < 15 ? kSizes[index] : 0;
}

// A type: negative is the Kind of a primitive type, else an index into a TypeTable.
struct TypeRef {
  int32_t code = static_cast<int32_t>(Kind::kNull);

  constexpr TypeRef() = default;
  constexpr explicit TypeRef(int32_t c) : code(c) {}
  constexpr TypeRef(Kind kind) : code(static_cast<int32_t>(kind)) {}  // NOLINT
  constexpr bool IsPrimitive() const { return code < 0; }
  friend constexpr bool operator==(TypeRef, TypeRef) = default;
};

using FieldId = uint32_t;

// The field id of a name: hash(name) of the specification.
constexpr FieldId LabelHash(std::string_view name) {
  uint32_t hash = 0;
  for (const char c : name) hash = hash * 223 + static_cast<uint8_t>(c);
  return hash;
}

enum FuncMode : uint8_t {
  kUpdateFunc = 0,
  kQueryFunc = 1,
  kOnewayFunc = 2,
  kCompositeQueryFunc = 4
};

// A set of types that refer to each other by index, so that recursion needs no pointers. It holds
// types of the wire, of a .did file and of C++ bindings alike.
class TypeTable {
 public:
  struct Field {
    uint32_t id = 0;  // record, variant: the field id; service: index of the method's name
    TypeRef type;
  };
  struct Node {
    Kind kind = Kind::kNull;
    uint8_t modes = 0;              // func: a set of FuncMode
    TypeRef element;                // opt, vec, alias
    uint32_t begin = 0, count = 0;  // the fields; func: arguments, then results
    uint32_t arguments = 0;         // func: how many of them are arguments
  };

  size_t size() const { return nodes_.size(); }
  const Node& node(TypeRef type) const { return nodes_[static_cast<size_t>(type.code)]; }
  Node& node(TypeRef type) { return nodes_[static_cast<size_t>(type.code)]; }
  Kind KindOf(TypeRef type) const {
    return type.IsPrimitive() ? static_cast<Kind>(type.code) : node(type).kind;
  }
  std::span<const Field> Fields(const Node& node) const {
    return {fields_.data() + node.begin, node.count};
  }
  std::span<const Field> Arguments(const Node& func) const {
    return Fields(func).first(func.arguments);
  }
  std::span<const Field> Results(const Node& func) const {
    return Fields(func).subspan(func.arguments);
  }
  // Whether a missing value of this type is read as null: opt, null and reserved.
  bool MayBeMissing(TypeRef type) const {
    const Kind kind = KindOf(type);
    return kind == Kind::kOpt || kind == Kind::kNull || kind == Kind::kReserved;
  }
  const std::string& MethodName(const Field& field) const { return method_names_[field.id]; }
  // The names that field ids were given by. Only for reading by people.
  const std::map<FieldId, std::string>& labels() const { return labels_; }

  void Reserve(size_t nodes) { nodes_.reserve(nodes); }
  TypeRef Add(Kind kind);  // an opt or vec of null, or without fields, until it is filled
  TypeRef AddOpt(TypeRef element) { return AddWrapper(Kind::kOpt, element); }
  TypeRef AddVec(TypeRef element) { return AddWrapper(Kind::kVec, element); }
  // For record, variant and service: in any order; an Error when an id or a name occurs twice.
  base::Status SetFields(TypeRef type, std::vector<Field> fields);
  // For what is known to be in order, or has none (func).
  void SetSortedFields(TypeRef type, std::span<const Field> fields);
  uint32_t AddMethodName(std::string_view name);
  FieldId AddLabel(std::string_view name);  // remembers the name of the id, which it returns

  // Replaces every reference to an alias by what it stands for, and checks that methods are
  // functions. An Error when a name only stands for itself.
  base::Status ResolveAliases();
  base::Result<TypeRef> Resolve(TypeRef type) const;

 private:
  TypeRef AddWrapper(Kind kind, TypeRef element);

  std::vector<Node> nodes_;
  std::vector<Field> fields_;
  std::vector<std::string> method_names_;
  std::map<FieldId, std::string> labels_;
};

// Whether values of `a` may be used where `b` is expected (a <: b). `work` is taken down by every
// pair and field that is compared; an Error when it runs out. Does not recurse.
base::Result<bool> IsSubtype(const TypeTable& table_a, TypeRef a, const TypeTable& table_b,
                             TypeRef b, uint64_t& work);

}  // namespace candid

#endif  // GPT2IC_CANDID_TYPE_H_
