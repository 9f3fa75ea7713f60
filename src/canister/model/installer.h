#ifndef GPT2IC_CANISTER_MODEL_INSTALLER_H_
#define GPT2IC_CANISTER_MODEL_INSTALLER_H_

#include <memory>
#include <optional>
#include <string>

#include "base/sha256.h"
#include "canister/model/engine.h"
#include "canister/store/store.h"
#include "gpt2/byte_source.h"
#include "gpt2/import/config.h"
#include "gpt2/import/onnx/onnx.h"
#include "gpt2/packed/packer.h"

namespace model {

// A file of the store as the importers want it, and as the packer writes it.
class StoreSource : public gpt2::ByteSource {
 public:
  StoreSource(const store::Store& store, std::string name)
      : store_(store), name_(std::move(name)), size_(store.Size(name_)) {}
  uint64_t size() const override { return size_; }
  base::Status Read(uint64_t offset, std::span<uint8_t> out) override {
    return store_.Read(name_, offset, out);
  }

 private:
  const store::Store& store_;
  std::string name_;
  uint64_t size_;
};

class StoreSink : public gpt2::ByteSink {
 public:
  StoreSink(store::Store& store, std::string name) : store_(store), name_(std::move(name)) {}
  base::Status Write(base::ByteSpan bytes) override { return store_.Append(name_, bytes); }

 private:
  store::Store& store_;
  std::string name_;
};

// From uploaded files to a model in the heap, in steps that a canister spreads over messages:
// hashes the weights as they came (safetensors or ONNX), packs them into the file packed.next and
// hashes that (a packed model is taken as it is), loads it. Nothing that is in use is touched. Does
// not survive an upgrade: then it is begun again.
class Installer {
 public:
  // What a step may cost at most, in instructions, page charges apart: 25 M for packing, 80 a byte
  // for hashing, 3 a byte for loading all at once.
  static constexpr uint64_t kStepInstructions = 400'000'000;
  static constexpr uint64_t kHashBytes = 4 << 20;

  // Err: a config or weights that are not a GPT-2's, with the sentence of the importer. `store`
  // must outlive it. config_file may be empty for a packed model.
  // `sha256`: what the hash of the weights as they came must be; empty: anything.
  static base::Result<std::unique_ptr<Installer>> Begin(store::Store& store,
                                                        const std::string& config_file,
                                                        const std::string& weights_file,
                                                        const base::Bytes& sha256);

  // True when all is done.
  base::Result<bool> Step();
  // What the next step costs at most, page charges included.
  uint64_t StepCost() const;
  uint32_t percent() const;

  const std::string& config_file() const { return config_file_; }
  const std::string& weights_file() const { return weights_file_; }
  const base::Bytes& sha256() const { return sha256_; }
  // Require done.
  const base::Sha256Digest& source_hash() const { return source_hash_; }
  const base::Sha256Digest& hash() const { return hash_; }
  const Rates& rates() const { return rates_; }
  std::unique_ptr<EngineModel> TakeModel() { return std::move(model_); }

 private:
  enum class Stage : uint8_t { kHashSource, kRead, kPack, kHash, kLoad, kMeasure, kDone };

  Installer(store::Store& store, std::string config_file, std::string weights_file)
      : store_(store),
        config_file_(std::move(config_file)),
        weights_file_(std::move(weights_file)) {}
  // Hashes some more of `file`; true when `out` has the hash of all of it.
  base::Result<bool> HashStep(const std::string& file, base::Sha256Digest* out);
  base::Status CheckSourceHash() const;
  base::Status ReadStep();

  store::Store& store_;
  std::string config_file_, weights_file_;
  base::Bytes sha256_;
  bool packed_ = false;  // already, as uploaded
  Stage stage_ = Stage::kHashSource;
  std::unique_ptr<StoreSource> source_;
  std::unique_ptr<StoreSink> sink_;
  std::optional<gpt2::OnnxReader> onnx_;
  std::optional<gpt2::Packer> packer_;
  base::Sha256 sha_;
  uint64_t hashed_ = 0;
  base::Sha256Digest source_hash_{}, hash_{};
  std::unique_ptr<EngineModel> model_;
  Rates rates_;
};

inline constexpr char kNextModelFile[] = "packed.next";
inline constexpr char kModelFile[] = "packed.active";

// The whole content of a small file; an Err when it is empty or has more than bytes_max.
base::Result<std::string> ReadWhole(const store::Store& store, const std::string& name,
                                    uint64_t bytes_max);

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_INSTALLER_H_
