#ifndef GPT2IC_CANDID_TYPE_PARSER_H_
#define GPT2IC_CANDID_TYPE_PARSER_H_

#include <map>
#include <set>
#include <string>

#include "candid/lexer.h"
#include "candid/type.h"

namespace candid {

// Parses types of the .did grammar into a table. Names stand as aliases in it until Finish.
class TypeParser {
 public:
  static constexpr uint32_t kDepthMax = 200;

  TypeParser(Lexer& lexer, TypeTable& table) : lexer_(lexer), table_(table) {}

  base::Result<TypeRef> Type();
  base::Result<TypeRef> FuncType();            // (...) -> (...) ann*
  base::Result<TypeRef> ActorType();           // { name : functype; ... }
  base::Result<std::vector<TypeRef>> Tuple();  // (name? T, ...)
  base::Status Definition();                   // type id = T, with the lexer at `type`
  // The reference to a named type, defined or not yet.
  TypeRef Named(std::string_view name);

  // Every name must be defined by now. References in the table no longer go through aliases.
  base::Status Finish();
  // The definitions in the order of the text.
  const std::vector<std::pair<std::string, TypeRef>>& definitions() const { return definitions_; }

 private:
  base::Result<TypeRef> TypeInner();
  base::Result<TypeRef> Fields(Kind kind);
  base::Result<TypeTable::Field> OneField(Kind kind, uint64_t next_id);
  base::Result<TypeTable::Field> Method();

  Lexer& lexer_;
  TypeTable& table_;
  std::map<std::string, TypeRef, std::less<>> names_;
  std::set<int32_t> undefined_;
  std::vector<std::pair<std::string, TypeRef>> definitions_;
  uint32_t depth_ = 0;
};

// A field id that is written as a number, decimal or 0x.
base::Result<FieldId> ParseFieldId(std::string_view number);

}  // namespace candid

#endif  // GPT2IC_CANDID_TYPE_PARSER_H_
