#include "candid/did.h"

#include "candid/type_parser.h"

namespace candid {
namespace {

// service id? : (tuple ->)? (actortype | id), with the lexer at `service`.
base::Status ParseService(Lexer& lexer, TypeParser& types, DidFile& file) {
  lexer.Advance();
  if (lexer.token().kind == TokenKind::kId) lexer.Advance();
  TRY_STATUS(lexer.Expect(":"));
  if (lexer.token().Is("(")) {
    file.init = TRY(types.Tuple());
    TRY_STATUS(lexer.Expect("->"));
  }
  if (lexer.token().kind != TokenKind::kId) {
    file.service = TRY(types.ActorType());
  } else if (IsIdentifier(lexer.token().text)) {
    file.service = types.Named(lexer.token().text);
    lexer.Advance();
  } else {
    return lexer.Wrong("a service's type or name");
  }
  lexer.Take(";");
  if (lexer.token().kind != TokenKind::kEnd) return lexer.Wrong("the end after the service");
  return {};
}

}  // namespace

base::Result<DidFile> ParseDid(std::string_view text) {
  DidFile file;
  Lexer lexer(text);
  TypeParser types(lexer, file.table);
  while (lexer.token().kind != TokenKind::kEnd) {
    if (lexer.token().IsId("import")) return lexer.Wrong("no import: they are not supported");
    if (lexer.token().IsId("service")) {
      TRY_STATUS(ParseService(lexer, types, file));
      break;
    }
    if (!lexer.token().IsId("type")) return lexer.Wrong("type or service");
    TRY_STATUS(types.Definition());
    if (lexer.token().kind != TokenKind::kEnd) TRY_STATUS(lexer.Expect(";"));
  }
  TRY_STATUS(types.Finish());
  for (const auto& [name, type] : types.definitions()) file.definitions.push_back({name, type});
  for (TypeRef& type : file.init) type = TRY(file.table.Resolve(type));
  if (file.service) {
    file.service = TRY(file.table.Resolve(*file.service));
    if (file.table.KindOf(*file.service) != Kind::kService) {
      return base::Err("the service is of type ", KindName(file.table.KindOf(*file.service)));
    }
  }
  return file;
}

std::optional<DidFile::Method> DidFile::FindMethod(std::string_view name) const {
  if (!service) return std::nullopt;
  for (const TypeTable::Field& field : table.Fields(table.node(*service))) {
    if (table.MethodName(field) != name) continue;
    const TypeTable::Node& func = table.node(field.type);
    Method method;
    method.modes = func.modes;
    for (const TypeTable::Field& argument : table.Arguments(func)) {
      method.arguments.push_back(argument.type);
    }
    for (const TypeTable::Field& result : table.Results(func))
      method.results.push_back(result.type);
    return method;
  }
  return std::nullopt;
}

base::Result<bool> IsServiceUpgrade(const DidFile& next, const DidFile& last) {
  if (!last.service) return true;
  if (!next.service) return false;
  uint64_t work = 1'000'000;
  return IsSubtype(next.table, *next.service, last.table, *last.service, work);
}

}  // namespace candid
