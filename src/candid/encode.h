#ifndef GPT2IC_CANDID_ENCODE_H_
#define GPT2IC_CANDID_ENCODE_H_

#include <span>

#include "candid/type.h"
#include "candid/value.h"

namespace candid {

// The message of values at their types. The values must be of exactly these types, as Decode and
// Coerce make them; an Error names the first that is not.
base::Result<base::Bytes> Encode(const TypeTable& table, std::span<const TypeRef> types,
                                 std::span<const Value> values);

}  // namespace candid

#endif  // GPT2IC_CANDID_ENCODE_H_
