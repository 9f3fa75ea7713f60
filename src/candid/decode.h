#ifndef GPT2IC_CANDID_DECODE_H_
#define GPT2IC_CANDID_DECODE_H_

#include <span>
#include <vector>

#include "candid/limits.h"
#include "candid/type.h"
#include "candid/value.h"

namespace candid {

// The values of a message at the expected types, by the rules of the specification: extra arguments
// and fields are dropped, missing ones of type opt, null and reserved become null, an opt that does
// not fit becomes null, references are checked by subtyping.
base::Result<std::vector<Value>> Decode(base::ByteSpan message, const TypeTable& table,
                                        std::span<const TypeRef> types,
                                        const DecodeLimits& limits = {});

// The values of a message at its own types, for a reader that knows no others. Values of types of
// the future are read as reserved.
struct DecodedMessage {
  TypeTable table;
  std::vector<TypeRef> types;
  std::vector<Value> values;
};
base::Result<DecodedMessage> DecodeAny(base::ByteSpan message, const DecodeLimits& limits = {});

// Decodes the message at its own types and at a fixed list of others, dynamic and typed, and
// returns a checksum of all results. For fuzzing, and to compare natively with wasm.
uint32_t DecodeProbe(base::ByteSpan message);

}  // namespace candid

#endif  // GPT2IC_CANDID_DECODE_H_
