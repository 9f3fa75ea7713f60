#ifndef GPT2IC_CANDID_VALUE_H_
#define GPT2IC_CANDID_VALUE_H_

#include <span>
#include <string>
#include <vector>

#include "candid/number.h"
#include "candid/type.h"

namespace candid {

// A value of any type, for tools that learn the types at run time. Canister methods use
// candid/typed.h, which needs a tenth of the memory.
struct Value {
  Kind kind = Kind::kNull;
  bool blob = false;         // vec nat8: the bytes are in `text`, `items` is empty
  uint64_t bits = 0;         // bool and numbers of fixed size: the bytes of the wire, zero-extended
  Int number;                // nat, int
  std::string text;          // text; principal, service and func: the raw principal
  std::string method;        // func
  std::vector<Value> items;  // opt: none or one; vec; record: the fields; variant: one
  std::vector<FieldId> ids;  // record: ascending, one per item; variant: one

  friend bool operator==(const Value&, const Value&) = default;
};

Value NullValue();
Value BoolValue(bool value);
Value IntValue(Int value);
Value Float64Value(double value);
Value TextValue(std::string text);
Value BlobValue(std::string bytes);

constexpr uint32_t kValueDepthMax = 512;

// The value at a type, as the text form means it: a number of kind int becomes any number type that
// holds it, float64 becomes float32, vec {1; 2} becomes vec nat8, missing fields become null, extra
// fields are dropped, and a value that is no opt becomes one where an opt is expected.
base::Result<Value> Coerce(const TypeTable& table, TypeRef type, const Value& value);
base::Result<std::vector<Value>> CoerceArgs(const TypeTable& table, std::span<const TypeRef> types,
                                            std::span<const Value> values);

// The type of a value of which nothing is known: of a vec, the type of its first element.
TypeRef InferType(TypeTable& table, const Value& value);

}  // namespace candid

#endif  // GPT2IC_CANDID_VALUE_H_
