#ifndef GPT2IC_CANDID_BINDING_H_
#define GPT2IC_CANDID_BINDING_H_

// How a C++ type is seen by the decoder and the encoder: a constant table of a few function
// pointers, so that one decoder and one encoder serve every type of every canister method, and the
// dynamic Value too. A template per type and method would be most of a canister's code.
// Write against candid/typed.h; this file is for adding new kinds of C++ types.

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "candid/type.h"

namespace candid {

struct Binding;

struct FieldBinding {
  FieldId id = 0;
  uint32_t index = 0;   // in the order of declaration: variants number their alternatives by it
  uint32_t offset = 0;  // of the member in its struct; unused when the binding has `field`
  const Binding* binding = nullptr;
  std::string_view label = {};  // empty for tuples
};

// A value without parts, as it lies in the message.
struct Leaf {
  Kind want;             // the kind that was asked for
  Kind wire;             // the kind in the message: the same, nat for int, or service for principal
  base::ByteSpan bytes;  // the number or the text (valid UTF-8); vec: all elements in bulk
  base::ByteSpan method;  // func: the method's name (valid UTF-8)
};

// opt: 0 or 1 elements; vec: all elements, one after the other; variant: the alternative and its
// index in the order of declaration.
struct View {
  const void* data;
  size_t count;
};

// `slot` is always the address of an object of the bound type, initialised by default.
struct Binding {
  Kind kind;
  uint32_t size;                         // bytes of the C++ type: the stride of a vec
  const Binding* element = nullptr;      // opt, vec
  const FieldBinding* fields = nullptr;  // record, variant: ascending by id; func: in order
  uint32_t n_fields = 0;
  uint32_t arguments = 0;  // func: how many of the fields are arguments
  uint8_t modes = 0;       // func: a set of FuncMode
  TypeRef type = {};       // dynamic values: the type in the expected TypeTable

  // Leaves, and a vec whose elements are numbers of fixed size (null otherwise): takes the value.
  // False when it does not fit the C++ type.
  bool (*store)(void* slot, const Leaf& leaf) = nullptr;
  // opt: to null; vec: to empty; record of dynamic values: to its fields. May be null.
  void (*clear)(const Binding& self, void* slot) = nullptr;
  // opt: makes a value in place; vec: appends one. Null for a vec that is only moved in bulk.
  void* (*open)(void* slot) = nullptr;
  // record: the address of field `index` of `fields`, when it is not slot + offset.
  // variant: makes the alternative with that index of `fields` the current one.
  void* (*field)(const Binding& self, void* slot, uint32_t index) = nullptr;

  // Encoding. Leaves and bulk vecs append themselves; the others show their parts.
  void (*append)(const void* slot, base::Bytes& out) = nullptr;
  View (*view)(const void* slot) = nullptr;
};

// The type a binding stands for, added to `table` with everything it refers to.
class BindingTypes {
 public:
  explicit BindingTypes(TypeTable& table) : table_(table) {}
  TypeRef Add(const Binding& binding);

 private:
  TypeTable& table_;
  std::vector<std::pair<const Binding*, TypeRef>> known_;  // recursion ends here
};

struct BoundValue {
  const Binding* binding = nullptr;
  const void* slot;
};

// The message "DIDL...". Does not fail: C++ values always have their type.
base::Bytes EncodeBound(std::span<const BoundValue> values);

}  // namespace candid

#endif  // GPT2IC_CANDID_BINDING_H_
