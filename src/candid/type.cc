#include "candid/type.h"

#include <algorithm>
#include <utility>

namespace candid {

std::string_view KindName(Kind kind) {
  static constexpr std::string_view kNames[] = {
      "",        "null",  "bool",     "nat",       "int",           "nat8",  "nat16",
      "nat32",   "nat64", "int8",     "int16",     "int32",         "int64", "float32",
      "float64", "text",  "reserved", "empty",     "opt",           "vec",   "record",
      "variant", "func",  "service",  "principal", "a future type", "a name"};
  return kNames[-static_cast<int>(kind)];
}

TypeRef TypeTable::Add(Kind kind) {
  nodes_.emplace_back().kind = kind;
  return TypeRef(static_cast<int32_t>(nodes_.size() - 1));
}

TypeRef TypeTable::AddWrapper(Kind kind, TypeRef element) {
  const TypeRef type = Add(kind);
  node(type).element = element;
  return type;
}

base::Status TypeTable::SetFields(TypeRef type, std::vector<Field> fields) {
  const bool service = node(type).kind == Kind::kService;
  const auto less = [&](const Field& a, const Field& b) {
    return service ? MethodName(a) < MethodName(b) : a.id < b.id;
  };
  std::sort(fields.begin(), fields.end(), less);
  for (size_t i = 1; i < fields.size(); ++i) {
    if (less(fields[i - 1], fields[i])) continue;
    if (service) {
      return base::Err("service has two methods ", base::Printable(MethodName(fields[i])));
    }
    return base::Err(KindName(node(type).kind), " has two fields with the id ", fields[i].id);
  }
  SetSortedFields(type, fields);
  return {};
}

void TypeTable::SetSortedFields(TypeRef type, std::span<const Field> fields) {
  node(type).begin = static_cast<uint32_t>(fields_.size());
  node(type).count = static_cast<uint32_t>(fields.size());
  fields_.insert(fields_.end(), fields.begin(), fields.end());
}

uint32_t TypeTable::AddMethodName(std::string_view name) {
  method_names_.emplace_back(name);
  return static_cast<uint32_t>(method_names_.size() - 1);
}

FieldId TypeTable::AddLabel(std::string_view name) {
  const FieldId id = LabelHash(name);
  labels_.emplace(id, name);
  return id;
}

base::Result<TypeRef> TypeTable::Resolve(TypeRef type) const {
  for (size_t steps = 0; KindOf(type) == Kind::kAlias; ++steps) {
    if (steps > nodes_.size()) return base::Err("a type is only equal to itself");
    type = node(type).element;
  }
  return type;
}

base::Status TypeTable::ResolveAliases() {
  for (Node& node : nodes_) {
    const TypeRef target = TRY(Resolve(node.element));
    // Every link of the chain now leads to its end, so that a long one is walked only once.
    for (TypeRef type = node.element; KindOf(type) == Kind::kAlias;) {
      type = std::exchange(this->node(type).element, target);
    }
    node.element = target;
  }
  for (Field& field : fields_) field.type = TRY(Resolve(field.type));
  for (const Node& node : nodes_) {
    if (node.kind != Kind::kService) continue;
    for (const Field& method : Fields(node)) {
      if (KindOf(method.type) != Kind::kFunc) {
        return base::Err("method ", base::Printable(MethodName(method)), " is of type ",
                         KindName(KindOf(method.type)), ", expected func");
      }
    }
  }
  return {};
}

}  // namespace candid
