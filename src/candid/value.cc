#include "candid/value.h"

#include <algorithm>
#include <cstring>

namespace candid {

Value NullValue() { return {}; }

Value BoolValue(bool value) {
  Value out;
  out.kind = Kind::kBool;
  out.bits = value;
  return out;
}

Value IntValue(Int value) {
  Value out;
  out.kind = Kind::kInt;
  out.number = std::move(value);
  return out;
}

Value Float64Value(double value) {
  Value out;
  out.kind = Kind::kFloat64;
  std::memcpy(&out.bits, &value, 8);
  return out;
}

Value TextValue(std::string text) {
  Value out;
  out.kind = Kind::kText;
  out.text = std::move(text);
  return out;
}

Value BlobValue(std::string bytes) {
  Value out;
  out.kind = Kind::kVec;
  out.blob = true;
  out.text = std::move(bytes);
  return out;
}

namespace {

bool IsInteger(Kind kind) { return kind <= Kind::kNat && kind >= Kind::kInt64; }
bool IsSigned(Kind kind) { return kind <= Kind::kInt8; }

class Coercion {
 public:
  explicit Coercion(const TypeTable& table) : table_(table) {}

  base::Result<Value> At(TypeRef type, const Value& value) {
    if (depth_ >= kValueDepthMax) return base::Err("values nested too deep");
    ++depth_;
    auto result = Inner(type, value);
    --depth_;
    return result;
  }

  base::Result<Value> Missing(TypeRef type) const {
    Value out;
    out.kind = table_.KindOf(type);
    if (table_.MayBeMissing(type)) return out;
    return base::Err("found nothing, expected ", KindName(out.kind));
  }

 private:
  static std::unexpected<base::Error> Refuse(const Value& value, Kind want) {
    return base::Err("found ", KindName(value.kind), ", expected ", KindName(want));
  }

  base::Result<Value> Inner(TypeRef type, const Value& value) {
    const Kind want = table_.KindOf(type);
    if (IsInteger(want) && value.kind == Kind::kInt) return Integer(want, value.number);
    switch (want) {
      case Kind::kReserved:
        return Missing(type);
      case Kind::kOpt:
        return Opt(table_.node(type).element, value);
      case Kind::kFloat32:
      case Kind::kFloat64:
        return Float(want, value);
      case Kind::kEmpty:
        return Refuse(value, want);
      case Kind::kInt:
        if (value.kind == Kind::kNat) return IntValue(value.number);
        break;
      default:
        break;
    }
    if (value.kind != want) return Refuse(value, want);
    switch (want) {
      case Kind::kVec:
        return Vec(table_.node(type).element, value);
      case Kind::kRecord:
        return Record(table_.node(type), value);
      case Kind::kVariant:
        return Variant(table_.node(type), value);
      default:
        return value;
    }
  }

  static base::Result<Value> Integer(Kind want, const Int& number) {
    Value out;
    out.kind = want;
    const uint32_t size = FixedSize(want);
    if (size == 0) {
      if (want == Kind::kNat && number.negative)
        return base::Err("found a negative number for nat");
      out.number = number;
      return out;
    }
    const unsigned bits = size * 8 - (IsSigned(want) ? 1 : 0);
    const uint64_t limit = bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
    const uint64_t low = number.magnitude.low();
    const bool fits = number.magnitude.FitsU64() &&
                      (number.negative ? IsSigned(want) && low <= limit + 1 : low <= limit);
    if (!fits) return base::Err("number ", number.ToDecimal(), " does not fit ", KindName(want));
    out.bits = number.negative ? 0 - low : low;
    if (size < 8) out.bits &= (uint64_t{1} << (size * 8)) - 1;
    return out;
  }

  static base::Result<Value> Float(Kind want, const Value& value) {
    if (value.kind == want) return value;
    double number;
    if (value.kind == Kind::kInt) {
      number = 0;
      const auto limbs = value.number.magnitude.Limbs();
      for (size_t i = limbs.size(); i-- > 0;) number = number * 4294967296.0 + limbs[i];
      if (value.number.negative) number = -number;
    } else if (value.kind == Kind::kFloat64) {
      std::memcpy(&number, &value.bits, 8);
    } else {
      return Refuse(value, want);
    }
    if (want == Kind::kFloat64) return Float64Value(number);
    Value out;
    out.kind = want;
    const float narrow = static_cast<float>(number);
    std::memcpy(&out.bits, &narrow, 4);
    return out;
  }

  base::Result<Value> Opt(TypeRef element, const Value& value) {
    Value out;
    out.kind = Kind::kOpt;
    if (value.kind == Kind::kNull || value.kind == Kind::kReserved) return out;
    if (value.kind == Kind::kOpt && value.items.empty()) return out;
    const Value& inner = value.kind == Kind::kOpt ? value.items[0] : value;
    out.items.push_back(TRY(At(element, inner)));
    return out;
  }

  base::Result<Value> Vec(TypeRef element, const Value& value) {
    const bool bytes = table_.KindOf(element) == Kind::kNat8;
    if (value.blob && !bytes && !value.text.empty()) {
      return base::Err("found blob, expected vec ", KindName(table_.KindOf(element)));
    }
    if (value.blob && bytes) return value;
    Value out;
    out.kind = Kind::kVec;
    out.blob = bytes;
    for (const Value& item : value.items) {
      Value converted = TRY(At(element, item));
      if (bytes) {
        out.text.push_back(static_cast<char>(converted.bits));
      } else {
        out.items.push_back(std::move(converted));
      }
    }
    return out;
  }

  base::Result<Value> Record(const TypeTable::Node& node, const Value& value) {
    Value out;
    out.kind = Kind::kRecord;
    size_t i = 0;
    for (const TypeTable::Field& field : table_.Fields(node)) {
      while (i < value.ids.size() && value.ids[i] < field.id) ++i;
      const bool found = i < value.ids.size() && value.ids[i] == field.id;
      auto item = found ? At(field.type, value.items[i]) : Missing(field.type);
      if (!item) return InField(field.id, item.error());
      out.ids.push_back(field.id);
      out.items.push_back(*std::move(item));
    }
    return out;
  }

  base::Result<Value> Variant(const TypeTable::Node& node, const Value& value) {
    for (const TypeTable::Field& field : table_.Fields(node)) {
      if (field.id != value.ids[0]) continue;
      auto item = At(field.type, value.items[0]);
      if (!item) return InField(field.id, item.error());
      Value out;
      out.kind = Kind::kVariant;
      out.ids = {field.id};
      out.items.push_back(*std::move(item));
      return out;
    }
    return base::Err("variant has no alternative with the id ", value.ids[0]);
  }

  std::unexpected<base::Error> InField(FieldId id, const base::Error& error) const {
    if (error.message.size() > 200) return std::unexpected(error);  // the innermost fields suffice
    const auto name = table_.labels().find(id);
    if (name == table_.labels().end()) return base::Err(error.message, " in field ", id);
    return base::Err(error.message, " in field ", base::Printable(name->second));
  }

  const TypeTable& table_;
  uint32_t depth_ = 0;
};

}  // namespace

base::Result<Value> Coerce(const TypeTable& table, TypeRef type, const Value& value) {
  return Coercion(table).At(type, value);
}

base::Result<std::vector<Value>> CoerceArgs(const TypeTable& table, std::span<const TypeRef> types,
                                            std::span<const Value> values) {
  std::vector<Value> out;
  Coercion coercion(table);
  for (size_t i = 0; i < types.size(); ++i) {
    auto value = i < values.size() ? coercion.At(types[i], values[i]) : coercion.Missing(types[i]);
    if (!value) return base::Err("argument ", i, ": ", value.error().message);
    out.push_back(*std::move(value));
  }
  return out;
}

TypeRef InferType(TypeTable& table, const Value& value) {
  if (IsPrimitive(value.kind)) return value.kind;
  switch (value.kind) {
    case Kind::kOpt:
    case Kind::kVec: {
      TypeRef element = value.blob ? Kind::kNat8 : Kind::kEmpty;
      if (!value.items.empty()) element = InferType(table, value.items[0]);
      return value.kind == Kind::kOpt ? table.AddOpt(element) : table.AddVec(element);
    }
    case Kind::kRecord:
    case Kind::kVariant: {
      std::vector<TypeTable::Field> fields;
      for (size_t i = 0; i < value.ids.size(); ++i) {
        fields.push_back({value.ids[i], InferType(table, value.items[i])});
      }
      const TypeRef type = table.Add(value.kind);
      table.SetSortedFields(type, fields);
      return type;
    }
    default:
      return table.Add(value.kind);  // func () -> (), service {}
  }
}

}  // namespace candid
