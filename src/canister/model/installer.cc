#include "canister/model/installer.h"

#include <algorithm>

#include "base/hex.h"

namespace model {

using base::Err;
using base::Result;
using base::Status;

Result<std::string> ReadWhole(const store::Store& store, const std::string& name,
                              uint64_t bytes_max) {
  const uint64_t size = store.Size(name);
  if (size == 0) return Err("no ", name, " bytes were uploaded");
  if (size > bytes_max) {
    return Err(name, " has ", size, " bytes, at most ", bytes_max, " are taken");
  }
  std::string text(static_cast<size_t>(size), '\0');
  TRY_STATUS(store.Read(name, 0, {reinterpret_cast<uint8_t*>(text.data()), text.size()}));
  return text;
}

namespace {

bool IsPacked(const store::Store& store, const std::string& name) {
  uint8_t magic[8];
  return store.Size(name) >= sizeof(magic) && store.Read(name, 0, magic).has_value() &&
         std::memcmp(magic, "gpt2pack", sizeof(magic)) == 0;
}

}  // namespace

Result<std::unique_ptr<Installer>> Installer::Begin(store::Store& store,
                                                    const std::string& config_file,
                                                    const std::string& weights_file,
                                                    const base::Bytes& sha256) {
  if (store.Size(weights_file) == 0) return Err("no ", weights_file, " bytes were uploaded");
  std::unique_ptr<Installer> out(new Installer(store, config_file, weights_file));
  out->sha256_ = sha256;
  TRY_STATUS(store.Remove(kNextModelFile));
  out->source_ = std::make_unique<StoreSource>(store, weights_file);
  out->packed_ = IsPacked(store, weights_file);
  if (out->packed_) {
    uint8_t header[gpt2::kPackedHeaderBytes] = {};
    TRY_STATUS(out->source_->Read(0, header));
    TRY(gpt2::ParsePackedHeader(header, out->source_->size()));
    return out;
  }
  out->sink_ = std::make_unique<StoreSink>(store, kNextModelFile);
  if (gpt2::LooksLikeOnnx(*out->source_)) {
    out->onnx_.emplace(*out->source_);
    return out;
  }
  const std::string json = TRY(ReadWhole(store, config_file, gpt2::kConfigBytesMax));
  const gpt2::Config config = TRY(gpt2::ParseConfig(json));
  out->packer_ =
      TRY(gpt2::Packer::Open(config.hparams, gpt2::PackedMode::kInt8, *out->source_, *out->sink_));
  return out;
}

Result<bool> Installer::HashStep(const std::string& file, base::Sha256Digest* out) {
  const uint64_t size = store_.Size(file);
  base::Bytes piece(static_cast<size_t>(std::min(kHashBytes, size - hashed_)));
  TRY_STATUS(store_.Read(file, hashed_, piece));
  sha_.Update(piece);
  hashed_ += piece.size();
  if (hashed_ < size) return false;
  *out = sha_.Finish();
  sha_ = {};
  hashed_ = 0;
  return true;
}

Status Installer::CheckSourceHash() const {
  if (sha256_.empty() || std::ranges::equal(sha256_, source_hash_)) return {};
  return Err("the sha-256 of the uploaded file is ", base::ToHex(source_hash_), ", expected ",
             base::ToHex(sha256_));
}

// The graph says everything that config.json would.
Status Installer::ReadStep() {
  if (!TRY(onnx_->Step())) return {};
  gpt2::OnnxModel found = onnx_->Take();
  onnx_.reset();
  packer_ = TRY(gpt2::Packer::Open(found.hparams, gpt2::PackedMode::kInt8, std::move(found.tensors),
                                   *source_, *sink_));
  stage_ = Stage::kPack;
  return {};
}

Result<bool> Installer::Step() {
  switch (stage_) {
    case Stage::kHashSource:
      if (!TRY(HashStep(weights_file_, &source_hash_))) break;
      TRY_STATUS(CheckSourceHash());
      stage_ = packed_ ? Stage::kLoad : onnx_ ? Stage::kRead : Stage::kPack;
      if (packed_) {
        hash_ = source_hash_;
        TRY_STATUS(store_.Copy(weights_file_, kNextModelFile));
      }
      break;
    case Stage::kRead:
      TRY_STATUS(ReadStep());
      break;
    case Stage::kPack:
      if (!TRY(packer_->Step())) break;
      packer_.reset();
      stage_ = Stage::kHash;
      break;
    case Stage::kHash:
      if (TRY(HashStep(kNextModelFile, &hash_))) stage_ = Stage::kLoad;
      break;
    case Stage::kLoad: {
      StoreSource source(store_, kNextModelFile);
      model_ = std::make_unique<EngineModel>(TRY(EngineModel::Load(source)));
      stage_ = Stage::kMeasure;
      break;
    }
    case Stage::kMeasure:
      rates_ = MeasureRates(*model_);
      stage_ = Stage::kDone;
      break;
    case Stage::kDone:
      break;
  }
  return stage_ == Stage::kDone;
}

uint64_t Installer::StepCost() const {
  if (stage_ == Stage::kMeasure) return MeasureCost(*model_) + kStepInstructions;
  if (stage_ != Stage::kLoad) return kStepInstructions;
  return store_.Size(kNextModelFile) * 7 + kStepInstructions;
}

// By what the stages of a float32 file cost: 80 instructions a byte for hashing, 10 a weight.
uint32_t Installer::percent() const {
  const uint64_t source = source_->size(),
                 next = std::max<uint64_t>(1, store_.Size(kNextModelFile));
  switch (stage_) {
    case Stage::kHashSource:
      return static_cast<uint32_t>(hashed_ * (packed_ ? 98 : 70) / source);
    case Stage::kRead:
      return 70;
    case Stage::kPack:
      return static_cast<uint32_t>(70 + packer_->bytes_done() * 10 / packer_->file_bytes());
    case Stage::kHash:
      return static_cast<uint32_t>(80 + hashed_ * 18 / next);
    case Stage::kLoad:
    case Stage::kMeasure:
      return 99;
    case Stage::kDone:
      break;
  }
  return 100;
}

}  // namespace model
