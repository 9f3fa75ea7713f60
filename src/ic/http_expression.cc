#include "ic/http_expression.h"

namespace ic {
namespace {

using base::Err;

constexpr size_t kTextBytesMax = 8 << 10;
constexpr int kDepthMax = 8;

// `Type{field:value, ...}`, or a list of strings (then `type` is empty).
struct Value {
  std::string_view type;
  std::vector<std::string_view> names;
  std::vector<Value> values;  // of the fields, in the order of the names
  std::vector<std::string> list;

  const Value* Field(std::string_view name) const {
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i] == name) return &values[i];
    }
    return nullptr;
  }
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  base::Result<Value> Run() {
    TRY_STATUS(Expect("default_certification"));
    TRY_STATUS(Expect("("));
    Value value = TRY(ParseValue(0));
    TRY_STATUS(Expect(")"));
    SkipSpace();
    if (position_ != text_.size()) return Fail("its end");
    return value;
  }

 private:
  void SkipSpace() {
    while (position_ < text_.size() && std::string_view(" \t\r\n").contains(text_[position_])) {
      ++position_;
    }
  }

  bool Accept(std::string_view token) {
    SkipSpace();
    if (!text_.substr(position_).starts_with(token)) return false;
    position_ += token.size();
    return true;
  }

  std::unexpected<base::Error> Fail(std::string_view expected) const {
    return Err("certificate expression has \"", base::Printable(text_.substr(position_), 20),
               "\" at ", position_, ", expected ", expected);
  }

  base::Status Expect(std::string_view token) {
    if (Accept(token)) return {};
    return Fail(token);
  }

  base::Result<std::string_view> Name() {
    SkipSpace();
    const size_t start = position_;
    const auto is_name = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    while (position_ < text_.size() && is_name(text_[position_])) ++position_;
    if (position_ == start) return Fail("a name");
    return text_.substr(start, position_ - start);
  }

  base::Result<std::string> String() {
    if (!Accept("\"")) return Fail("a string");
    const size_t end = text_.find_first_of("\"\\\n", position_);
    if (end == std::string_view::npos || text_[end] != '"') return Fail("a string without escapes");
    std::string string(text_.substr(position_, end - position_));
    position_ = end + 1;
    return string;
  }

  base::Result<Value> ParseValue(int depth) {
    Value value;
    if (depth == kDepthMax) return Fail("no deeper nesting");
    if (Accept("[")) {
      while (!Accept("]")) {
        value.list.push_back(TRY(String()));
        if (Accept(",")) continue;
        TRY_STATUS(Expect("]"));
        break;
      }
      return value;
    }
    value.type = TRY(Name());
    TRY_STATUS(Expect("{"));
    while (!Accept("}")) {
      const std::string_view name = TRY(Name());
      if (value.Field(name) != nullptr) return Fail(base::StrCat(name, " only once"));
      TRY_STATUS(Expect(":"));
      value.values.push_back(TRY(ParseValue(depth + 1)));
      value.names.push_back(name);
      if (Accept(",")) continue;
      TRY_STATUS(Expect("}"));
      break;
    }
    return value;
  }

  std::string_view text_;
  size_t position_ = 0;
};

// Whether `value` is a `type` with no fields but `fields`.
base::Status CheckType(const Value& value, std::string_view type,
                       std::initializer_list<std::string_view> fields) {
  if (value.type != type) {
    return Err("certificate expression has ", value.type.empty() ? "a list" : value.type,
               ", expected ", type);
  }
  for (const std::string_view name : value.names) {
    bool known = false;
    for (const std::string_view field : fields) known = known || field == name;
    if (!known) return Err("certificate expression has ", name, " in ", type);
  }
  return {};
}

// The one of two fields that is there.
base::Result<const Value*> OneOf(const Value& value, std::string_view first,
                                 std::string_view second) {
  const Value* a = value.Field(first);
  const Value* b = value.Field(second);
  if (a == nullptr && b == nullptr) {
    return Err("certificate expression has neither ", first, " nor ", second);
  }
  if (a != nullptr && b != nullptr) {
    return Err("certificate expression has both ", first, " and ", second);
  }
  return a != nullptr ? a : b;
}

base::Result<std::vector<std::string>> Strings(const Value* value) {
  if (value == nullptr) return std::vector<std::string>();
  if (!value->type.empty()) {
    return Err("certificate expression has ", value->type, ", expected a list of strings");
  }
  return value->list;
}

base::Status ReadRequest(const Value& certification, CertificationExpression& expression) {
  const Value* part =
      TRY(OneOf(certification, "no_request_certification", "request_certification"));
  if (part == certification.Field("no_request_certification")) {
    expression.kind = CertificationExpression::Kind::kResponseOnly;
    return CheckType(*part, "Empty", {});
  }
  expression.kind = CertificationExpression::Kind::kFull;
  TRY_STATUS(CheckType(*part, "RequestCertification",
                       {"certified_request_headers", "certified_query_parameters"}));
  expression.request_headers = TRY(Strings(part->Field("certified_request_headers")));
  expression.query_parameters = TRY(Strings(part->Field("certified_query_parameters")));
  return {};
}

base::Status ReadResponse(const Value& certification, CertificationExpression& expression) {
  const Value* part = certification.Field("response_certification");
  if (part == nullptr) return Err("certificate expression has no response_certification");
  TRY_STATUS(CheckType(*part, "ResponseCertification",
                       {"certified_response_headers", "response_header_exclusions"}));
  const Value* list = TRY(OneOf(*part, "certified_response_headers", "response_header_exclusions"));
  expression.response_headers_are = list == part->Field("response_header_exclusions")
                                        ? CertificationExpression::Headers::kAllBut
                                        : CertificationExpression::Headers::kOnly;
  TRY_STATUS(CheckType(*list, "ResponseHeaderList", {"headers"}));
  expression.response_headers = TRY(Strings(list->Field("headers")));
  return {};
}

std::string ListText(const std::vector<std::string>& strings) {
  std::string text = "[";
  for (const std::string& string : strings) {
    if (text.size() > 1) text += ",";
    text += "\"" + string + "\"";
  }
  return text + "]";
}

}  // namespace

std::string CertificationExpression::Text() const {
  if (kind == Kind::kSkip) return "default_certification(ValidationArgs{no_certification:Empty{}})";
  const std::string request =
      kind == Kind::kResponseOnly
          ? "no_request_certification:Empty{}"
          : base::StrCat("request_certification:RequestCertification{certified_request_headers:",
                         ListText(request_headers),
                         ",certified_query_parameters:", ListText(query_parameters), "}");
  const bool only = response_headers_are == Headers::kOnly;
  return base::StrCat("default_certification(ValidationArgs{certification:Certification{", request,
                      ",response_certification:ResponseCertification{",
                      only ? "certified_response_headers" : "response_header_exclusions",
                      ":ResponseHeaderList{headers:", ListText(response_headers), "}}}})");
}

base::Result<CertificationExpression> ParseExpression(std::string_view text) {
  if (text.size() > kTextBytesMax) {
    return Err("certificate expression has ", text.size(), " bytes, expected at most ",
               kTextBytesMax);
  }
  const Value arguments = TRY(Parser(text).Run());
  TRY_STATUS(CheckType(arguments, "ValidationArgs", {"no_certification", "certification"}));
  const Value* part = TRY(OneOf(arguments, "no_certification", "certification"));
  CertificationExpression expression;
  if (part == arguments.Field("no_certification")) {
    expression.kind = CertificationExpression::Kind::kSkip;
    TRY_STATUS(CheckType(*part, "Empty", {}));
    return expression;
  }
  TRY_STATUS(
      CheckType(*part, "Certification",
                {"no_request_certification", "request_certification", "response_certification"}));
  TRY_STATUS(ReadRequest(*part, expression));
  TRY_STATUS(ReadResponse(*part, expression));
  return expression;
}

}  // namespace ic
