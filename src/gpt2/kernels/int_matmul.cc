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

// n_in is a multiple of the chunk of 2*kDots inputs.
template <uint32_t kDots, class Weight>
void MultiplyChunks(const Job<Weight>& job) {
  for (uint32_t input = 0; input < job.n_in; input += 2 * kDots) {
    const auto kernel = input == 0 ? inner::Vector<kDots, Weight, Part::kFirst>
                                   : inner::Vector<kDots, Weight, Part::kNext>;
    kernel(job.weights + size_t{input} * 4, job.stride(), job.acts + input, job.sums, job.blocks);
  }
}

// Adds the sums of a chunk, or begins with them. [count] vectors of 4.
void FoldChunk(bool begin, const int32_t* chunk, uint32_t count, float* sums) {
  using namespace simd;
  for (const int32_t* end = chunk + size_t{4} * count; chunk != end; chunk += 4, sums += 4) {
    const F32x4 sum = ToF32(Load(chunk));
    Store(sums, begin ? sum : Add(sum, Load(sums)));
  }
}

// Chunks of kParts * 2*kDots inputs.
template <uint32_t kDots, uint32_t kParts>
void MultiplyChunksTokens(const Job<int8_t>& job, MatmulScratch& scratch) {
  int32_t* chunk = scratch.Get<int32_t>(0, size_t{4} * kPrefillTokens * job.blocks);
  for (uint32_t input = 0, part = 0; input < job.n_in; input += 2 * kDots) {
    const auto kernel = part == 0
                            ? inner::Tokens<kDots, kPrefillTokens, int8_t, Part::kFirst, int32_t>
                            : inner::Tokens<kDots, kPrefillTokens, int8_t, Part::kNext, int32_t>;
    kernel(job.weights + size_t{input} * 4, job.stride(), job.acts + input, job.n_in, chunk,
           job.blocks);
    if (++part < kParts) continue;
    FoldChunk(input < 2 * kDots * kParts, chunk, kPrefillTokens * job.blocks, job.sums);
    part = 0;
  }
}

// Weights of 16 bits: floats are added within a chunk already, and go on from part to part.
template <uint32_t kDots, uint32_t kParts>
void MultiplyChunksTokens(const Job<int16_t>& job, MatmulScratch&) {
  for (uint32_t input = 0; input < job.n_in; input += 2 * kDots) {
    const auto kernel = input == 0
                            ? inner::Tokens<kDots, kPrefillTokens, int16_t, Part::kFirst, float>
                            : inner::Tokens<kDots, kPrefillTokens, int16_t, Part::kNext, float>;
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
  switch (chunk) {
    case 768:
      return MultiplyChunks<384>(job);
    case 1024:
      return MultiplyChunks<512>(job);
    case 640:
      return MultiplyChunks<320>(job);
    case 800:
      return MultiplyChunks<400>(job);
    case 192:
      return MultiplyChunks<96>(job);
    default:
      return MultiplyChunks<64>(job);
  }
}

template <class Weight>
void MultiplyMany(const Job<Weight>& job, MatmulScratch& scratch) {
  const uint32_t chunk = ChunkInputs(job.n_in);
  if (job.n_in % chunk == 0) {
    switch (chunk) {
      case 768:
        return MultiplyChunksTokens<96, 4>(job, scratch);
      case 1024:
        return MultiplyChunksTokens<64, 8>(job, scratch);
      case 640:
        return MultiplyChunksTokens<80, 4>(job, scratch);
      case 800:
        return MultiplyChunksTokens<80, 5>(job, scratch);
      case 192:
        return MultiplyChunksTokens<96, 1>(job, scratch);
      default:
        return MultiplyChunksTokens<64, 1>(job, scratch);
    }
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
                    const int16_t* acts, float* sums, MatmulScratch& scratch) {
  CHECK(first_block + block_count <= m.blocks);
  if (m.weights8 != nullptr) {
    MultiplyMany(MakeJob(m, m.weights8, first_block, block_count, acts, sums), scratch);
  } else {
    MultiplyMany(MakeJob(m, m.weights16, first_block, block_count, acts, sums), scratch);
  }
}

}  // namespace gpt2
