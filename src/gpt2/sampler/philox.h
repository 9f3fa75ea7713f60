#ifndef GPT2IC_GPT2_SAMPLER_PHILOX_H_
#define GPT2IC_GPT2_SAMPLER_PHILOX_H_

#include <array>
#include <cstdint>

namespace gpt2 {

// Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3" (SC 2011): 128 random bits as a function of a key and a counter. Nothing has to be kept
// between draws: any draw can be made again, in any order, on any machine.
//   key      the seed
//   counter  the number of the draw (low half), and which stream of draws (high half)
constexpr std::array<uint32_t, 4> Philox(uint64_t key, uint64_t draw, uint64_t stream) {
  auto k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  auto c0 = static_cast<uint32_t>(draw), c1 = static_cast<uint32_t>(draw >> 32);
  auto c2 = static_cast<uint32_t>(stream), c3 = static_cast<uint32_t>(stream >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{c0} * 0xd2511f53u;
    const uint64_t b = uint64_t{c2} * 0xcd9e8d57u;
    c0 = static_cast<uint32_t>(b >> 32) ^ c1 ^ k0;
    c1 = static_cast<uint32_t>(b);
    c2 = static_cast<uint32_t>(a >> 32) ^ c3 ^ k1;
    c3 = static_cast<uint32_t>(a);
    k0 += 0x9e3779b9u;  // golden ratio
    k1 += 0xbb67ae85u;  // sqrt(3) - 1
  }
  return {c0, c1, c2, c3};
}

}  // namespace gpt2

#endif  // GPT2IC_GPT2_SAMPLER_PHILOX_H_
