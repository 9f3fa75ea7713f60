#include "candid/type_parser.h"

#include "candid/number.h"

namespace candid {

base::Result<FieldId> ParseFieldId(std::string_view number) {
  const bool hex = number.starts_with("0x");
  const Nat id = TRY(Nat::FromDigits(hex ? number.substr(2) : number, hex ? 16 : 10));
  if (id > Nat(UINT32_MAX)) {
    return base::Err("field id ", base::Printable(number, 30), " does not fit 32 bits");
  }
  return static_cast<FieldId>(id.low());
}

TypeRef TypeParser::Named(std::string_view name) {
  const auto found = names_.find(name);
  if (found != names_.end()) return found->second;
  const TypeRef alias = table_.Add(Kind::kAlias);
  names_.emplace(name, alias);
  undefined_.insert(alias.code);
  return alias;
}

base::Result<TypeRef> TypeParser::Type() {
  if (depth_ >= kDepthMax) return lexer_.Wrong("types nested less deep");
  ++depth_;
  auto type = TypeInner();
  --depth_;
  return type;
}

base::Result<TypeRef> TypeParser::TypeInner() {
  const Token token = lexer_.token();
  if (token.kind != TokenKind::kId) return lexer_.Wrong("a type");
  lexer_.Advance();
  for (int code = -1; code >= -24; --code) {
    const Kind kind = static_cast<Kind>(code);
    if (token.text != KindName(kind)) continue;
    switch (kind) {
      case Kind::kOpt:
        return table_.AddOpt(TRY(Type()));
      case Kind::kVec:
        return table_.AddVec(TRY(Type()));
      case Kind::kRecord:
      case Kind::kVariant:
        return Fields(kind);
      case Kind::kFunc:
        return FuncType();
      case Kind::kService:
        return ActorType();
      default:
        return TypeRef(kind);
    }
  }
  if (token.text == "blob") return table_.AddVec(Kind::kNat8);
  if (!IsIdentifier(token.text)) return base::Err("found ", token.text, ", expected a type");
  return Named(token.text);
}

base::Result<TypeRef> TypeParser::Fields(Kind kind) {
  TRY_STATUS(lexer_.Expect("{"));
  std::vector<TypeTable::Field> fields;
  uint64_t next_id = 0;
  while (!lexer_.token().Is("}")) {
    const TypeTable::Field field = TRY(OneField(kind, next_id));
    fields.push_back(field);
    next_id = uint64_t{field.id} + 1;
    if (!lexer_.Take(";")) break;
  }
  TRY_STATUS(lexer_.Expect("}"));
  const TypeRef type = table_.Add(kind);
  TRY_STATUS(table_.SetFields(type, std::move(fields)));
  return type;
}

base::Result<TypeTable::Field> TypeParser::OneField(Kind kind, uint64_t next_id) {
  const Token label = lexer_.token();
  const bool labelled = lexer_.next().Is(":") || kind == Kind::kVariant;
  TypeTable::Field field;
  if (labelled && label.kind == TokenKind::kNumber) {
    field.id = TRY(ParseFieldId(label.text));
  } else if (labelled && label.kind == TokenKind::kText) {
    field.id = table_.AddLabel(TRY(UnescapeText(label)));
  } else if (labelled && label.kind == TokenKind::kId) {
    field.id = table_.AddLabel(label.text);
  } else if (labelled) {
    return lexer_.Wrong("a field");
  } else {
    if (next_id > UINT32_MAX) return lexer_.Wrong("a field id within 32 bits");
    field.id = static_cast<FieldId>(next_id);
    field.type = TRY(Type());
    return field;
  }
  lexer_.Advance();
  if (lexer_.Take(":")) field.type = TRY(Type());  // else a variant's alternative of null
  return field;
}

base::Result<std::vector<TypeRef>> TypeParser::Tuple() {
  TRY_STATUS(lexer_.Expect("("));
  std::vector<TypeRef> types;
  while (!lexer_.token().Is(")")) {
    const TokenKind kind = lexer_.token().kind;
    if ((kind == TokenKind::kId || kind == TokenKind::kText) && lexer_.next().Is(":")) {
      lexer_.Advance();
      lexer_.Advance();
    }
    types.push_back(TRY(Type()));
    if (!lexer_.Take(",")) break;
  }
  TRY_STATUS(lexer_.Expect(")"));
  return types;
}

base::Result<TypeRef> TypeParser::FuncType() {
  std::vector<TypeTable::Field> fields;
  const auto append = [&](const std::vector<TypeRef>& types) {
    for (const TypeRef type : types) fields.push_back({static_cast<uint32_t>(fields.size()), type});
    return static_cast<uint32_t>(types.size());
  };
  const uint32_t arguments = append(TRY(Tuple()));
  TRY_STATUS(lexer_.Expect("->"));
  const uint32_t results = append(TRY(Tuple()));
  uint8_t modes = 0;
  for (;; lexer_.Advance()) {
    if (lexer_.token().IsId("query"))
      modes |= kQueryFunc;
    else if (lexer_.token().IsId("oneway"))
      modes |= kOnewayFunc;
    else if (lexer_.token().IsId("composite_query"))
      modes |= kCompositeQueryFunc;
    else
      break;
  }
  if ((modes & kOnewayFunc) != 0 && results != 0)
    return lexer_.Wrong("no results of a oneway func");
  const TypeRef type = table_.Add(Kind::kFunc);
  table_.node(type).arguments = arguments;
  table_.node(type).modes = modes;
  table_.SetSortedFields(type, fields);
  return type;
}

base::Result<TypeTable::Field> TypeParser::Method() {
  const Token name = lexer_.token();
  TypeTable::Field method;
  if (name.kind == TokenKind::kText) {
    method.id = table_.AddMethodName(TRY(UnescapeText(name)));
  } else if (name.kind == TokenKind::kId) {
    method.id = table_.AddMethodName(name.text);
  } else {
    return lexer_.Wrong("a method's name");
  }
  lexer_.Advance();
  TRY_STATUS(lexer_.Expect(":"));
  if (lexer_.token().kind == TokenKind::kId) {
    if (!IsIdentifier(lexer_.token().text)) return lexer_.Wrong("a func's type or name");
    method.type = Named(lexer_.token().text);
    lexer_.Advance();
  } else {
    method.type = TRY(FuncType());
  }
  return method;
}

base::Result<TypeRef> TypeParser::ActorType() {
  TRY_STATUS(lexer_.Expect("{"));
  std::vector<TypeTable::Field> methods;
  while (!lexer_.token().Is("}")) {
    methods.push_back(TRY(Method()));
    if (!lexer_.Take(";")) break;
  }
  TRY_STATUS(lexer_.Expect("}"));
  const TypeRef type = table_.Add(Kind::kService);
  TRY_STATUS(table_.SetFields(type, std::move(methods)));
  return type;
}

base::Status TypeParser::Definition() {
  lexer_.Advance();
  const Token name = lexer_.token();
  if (name.kind != TokenKind::kId || !IsIdentifier(name.text)) return lexer_.Wrong("a type's name");
  const TypeRef alias = Named(name.text);
  if (undefined_.erase(alias.code) == 0) return lexer_.Wrong("a name that is not defined yet");
  lexer_.Advance();
  TRY_STATUS(lexer_.Expect("="));
  const TypeRef type = TRY(Type());
  table_.node(alias).element = type;
  definitions_.emplace_back(name.text, alias);
  return {};
}

base::Status TypeParser::Finish() {
  for (const auto& [name, type] : names_) {
    if (undefined_.contains(type.code)) return base::Err("type ", name, " is not defined");
  }
  TRY_STATUS(table_.ResolveAliases());
  for (auto& [name, type] : definitions_) type = TRY(table_.Resolve(type));
  return {};
}

}  // namespace candid
