#ifndef GPT2IC_BASE_ALIGNED_BUFFER_H_
#define GPT2IC_BASE_ALIGNED_BUFFER_H_

#include <cstdint>
#include <new>
#include <span>
#include <utility>

#include "base/check.h"

namespace base {

// Bytes that start at a multiple of 64. Not cleared: a page of a canister's heap that is not
// touched costs nothing.
class AlignedBuffer {
 public:
  static constexpr std::align_val_t kAlignment{64};

  AlignedBuffer() = default;
  explicit AlignedBuffer(uint64_t size) : size_(static_cast<size_t>(size)) {
    CHECK(size <= SIZE_MAX / 2);
    data_ = static_cast<uint8_t*>(::operator new(size_, kAlignment));
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~AlignedBuffer() { ::operator delete(data_, kAlignment); }

  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  std::span<uint8_t> bytes() { return {data_, size_}; }
  std::span<const uint8_t> bytes() const { return {data_, size_}; }

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace base

#endif  // GPT2IC_BASE_ALIGNED_BUFFER_H_
