#include <cstring>

#include "candid/lexer.h"
#include "candid/principal.h"
#include "candid/text.h"

namespace candid {
namespace {

constexpr size_t kWidth = 80;  // columns, as dfx

void AppendEscaped(std::string& out, std::string_view bytes, bool blob) {
  constexpr char kHex[] = "0123456789abcdef";
  for (const char c : bytes) {
    const uint8_t byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (!blob && (c == '\n' || c == '\r' || c == '\t')) {
      out += {'\\', c == '\n' ? 'n' : c == '\r' ? 'r' : 't'};
    } else if (byte < 0x20 || byte == 0x7f || (blob && byte > 0x7e)) {
      out += {'\\', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      out.push_back(c);
    }
  }
}

std::string Grouped(const std::string& digits) {
  const size_t sign = digits[0] == '-' ? 1 : 0;
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > sign && (digits.size() - i) % 3 == 0) out.push_back('_');
    out.push_back(digits[i]);
  }
  return out;
}

std::string FixedDigits(const Value& value) {
  if (value.kind >= Kind::kNat64) return base::StrCat(value.bits);
  const unsigned unused = 64 - FixedSize(value.kind) * 8;
  return base::StrCat(static_cast<int64_t>(value.bits << unused) >> unused);
}

class Printer {
 public:
  explicit Printer(const std::map<FieldId, std::string>& labels) : labels_(labels) {}

  // The value on one line; stops soon after the text is longer than `limit`.
  void Flat(std::string& out, const Value& value, size_t limit) {
    if (out.size() > limit) return;
    const size_t n = value.items.size();
    switch (value.kind) {
      case Kind::kOpt:
        return Opt(out, value, limit);
      case Kind::kVec:
        if (value.blob) return Leaf(out, value);
        break;
      case Kind::kRecord:
        break;
      case Kind::kVariant:
        out += "variant { ";
        FlatItem(out, value, 0, limit);
        out += " }";
        return;
      default:
        return Leaf(out, value);
    }
    out += value.kind == Kind::kVec ? "vec {" : "record {";
    for (size_t i = 0; i < n && out.size() <= limit; ++i) {
      out += i == 0 ? " " : "; ";
      FlatItem(out, value, i, limit);
    }
    out += n == 0 ? "}" : " }";
  }

  // The value at an indentation, on lines of its own parts when it does not fit one.
  void Broken(std::string& out, const Value& value, size_t indent) {
    const size_t line = out.rfind('\n');
    const size_t used = out.size() - (line == std::string::npos ? 0 : line + 1);
    std::string flat;
    Flat(flat, value, kWidth);
    if (used + flat.size() <= kWidth || IsLeaf(value)) {
      if (flat.size() > kWidth) flat.clear(), Flat(flat, value, SIZE_MAX);
      out += flat;
      return;
    }
    if (value.kind == Kind::kOpt) {
      out += "opt ";
      return Broken(out, value.items[0], indent);
    }
    out += base::StrCat(KindName(value.kind), " {\n");
    for (size_t i = 0; i < value.items.size(); ++i) {
      out.append(indent + 2, ' ');
      Prefix(out, value, i);
      if (!IsUnit(value, i)) Broken(out, value.items[i], indent + 2);
      out += value.kind == Kind::kVariant ? "\n" : ";\n";
    }
    out.append(indent, ' ');
    out += "}";
  }

 private:
  static bool IsLeaf(const Value& value) {
    if (value.kind == Kind::kOpt && !value.items.empty()) return IsPrimitive(value.items[0].kind);
    return value.blob || IsPrimitive(value.kind) || value.items.empty();
  }
  static bool IsTuple(const Value& record) {
    return record.ids.empty() || record.ids.back() == record.ids.size() - 1;  // they ascend
  }
  static bool IsUnit(const Value& value, size_t i) {
    return value.kind == Kind::kVariant && value.items[i].kind == Kind::kNull;
  }

  void Prefix(std::string& out, const Value& value, size_t i) {
    if (value.kind == Kind::kVec || (value.kind == Kind::kRecord && IsTuple(value))) return;
    out += PrintLabel(value.ids[i], labels_);
    if (!IsUnit(value, i)) out += " = ";
  }

  void FlatItem(std::string& out, const Value& value, size_t i, size_t limit) {
    Prefix(out, value, i);
    if (!IsUnit(value, i)) Flat(out, value.items[i], limit);
  }

  void Opt(std::string& out, const Value& value, size_t limit) {
    if (value.items.empty()) {
      out += "null";
      return;
    }
    const Kind kind = value.items[0].kind;
    const bool annotated =
        kind == Kind::kReserved || (kind <= Kind::kNat && kind >= Kind::kFloat64);
    out += annotated ? "opt (" : "opt ";
    Flat(out, value.items[0], limit);
    if (annotated) out += ")";
  }

  void Leaf(std::string& out, const Value& value) {
    switch (value.kind) {
      case Kind::kNull:
        out += "null";
        return;
      case Kind::kReserved:
        out += "null : reserved";
        return;
      case Kind::kBool:
        out += value.bits ? "true" : "false";
        return;
      case Kind::kText:
        out += QuotedText(value.text);
        return;
      case Kind::kVec:
        out += "blob \"";
        AppendEscaped(out, value.text, true);
        out += "\"";
        return;
      case Kind::kPrincipal:
      case Kind::kService:
      case Kind::kFunc:
        out += base::StrCat(KindName(value.kind), " \"", PrincipalText(base::AsBytes(value.text)),
                            "\"");
        if (value.kind == Kind::kFunc) out += "." + QuotedName(value.method);
        return;
      default:
        out += base::StrCat(NumberText(value), " : ", KindName(value.kind));
    }
  }

  static std::string NumberText(const Value& value) {
    if (value.kind == Kind::kNat || value.kind == Kind::kInt) {
      return Grouped(value.number.ToDecimal());
    }
    if (value.kind == Kind::kFloat32) {
      float number;
      std::memcpy(&number, &value.bits, 4);
      return PrintFloat(number);
    }
    if (value.kind == Kind::kFloat64) {
      double number;
      std::memcpy(&number, &value.bits, 8);
      return PrintFloat(number);
    }
    return Grouped(FixedDigits(value));
  }

  const std::map<FieldId, std::string>& labels_;
};

}  // namespace

std::string QuotedText(std::string_view text) {
  std::string out = "\"";
  AppendEscaped(out, text, false);
  return out + "\"";
}

std::string QuotedName(std::string_view name) {
  return IsIdentifier(name) ? std::string(name) : QuotedText(name);
}

std::string PrintLabel(FieldId id, const std::map<FieldId, std::string>& labels) {
  const auto found = labels.find(id);
  return found == labels.end() ? Grouped(base::StrCat(id)) : QuotedName(found->second);
}

std::string PrintValue(const Value& value, const std::map<FieldId, std::string>& labels) {
  std::string out;
  Printer(labels).Broken(out, value, 0);
  return out;
}

std::string PrintArgs(std::span<const Value> values, const std::map<FieldId, std::string>& labels) {
  Printer printer(labels);
  std::string flat = "(";
  for (size_t i = 0; i < values.size() && flat.size() <= kWidth; ++i) {
    if (i > 0) flat += ", ";
    printer.Flat(flat, values[i], kWidth);
  }
  if (flat.size() < kWidth) return flat + ")";
  std::string out = "(\n";
  for (const Value& value : values) {
    out += "  ";
    printer.Broken(out, value, 2);
    out += ",\n";
  }
  return out + ")";
}

}  // namespace candid
