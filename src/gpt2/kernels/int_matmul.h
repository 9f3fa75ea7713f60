// Matrix products on integers: weights of 8 (or 16) bits times activations of 15, the work that
// nearly all of a token's cost goes to. docs/kernels.md counts it and says why it has this form.
#ifndef GPT2IC_GPT2_KERNELS_INT_MATMUL_H_
#define GPT2IC_GPT2_KERNELS_INT_MATMUL_H_

#include <cstdint>

#include "base/aligned_buffer.h"

namespace gpt2 {

#ifndef GPT2IC_PREFILL_TOKENS
#define GPT2IC_PREFILL_TOKENS 8
#endif
// Tokens that the plain prefill kernel takes at once: more share the loads of the weights, but each
// needs its activations in locals (docs/kernels.md has 2, 4, 8 and 16 measured).
inline constexpr uint32_t kPrefillTokens = GPT2IC_PREFILL_TOKENS;

// The largest magnitude of a quantised activation: the sum of two still has 16 bits (strassen.h).
inline constexpr float kActivationSteps = 16383;

// A matrix as it lies in a packed model (docs/packed-model.md): blocks of 4 rows, in a block for
// each pair of inputs the 4 rows' two weights.
struct IntMatrix {
  const int8_t* weights8 = nullptr;  // one of the two
  const int16_t* weights16 = nullptr;
  const float* scale = nullptr;  // [4*blocks] value of one step of a row's weights
  const float* bias = nullptr;   // [4*blocks], null: none
  uint32_t n_in = 0;             // padded: a multiple of 16
  uint32_t blocks = 0;           // of 4 rows
};

// The inputs that are summed as integers before the sum becomes a float, "a chunk". Fixed by n_in,
// so that every kernel adds the same floats in the same order.
constexpr uint32_t ChunkInputs(uint32_t n_in) {
  for (const uint32_t chunk : {768, 1024, 640, 800, 192}) {
    if (n_in % chunk == 0) return chunk;  // those of GPT-2's four sizes; 192 of the demo model
  }
  return 128;  // the last may be shorter
}

// Space that products of many tokens need besides. Grows to what is asked for, is not cleared.
class MatmulScratch {
 public:
  template <class T>
  T* Get(uint32_t slot, size_t count) {
    base::AlignedBuffer& buffer = buffers_[slot];
    if (buffer.size() < count * sizeof(T)) {
      buffer = base::AlignedBuffer();  // the old one's space may be what the new one gets
      buffer = base::AlignedBuffer(count * sizeof(T));
    }
    return reinterpret_cast<T*>(buffer.data());
  }

 private:
  base::AlignedBuffer buffers_[3];
};

// sums[4*b .. 4*b+3] = the products of the rows of block first_block + b with the activations, in
// steps of both; b < block_count. acts [n_in], even the padded ones within kActivationSteps.
// Each chunk's sum is exact: 1024 * 128 * 16383 < 2^31. For 16-bit weights a chunk is taken 32
// inputs at a time: 32 * 4095 * 16383 < 2^31.
// Cost: 4*n_in*block_count multiply-adds, 0.63 instructions each (0.66 in 16 bits).
void Multiply(const IntMatrix& m, uint32_t first_block, uint32_t block_count, const int16_t* acts,
              float* sums);

// The same for kPrefillTokens tokens: acts [kPrefillTokens, n_in], sums [block_count,
// kPrefillTokens, 4]. The same bits as Multiply. Cost: 0.54 (0.57) instructions per multiply-add.
void MultiplyTokens(const IntMatrix& m, uint32_t first_block, uint32_t block_count,
                    const int16_t* acts, float* sums, MatmulScratch& scratch);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_KERNELS_INT_MATMUL_H_
