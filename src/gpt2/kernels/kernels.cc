#include "gpt2/kernels/kernels.h"

#include <cmath>

#include "gpt2/kernels/exp.h"
#include "simd/simd.h"

namespace gpt2 {
namespace {

using simd::F32x4;

// Calls body(position, count) for every 4 of `size`, the last time maybe for fewer.
template <class Body>
void ForEach4(size_t size, Body body) {
  size_t i = 0;
  for (; i + 4 <= size; i += 4) body(i, size_t{4});
  if (i < size) body(i, size - i);
}

F32x4 LoadUpTo4(const float* from, size_t count) {
  return count == 4 ? simd::Load(from) : simd::LoadPart(from, count);
}
void StoreUpTo4(float* to, F32x4 value, size_t count) {
  if (count == 4) return simd::Store(to, value);
  simd::StorePart(to, value, count);
}

float SumOf(std::span<const float> x) {
  F32x4 sum = simd::Splat(0.0f);
  ForEach4(x.size(),
           [&](size_t i, size_t count) { sum = simd::Add(sum, LoadUpTo4(x.data() + i, count)); });
  return simd::Sum(sum);
}

// gelu_new by an identity: (1 + tanh u)/2 = 1/(1 + e^-2u). One division less, and exact in the
// tails where 1 + tanh cancels.
F32x4 GeluOf(F32x4 x) {
  using namespace simd;
  const F32x4 cube = Mul(Mul(x, x), x);
  const F32x4 u = Add(x, Mul(cube, Splat(0.044715f)));
  const F32x4 e = Exp(Mul(u, Splat(-1.59576912f)));  // -2 * sqrt(2/pi)
  return Div(x, Add(Splat(1.0f), e));
}

// 4*kVectors outputs at once: their sums stay in registers while all inputs pass.
template <int kVectors>
void Columns(std::span<const float> x, const float* w, size_t n_out, const float* b, float* out) {
  F32x4 sum[kVectors];
  for (int v = 0; v < kVectors; ++v) sum[v] = simd::Load(b + 4 * v);
  for (const float value : x) {
    const F32x4 input = simd::Splat(value);
    for (int v = 0; v < kVectors; ++v) {
      sum[v] = simd::Add(sum[v], simd::Mul(input, simd::Load(w + 4 * v)));
    }
    w += n_out;
  }
  for (int v = 0; v < kVectors; ++v) simd::Store(out + 4 * v, sum[v]);
}

void LastColumn(std::span<const float> x, const float* w, size_t n_out, float b, float* out) {
  float sum = b;
  for (size_t i = 0; i < x.size(); ++i) sum += x[i] * w[i * n_out];
  *out = sum;
}

// Dot products of 4 rows at once, for 4 independent chains of additions.
F32x4 Dot4(const float* rows, size_t n_in, const float* x) {
  F32x4 sum[4] = {simd::Splat(0.0f), simd::Splat(0.0f), simd::Splat(0.0f), simd::Splat(0.0f)};
  ForEach4(n_in, [&](size_t i, size_t count) {
    const F32x4 input = LoadUpTo4(x + i, count);
    for (size_t r = 0; r < 4; ++r) {
      sum[r] = simd::Add(sum[r], simd::Mul(input, LoadUpTo4(rows + r * n_in + i, count)));
    }
  });
  const float dots[4] = {simd::Sum(sum[0]), simd::Sum(sum[1]), simd::Sum(sum[2]),
                         simd::Sum(sum[3])};
  return simd::Load(dots);
}

}  // namespace

void LayerNorm(std::span<const float> x, const Norm& norm, float epsilon, std::span<float> out) {
  DCHECK(out.size() == x.size() && norm.w.size() == x.size() && norm.b.size() == x.size());
  const auto n = static_cast<float>(x.size());
  const float mean = SumOf(x) / n;
  const F32x4 mean4 = simd::Splat(mean);
  ForEach4(x.size(), [&](size_t i, size_t count) {
    StoreUpTo4(&out[i], simd::Sub(LoadUpTo4(&x[i], count), mean4), count);
  });
  const float variance = Dot(out.data(), out.data(), out.size()) / n;
  const F32x4 scale = simd::Splat(1.0f / std::sqrt(variance + epsilon));
  ForEach4(x.size(), [&](size_t i, size_t count) {
    const F32x4 normed = simd::Mul(LoadUpTo4(&out[i], count), scale);
    const F32x4 w = LoadUpTo4(norm.w.data() + i, count);
    const F32x4 b = LoadUpTo4(norm.b.data() + i, count);
    StoreUpTo4(&out[i], simd::Add(simd::Mul(normed, w), b), count);
  });
}

void MatVec(std::span<const float> x, const Linear& linear, std::span<float> out) {
  const size_t n_out = out.size();
  DCHECK(linear.b.size() == n_out && linear.w.size() == x.size() * n_out);
  const float* w = linear.w.data();
  const float* b = linear.b.data();
  size_t j = 0;
  for (; j + 32 <= n_out; j += 32) Columns<8>(x, w + j, n_out, b + j, &out[j]);
  for (; j + 4 <= n_out; j += 4) Columns<1>(x, w + j, n_out, b + j, &out[j]);
  for (; j < n_out; ++j) LastColumn(x, w + j, n_out, b[j], &out[j]);
}

void MatVecRows(std::span<const float> x, const Tensor& w, std::span<float> out) {
  const size_t n_in = x.size();
  DCHECK(w.size() == n_in * out.size());
  size_t r = 0;
  for (; r + 4 <= out.size(); r += 4) {
    simd::Store(&out[r], simd::CanonicalNan(Dot4(w.data() + r * n_in, n_in, x.data())));
  }
  for (; r < out.size(); ++r) {
    const F32x4 dot = simd::Splat(Dot(w.data() + r * n_in, x.data(), n_in));
    simd::StorePart(&out[r], simd::CanonicalNan(dot), 1);
  }
}

void AddTo(std::span<float> x, std::span<const float> y) {
  DCHECK(x.size() == y.size());
  ForEach4(x.size(), [&](size_t i, size_t count) {
    StoreUpTo4(&x[i], simd::Add(LoadUpTo4(&x[i], count), LoadUpTo4(&y[i], count)), count);
  });
}

void Gelu(std::span<float> x) {
  ForEach4(x.size(), [&](size_t i, size_t count) {
    StoreUpTo4(&x[i], GeluOf(LoadUpTo4(&x[i], count)), count);
  });
}

float Dot(const float* a, const float* b, size_t count) {
  F32x4 sum = simd::Splat(0.0f);
  ForEach4(count, [&](size_t i, size_t part) {
    sum = simd::Add(sum, simd::Mul(LoadUpTo4(a + i, part), LoadUpTo4(b + i, part)));
  });
  return simd::Sum(sum);
}

}  // namespace gpt2
