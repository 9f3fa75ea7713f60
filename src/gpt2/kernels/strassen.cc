#include "gpt2/kernels/strassen.h"

#include "base/check.h"
#include "gpt2/kernels/int_matmul_inner.h"

namespace gpt2 {
namespace {

using inner::Part;

constexpr uint32_t kGroup = kStrassenTokens / 2;  // tokens that a kernel takes at once
constexpr uint32_t kProducts = 7;

// A quarter of a matrix is 2*i + j: of the activations, half i of the tokens and half j of the
// inputs; of the weights, half i of the inputs and half j of the rows.
enum class With : uint8_t { kNothing, kPlus, kMinus };
struct Factor {
  uint8_t quarter;
  With with = With::kNothing;
  uint8_t other = 0;
};
struct Factors {
  Factor acts, weights;
};
constexpr Factors kFactors[kProducts] = {
    {{0, With::kPlus, 3}, {0, With::kPlus, 3}},   // M1 = (A11 + A22) (B11 + B22)
    {{2, With::kPlus, 3}, {0}},                   // M2 = (A21 + A22) B11
    {{0}, {1, With::kMinus, 3}},                  // M3 = A11 (B12 - B22)
    {{3}, {2, With::kMinus, 0}},                  // M4 = A22 (B21 - B11)
    {{0, With::kPlus, 1}, {3}},                   // M5 = (A11 + A12) B22
    {{2, With::kMinus, 0}, {0, With::kPlus, 1}},  // M6 = (A21 - A11) (B11 + B12)
    {{1, With::kMinus, 3}, {2, With::kPlus, 3}},  // M7 = (A12 - A22) (B21 + B22)
};

// out = a + b or a - b, `rows` rows of `count` numbers, a multiple of 8.
template <bool minus, class T>
void Combine(const T* a, const T* b, uint32_t stride, uint32_t rows, uint32_t count,
             int16_t* __restrict out) {
  using namespace simd;
  for (uint32_t row = 0; row < rows; ++row, a += stride, b += stride) {
    const T *x = a, *y = b;
#pragma clang loop unroll_count(16)
    for (const T* end = a + count; x != end; x += 8, y += 8, out += 8) {
      const I16x8 left = inner::LoadWeights(x), right = inner::LoadWeights(y);
      Store(out, minus ? Sub(left, right) : Add(left, right));
    }
  }
}

// One chunk of one product of halves.
struct Halves {
  uint32_t inputs;  // of half a chunk
  uint32_t blocks;  // half of them
  uint32_t tokens;  // half of them
};

// Rows of 16-bit numbers: a quarter as it lies, or a sum made of two.
template <class T>
struct Operand {
  const T* at;
  uint32_t stride;
};

// products [group, block, kGroup, 4] = the product over kParts * 2*kDots inputs.
template <uint32_t kDots, uint32_t kParts, class Weight>
void Product(const Halves& halves, Operand<int16_t> acts, Operand<Weight> weights,
             int32_t* products) {
  const size_t group_size = size_t{4} * kGroup * halves.blocks;
  for (uint32_t t = 0; t < halves.tokens; t += kGroup, products += group_size) {
    for (uint32_t part = 0; part < kParts; ++part) {
      const auto kernel = part == 0 ? inner::Tokens<kDots, kGroup, Weight, Part::kFirst, int32_t>
                                    : inner::Tokens<kDots, kGroup, Weight, Part::kNext, int32_t>;
      kernel(weights.at + size_t{part} * kDots * 8, weights.stride,
             acts.at + size_t{t} * acts.stride + size_t{part} * kDots * 2, acts.stride, products,
             halves.blocks);
    }
  }
}

// Where the floats of the four quarters of the result go, for one group of tokens.
struct Quarters {
  float* at[4];
  uint32_t stride;  // from block to block
};

// The results of a group from its seven products, each [block, kGroup, 4].
template <Part part>
[[gnu::noinline]] void Results(const int32_t* m, size_t product_size, uint32_t blocks,
                               Quarters to) {
  using namespace simd;
  float *to11 = to.at[0], *to12 = to.at[1], *to21 = to.at[2], *to22 = to.at[3];
  const int32_t *m1 = m, *m2 = m1 + product_size, *m3 = m2 + product_size, *m4 = m3 + product_size,
                *m5 = m4 + product_size, *m6 = m5 + product_size, *m7 = m6 + product_size;
  const auto put = [](float* at, I32x4 chunk) {
    const F32x4 sum = ToF32(chunk);
    Store(at, part == Part::kFirst ? sum : Add(sum, Load(at)));
  };
  for (uint32_t block = 0; block < blocks; ++block) {
#pragma clang loop unroll(full)
    for (uint32_t i = 0; i < 4 * kGroup; i += 4) {
      const I32x4 p1 = Load(m1 + i), p2 = Load(m2 + i), p3 = Load(m3 + i), p4 = Load(m4 + i),
                  p5 = Load(m5 + i);
      put(to11 + i, Add(Sub(Add(p1, p4), p5), Load(m7 + i)));
      put(to12 + i, Add(p3, p5));
      put(to21 + i, Add(p2, p4));
      put(to22 + i, Add(Add(Sub(p1, p2), p3), Load(m6 + i)));
    }
    constexpr uint32_t kSize = 4 * kGroup;
    m1 += kSize, m2 += kSize, m3 += kSize, m4 += kSize, m5 += kSize, m6 += kSize, m7 += kSize;
    to11 += to.stride, to12 += to.stride, to21 += to.stride, to22 += to.stride;
  }
}

struct Scratch {
  int32_t* products;  // [kProducts, group, block, kGroup, 4]
  int16_t* acts;      // [tokens, inputs] of the halves
  int16_t* weights;   // [blocks, inputs/2, 4, 2] of the halves
};
Scratch Space(uint32_t blocks, uint32_t chunk, uint32_t tokens, MatmulScratch& scratch) {
  return {scratch.Get<int32_t>(0, size_t{kProducts} * blocks * tokens),
          scratch.Get<int16_t>(1, size_t{tokens} * chunk / 4),
          scratch.Get<int16_t>(2, size_t{blocks} * chunk)};
}

struct Job {
  const int8_t* weights;  // of the first block
  uint32_t n_in, blocks, tokens;
  const int16_t* acts;
  float* sums;
};

// Chunks of kParts * 4*kDots inputs.
template <uint32_t kDots, uint32_t kParts>
class Strassen {
 public:
  Strassen(const Job& job, MatmulScratch& scratch)
      : job_(job),
        halves_{kParts * 2 * kDots, job.blocks / 2, job.tokens / 2},
        product_size_(size_t{4} * halves_.blocks * halves_.tokens),
        space_(Space(job.blocks, 2 * halves_.inputs, job.tokens, scratch)) {}

  void Run() {
    for (uint32_t input = 0; input < job_.n_in; input += 2 * halves_.inputs) Chunk(input);
  }

 private:
  const int16_t* Acts(uint32_t input, uint8_t quarter) const {
    return job_.acts + size_t{quarter / 2u} * halves_.tokens * job_.n_in + input +
           quarter % 2u * halves_.inputs;
  }
  const int8_t* Weights(uint32_t input, uint8_t quarter) const {
    return job_.weights + size_t{quarter % 2u} * halves_.blocks * 4 * job_.n_in +
           (size_t{input} + quarter / 2u * halves_.inputs) * 4;
  }
  Operand<int16_t> ActsOf(uint32_t input, const Factor& f) {
    const int16_t* a = Acts(input, f.quarter);
    if (f.with == With::kNothing) return {a, job_.n_in};
    const auto combine = f.with == With::kPlus ? Combine<false, int16_t> : Combine<true, int16_t>;
    combine(a, Acts(input, f.other), job_.n_in, halves_.tokens, halves_.inputs, space_.acts);
    return {space_.acts, halves_.inputs};
  }
  void Multiply(uint32_t input, const Factors& f, int32_t* products) {
    const Operand<int16_t> acts = ActsOf(input, f.acts);
    const int8_t* w = Weights(input, f.weights.quarter);
    const uint32_t stride = 4 * job_.n_in;
    if (f.weights.with == With::kNothing) {
      return Product<kDots, kParts, int8_t>(halves_, acts, {w, stride}, products);
    }
    const auto combine =
        f.weights.with == With::kPlus ? Combine<false, int8_t> : Combine<true, int8_t>;
    combine(w, Weights(input, f.weights.other), stride, halves_.blocks, 4 * halves_.inputs,
            space_.weights);
    Product<kDots, kParts, int16_t>(halves_, acts, {space_.weights, 4 * halves_.inputs}, products);
  }
  void Chunk(uint32_t input) {
    for (uint32_t i = 0; i < kProducts; ++i) {
      Multiply(input, kFactors[i], space_.products + i * product_size_);
    }
    const uint32_t stride = 4 * job_.tokens;
    const auto results = input == 0 ? Results<Part::kFirst> : Results<Part::kNext>;
    for (uint32_t t = 0; t < halves_.tokens; t += kGroup) {
      float* first = job_.sums + size_t{4} * t;
      float* later = first + size_t{4} * halves_.tokens;
      const size_t rows = size_t{halves_.blocks} * stride;
      results(space_.products + size_t{4} * halves_.blocks * t, product_size_, halves_.blocks,
              {{first, first + rows, later, later + rows}, stride});
    }
  }

  Job job_;
  Halves halves_;
  size_t product_size_;
  Scratch space_;
};

}  // namespace

bool StrassenTakes(const IntMatrix& m, uint32_t block_count) {
  const uint32_t chunk = ChunkInputs(m.n_in);
  return m.weights8 != nullptr && block_count % 2 == 0 && chunk >= 640 && m.n_in % chunk == 0;
}

void ReserveStrassen(uint32_t blocks, uint32_t chunk, uint32_t tokens, MatmulScratch& scratch) {
  Space(blocks, chunk, tokens, scratch);
}

void MultiplyStrassen(const IntMatrix& m, uint32_t first_block, uint32_t block_count,
                      const int16_t* acts, uint32_t tokens, float* sums, MatmulScratch& scratch) {
  CHECK(first_block + block_count <= m.blocks && StrassenTakes(m, block_count));
  CHECK(tokens % kStrassenTokens == 0 && tokens <= kStrassenTokensMax);
  const Job job = {
      m.weights8 + size_t{first_block} * 4 * m.n_in, m.n_in, block_count, tokens, acts, sums};
  switch (ChunkInputs(m.n_in)) {
    case 768:
      return Strassen<48, 4>(job, scratch).Run();
    case 1024:
      return Strassen<64, 4>(job, scratch).Run();
    case 640:
      return Strassen<40, 4>(job, scratch).Run();
    default:
      return Strassen<40, 5>(job, scratch).Run();
  }
}

}  // namespace gpt2
