#ifndef GPT2IC_CANDID_WIRE_TYPES_H_
#define GPT2IC_CANDID_WIRE_TYPES_H_

#include <span>
#include <vector>

#include "candid/cursor.h"
#include "candid/limits.h"
#include "candid/type.h"

namespace candid {

// The front of a message: "DIDL", the type table and the types of the arguments.
struct WireTypes {
  TypeTable table;
  std::vector<TypeRef> arguments;
};

// Beyond this point the types are well-formed: every reference is in range, fields ascend, methods
// are functions. The cursor stands at the first value.
base::Result<WireTypes> ReadHeader(Cursor& in, const DecodeLimits& limits);

// Writes the header; of `table` only what `arguments` refer to.
void AppendHeader(base::Bytes& out, const TypeTable& table, std::span<const TypeRef> arguments);

}  // namespace candid

#endif  // GPT2IC_CANDID_WIRE_TYPES_H_
