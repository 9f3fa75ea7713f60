#ifndef GPT2IC_RUNTIME_ENGINE_PAGED_REGION_H_
#define GPT2IC_RUNTIME_ENGINE_PAGED_REGION_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "runtime/state/storage.h"

namespace runtime {

inline constexpr uint64_t kPageBytes = 65536;                    // a Wasm page
inline constexpr uint64_t kHeapGuardBytes = uint64_t{32} << 20;  // what compiled code relies on

// What touching pages costs one message execution, and how much it has cost so far.
struct PageMeter {
  uint64_t overhead = 80'000;       // instructions per event (16 OS pages x 5,000)
  bool charge_writes = true;        // off where the IC does not track dirty pages (queries)
  int64_t* charged_word = nullptr;  // the meter word that wasm compares with; null: none
  uint64_t charged = 0;             // sum of all charges of this execution
};

struct PageCounts {
  uint64_t touched = 0, written = 0;
  bool operator==(const PageCounts&) const = default;
};

// A canister's heap or stable memory: pages of 64 KiB in an address range of their own.
//
// One mechanism serves three purposes: page charges, rollback, and knowing what a commit changed.
// Between executions no page is accessible. The first read or write of a page in an execution
// faults; the handler charges it, keeps the page's old content where it is written for the first
// time since the last commit, and opens it. So the cost of a message is in proportion to the pages
// it touches, not to the memory held. (A private file mapping would also do, but copies page by
// page in the kernel at the first write and again at the commit.) A page that was never written is
// known to be zero and is not copied: a fault costs about 2 us, with the copy 10 us.
//
// A region that was loaded from a Storage reads its pages from there at their first use.
//
// Not thread-safe; one execution at a time.
class PagedRegion {
 public:
  // Reserves address space only. bytes_max is the size it can grow to; `guard_bytes` behind it stay
  // inaccessible.
  static base::Result<std::unique_ptr<PagedRegion>> Create(uint64_t bytes_max,
                                                           uint64_t guard_bytes);
  ~PagedRegion();
  PagedRegion(const PagedRegion&) = delete;
  PagedRegion& operator=(const PagedRegion&) = delete;

  uint8_t* base() const { return base_; }
  uint64_t pages() const { return pages_; }
  uint64_t bytes() const { return pages_ * kPageBytes; }
  uint64_t bytes_max() const { return bytes_max_; }

  // New pages are zero and untouched. False beyond bytes_max.
  bool Grow(uint64_t pages_more);

  // From here to EndExecution this thread's faults in the region are handled and charged to
  // `meter`.
  void BeginExecution(PageMeter* meter);
  PageCounts EndExecution();

  // Opens a page without charging for it, as the host's own bookkeeping does; within an execution.
  void TouchUncharged(uint64_t page);

  // Ends a transaction, which may span several executions: keeps or undoes all writes and growth
  // since the last one. Commit returns the pages written since then, in no order.
  std::vector<uint64_t> Commit();
  void Rollback();

  // What has been written since the last commit, taken away: afterwards the content is the
  // committed one. RestoreChanges undoes what was written since and puts it back.
  struct Changes {
    uint64_t pages = 0;
    std::vector<std::pair<uint64_t, base::Bytes>> written;
  };
  Changes TakeChanges();
  void RestoreChanges(const Changes& changes);

  // Access by the host between executions.
  void Read(uint64_t offset, std::span<uint8_t> out) const;
  void Write(uint64_t offset, base::ByteSpan bytes);  // part of the current transaction

  // ---- on disk ----
  // 0 until the region has been stored for the first time.
  RegionId stored_as() const { return stored_as_; }
  void SetStoredAs(RegionId id) { stored_as_ = id; }
  // Pages whose committed content differs from what was stored last; afterwards there are none.
  // Requires: no transaction is open.
  std::vector<uint64_t> TakeUnstored();
  // A new region of `pages` pages whose content is what `storage` has as `id`. The storage must
  // outlive the region.
  void LoadFrom(Storage& storage, RegionId id, uint64_t pages);

  // Called by the signal handler. False when the address is not a page of this region that is
  // waiting to be opened.
  bool HandleFault(uintptr_t address, bool is_write);

 private:
  struct Saved {
    uint64_t page;
    uint8_t* content;  // null: it was zero
  };
  // kNonzero: may hold something; kOnDisk: its content is not in memory yet.
  enum : uint8_t {
    kRead = 1,
    kWritten = 2,
    kSaved = 4,
    kNonzero = 8,
    kUnstored = 16,
    kOnDisk = 32
  };

  PagedRegion(uint8_t* base, uint64_t bytes_max, uint64_t reserved)
      : base_(base), bytes_max_(bytes_max), reserved_(reserved) {}
  uint8_t* PageAddress(uint64_t page) const { return base_ + page * kPageBytes; }
  void Save(uint64_t page);
  bool Fetch(uint64_t page);
  void FetchRange(uint64_t first, uint64_t last) const;
  bool Open(uint64_t page, bool is_write, bool charged);
  void Charge();
  uint8_t* NewSlot();
  void EndTransaction();

  uint8_t* base_;
  uint64_t bytes_max_, reserved_;
  uint64_t pages_ = 0;
  uint64_t committed_pages_ = 0;
  std::vector<uint8_t> flags_;   // per page
  std::vector<uint64_t> open_;   // pages opened in this execution
  std::vector<Saved> saved_;     // since the last commit
  std::vector<uint8_t*> arena_;  // chunks for saved contents
  uint64_t slots_used_ = 0;
  std::vector<uint64_t> unstored_;
  PageMeter* meter_ = nullptr;
  PageCounts counts_;
  Storage* storage_ = nullptr;
  RegionId stored_as_ = 0;
};

// Installs the signal handler that serves regions in execution on this thread; what is not theirs
// goes to the handler that was there before. Call after the engine has been made. Idempotent.
void InstallFaultHandler();

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_ENGINE_PAGED_REGION_H_
