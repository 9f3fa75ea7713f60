#ifndef GPT2IC_BASE_LEB128_H_
#define GPT2IC_BASE_LEB128_H_

#include <cstdint>

#include "base/bytes.h"

namespace base {

// LEB128 as in WebAssembly and Candid. `bits` is the width the value must fit (32, 33 or 64); a
// longer or overflowing encoding is an Error. Encodings with superfluous bytes within the width are
// accepted, as both formats do.
Result<uint64_t> ReadUleb(ByteReader& in, unsigned bits = 64);
Result<int64_t> ReadSleb(ByteReader& in, unsigned bits = 64);

void AppendUleb(Bytes& out, uint64_t value);
void AppendSleb(Bytes& out, int64_t value);

}  // namespace base

#endif  // GPT2IC_BASE_LEB128_H_
