#include "storage.h"

#include "base/check.h"
#include "canister/sdk/stable.h"

namespace bench {
namespace {

constexpr uint64_t kPage = sdk::kStablePageBytes;

struct Sizes {
  uint64_t bytes[2] = {};
};

Sizes ReadSizes() {
  Sizes sizes;
  if (sdk::StablePages() > 0) {
    sdk::StableRead(0, {reinterpret_cast<uint8_t*>(&sizes), sizeof(sizes)});
  }
  return sizes;
}

void WriteSizes(const Sizes& sizes) {
  CHECK(sdk::StableReserve(1).has_value());
  sdk::StableWrite(0, {reinterpret_cast<const uint8_t*>(&sizes), sizeof(sizes)});
}

}  // namespace

// The packed file lies behind the safetensors file, which is there first if at all.
uint64_t StableFile::Start() const {
  if (file_ == File::kSafetensors) return kPage;
  return kPage + (ReadSizes().bytes[0] + kPage - 1) / kPage * kPage;
}

uint64_t StableFile::size() const { return ReadSizes().bytes[static_cast<uint32_t>(file_)]; }

base::Status StableFile::Read(uint64_t offset, std::span<uint8_t> out) {
  sdk::StableRead(Start() + offset, out);
  return {};
}

base::Status StableFile::Write(base::ByteSpan bytes) {
  Sizes sizes = ReadSizes();
  uint64_t& size = sizes.bytes[static_cast<uint32_t>(file_)];
  const uint64_t end = Start() + size + bytes.size();
  TRY_STATUS(sdk::StableReserve((end + kPage - 1) / kPage));
  sdk::StableWrite(Start() + size, bytes);
  size += bytes.size();
  WriteSizes(sizes);
  return {};
}

void StableFile::Clear() {
  Sizes sizes = ReadSizes();
  sizes.bytes[static_cast<uint32_t>(file_)] = 0;
  WriteSizes(sizes);
}

}  // namespace bench
