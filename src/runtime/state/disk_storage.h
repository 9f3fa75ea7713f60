#ifndef GPT2IC_RUNTIME_STATE_DISK_STORAGE_H_
#define GPT2IC_RUNTIME_STATE_DISK_STORAGE_H_

#include <lmdb.h>

#include <memory>
#include <string>
#include <unordered_map>

#include "runtime/state/storage.h"

namespace runtime {

// A folder with three files:
//   index.mdb   an LMDB database: the records, and for every page the slot that holds it
//   pages.dat   slots of 64 KiB
//   lock        held while a process uses the folder
// A changed page goes into a free slot, never over its old content; then one small LMDB transaction
// makes the new slots the state. So a page is written once, the commit costs in proportion to the
// pages changed, and a process killed anywhere leaves either the old state or the new one. There is
// no fsync: after a loss of power the folder may be damaged.
class DiskStorage : public Storage {
 public:
  // Makes the folder when it is not there. An Error when another process uses it, or it is not
  // ours.
  static base::Result<std::unique_ptr<DiskStorage>> Open(const std::string& folder);
  ~DiskStorage() override;

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
  using Slots = std::unordered_map<uint64_t, uint32_t>;  // page -> slot

  explicit DiskStorage(int lock) : lock_(lock) {}
  base::Status OpenFiles(const std::string& folder);
  base::Status OpenIndex(const std::string& index);
  base::Status LoadSlots();
  void Begin();
  uint32_t NewSlot();

  int lock_ = -1, pages_ = -1;
  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
  MDB_txn* txn_ = nullptr;  // the open transaction, if something was changed since the last commit
  std::unordered_map<RegionId, Slots> slots_;
  std::vector<uint32_t> free_, freed_;  // freed_: free once the transaction is committed
  uint32_t slot_count_ = 0;
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_STATE_DISK_STORAGE_H_
