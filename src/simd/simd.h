// 128-bit vectors with one API on wasm SIMD, SSE4.1 and plain C++.
//
// The operations are those of wasm (pmin, pmax, shifts), and every backend gives the same bits for
// the same input, with one exception that wasm itself makes: *which* NaN an arithmetic operation
// returns is not defined, only that it is one. CanonicalNan() makes such values equal again.
// The scalar backend is the definition; simd_test and simd_fuzz compare the others with it.
#ifndef GPT2IC_SIMD_SIMD_H_
#define GPT2IC_SIMD_SIMD_H_

#include "simd/scalar.h"

#if defined(__wasm_simd128__)
#include "simd/wasm.h"
namespace simd {
using namespace simd::wasm;
}
#elif defined(__SSE4_1__)
#include "simd/sse.h"
namespace simd {
using namespace simd::sse;
}
#else
namespace simd {
using namespace simd::scalar;
}
#endif

#include "simd/sums.h"

#endif  // GPT2IC_SIMD_SIMD_H_
