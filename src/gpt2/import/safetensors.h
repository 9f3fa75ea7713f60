#ifndef GPT2IC_GPT2_IMPORT_SAFETENSORS_H_
#define GPT2IC_GPT2_IMPORT_SAFETENSORS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gpt2/byte_source.h"

namespace gpt2 {

// The safetensors container: 8 bytes with the size of the header, the header (JSON: name -> dtype,
// shape, data_offsets), the numbers. Format: docs/model-import.md.

inline constexpr uint64_t kHeaderBytesMax = 16 << 20;  // GPT-2 XL's header has 60 KB

enum class Dtype { kF32, kF16, kBf16 };

// One entry of the header. begin and end are positions in the file, not in the data section.
struct TensorEntry {
  std::string name;
  std::string dtype;  // as the file spells it
  std::vector<uint64_t> shape;
  uint64_t begin = 0, end = 0;

  uint64_t bytes() const { return end - begin; }
};

// Reads and checks the header: entries in the order of their data, which lies in the file, does not
// overlap, and has the size that shape and dtype say. An entry of a dtype not known here passes
// without that last check. Err names the tensor.
base::Result<std::vector<TensorEntry>> ReadSafetensorsHeader(ByteSource& source);

// Bytes of one number; 0 for a dtype that is not in the format's list or has no whole bytes.
uint64_t DtypeBytes(std::string_view dtype);

// The dtypes that weights may have; nullopt for others.
std::optional<Dtype> FloatDtype(std::string_view dtype);

// Converts little-endian numbers as they lie in the file, exactly. `bytes` holds out.size() of
// them.
void DecodeFloats(base::ByteSpan bytes, Dtype dtype, std::span<float> out);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_IMPORT_SAFETENSORS_H_
