// Every vector operation of the backends applied to the same bytes, for tests only: what comes out
// is compared between backends, natively and in a canister. See simd.h.
#ifndef GPT2IC_SIMD_EVERY_OP_H_
#define GPT2IC_SIMD_EVERY_OP_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "simd/simd.h"

namespace simd {

struct OpResult {
  std::string_view op;
  base::Bytes bytes;
};

// Four vectors. A NaN made by arithmetic comes out canonical: which one it is may differ.
inline constexpr size_t kEveryOpInputBytes = 64;

namespace scalar {
#include "simd/every_op.inc"
}
#if defined(__wasm_simd128__)
namespace wasm {
#include "simd/every_op.inc"
}
#elif defined(__SSE4_1__)
namespace sse {
#include "simd/every_op.inc"
}
#endif

}  // namespace simd

#endif  // GPT2IC_SIMD_EVERY_OP_H_
