#ifndef GPT2IC_CANDID_VALUE_PARSER_H_
#define GPT2IC_CANDID_VALUE_PARSER_H_

#include "candid/lexer.h"
#include "candid/type_parser.h"
#include "candid/value.h"

namespace candid {

// Parses values of the text form from a lexer.
class ValueParser {
 public:
  explicit ValueParser(Lexer& lexer) : lexer_(lexer), types_(lexer, table_) {}

  base::Result<std::vector<Value>> Args();
  const TypeTable& table() const { return table_; }  // of the annotations; has the labels

 private:
  static constexpr uint32_t kDepthMax = 200;

  base::Result<Value> Annotated();
  base::Result<Value> Plain();
  base::Result<Value> PlainInner();
  base::Result<Value> Word();
  base::Result<Value> Number(bool negative);
  base::Result<Value> Vec();
  base::Result<Value> Record();
  base::Result<Value> Variant();
  base::Result<Value> Func();
  base::Result<Value> PrincipalOf(Kind kind);
  base::Result<std::string> Quoted();
  bool AtLabel() const;
  base::Result<FieldId> Label();

  Lexer& lexer_;
  TypeTable table_;
  TypeParser types_;
  uint32_t depth_ = 0;
};

}  // namespace candid

#endif  // GPT2IC_CANDID_VALUE_PARSER_H_
