#ifndef GPT2IC_GPT2_IMPORT_ONNX_WIRE_H_
#define GPT2IC_GPT2_IMPORT_ONNX_WIRE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "gpt2/byte_source.h"

namespace gpt2::onnx {

// A part of the file: a message, a string or the data of a tensor.
struct Range {
  uint64_t begin = 0, end = 0;
  uint64_t size() const { return end - begin; }
};

// The wire types of protobuf that are still in use; groups (3, 4) are refused.
enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct Field {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t value = 0;  // of a varint or a fixed number
  Range bytes;         // of kBytes: where they lie in the file
};

// Reads protobuf messages of a file of any size, from front to back, through a window of 8 KiB:
// what a field holds is only located, and skipped by its length. Nothing is recursive, no range
// leaves the one it lies in, and the fields of one file are counted against kFieldsMax.
class WireReader {
 public:
  static constexpr uint64_t kFieldsMax = 16'000'000;
  static constexpr size_t kWindowBytes = 8192;

  explicit WireReader(ByteSource& source) : source_(&source) {}

  uint64_t file_size() const { return source_->size(); }
  uint64_t bytes_read() const { return bytes_read_; }

  // Takes the next field off the front of `message`; false at its end. Err names the byte.
  base::Result<bool> Next(Range& message, Field& field);

  // The next varint off the front of `range`.
  base::Result<uint64_t> Varint(Range& range);
  // The next little-endian number of 4 or 8 bytes.
  base::Result<uint64_t> Fixed(Range& range, size_t size);

  // All of `range` as text; Err, which says `what`, if it is longer than bytes_max.
  base::Result<std::string> Text(Range range, size_t bytes_max, std::string_view what);

 private:
  base::Result<uint8_t> Byte(uint64_t offset);

  ByteSource* source_;
  std::vector<uint8_t> window_;
  uint64_t window_begin_ = 0;
  uint64_t fields_ = 0;
  uint64_t bytes_read_ = 0;
};

}  // namespace gpt2::onnx

#endif  // GPT2IC_GPT2_IMPORT_ONNX_WIRE_H_
