#include <map>

#include "candid/did.h"
#include "candid/text.h"

namespace candid {
namespace {

class TypePrinter {
 public:
  explicit TypePrinter(const TypeTable& table) : table_(table) {}

  // The first definition of a type gives it its name; a later one is printed as that name.
  bool Define(TypeRef type, const std::string& name) {
    return type.IsPrimitive() || names_.emplace(type.code, name).second;
  }

  std::string Reference(TypeRef type) {
    const auto name = names_.find(type.code);
    return name == names_.end() ? Body(type) : name->second;
  }

  std::string Body(TypeRef type) {
    if (type.IsPrimitive()) return std::string(KindName(table_.KindOf(type)));
    // Types of a message have no names to end a recursion at.
    if (depth_ >= kDepthMax) return "(: ... :)";
    ++depth_;
    std::string text = Constructed(table_.node(type));
    --depth_;
    return text;
  }

  std::string Tuple(std::span<const TypeTable::Field> fields) {
    std::string out = "(";
    for (const TypeTable::Field& field : fields) {
      if (out.size() > 1) out += ", ";
      out += Reference(field.type);
    }
    return out + ")";
  }

  std::string Func(const TypeTable::Node& func) {
    std::string out = Tuple(table_.Arguments(func)) + " -> " + Tuple(table_.Results(func));
    if (func.modes & kQueryFunc) out += " query";
    if (func.modes & kOnewayFunc) out += " oneway";
    if (func.modes & kCompositeQueryFunc) out += " composite_query";
    return out;
  }

  std::string Methods(const TypeTable::Node& service, const char* separator, const char* end) {
    std::string out = "{";
    for (const TypeTable::Field& field : table_.Fields(service)) {
      const auto name = names_.find(field.type.code);
      out += base::StrCat(separator, QuotedName(table_.MethodName(field)), " : ",
                          name == names_.end() ? Func(table_.node(field.type)) : name->second, ";");
    }
    return out + (service.count == 0 ? "}" : end);
  }

 private:
  static constexpr int kDepthMax = 40;

  std::string Constructed(const TypeTable::Node& node) {
    switch (node.kind) {
      case Kind::kOpt:
        return "opt " + Reference(node.element);
      case Kind::kVec:
        return node.element == TypeRef(Kind::kNat8) ? "blob" : "vec " + Reference(node.element);
      case Kind::kRecord:
      case Kind::kVariant:
        return Fields(node);
      case Kind::kFunc:
        return "func " + Func(node);
      case Kind::kService:
        return "service " + Methods(node, " ", " }");
      default:
        return "reserved";
    }
  }

  std::string Fields(const TypeTable::Node& node) {
    const auto fields = table_.Fields(node);
    const bool tuple =
        node.kind == Kind::kRecord && !fields.empty() && fields.back().id == fields.size() - 1;
    std::string out = base::StrCat(KindName(node.kind), " {");
    for (const TypeTable::Field& field : fields) {
      out += out.back() == '{' ? " " : "; ";
      const bool unit = node.kind == Kind::kVariant && field.type == TypeRef(Kind::kNull);
      if (!tuple) out += PrintLabel(field.id, table_.labels());
      if (!tuple && !unit) out += " : ";
      if (!unit) out += Reference(field.type);
    }
    return out + (fields.empty() ? "}" : " }");
  }

  const TypeTable& table_;
  std::map<int32_t, std::string> names_;
  int depth_ = 0;
};

}  // namespace

std::string PrintType(const TypeTable& table, TypeRef type) {
  return TypePrinter(table).Body(type);
}

std::string PrintDid(const DidFile& file) {
  TypePrinter printer(file.table);
  std::vector<bool> first;
  for (const auto& [name, type] : file.definitions) first.push_back(printer.Define(type, name));
  std::string out;
  for (size_t i = 0; i < first.size(); ++i) {
    const auto& [name, type] = file.definitions[i];
    out += base::StrCat("type ", name, " = ",
                        first[i] ? printer.Body(type) : printer.Reference(type), ";\n");
  }
  if (!file.service) return out;
  out += "service : ";
  if (!file.init.empty()) {
    std::vector<TypeTable::Field> fields;
    for (const TypeRef type : file.init) fields.push_back({0, type});
    out += printer.Tuple(fields) + " -> ";
  }
  return out + printer.Methods(file.table.node(*file.service), "\n  ", "\n}") + "\n";
}

}  // namespace candid
