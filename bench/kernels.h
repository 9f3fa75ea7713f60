#ifndef GPT2IC_BENCH_KERNELS_H_
#define GPT2IC_BENCH_KERNELS_H_

#include <cstdint>

namespace bench {

// All products of the 12 blocks of the 124M shape, for `tokens` tokens at once (1, the kernel of
// decode; 2, 4, 8, 16; by Strassen's method 32, 64, 128), or of its head (kHead). Weights are
// whatever lies in memory.
inline constexpr uint32_t kHead = 0;
void RunKernels(uint32_t tokens);

}  // namespace bench

#endif  // GPT2IC_BENCH_KERNELS_H_
