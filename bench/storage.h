#ifndef GPT2IC_BENCH_STORAGE_H_
#define GPT2IC_BENCH_STORAGE_H_

#include "gpt2/byte_source.h"

// The two files of the bench canister in its stable memory. Page 0 says how long they are, so that
// they outlive an upgrade.
namespace bench {

enum class File : uint32_t { kSafetensors, kPacked };

class StableFile : public gpt2::ByteSource, public gpt2::ByteSink {
 public:
  explicit StableFile(File file) : file_(file) {}
  uint64_t size() const override;
  base::Status Read(uint64_t offset, std::span<uint8_t> out) override;
  base::Status Write(base::ByteSpan bytes) override;  // at the end
  void Clear();

 private:
  uint64_t Start() const;
  File file_;
};

}  // namespace bench

#endif  // GPT2IC_BENCH_STORAGE_H_
