#ifndef GPT2IC_BASE_SHA256_H_
#define GPT2IC_BASE_SHA256_H_

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace base {

using Sha256Digest = std::array<uint8_t, 32>;
using Sha224Digest = std::array<uint8_t, 28>;

// SHA-224 (FIPS 180-4): SHA-256 from other initial values, cut to 28 bytes. In principals only.
Sha224Digest Sha224Of(ByteSpan bytes);

// SHA-256 (FIPS 180-4), piece by piece. The whole state is a plain value of 112 bytes, so that a
// canister can hash a file over several messages.
class Sha256 {
 public:
  void Update(ByteSpan bytes);
  Sha256Digest Finish() const;  // of all that came so far; Update may go on afterwards

 private:
  friend Sha224Digest Sha224Of(ByteSpan bytes);
  friend Sha256Digest Sha256Of(ByteSpan bytes);
  void Block(const uint8_t* block);
  Sha256Digest Close();

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> buffer_ = {};
  uint64_t bytes_ = 0;
};

Sha256Digest Sha256Of(ByteSpan bytes);

}  // namespace base

#endif  // GPT2IC_BASE_SHA256_H_
