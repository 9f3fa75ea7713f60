#ifndef GPT2IC_CANDID_DECODER_H_
#define GPT2IC_CANDID_DECODER_H_

#include "candid/binding.h"
#include "candid/limits.h"

namespace candid {

// Decodes a message into the fields of `arguments` (a record binding whose ids are 0, 1, 2...), at
// `slot`, with all coercions of the specification. The one decoder under the typed layer and the
// dynamic values. `expected` is the table that Binding::type refers to, or null for C++ types.
// After an Error the contents of `slot` are valid but unspecified.
base::Status DecodeBound(base::ByteSpan message, const Binding& arguments, void* slot,
                         const DecodeLimits& limits, const TypeTable* expected = nullptr);

}  // namespace candid

#endif  // GPT2IC_CANDID_DECODER_H_
