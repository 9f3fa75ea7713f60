#ifndef GPT2IC_RUNTIME_STATE_SIMULATED_STORAGE_H_
#define GPT2IC_RUNTIME_STATE_SIMULATED_STORAGE_H_

#include <map>
#include <optional>
#include <utility>

#include "runtime/state/storage.h"

namespace runtime {

// A storage in memory whose process can be made to die at a chosen write. From then on nothing that
// is written counts; Restart() gives the next process what was committed.
class SimulatedStorage : public Storage {
 public:
  // Dies in place of the write with this number, counted from now; 0 is the next one. A Commit
  // counts as a write.
  void CrashAt(uint64_t write) { writes_left_ = write; }
  bool crashed() const { return crashed_; }
  uint64_t writes() const { return writes_; }
  void Restart();

  void Put(base::ByteSpan key, base::ByteSpan value) override;
  void Delete(base::ByteSpan key) override;
  void PutPage(RegionId region, uint64_t page, const uint8_t* content) override;
  void DropRegion(RegionId region) override;
  void Commit() override;

  void ForEach(base::ByteSpan prefix, const Visit& visit) override;
  base::Bytes Get(base::ByteSpan key) override;
  std::vector<uint64_t> Pages(RegionId region) override;
  void ReadPage(RegionId region, uint64_t page, uint8_t* content) override;

 private:
  using PageKey = std::pair<RegionId, uint64_t>;
  struct State {
    std::map<base::Bytes, base::Bytes> records;
    std::map<PageKey, base::Bytes> pages;
  };
  bool Alive();

  State committed_;
  // What the open transaction changes; nothing: deleted.
  std::map<base::Bytes, std::optional<base::Bytes>> records_;
  std::map<PageKey, std::optional<base::Bytes>> pages_;
  uint64_t writes_ = 0, writes_left_ = ~uint64_t{0};
  bool crashed_ = false;
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_STATE_SIMULATED_STORAGE_H_
