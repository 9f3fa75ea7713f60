#include "gpt2/import/onnx/wire.h"

#include <algorithm>

namespace gpt2::onnx {

base::Result<uint8_t> WireReader::Byte(uint64_t offset) {
  if (offset < window_begin_ || offset - window_begin_ >= window_.size()) {
    const uint64_t left = source_->size() - offset;  // ranges lie in the file
    window_.resize(static_cast<size_t>(std::min<uint64_t>(left, kWindowBytes)));
    window_begin_ = offset;
    TRY_STATUS(source_->Read(offset, window_));
    bytes_read_ += window_.size();
  }
  return window_[static_cast<size_t>(offset - window_begin_)];
}

base::Result<uint64_t> WireReader::Varint(Range& range) {
  uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (range.begin == range.end) {
      return base::Err("ONNX: a number at byte ", range.begin, " is cut off");
    }
    const uint8_t byte = TRY(Byte(range.begin));
    if (shift == 63 && byte > 1) break;
    ++range.begin;
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return base::Err("ONNX: the number at byte ", range.begin, " has more than 64 bits");
}

base::Result<uint64_t> WireReader::Fixed(Range& range, size_t size) {
  if (range.size() < size) {
    return base::Err("ONNX: ", range.size(), " bytes are left at byte ", range.begin, ", expected ",
                     size);
  }
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) {
    value |= uint64_t{TRY(Byte(range.begin + i))} << (8 * i);
  }
  range.begin += size;
  return value;
}

base::Result<bool> WireReader::Next(Range& message, Field& field) {
  if (message.begin == message.end) return false;
  if (++fields_ > kFieldsMax) {
    return base::Err("ONNX: the file has more than ", kFieldsMax, " fields");
  }
  const uint64_t at = message.begin;
  const uint64_t key = TRY(Varint(message));
  const uint64_t number = key >> 3;
  if (number == 0 || number >= (1u << 29)) {
    return base::Err("ONNX: field number ", number, " at byte ", at, ", expected 1 to 536870911");
  }
  field = {static_cast<uint32_t>(number), static_cast<WireType>(key & 7), 0, {}};
  switch (field.type) {
    case WireType::kVarint:
      field.value = TRY(Varint(message));
      return true;
    case WireType::kFixed64:
      field.value = TRY(Fixed(message, 8));
      return true;
    case WireType::kFixed32:
      field.value = TRY(Fixed(message, 4));
      return true;
    case WireType::kBytes: {
      const uint64_t size = TRY(Varint(message));
      if (size > message.size()) {
        return base::Err("ONNX: field ", number, " at byte ", at, " claims ", size,
                         " bytes, but only ", message.size(), " follow");
      }
      field.bytes = {message.begin, message.begin + size};
      message.begin += size;
      return true;
    }
  }
  return base::Err("ONNX: wire type ", key & 7, " at byte ", at, ", expected 0, 1, 2 or 5");
}

base::Result<std::string> WireReader::Text(Range range, size_t bytes_max, std::string_view what) {
  if (range.size() > bytes_max) {
    return base::Err("ONNX: ", what, " at byte ", range.begin, " has ", range.size(),
                     " bytes, expected at most ", bytes_max);
  }
  std::string text(static_cast<size_t>(range.size()), '\0');
  for (size_t i = 0; i < text.size(); ++i) {
    text[i] = static_cast<char>(TRY(Byte(range.begin + i)));
  }
  return text;
}

}  // namespace gpt2::onnx
