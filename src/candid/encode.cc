#include "candid/encode.h"

#include "base/leb128.h"
#include "candid/wire_types.h"

namespace candid {
namespace {

class Encoder {
 public:
  Encoder(const TypeTable& table, base::Bytes& out) : table_(table), out_(out) {}

  base::Status Append(TypeRef type, const Value& value) {
    const Kind kind = table_.KindOf(type);
    if (value.kind != kind || kind == Kind::kEmpty) {
      return base::Err("found ", KindName(value.kind), ", expected ", KindName(kind));
    }
    if (IsPrimitive(kind)) return AppendPrimitive(value), base::Status();
    const TypeTable::Node& node = table_.node(type);
    switch (kind) {
      case Kind::kOpt:
      case Kind::kVec:
        return AppendItems(node.element, value);
      case Kind::kRecord:
        return AppendRecord(node, value);
      case Kind::kVariant:
        return AppendVariant(node, value);
      case Kind::kFunc:
        out_.push_back(1);
        AppendPrincipal(value.text);
        AppendText(value.method);
        return {};
      case Kind::kService:
        AppendPrincipal(value.text);
        return {};
      default:
        return base::Err("a value of ", KindName(kind), " cannot be written");
    }
  }

 private:
  void AppendText(std::string_view text) {
    base::AppendUleb(out_, text.size());
    base::Append(out_, text);
  }
  void AppendPrincipal(std::string_view bytes) {
    out_.push_back(1);
    AppendText(bytes);
  }

  void AppendPrimitive(const Value& value) {
    switch (value.kind) {
      case Kind::kNat:
        return AppendLeb(out_, value.number.magnitude);
      case Kind::kInt:
        return AppendSleb(out_, value.number);
      case Kind::kText:
        return AppendText(value.text);
      case Kind::kPrincipal:
        return AppendPrincipal(value.text);
      default:
        break;
    }
    for (uint32_t i = 0; i < FixedSize(value.kind); ++i) {
      out_.push_back(static_cast<uint8_t>(value.bits >> (8 * i)));
    }
  }

  base::Status AppendItems(TypeRef element, const Value& value) {
    if (value.blob != (value.kind == Kind::kVec && table_.KindOf(element) == Kind::kNat8)) {
      return base::Err("found ", value.blob ? "blob" : "vec", ", expected vec ",
                       KindName(table_.KindOf(element)));
    }
    if (value.blob) return AppendText(value.text), base::Status();
    base::AppendUleb(out_, value.items.size());
    for (const Value& item : value.items) TRY_STATUS(Append(element, item));
    return {};
  }

  base::Status AppendRecord(const TypeTable::Node& node, const Value& value) {
    const auto fields = table_.Fields(node);
    if (value.items.size() != fields.size() || value.ids.size() != fields.size()) {
      return base::Err("record has ", value.items.size(), " fields, expected ", fields.size());
    }
    for (size_t i = 0; i < fields.size(); ++i) {
      if (value.ids[i] != fields[i].id) {
        return base::Err("record has the field ", value.ids[i], ", expected ", fields[i].id);
      }
      TRY_STATUS(Append(fields[i].type, value.items[i]));
    }
    return {};
  }

  base::Status AppendVariant(const TypeTable::Node& node, const Value& value) {
    const auto fields = table_.Fields(node);
    if (value.ids.size() != 1 || value.items.size() != 1) return base::Err("variant without value");
    for (size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].id != value.ids[0]) continue;
      base::AppendUleb(out_, i);
      return Append(fields[i].type, value.items[0]);
    }
    return base::Err("variant has no alternative with the id ", value.ids[0]);
  }

  const TypeTable& table_;
  base::Bytes& out_;
};

}  // namespace

base::Result<base::Bytes> Encode(const TypeTable& table, std::span<const TypeRef> types,
                                 std::span<const Value> values) {
  if (types.size() != values.size()) {
    return base::Err("found ", values.size(), " values, expected ", types.size());
  }
  base::Bytes out;
  AppendHeader(out, table, types);
  Encoder encoder(table, out);
  for (size_t i = 0; i < types.size(); ++i) {
    const base::Status status = encoder.Append(types[i], values[i]);
    if (!status) return base::Err("argument ", i, ": ", status.error().message);
  }
  return out;
}

}  // namespace candid
