// For tests only: files in memory, and safetensors files taken apart and put together.
#ifndef GPT2IC_GPT2_TEST_SUPPORT_H_
#define GPT2IC_GPT2_TEST_SUPPORT_H_

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/check.h"
#include "gpt2/byte_source.h"
#include "gpt2/import/config.h"
#include "gpt2/import/loader.h"
#include "gpt2/import/tensor_names.h"
#include "gpt2/model/model.h"

namespace gpt2 {

inline constexpr const char* kTinyDir = "tests/data/gpt2-tiny/";

inline std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  CHECK(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::string bytes) : bytes_(std::move(bytes)) {}
  uint64_t size() const override { return bytes_.size(); }
  base::Status Read(uint64_t offset, std::span<uint8_t> out) override {
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset) return base::Err("past end");
    std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return {};
  }

 private:
  std::string bytes_;
};

class MemorySink : public ByteSink {
 public:
  base::Status Write(base::ByteSpan bytes) override {
    bytes_ += base::AsText(bytes);
    return {};
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

struct FileTensor {
  std::string name, dtype;
  std::vector<uint64_t> shape;
  std::string bytes;
};

// A file whose header is `header` as it stands.
inline std::string SafetensorsOf(const std::string& header, const std::string& data) {
  const uint64_t size = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &size, 8);
  return file + header + data;
}

inline std::string SafetensorsOf(const std::vector<FileTensor>& tensors) {
  std::string header = "{", data;
  for (const FileTensor& t : tensors) {
    if (header.size() > 1) header += ",";
    const uint64_t end = data.size() + t.bytes.size();
    header +=
        base::StrCat("\"", t.name, "\":{\"dtype\":\"", t.dtype, "\",\"shape\":", ShapeText(t.shape),
                     ",\"data_offsets\":[", data.size(), ",", end, "]}");
    data += t.bytes;
  }
  return SafetensorsOf(header + "}", data);
}

inline std::vector<FileTensor> TensorsOf(const std::string& file) {
  MemorySource source(file);
  std::vector<FileTensor> tensors;
  for (const TensorEntry& e : ReadSafetensorsHeader(source).value()) {
    tensors.push_back({e.name, e.dtype, e.shape, file.substr(e.begin, e.bytes())});
  }
  return tensors;
}

inline std::vector<FileTensor> TinyTensors() {
  return TensorsOf(ReadText(std::string(kTinyDir) + "model.safetensors"));
}

inline Hparams TinyHparams() {
  return ParseConfig(ReadText(std::string(kTinyDir) + "config.json")).value().hparams;
}

inline base::Result<Weights> LoadWeights(const Hparams& hparams, const std::string& file) {
  MemorySource source(file);
  auto loader = TRY(SafetensorsLoader::Open(hparams, source));
  while (!TRY(loader.Step())) {
  }
  CHECK(loader.bytes_done() == loader.bytes_total());
  return loader.Take();
}

inline Model TinyModel() {
  const std::string file = ReadText(std::string(kTinyDir) + "model.safetensors");
  return Model(TinyHparams(), LoadWeights(TinyHparams(), file).value());
}

}  // namespace gpt2

#endif  // GPT2IC_GPT2_TEST_SUPPORT_H_
