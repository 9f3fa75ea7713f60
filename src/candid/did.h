#ifndef GPT2IC_CANDID_DID_H_
#define GPT2IC_CANDID_DID_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "candid/type.h"

namespace candid {

// A .did file: type definitions and, last, a service. All types are in one table.
struct DidFile {
  struct Definition {
    std::string name;
    TypeRef type;
  };
  struct Method {
    std::vector<TypeRef> arguments, results;
    uint8_t modes = 0;  // a set of FuncMode
  };

  TypeTable table;
  std::vector<Definition> definitions;  // in the order of the file
  std::optional<TypeRef> service;
  std::vector<TypeRef> init;  // arguments of `service : (...) -> {...}`

  std::optional<Method> FindMethod(std::string_view name) const;
};

// Imports are refused: a file stands for itself. An Error says where, as line:column.
base::Result<DidFile> ParseDid(std::string_view text);

// The same file in a fixed layout; ParseDid reads it back to the same types.
std::string PrintDid(const DidFile& file);

// A type on one line; named types by their names.
std::string PrintType(const TypeTable& table, TypeRef type);

// Whether a service of type `next` may replace one of type `last` without breaking its callers.
base::Result<bool> IsServiceUpgrade(const DidFile& next, const DidFile& last);

}  // namespace candid

#endif  // GPT2IC_CANDID_DID_H_
