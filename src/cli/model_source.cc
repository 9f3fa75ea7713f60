#include "cli/model_source.h"

#include <cstring>
#include <filesystem>

#include "cli/command.h"
#include "cli/local.h"
#include "cli/native_model.h"
#include "gpt2/import/config.h"
#include "gpt2/import/loader.h"
#include "gpt2/import/onnx/onnx.h"
#include "gpt2/memory_file.h"
#include "gpt2/packed/packer.h"

namespace cli {
namespace {

namespace fs = std::filesystem;

// What the packer writes, hashed on the way and read back as a file.
class PackedMemory : public gpt2::MemoryFile {
 public:
  base::Status Write(base::ByteSpan bytes) override {
    hash_.Update(bytes);
    return MemoryFile::Write(bytes);
  }
  base::Sha256Digest hash() const { return hash_.Finish(); }

 private:
  base::Sha256 hash_;
};

base::Result<bool> IsPacked(FileSource& file) {
  uint8_t magic[8] = {};
  if (file.size() < sizeof(magic)) return false;
  TRY_STATUS(file.Read(0, magic));
  return std::memcmp(magic, "gpt2pack", sizeof(magic)) == 0;
}

// A packed file, read into memory through its hash.
base::Result<PackedMemory> ReadPacked(FileSource& file) {
  PackedMemory out;
  out.Reserve(file.size());
  constexpr uint64_t kPiece = 1 << 22;
  base::Bytes piece;
  for (uint64_t at = 0; at < file.size(); at += piece.size()) {
    piece.resize(std::min(kPiece, file.size() - at));
    TRY_STATUS(file.Read(at, piece));
    TRY_STATUS(out.Write(piece));
  }
  return out;
}

base::Result<PackedMemory> Packed(const ModelSource& source, gpt2::PackedMode mode) {
  PackedMemory out;
  auto packer = TRY(gpt2::Packer::Open(source.hparams, mode, source.tensors, *source.file, out));
  out.Reserve(packer.file_bytes());
  Progress progress("packing", packer.file_bytes());
  while (!TRY(packer.Step())) progress.Set(packer.bytes_done());
  return out;
}

base::Result<std::optional<gpt2::Tokenizer>> TokenizerBeside(const fs::path& path) {
  const fs::path folder = fs::is_directory(path) ? path : path.parent_path();
  const bool there = fs::exists(folder / "tokenizer.json") ||
                     (fs::exists(folder / "vocab.json") && fs::exists(folder / "merges.txt"));
  if (!there) return std::nullopt;
  return TRY(LoadTokenizer(folder.empty() ? "." : folder.string()));
}

}  // namespace

base::Result<ModelSource> FindModel(const std::string& model) {
  fs::path path = model;
  if (fs::is_directory(path)) path /= "model.safetensors";
  auto file = TRY(FileSource::Open(path.string()));
  if (gpt2::LooksLikeOnnx(*file)) {
    gpt2::OnnxModel found = TRY(gpt2::ReadOnnx(*file));
    return ModelSource{std::move(file), found.hparams, std::move(found.tensors)};
  }
  const fs::path config = path.parent_path() / "config.json";
  const auto parsed = TRY(gpt2::ParseConfig(TRY(ReadFile(config.string()))));
  gpt2::Weights unused;
  auto tensors = TRY(gpt2::PlanTensors(parsed.hparams, *file, unused));
  return ModelSource{std::move(file), parsed.hparams, std::move(tensors)};
}

base::Result<LoadedModel> LoadModel(const std::string& path, const base::Sha256Digest& wanted) {
  auto tokenizer = TRY(TokenizerBeside(path));
  const auto load = [&](PackedMemory& file) -> base::Result<LoadedModel> {
    return LoadedModel{TRY(gpt2::PackedModel::Load(file)), file.hash(), std::move(tokenizer)};
  };
  if (!fs::is_directory(path)) {
    const auto file = TRY(FileSource::Open(path));
    if (TRY(IsPacked(*file))) {
      PackedMemory packed = TRY(ReadPacked(*file));
      return load(packed);
    }
  }
  const ModelSource source = TRY(FindModel(path));
  PackedMemory packed = TRY(Packed(source, gpt2::PackedMode::kInt8));
  if (packed.hash() != wanted) {
    PackedMemory exact = TRY(Packed(source, gpt2::PackedMode::kExact));
    if (exact.hash() == wanted) return load(exact);
  }
  return load(packed);
}

}  // namespace cli
