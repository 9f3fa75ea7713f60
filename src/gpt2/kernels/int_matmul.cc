#include "gpt2/kernels/int_matmul.h"

#include "base/check.h"
#include "gpt2/kernels/int_matmul_inner.h"

namespace gpt2 {
namespace {

using inner::Part;

// What a kernel is given, whatever the width of the weights.
template <class Weight>
struct Job {
  const Weight* weights;  // of the first block
  uint32_t n_in, blocks;
  const int16_t* acts;
  float* sums;

  uint32_t stride() const { return n_in * 4; }
};

template <uint32_t kDots, uint32_t kChunks, class Weight>
void VectorAt(const Job<Weight>& job, uint32_t input) {
  const auto kernel = input == 0 ? inner::Vector<kDots, kChunks, Weight, Part::kFirst>
                                 : inner::Vector<kDots, kChunks, Weight, Part::kNext>;
  kernel(job.weights + size_t{input} * 4, job.stride(), job.acts + input, job.sums, job.blocks);
}

// n_in is a multiple of the chunk of 2*kDots inputs.
template <uint32_t kDots, class Weight>
void MultiplyChunks(const Job<Weight>& job) {
  constexpr uint32_t kMany = 4;  // 384 activations in locals for n_in = 768
  uint32_t input = 0;
  for (; input + kMany * 2 * kDots <= job.n_in; input += kMany * 2 * kDots) {
    VectorAt<kDots, kMany>(job, input);
  }
  for (; input < job.n_in; input += 2 * kDots) VectorAt<kDots, 1>(job, input);
}

template <uint32_t kDots, class Weight>
void MultiplyChunksTokens(const Job<Weight>& job) {
  for (uint32_t input = 0; input < job.n_in; input += 2 * kDots) {
    const auto kernel = input == 0 ? inner::Tokens<kDots, kPrefillTokens, Weight, Part::kFirst>
                                   : inner::Tokens<kDots, kPrefillTokens, Weight, Part::kNext>;
    kernel(job.weights + size_t{input} * 4, job.stride(), job.acts + input, job.n_in, job.sums,
           job.blocks);
  }
}

// Chunks of 128 and a shorter one at the end; 8 dot products are unrolled.
template <class Weight>
void MultiplyAny(const Job<Weight>& job, uint32_t sums_stride) {
  using namespace simd;
  constexpr uint32_t kStep = 8;
  constexpr uint32_t kGroup = std::min(inner::kGroupDots<Weight>, 64u);
  const Weight* w = job.weights;
  for (uint32_t block = 0; block < job.blocks; ++block) {
    F32x4 sum = Splat(0.0f);
    I32x4 dots = Splat(int32_t{0});
    for (uint32_t d = 0; d < job.n_in / 2; d += kStep, w += 8 * kStep) {
      if (d != 0 && d % kGroup == 0) {
        sum = Add(ToF32(dots), sum);
        dots = Splat(int32_t{0});
      }
      const int16_t* acts = job.acts + 2 * d;
#pragma clang loop unroll(full)
      for (uint32_t i = 0; i < kStep; ++i) {
        dots = Add(Dot(LoadPairSplat(acts + 2 * i), inner::LoadWeights(w + 8 * i)), dots);
      }
    }
    Store(job.sums + size_t{block} * sums_stride, Add(ToF32(dots), sum));
  }
}

template <class Weight>
void MultiplyVector(const Job<Weight>& job) {
  const uint32_t chunk = ChunkInputs(job.n_in);
  if (job.n_in % chunk != 0) return MultiplyAny(job, 4);
  if (chunk == 192) return MultiplyChunks<96>(job);
  if (chunk == 200) return MultiplyChunks<100>(job);
  return MultiplyChunks<64>(job);
}

template <class Weight>
void MultiplyMany(const Job<Weight>& job) {
  const uint32_t chunk = ChunkInputs(job.n_in);
  if (job.n_in % chunk == 0) {
    if (chunk == 192) return MultiplyChunksTokens<96>(job);
    if (chunk == 200) return MultiplyChunksTokens<100>(job);
    return MultiplyChunksTokens<64>(job);
  }
  Job<Weight> one = job;
  for (uint32_t t = 0; t < kPrefillTokens; ++t, one.acts += one.n_in, one.sums += 4) {
    MultiplyAny(one, 4 * kPrefillTokens);
  }
}

template <class Weight>
Job<Weight> MakeJob(const IntMatrix& m, const Weight* weights, uint32_t first_block,
                    uint32_t block_count, const int16_t* acts, float* sums) {
  return {weights + size_t{first_block} * 4 * m.n_in, m.n_in, block_count, acts, sums};
}

}  // namespace

void Multiply(const IntMatrix& m, uint32_t first_block, uint32_t block_count, const int16_t* acts,
              float* sums) {
  CHECK(first_block + block_count <= m.blocks);
  if (m.weights8 != nullptr) {
    MultiplyVector(MakeJob(m, m.weights8, first_block, block_count, acts, sums));
  } else {
    MultiplyVector(MakeJob(m, m.weights16, first_block, block_count, acts, sums));
  }
}

void MultiplyTokens(const IntMatrix& m, uint32_t first_block, uint32_t block_count,
                    const int16_t* acts, float* sums) {
  CHECK(first_block + block_count <= m.blocks);
  if (m.weights8 != nullptr) {
    MultiplyMany(MakeJob(m, m.weights8, first_block, block_count, acts, sums));
  } else {
    MultiplyMany(MakeJob(m, m.weights16, first_block, block_count, acts, sums));
  }
}

}  // namespace gpt2
