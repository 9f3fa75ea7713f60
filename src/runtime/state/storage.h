#ifndef GPT2IC_RUNTIME_STATE_STORAGE_H_
#define GPT2IC_RUNTIME_STATE_STORAGE_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "base/bytes.h"

namespace runtime {

using RegionId = uint64_t;  // of a canister's heap or stable memory; never given out twice

// Where a network keeps its state over restarts (docs/state.md): small records under keys, and the
// 64 KiB pages of memories. Changes take effect together, at Commit: whatever happens to the
// process, what is found afterwards is the state of the last Commit that returned, or of the one
// under way.
class Storage {
 public:
  virtual ~Storage() = default;

  virtual void Put(base::ByteSpan key, base::ByteSpan value) = 0;
  virtual void Delete(base::ByteSpan key) = 0;
  virtual void PutPage(RegionId region, uint64_t page, const uint8_t* content) = 0;
  virtual void DropRegion(RegionId region) = 0;
  virtual void Commit() = 0;

  // ---- of the committed state ----
  // In the order of the keys; `visit` must not change the storage.
  using Visit = std::function<void(base::ByteSpan key, base::ByteSpan value)>;
  virtual void ForEach(base::ByteSpan prefix, const Visit& visit) = 0;
  virtual base::Bytes Get(base::ByteSpan key) = 0;  // empty when there is none
  virtual std::vector<uint64_t> Pages(RegionId region) = 0;
  // Called from a signal handler: does not allocate. The page exists.
  virtual void ReadPage(RegionId region, uint64_t page, uint8_t* content) = 0;
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_STATE_STORAGE_H_
