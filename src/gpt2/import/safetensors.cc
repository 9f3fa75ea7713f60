#include "gpt2/import/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "gpt2/import/json_scanner.h"
#include "gpt2/import/tensor_names.h"

namespace gpt2 {
namespace {

using Kind = JsonScanner::Kind;

constexpr size_t kDimensionsMax = 16;

base::Result<std::string> HeaderText(ByteSource& source) {
  if (source.size() < 8) {
    return base::Err("file has ", source.size(),
                     " bytes, expected at least the 8 of a header size");
  }
  uint8_t raw[8];
  TRY_STATUS(source.Read(0, raw));
  uint64_t size;
  std::memcpy(&size, raw, 8);
  if (size > kHeaderBytesMax) {
    return base::Err("header size is ", size, ", expected at most ", kHeaderBytesMax);
  }
  if (size > source.size() - 8) {
    return base::Err("header size is ", size, ", but only ", source.size() - 8, " bytes follow");
  }
  std::string text(static_cast<size_t>(size), '\0');
  TRY_STATUS(source.Read(8, {reinterpret_cast<uint8_t*>(text.data()), text.size()}));
  return text;
}

base::Result<std::vector<uint64_t>> UintList(JsonScanner& scanner, const std::string& what) {
  if (TRY(scanner.Next()) != Kind::kBeginArray) return base::Err(what, " is not a list");
  std::vector<uint64_t> list;
  while (true) {
    const Kind kind = TRY(scanner.Next());
    if (kind == Kind::kEndArray) return list;
    if (kind != Kind::kNumber) return base::Err(what, " holds something that is no number");
    if (list.size() == kDimensionsMax) {
      return base::Err(what, " has more than ", kDimensionsMax, " numbers");
    }
    list.push_back(TRY(JsonUint(scanner.text(), what)));
  }
}

// Which fields of an entry were there.
struct Seen {
  bool dtype = false, shape = false, data_offsets = false;
};

base::Status TakeField(JsonScanner& scanner, const std::string& tensor, TensorEntry& entry,
                       Seen& seen) {
  const std::string key = scanner.text();
  const auto once = [&](bool& flag) -> base::Status {
    if (flag) return base::Err(tensor, ": ", key, " is there twice");
    flag = true;
    return {};
  };
  if (key == "dtype") {
    TRY_STATUS(once(seen.dtype));
    if (TRY(scanner.Next()) != Kind::kString) return base::Err(tensor, ": dtype is not a string");
    entry.dtype = scanner.text();
    return {};
  }
  if (key == "shape") {
    TRY_STATUS(once(seen.shape));
    entry.shape = TRY(UintList(scanner, tensor + ": shape"));
    return {};
  }
  if (key == "data_offsets") {
    TRY_STATUS(once(seen.data_offsets));
    const auto offsets = TRY(UintList(scanner, tensor + ": data_offsets"));
    if (offsets.size() != 2) {
      return base::Err(tensor, ": data_offsets has ", offsets.size(), " numbers, expected 2");
    }
    entry.begin = offsets[0];
    entry.end = offsets[1];
    return {};
  }
  return base::Err(tensor, ": unknown key ", base::Printable(key),
                   ", expected dtype, shape and data_offsets");
}

base::Result<TensorEntry> Entry(JsonScanner& scanner, std::string name) {
  const std::string tensor = base::StrCat("tensor ", base::Printable(name, 100));
  TensorEntry entry{.name = std::move(name), .dtype = {}, .shape = {}};
  if (TRY(scanner.Next()) != Kind::kBeginObject) return base::Err(tensor, " is not an object");
  Seen seen;
  while (TRY(scanner.Next()) == Kind::kKey) {
    TRY_STATUS(TakeField(scanner, tensor, entry, seen));
  }
  if (!seen.dtype) return base::Err(tensor, ": dtype is missing");
  if (!seen.shape) return base::Err(tensor, ": shape is missing");
  if (!seen.data_offsets) return base::Err(tensor, ": data_offsets is missing");
  return entry;
}

base::Result<std::vector<TensorEntry>> Entries(JsonScanner& scanner) {
  if (TRY(scanner.Next()) != Kind::kBeginObject) return base::Err("header is not an object");
  std::vector<TensorEntry> entries;
  while (TRY(scanner.Next()) == Kind::kKey) {
    std::string name = scanner.text();
    if (name == "__metadata__") {
      TRY_STATUS(scanner.SkipValue(TRY(scanner.Next())));
    } else {
      entries.push_back(TRY(Entry(scanner, std::move(name))));
    }
  }
  TRY(scanner.Next());  // nothing may follow
  return entries;
}

// Bytes that shape and dtype ask for; Err if that is 2^64 or more.
base::Result<uint64_t> BytesOf(const TensorEntry& entry, const std::string& tensor) {
  uint64_t bytes = DtypeBytes(entry.dtype);
  if (std::ranges::find(entry.shape, 0u) != entry.shape.end()) return 0;
  for (const uint64_t size : entry.shape) {
    if (__builtin_mul_overflow(bytes, size, &bytes)) {
      return base::Err(tensor, ": shape ", ShapeText(entry.shape), " overflows 64 bits");
    }
  }
  return bytes;
}

// Checks the offsets and makes them positions in the file.
base::Status Place(TensorEntry& entry, uint64_t data_begin, uint64_t data_bytes) {
  const std::string tensor = base::StrCat("tensor ", base::Printable(entry.name, 100));
  if (entry.begin > entry.end || entry.end > data_bytes) {
    return base::Err(tensor, ": data_offsets are [", entry.begin, ", ", entry.end,
                     "], expected a range within the ", data_bytes, " bytes of data");
  }
  const uint64_t expected = TRY(BytesOf(entry, tensor));
  if (DtypeBytes(entry.dtype) != 0 && entry.bytes() != expected) {
    return base::Err(tensor, ": data_offsets hold ", entry.bytes(), " bytes, expected ", expected,
                     " for ", base::Printable(entry.dtype), " ", ShapeText(entry.shape));
  }
  entry.begin += data_begin;
  entry.end += data_begin;
  return {};
}

base::Status CheckDoubled(const std::vector<TensorEntry>& entries) {
  std::vector<std::string_view> names;
  for (const TensorEntry& entry : entries) names.push_back(entry.name);
  std::ranges::sort(names);
  const auto doubled = std::ranges::adjacent_find(names);
  if (doubled == names.end()) return {};
  return base::Err("tensor ", base::Printable(*doubled, 100), " is there twice");
}

base::Status CheckOverlap(const std::vector<TensorEntry>& sorted) {
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i].begin >= sorted[i - 1].end) continue;
    return base::Err("tensor ", base::Printable(sorted[i].name, 100), " at byte ", sorted[i].begin,
                     " overlaps tensor ", base::Printable(sorted[i - 1].name, 100),
                     ", which ends at byte ", sorted[i - 1].end);
  }
  return {};
}

// Every number of half precision is one of single precision. The exponent is moved by a
// multiplication, which is exact and makes subnormals right as well.
float HalfToFloat(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16;
  const uint32_t magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00) return std::bit_cast<float>(sign | 0x7f800000u | (magnitude << 13));
  const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(scaled));
}

float Bfloat16ToFloat(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

template <class Convert>
void DecodeHalves(base::ByteSpan bytes, std::span<float> out, Convert convert) {
  for (size_t i = 0; i < out.size(); ++i) {
    uint16_t raw;
    std::memcpy(&raw, bytes.data() + 2 * i, 2);
    out[i] = convert(raw);
  }
}

}  // namespace

base::Result<std::vector<TensorEntry>> ReadSafetensorsHeader(ByteSource& source) {
  const std::string text = TRY(HeaderText(source));
  JsonScanner scanner(text);
  auto entries = Entries(scanner);
  if (!entries) return base::Err("header: ", entries.error().message);
  const uint64_t data_begin = 8 + text.size();
  for (TensorEntry& entry : *entries) {
    TRY_STATUS(Place(entry, data_begin, source.size() - data_begin));
  }
  TRY_STATUS(CheckDoubled(*entries));
  std::ranges::sort(*entries, {},
                    [](const TensorEntry& entry) { return std::pair(entry.begin, entry.end); });
  TRY_STATUS(CheckOverlap(*entries));
  return entries;
}

uint64_t DtypeBytes(std::string_view dtype) {
  for (const std::string_view name : {"BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"}) {
    if (dtype == name) return 1;
  }
  for (const std::string_view name : {"F16", "BF16", "I16", "U16"}) {
    if (dtype == name) return 2;
  }
  for (const std::string_view name : {"F32", "I32", "U32"}) {
    if (dtype == name) return 4;
  }
  for (const std::string_view name : {"F64", "I64", "U64"}) {
    if (dtype == name) return 8;
  }
  return 0;
}

std::optional<Dtype> FloatDtype(std::string_view dtype) {
  if (dtype == "F32") return Dtype::kF32;
  if (dtype == "F16") return Dtype::kF16;
  if (dtype == "BF16") return Dtype::kBf16;
  return std::nullopt;
}

void DecodeFloats(base::ByteSpan bytes, Dtype dtype, std::span<float> out) {
  switch (dtype) {
    case Dtype::kF32:
      CHECK(bytes.size() == out.size_bytes());
      std::memcpy(out.data(), bytes.data(), bytes.size());
      return;
    case Dtype::kF16:
      CHECK(bytes.size() == out.size() * 2);
      return DecodeHalves(bytes, out, HalfToFloat);
    case Dtype::kBf16:
      CHECK(bytes.size() == out.size() * 2);
      return DecodeHalves(bytes, out, Bfloat16ToFloat);
  }
}

}  // namespace gpt2
