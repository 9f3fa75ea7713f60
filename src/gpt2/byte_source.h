#ifndef GPT2IC_GPT2_BYTE_SOURCE_H_
#define GPT2IC_GPT2_BYTE_SOURCE_H_

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/result.h"

namespace gpt2 {

// A file of any kind: on disk, in stable memory, in a test's vector. Sizes and offsets are 64-bit,
// since a canister's size_t is not.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual uint64_t size() const = 0;
  // Fills all of `out` with the bytes at `offset`; an Err if the source ends before or cannot be
  // read.
  virtual base::Status Read(uint64_t offset, std::span<uint8_t> out) = 0;
};

// Where a file is written to, from front to back.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual base::Status Write(base::ByteSpan bytes) = 0;
};

}  // namespace gpt2

#endif  // GPT2IC_GPT2_BYTE_SOURCE_H_
