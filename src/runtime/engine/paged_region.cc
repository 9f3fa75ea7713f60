#include "runtime/engine/paged_region.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "base/check.h"
#include "runtime/engine/meter.h"

namespace runtime {
namespace {

// The regions in execution on this thread: a heap and a stable memory.
thread_local PagedRegion* g_active[2] = {nullptr, nullptr};

struct sigaction g_previous;

void OnFault(int signal, siginfo_t* info, void* context) {
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  const auto* machine = static_cast<ucontext_t*>(context);
  const bool is_write = (machine->uc_mcontext.gregs[REG_ERR] & 2) != 0;
  for (PagedRegion* region : g_active) {
    if (region != nullptr && region->HandleFault(address, is_write)) return;
  }
  if (Meter::HandleFault(address)) return;
  if (g_previous.sa_flags & SA_SIGINFO) {
    g_previous.sa_sigaction(signal, info, context);
  } else {
    ::signal(signal, SIG_DFL);  // returning runs into the same fault again, which then ends us
  }
}

constexpr uint64_t kSlotsPerChunk = 64;  // 4 MiB

}  // namespace

void InstallFaultHandler() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action = {};
    action.sa_sigaction = OnFault;
    action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    CHECK(sigaction(SIGSEGV, &action, &g_previous) == 0);
  });
}

base::Result<std::unique_ptr<PagedRegion>> PagedRegion::Create(uint64_t bytes_max,
                                                               uint64_t guard_bytes) {
  // Compiled code checks no bounds below 4 GiB, and the engine takes every fault in that range as
  // this memory's; a region with a guard is such a memory, however small it is to stay.
  const uint64_t addressed = guard_bytes == 0 ? bytes_max : std::max(bytes_max, uint64_t{4} << 30);
  const uint64_t reserved = addressed + guard_bytes;
  void* base =
      mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) {
    return base::Err("no address space left for a memory of ", bytes_max, " bytes");
  }
  return std::unique_ptr<PagedRegion>(
      new PagedRegion(static_cast<uint8_t*>(base), bytes_max, reserved));
}

PagedRegion::~PagedRegion() {
  munmap(base_, reserved_);
  for (uint8_t* chunk : arena_) munmap(chunk, kSlotsPerChunk * kPageBytes);
}

bool PagedRegion::Grow(uint64_t pages_more) {
  if (pages_more > bytes_max_ / kPageBytes - pages_) return false;
  pages_ += pages_more;
  flags_.resize(pages_);
  return true;
}

void PagedRegion::BeginExecution(PageMeter* meter) {
  CHECK(meter_ == nullptr);
  meter_ = meter;
  counts_ = {};
  PagedRegion*& free_slot = g_active[0] == nullptr ? g_active[0] : g_active[1];
  CHECK(free_slot == nullptr);
  free_slot = this;
}

PageCounts PagedRegion::EndExecution() {
  for (PagedRegion*& active : g_active) {
    if (active == this) active = nullptr;
  }
  meter_ = nullptr;
  if (!open_.empty()) {
    const auto [first, last] = std::ranges::minmax(open_);
    CHECK(mprotect(PageAddress(first), (last - first + 1) * kPageBytes, PROT_NONE) == 0);
    for (const uint64_t page : open_) flags_[page] &= ~(kRead | kWritten);
    open_.clear();
  }
  return counts_;
}

void PagedRegion::Charge() {
  meter_->charged += meter_->overhead;
  if (meter_->charged_word != nullptr) *meter_->charged_word += meter_->overhead;
}

uint8_t* PagedRegion::NewSlot() {
  if (slots_used_ == arena_.size() * kSlotsPerChunk) {
    void* chunk = mmap(nullptr, kSlotsPerChunk * kPageBytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(chunk != MAP_FAILED);
    arena_.push_back(static_cast<uint8_t*>(chunk));
  }
  const uint64_t slot = slots_used_++;
  return arena_[slot / kSlotsPerChunk] + slot % kSlotsPerChunk * kPageBytes;
}

// Brings the page in from the storage. Leaves it accessible.
bool PagedRegion::Fetch(uint64_t page) {
  if (mprotect(PageAddress(page), kPageBytes, PROT_READ | PROT_WRITE) != 0) return false;
  storage_->ReadPage(stored_as_, page, PageAddress(page));
  flags_[page] = (flags_[page] & ~kOnDisk) | kNonzero;
  return true;
}

// For the host's accesses; `const` as the content does not change.
void PagedRegion::FetchRange(uint64_t first, uint64_t last) const {
  auto* self = const_cast<PagedRegion*>(this);
  for (uint64_t page = first; page <= last; ++page) {
    if (flags_[page] & kOnDisk) CHECK(self->Fetch(page));
  }
}

// The page is readable.
void PagedRegion::Save(uint64_t page) {
  if (flags_[page] & kSaved) return;
  uint8_t* content = nullptr;
  if (flags_[page] & kNonzero) {
    content = NewSlot();
    std::memcpy(content, PageAddress(page), kPageBytes);
  }
  saved_.push_back({page, content});
  flags_[page] |= kSaved | kNonzero;
}

bool PagedRegion::Open(uint64_t page, bool is_write, bool charged) {
  uint8_t& flags = flags_[page];
  const bool first_touch = (flags & (kRead | kWritten)) == 0;
  const int protection = is_write ? PROT_READ | PROT_WRITE : PROT_READ;
  if ((flags & kOnDisk) && !Fetch(page)) return false;
  // Fails when the kernel's limit on mappings is reached: tens of thousands of separate runs.
  if (mprotect(PageAddress(page), kPageBytes, protection) != 0) return false;
  if (first_touch) open_.push_back(page);
  if (is_write) Save(page);
  flags |= is_write ? kWritten : kRead;
  if (charged) {
    if (first_touch) Charge();
    if (is_write && meter_->charge_writes) Charge();
  }
  counts_.touched += first_touch;
  counts_.written += is_write;
  return true;
}

bool PagedRegion::HandleFault(uintptr_t address, bool is_write) {
  const uintptr_t offset = address - reinterpret_cast<uintptr_t>(base_);
  const uint64_t page = offset / kPageBytes;
  if (page >= pages_) return false;  // also when the address is below the base
  if (flags_[page] & (is_write ? kWritten : (kRead | kWritten))) return false;
  return Open(page, is_write, true);
}

void PagedRegion::TouchUncharged(uint64_t page) {
  if ((flags_[page] & (kRead | kWritten)) == 0) CHECK(Open(page, false, false));
}

std::vector<uint64_t> PagedRegion::Commit() {
  std::vector<uint64_t> pages;
  pages.reserve(saved_.size());
  for (const Saved& saved : saved_) {
    if (!(flags_[saved.page] & kUnstored)) unstored_.push_back(saved.page);
    flags_[saved.page] = (flags_[saved.page] & ~kSaved) | kUnstored;
    pages.push_back(saved.page);
  }
  committed_pages_ = pages_;
  EndTransaction();
  return pages;
}

void PagedRegion::Rollback() {
  for (const Saved& saved : saved_) {
    uint8_t* const address = PageAddress(saved.page);
    if (saved.content == nullptr) {
      CHECK(madvise(address, kPageBytes, MADV_DONTNEED) == 0);
      flags_[saved.page] &= ~(kSaved | kNonzero);
      continue;
    }
    CHECK(mprotect(address, kPageBytes, PROT_READ | PROT_WRITE) == 0);
    std::memcpy(address, saved.content, kPageBytes);
    CHECK(mprotect(address, kPageBytes, PROT_NONE) == 0);
    flags_[saved.page] &= ~kSaved;
  }
  pages_ = committed_pages_;
  flags_.resize(pages_);
  EndTransaction();
}

PagedRegion::Changes PagedRegion::TakeChanges() {
  Changes changes{pages_, {}};
  for (const Saved& saved : saved_) {
    base::Bytes content(kPageBytes);
    Read(saved.page * kPageBytes, content);
    changes.written.emplace_back(saved.page, std::move(content));
  }
  Rollback();
  return changes;
}

void PagedRegion::RestoreChanges(const Changes& changes) {
  Rollback();
  pages_ = changes.pages;
  flags_.resize(pages_);
  for (const auto& [page, content] : changes.written) Write(page * kPageBytes, content);
}

std::vector<uint64_t> PagedRegion::TakeUnstored() {
  CHECK(saved_.empty());
  for (const uint64_t page : unstored_) flags_[page] &= ~kUnstored;
  return std::exchange(unstored_, {});
}

void PagedRegion::LoadFrom(Storage& storage, RegionId id, uint64_t pages) {
  CHECK(pages_ == 0 && pages <= bytes_max_ / kPageBytes);
  storage_ = &storage;
  stored_as_ = id;
  pages_ = committed_pages_ = pages;
  flags_.resize(pages);
  for (const uint64_t page : storage.Pages(id)) {
    if (page < pages) flags_[page] = kOnDisk;
  }
}

void PagedRegion::EndTransaction() {
  saved_.clear();
  slots_used_ = 0;
  // One chunk is kept for the next message; more would hold the memory of the largest one forever.
  while (arena_.size() > 1) {
    munmap(arena_.back(), kSlotsPerChunk * kPageBytes);
    arena_.pop_back();
  }
}

void PagedRegion::Read(uint64_t offset, std::span<uint8_t> out) const {
  if (out.empty()) return;
  CHECK(offset + out.size() <= bytes());
  FetchRange(offset / kPageBytes, (offset + out.size() - 1) / kPageBytes);
  uint8_t* const first = PageAddress(offset / kPageBytes);
  const uint64_t size = (offset + out.size() - 1) / kPageBytes * kPageBytes + kPageBytes -
                        offset / kPageBytes * kPageBytes;
  CHECK(mprotect(first, size, PROT_READ) == 0);
  std::memcpy(out.data(), base_ + offset, out.size());
  CHECK(mprotect(first, size, PROT_NONE) == 0);
}

void PagedRegion::Write(uint64_t offset, base::ByteSpan bytes) {
  if (bytes.empty()) return;
  CHECK(offset + bytes.size() <= this->bytes() && meter_ == nullptr);
  const uint64_t first = offset / kPageBytes;
  const uint64_t last = (offset + bytes.size() - 1) / kPageBytes;
  const uint64_t size = (last - first + 1) * kPageBytes;
  FetchRange(first, last);
  CHECK(mprotect(PageAddress(first), size, PROT_READ | PROT_WRITE) == 0);
  for (uint64_t page = first; page <= last; ++page) Save(page);
  std::memcpy(base_ + offset, bytes.data(), bytes.size());
  CHECK(mprotect(PageAddress(first), size, PROT_NONE) == 0);
}

}  // namespace runtime
