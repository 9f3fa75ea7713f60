#include "candid/binding.h"

#include "base/check.h"
#include "base/leb128.h"
#include "candid/wire_types.h"

namespace candid {

TypeRef BindingTypes::Add(const Binding& binding) {
  if (IsPrimitive(binding.kind)) {
    return binding.kind;
  }
  for (const auto& [known, type] : known_) {
    if (known == &binding) return type;
  }
  const TypeRef type = table_.Add(binding.kind);
  known_.emplace_back(&binding, type);
  if (binding.element != nullptr) {
    const TypeRef element = Add(*binding.element);
    table_.node(type).element = element;
    return type;
  }
  std::vector<TypeTable::Field> fields;
  fields.reserve(binding.n_fields);
  for (uint32_t i = 0; i < binding.n_fields; ++i) {
    const FieldBinding& field = binding.fields[i];
    fields.push_back({field.id, Add(*field.binding)});
  }
  table_.node(type).arguments = binding.arguments;
  table_.node(type).modes = binding.modes;
  table_.SetSortedFields(type, fields);
  return type;
}

namespace {

void AppendValue(base::Bytes& out, const Binding& binding, const void* slot);

void AppendRecord(base::Bytes& out, const Binding& binding, const void* slot) {
  for (uint32_t i = 0; i < binding.n_fields; ++i) {
    const FieldBinding& field = binding.fields[i];
    const void* member = binding.field != nullptr
                             ? binding.field(binding, const_cast<void*>(slot), i)
                             : static_cast<const uint8_t*>(slot) + field.offset;
    AppendValue(out, *field.binding, member);
  }
}

void AppendVariant(base::Bytes& out, const Binding& binding, const void* slot) {
  const View view = binding.view(slot);
  uint32_t i = 0;
  while (i < binding.n_fields && binding.fields[i].index != view.count) ++i;
  CHECK(i < binding.n_fields);
  base::AppendUleb(out, i);
  AppendValue(out, *binding.fields[i].binding, view.data);
}

void AppendValue(base::Bytes& out, const Binding& binding, const void* slot) {
  if (binding.append != nullptr) return binding.append(slot, out);
  if (binding.kind == Kind::kRecord) return AppendRecord(out, binding, slot);
  if (binding.kind == Kind::kVariant) return AppendVariant(out, binding, slot);
  const View view = binding.view(slot);  // opt and vec: a count before the elements in both
  base::AppendUleb(out, view.count);
  const uint8_t* element = static_cast<const uint8_t*>(view.data);
  for (size_t i = 0; i < view.count; ++i, element += binding.element->size) {
    AppendValue(out, *binding.element, element);
  }
}

}  // namespace

base::Bytes EncodeBound(std::span<const BoundValue> values) {
  TypeTable table;
  BindingTypes bindings(table);
  std::vector<TypeRef> types;
  types.reserve(values.size());
  for (const BoundValue& value : values) types.push_back(bindings.Add(*value.binding));
  base::Bytes out;
  out.reserve(64);
  AppendHeader(out, table, types);
  for (const BoundValue& value : values) AppendValue(out, *value.binding, value.slot);
  return out;
}

}  // namespace candid
