#include "runtime/engine/meter.h"

#include <sys/mman.h>

#include "base/check.h"
#include "runtime/engine/paged_region.h"
#include "runtime/instrument/rewrite.h"

namespace runtime {
namespace {

constexpr uint64_t kReserved = (uint64_t{4} << 30) + kHeapGuardBytes;
constexpr uint32_t kFirstHook = kPageBytes;  // the first address behind the page in use
constexpr uint32_t kStep = 4096;

thread_local Meter::Hook g_hook = nullptr;
thread_local void* g_context = nullptr;

uint32_t* HookAddress() { return reinterpret_cast<uint32_t*>(Meter::Base() + kHookOffset); }

}  // namespace

uint8_t* Meter::Base() {
  thread_local uint8_t* const base = [] {
    void* reserved =
        mmap(nullptr, kReserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(reserved != MAP_FAILED);
    CHECK(mprotect(reserved, kPageBytes, PROT_READ | PROT_WRITE) == 0);
    return static_cast<uint8_t*>(reserved);
  }();
  return base;
}

int64_t* Meter::Counter() { return reinterpret_cast<int64_t*>(Base() + kCounterOffset); }
int64_t* Meter::PagesCharged() { return reinterpret_cast<int64_t*>(Base() + kPagesOffset); }

// Each time the hook lets the execution go on, the written place becomes accessible, so that the
// write goes through, and the next one is used from then on. They are taken back here.
void Meter::Begin(Hook out_of_instructions, void* context) {
  g_hook = out_of_instructions;
  g_context = context;
  uint32_t* const next = HookAddress();
  if (*next > kFirstHook) {
    uint8_t* const first = Base() + kFirstHook;
    CHECK(madvise(first, *next - kFirstHook, MADV_DONTNEED) == 0);
    CHECK(mprotect(first, *next - kFirstHook, PROT_NONE) == 0);
  }
  *next = kFirstHook;
}

bool Meter::HandleFault(uintptr_t address) {
  if (g_hook == nullptr) return false;
  uint32_t* const next = HookAddress();
  if (address != reinterpret_cast<uintptr_t>(Base()) + *next) return false;
  if (!g_hook(g_context)) return false;
  CHECK(mprotect(Base() + *next, kStep, PROT_READ | PROT_WRITE) == 0);
  *next += kStep;
  return true;
}

}  // namespace runtime
