#ifndef GPT2IC_GPT2_MEMORY_FILE_H_
#define GPT2IC_GPT2_MEMORY_FILE_H_

#include <cstring>

#include "base/check.h"
#include "gpt2/byte_source.h"

namespace gpt2 {

// Bytes that lie in memory already, as a file; they must outlive it. Whoever reads knows size():
// asking for what is beyond it is a bug.
class SpanSource : public ByteSource {
 public:
  explicit SpanSource(base::ByteSpan bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  base::Status Read(uint64_t offset, std::span<uint8_t> out) override {
    CHECK(offset <= bytes_.size() && out.size() <= bytes_.size() - offset);
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return {};
  }

 private:
  base::ByteSpan bytes_;
};

// A file that is written and read back, in memory.
class MemoryFile : public ByteSink, public ByteSource {
 public:
  base::Status Write(base::ByteSpan bytes) override {
    base::Append(bytes_, bytes);
    return {};
  }
  uint64_t size() const override { return bytes_.size(); }
  base::Status Read(uint64_t offset, std::span<uint8_t> out) override {
    return SpanSource(bytes_).Read(offset, out);
  }
  void Reserve(uint64_t bytes) { bytes_.reserve(static_cast<size_t>(bytes)); }
  const base::Bytes& bytes() const { return bytes_; }

 private:
  base::Bytes bytes_;
};

}  // namespace gpt2

#endif  // GPT2IC_GPT2_MEMORY_FILE_H_
