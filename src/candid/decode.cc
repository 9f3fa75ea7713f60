#include "candid/decode.h"

#include <cstring>

#include "candid/decoder.h"
#include "candid/wire_types.h"

namespace candid {
namespace {

Value& Of(void* slot) { return *static_cast<Value*>(slot); }

Int NumberOf(const Leaf& leaf) {
  if (leaf.wire == Kind::kNat) return Int::Make(false, NatFromLeb(leaf.bytes));
  return IntFromSleb(leaf.bytes);
}

bool StoreValue(void* slot, const Leaf& leaf) {
  Value& value = Of(slot);
  value.kind = leaf.want;
  switch (leaf.want) {
    case Kind::kNat:
    case Kind::kInt:
      value.number = NumberOf(leaf);
      break;
    case Kind::kVec:
      value.blob = true;
      [[fallthrough]];
    case Kind::kText:
    case Kind::kPrincipal:
    case Kind::kService:
    case Kind::kFunc:
      value.text.assign(base::AsText(leaf.bytes));
      value.method.assign(base::AsText(leaf.method));
      break;
    default:
      if (!leaf.bytes.empty()) std::memcpy(&value.bits, leaf.bytes.data(), leaf.bytes.size());
  }
  return true;
}

void ClearItems(const Binding& self, void* slot) {
  Of(slot) = Value();
  Of(slot).kind = self.kind;
  Of(slot).blob = self.kind == Kind::kVec && self.store != nullptr;
}
void* OpenOpt(void* slot) {
  Of(slot).kind = Kind::kOpt;
  Of(slot).items.assign(1, Value());
  return Of(slot).items.data();
}
void* OpenItem(void* slot) { return &Of(slot).items.emplace_back(); }

void ClearRecord(const Binding& self, void* slot) {
  Value& value = Of(slot);
  value = Value();
  value.kind = Kind::kRecord;
  value.items.resize(self.n_fields);
  for (uint32_t i = 0; i < self.n_fields; ++i) value.ids.push_back(self.fields[i].id);
}
void* RecordField(const Binding&, void* slot, uint32_t index) { return &Of(slot).items[index]; }
void* VariantField(const Binding& self, void* slot, uint32_t index) {
  Value& value = Of(slot);
  value.kind = Kind::kVariant;
  value.ids.assign(1, self.fields[index].id);
  value.items.assign(1, Value());
  return value.items.data();
}

// Bindings of Value for every type of a table.
class ValueBindings {
 public:
  explicit ValueBindings(const TypeTable& table) : table_(table), nodes_(table.size()) {
    for (int i = 0; i < 25; ++i) leaves_[i] = Leafy(static_cast<Kind>(-i));
    size_t n_fields = 0;
    for (size_t i = 0; i < nodes_.size(); ++i) n_fields += Node(i).count;
    fields_.reserve(n_fields);  // never moves: the bindings point into it
    for (size_t i = 0; i < nodes_.size(); ++i) nodes_[i] = Make(i);
  }

  const Binding* Of(TypeRef type) const {
    return type.IsPrimitive() ? &leaves_[-type.code] : &nodes_[static_cast<size_t>(type.code)];
  }

 private:
  const TypeTable::Node& Node(size_t i) const { return table_.node(TypeRef(static_cast<int>(i))); }

  static Binding Leafy(Kind kind) {
    Binding leaf = {.kind = kind, .size = sizeof(Value)};
    leaf.store = StoreValue;
    return leaf;
  }

  Binding Make(size_t index) {
    const TypeTable::Node& node = Node(index);
    Binding binding = Leafy(node.kind);
    binding.type = TypeRef(static_cast<int32_t>(index));
    switch (node.kind) {
      case Kind::kOpt:
        binding.open = OpenOpt;
        return WithElement(binding, node);
      case Kind::kVec:
        if (table_.KindOf(node.element) != Kind::kNat8) {
          binding.store = nullptr;
          binding.open = OpenItem;
        }
        return WithElement(binding, node);
      case Kind::kRecord:
        binding.clear = ClearRecord;
        binding.field = RecordField;
        return WithFields(binding, node);
      case Kind::kVariant:
        binding.field = VariantField;
        return WithFields(binding, node);
      case Kind::kFunc:
      case Kind::kService:
        return binding;
      default:
        return Leafy(Kind::kReserved);
    }
  }

  Binding WithElement(Binding binding, const TypeTable::Node& node) {
    binding.clear = ClearItems;
    binding.element = Of(node.element);
    return binding;
  }

  Binding WithFields(Binding binding, const TypeTable::Node& node) {
    binding.fields = fields_.data() + fields_.size();
    binding.n_fields = node.count;
    for (const TypeTable::Field& field : table_.Fields(node)) {
      fields_.push_back({.id = field.id, .binding = Of(field.type)});
    }
    return binding;
  }

  const TypeTable& table_;
  Binding leaves_[25];
  std::vector<Binding> nodes_;
  std::vector<FieldBinding> fields_;
};

void* ArgumentField(const Binding&, void* slot, uint32_t index) {
  return static_cast<Value*>(slot) + index;
}

}  // namespace

base::Result<std::vector<Value>> Decode(base::ByteSpan message, const TypeTable& table,
                                        std::span<const TypeRef> types,
                                        const DecodeLimits& limits) {
  const ValueBindings bindings(table);
  std::vector<FieldBinding> fields;
  for (const TypeRef type : types) {
    const uint32_t index = static_cast<uint32_t>(fields.size());
    fields.push_back({.id = index, .index = index, .binding = bindings.Of(type)});
  }
  Binding arguments = {.kind = Kind::kRecord, .size = 0};
  arguments.fields = fields.data();
  arguments.n_fields = static_cast<uint32_t>(fields.size());
  arguments.field = ArgumentField;
  std::vector<Value> values(types.size());
  TRY_STATUS(DecodeBound(message, arguments, values.data(), limits, &table));
  return values;
}

base::Result<DecodedMessage> DecodeAny(base::ByteSpan message, const DecodeLimits& limits) {
  Cursor in(message);
  WireTypes wire = TRY(ReadHeader(in, limits));
  DecodedMessage decoded = {std::move(wire.table), std::move(wire.arguments), {}};
  decoded.values = TRY(Decode(message, decoded.table, decoded.types, limits));
  return decoded;
}

}  // namespace candid
