#include "candid/value_parser.h"

#include <algorithm>

#include "candid/encode.h"
#include "candid/principal.h"
#include "candid/text.h"

namespace candid {

base::Result<std::vector<Value>> ValueParser::Args() {
  TRY_STATUS(lexer_.Expect("("));
  std::vector<Value> values;
  while (!lexer_.token().Is(")")) {
    values.push_back(TRY(Annotated()));
    if (!lexer_.Take(",")) break;
  }
  TRY_STATUS(lexer_.Expect(")"));
  return values;
}

base::Result<Value> ValueParser::Annotated() {
  Value value = TRY(Plain());
  if (!lexer_.Take(":")) return value;
  const TypeRef type = TRY(types_.Type());
  return Coerce(table_, type, value);
}

base::Result<Value> ValueParser::Plain() {
  if (depth_ >= kDepthMax) return lexer_.Wrong("values nested less deep");
  ++depth_;
  auto value = PlainInner();
  --depth_;
  return value;
}

base::Result<Value> ValueParser::PlainInner() {
  const Token& token = lexer_.token();
  if (token.kind == TokenKind::kId) return Word();
  if (token.kind == TokenKind::kNumber) return Number(false);
  if (token.kind == TokenKind::kText) return TextValue(TRY(Quoted()));
  if (lexer_.Take("-")) return Number(true);
  if (lexer_.Take("+")) return Number(false);
  if (!lexer_.Take("(")) return lexer_.Wrong("a value");
  Value value = TRY(Annotated());
  TRY_STATUS(lexer_.Expect(")"));
  return value;
}

base::Result<Value> ValueParser::Word() {
  const std::string_view word = lexer_.token().text;
  const auto wrong = lexer_.Wrong("a value");
  lexer_.Advance();
  if (word == "true" || word == "false") return BoolValue(word == "true");
  if (word == "null") return NullValue();
  if (word == "vec") return Vec();
  if (word == "record") return Record();
  if (word == "variant") return Variant();
  if (word == "func") return Func();
  if (word == "principal") return PrincipalOf(Kind::kPrincipal);
  if (word == "service") return PrincipalOf(Kind::kService);
  if (word == "opt") {
    Value opt;
    opt.kind = Kind::kOpt;
    opt.items.push_back(TRY(Plain()));
    return opt;
  }
  if (word == "blob") {
    if (lexer_.token().kind != TokenKind::kText) return lexer_.Wrong("a quoted text");
    std::string bytes = TRY(Unescape(lexer_.token()));
    lexer_.Advance();
    return BlobValue(std::move(bytes));
  }
  return wrong;
}

base::Result<Value> ValueParser::Number(bool negative) {
  const Token token = lexer_.token();
  if (token.kind != TokenKind::kNumber) return lexer_.Wrong("a number");
  lexer_.Advance();
  const bool hex = token.text.starts_with("0x");
  const bool real = token.text.find_first_of(hex ? ".pP" : ".eE") != std::string_view::npos;
  if (real) {
    const double value = TRY(ParseFloat(token.text));
    return Float64Value(negative ? -value : value);
  }
  const std::string_view digits = hex ? token.text.substr(2) : token.text;
  if (digits.empty() || digits.front() == '_' || digits.back() == '_') {
    return base::Err("number ", base::Printable(token.text, 30), " has no digits at an end");
  }
  return IntValue(Int::Make(negative, TRY(Nat::FromDigits(digits, hex ? 16 : 10))));
}

base::Result<Value> ValueParser::Vec() {
  TRY_STATUS(lexer_.Expect("{"));
  Value vec;
  vec.kind = Kind::kVec;
  while (!lexer_.token().Is("}")) {
    vec.items.push_back(TRY(Annotated()));
    if (!lexer_.Take(";")) break;
  }
  TRY_STATUS(lexer_.Expect("}"));
  return vec;
}

bool ValueParser::AtLabel() const {
  const TokenKind kind = lexer_.token().kind;
  return kind == TokenKind::kId || kind == TokenKind::kText || kind == TokenKind::kNumber;
}

base::Result<FieldId> ValueParser::Label() {
  const Token token = lexer_.token();
  lexer_.Advance();
  if (token.kind == TokenKind::kNumber) return ParseFieldId(token.text);
  if (token.kind == TokenKind::kText) return table_.AddLabel(TRY(UnescapeText(token)));
  return table_.AddLabel(token.text);
}

base::Result<Value> ValueParser::Record() {
  TRY_STATUS(lexer_.Expect("{"));
  std::vector<std::pair<FieldId, Value>> fields;
  uint64_t next_id = 0;
  while (!lexer_.token().Is("}")) {
    FieldId id = static_cast<FieldId>(next_id);
    if (AtLabel() && lexer_.next().Is("=")) {
      id = TRY(Label());
      lexer_.Advance();
    } else if (next_id > UINT32_MAX) {
      return lexer_.Wrong("a field id within 32 bits");
    }
    fields.emplace_back(id, TRY(Annotated()));
    next_id = uint64_t{id} + 1;
    if (!lexer_.Take(";")) break;
  }
  TRY_STATUS(lexer_.Expect("}"));
  std::sort(fields.begin(), fields.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  Value record;
  record.kind = Kind::kRecord;
  for (auto& [id, value] : fields) {
    if (!record.ids.empty() && record.ids.back() == id) {
      return base::Err("record has two fields with the id ", id);
    }
    record.ids.push_back(id);
    record.items.push_back(std::move(value));
  }
  return record;
}

base::Result<Value> ValueParser::Variant() {
  TRY_STATUS(lexer_.Expect("{"));
  if (!AtLabel()) return lexer_.Wrong("an alternative");
  Value variant;
  variant.kind = Kind::kVariant;
  variant.ids.push_back(TRY(Label()));
  variant.items.push_back(lexer_.Take("=") ? TRY(Annotated()) : NullValue());
  lexer_.Take(";");
  TRY_STATUS(lexer_.Expect("}"));
  return variant;
}

base::Result<std::string> ValueParser::Quoted() {
  const Token token = lexer_.token();
  if (token.kind != TokenKind::kText) return lexer_.Wrong("a quoted text");
  lexer_.Advance();
  return UnescapeText(token);
}

base::Result<Value> ValueParser::PrincipalOf(Kind kind) {
  const Principal principal = TRY(Principal::FromText(TRY(Quoted())));
  Value value;
  value.kind = kind;
  value.text.assign(base::AsText(principal.bytes()));
  return value;
}

base::Result<Value> ValueParser::Func() {
  Value value = TRY(PrincipalOf(Kind::kFunc));
  TRY_STATUS(lexer_.Expect("."));
  if (lexer_.token().kind == TokenKind::kId) {
    value.method.assign(lexer_.token().text);
    lexer_.Advance();
  } else {
    value.method = TRY(Quoted());
  }
  return value;
}

base::Result<std::vector<Value>> ParseArgs(std::string_view text,
                                           std::map<FieldId, std::string>* labels) {
  Lexer lexer(text);
  ValueParser parser(lexer);
  std::vector<Value> values = TRY(parser.Args());
  if (lexer.token().kind != TokenKind::kEnd) return lexer.Wrong("the end");
  if (labels != nullptr)
    labels->insert(parser.table().labels().begin(), parser.table().labels().end());
  return values;
}

base::Result<std::vector<Value>> ParseArgsAt(std::string_view text, const TypeTable& table,
                                             std::span<const TypeRef> types) {
  const std::vector<Value> values = TRY(ParseArgs(text));
  if (values.size() > types.size()) {
    return base::Err("found ", values.size(), " arguments, expected ", types.size());
  }
  return CoerceArgs(table, types, values);
}

base::Result<base::Bytes> EncodeText(std::string_view text, const TypeTable& table,
                                     std::span<const TypeRef> types) {
  return Encode(table, types, TRY(ParseArgsAt(text, table, types)));
}

base::Result<base::Bytes> EncodeText(std::string_view text) {
  const std::vector<Value> values = TRY(ParseArgs(text));
  TypeTable table;
  std::vector<TypeRef> types;
  for (const Value& value : values) types.push_back(InferType(table, value));
  return Encode(table, types, TRY(CoerceArgs(table, types, values)));
}

}  // namespace candid
