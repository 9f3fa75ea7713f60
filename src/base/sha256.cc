#include "base/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace base {
namespace {

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
constexpr uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// Four words, big-endian. As a vector: in a canister a byte swap is one operation for all of them,
// and eleven for each alone.
void LoadBigEndian(const uint8_t* p, uint32_t* words) {
  using Bytes16 = uint8_t __attribute__((vector_size(16)));
  Bytes16 v;
  std::memcpy(&v, p, 16);
  v = __builtin_shufflevector(v, v, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
  std::memcpy(words, &v, 16);
}

// One round with the working variables renamed instead of moved.
inline void Round(uint32_t a, uint32_t b, uint32_t& d, uint32_t e, uint32_t f, uint32_t g,
                  uint32_t& h, uint32_t& b_not_c, uint32_t input) {
  const uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
  const uint32_t choice = g ^ (e & (f ^ g));
  const uint32_t t1 = h + sum1 + choice + input;
  const uint32_t sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
  // Where a and b differ c decides: b, but where c differs from it. The next round's b and c are
  // this one's a and b.
  const uint32_t a_not_b = a ^ b;
  const uint32_t majority = b ^ (a_not_b & b_not_c);
  b_not_c = a_not_b;
  d += t1;
  h = t1 + sum0 + majority;
}

inline uint32_t Expand(uint32_t w16, uint32_t w15, uint32_t w7, uint32_t w2) {
  const uint32_t s0 = std::rotr(w15, 7) ^ std::rotr(w15, 18) ^ (w15 >> 3);
  const uint32_t s1 = std::rotr(w2, 17) ^ std::rotr(w2, 19) ^ (w2 >> 10);
  return w16 + s0 + w7 + s1;
}

}  // namespace

void Sha256::Block(const uint8_t* block) {
  uint32_t w[16];
  for (int i = 0; i < 16; i += 4) LoadBigEndian(block + 4 * i, w + i);
  auto [a, b, c, d, e, f, g, h] = state_;
  uint32_t b_not_c = b ^ c;
  // Fully unrolled, so that w stays in locals and the round constants become operands: indexing
  // memory would cost more than the round.
#pragma clang loop unroll(full)
  for (int r = 0; r < 64; r += 8) {
    const uint32_t* k = kRound + r;
    uint32_t* v = w + r % 16;
    if (r >= 16) {
#pragma clang loop unroll(full)
      for (int j = r % 16; j < r % 16 + 8; ++j) {
        w[j] = Expand(w[j], w[(j + 1) & 15], w[(j + 9) & 15], w[(j + 14) & 15]);
      }
    }
    Round(a, b, d, e, f, g, h, b_not_c, k[0] + v[0]);
    Round(h, a, c, d, e, f, g, b_not_c, k[1] + v[1]);
    Round(g, h, b, c, d, e, f, b_not_c, k[2] + v[2]);
    Round(f, g, a, b, c, d, e, b_not_c, k[3] + v[3]);
    Round(e, f, h, a, b, c, d, b_not_c, k[4] + v[4]);
    Round(d, e, g, h, a, b, c, b_not_c, k[5] + v[5]);
    Round(c, d, f, g, h, a, b, b_not_c, k[6] + v[6]);
    Round(b, c, e, f, g, h, a, b_not_c, k[7] + v[7]);
  }
  const uint32_t add[8] = {a, b, c, d, e, f, g, h};
  for (int i = 0; i < 8; ++i) state_[i] += add[i];
}

void Sha256::Update(ByteSpan bytes) {
  if (bytes.empty()) return;  // memcpy takes no null, not even for 0 bytes
  const size_t filled = static_cast<size_t>(bytes_ % 64);
  bytes_ += bytes.size();
  if (filled != 0) {
    const size_t n = std::min(bytes.size(), 64 - filled);
    std::memcpy(buffer_.data() + filled, bytes.data(), n);
    bytes = bytes.subspan(n);
    if (filled + n < 64) return;
    Block(buffer_.data());
  }
  while (bytes.size() >= 64) {
    Block(bytes.data());
    bytes = bytes.subspan(64);
  }
  if (!bytes.empty()) std::memcpy(buffer_.data(), bytes.data(), bytes.size());
}

// Adds the padding; behind what fills the buffer there must be zeros.
Sha256Digest Sha256::Close() {
  constexpr size_t kSizeAt = 56;  // in the last block
  uint8_t* const block = buffer_.data();
  const auto filled = static_cast<size_t>(bytes_ % 64);
  block[filled] = 0x80;
  if (filled >= kSizeAt) {
    Block(block);
    buffer_ = {};
  }
  const uint64_t bits = __builtin_bswap64(bytes_ * 8);
  std::memcpy(block + kSizeAt, &bits, 8);
  Block(block);
  Sha256Digest digest;
  for (int i = 0; i < 8; i += 4) {
    const auto* words = reinterpret_cast<const uint8_t*>(state_.data() + i);
    uint32_t swapped[4];
    LoadBigEndian(words, swapped);
    std::memcpy(digest.data() + 4 * i, swapped, 16);
  }
  return digest;
}

Sha256Digest Sha256::Finish() const {
  Sha256 last = *this;
  const auto filled = static_cast<size_t>(bytes_ % 64);
  std::memset(last.buffer_.data() + filled, 0, 64 - filled);
  return last.Close();
}

Sha256Digest Sha256Of(ByteSpan bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.Close();  // all came at once: only what is left of it is in the buffer
}

Sha224Digest Sha224Of(ByteSpan bytes) {
  Sha256 hash;
  hash.state_ = {0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939,
                 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4};
  hash.Update(bytes);
  const Sha256Digest whole = hash.Finish();
  Sha224Digest digest;
  std::copy_n(whole.begin(), digest.size(), digest.begin());
  return digest;
}

}  // namespace base
