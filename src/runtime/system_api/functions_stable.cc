#include "runtime/system_api/functions.h"

namespace runtime {
namespace {

using enum SystemCall::Words;

constexpr uint64_t kPages32Max = 65536;  // 4 GiB: beyond it the 32-bit calls trap

bool Above4GiB(Execution& e) {
  if (e.StablePages() <= kPages32Max) return false;
  e.Fail(ErrorCode::kCanisterTrapped,
         "Canister trapped: 32 bit stable memory api used on a memory larger than 4GB");
  return true;
}

bool Size64(Execution& e, uint64_t* a) {
  a[0] = e.StablePages();
  return true;
}
bool Grow64(Execution& e, uint64_t* a) { return e.StableGrow(a[0], a); }
bool Read64(Execution& e, uint64_t* a) { return e.StableRead(a[0], a[1], a[2]); }
bool Write64(Execution& e, uint64_t* a) { return e.StableWrite(a[0], a[1], a[2]); }

bool Size32(Execution& e, uint64_t* a) { return !Above4GiB(e) && Size64(e, a); }

bool Grow32(Execution& e, uint64_t* a) {
  if (Above4GiB(e)) return false;
  if (e.StablePages() + a[0] > kPages32Max) {
    a[0] = ~uint64_t{0};
    return true;
  }
  return e.StableGrow(a[0], a);
}

// Charged before the trap on a memory that is too large.
bool Read32(Execution& e, uint64_t* a) {
  if (e.StablePages() > kPages32Max) {
    if (!e.ChargeStable(a[2])) return false;
    Above4GiB(e);
    return false;
  }
  return e.StableRead(a[0], a[1], a[2]);
}

// Checks its bounds even for a size of 0, which the other calls do not.
bool Write32(Execution& e, uint64_t* a) {
  if (e.StablePages() > kPages32Max) {
    if (!e.ChargeStable(a[2])) return false;
    Above4GiB(e);
    return false;
  }
  if (a[2] == 0 && a[0] > e.StablePages() * kPageBytes) {
    if (!e.ChargeStable(0)) return false;
    return e.Fail(ErrorCode::kCanisterTrapped, "Canister trapped: stable memory out of bounds");
  }
  return e.StableWrite(a[0], a[1], a[2]);
}

constexpr char kAll[] = "* s";

// read and write charge 20 and their bytes themselves, as metered wasm does.
constexpr SystemCall kCalls[] = {
    {"stable64_size", ":l", kAll, kBoth, 0, 0, -1, Size64},
    {"stable64_grow", "l:l", kAll, kBoth, 100, 0, -1, Grow64},
    {"stable64_read", "lll:", kAll, kBoth, 0, 0, -1, Read64},
    {"stable64_write", "lll:", kAll, kBoth, 0, 0, -1, Write64},
    {"stable_size", ":i", kAll, kOnly32, 0, 0, -1, Size32},
    {"stable_grow", "i:i", kAll, kOnly32, 100, 0, -1, Grow32},
    {"stable_read", "iii:", kAll, kOnly32, 0, 0, -1, Read32},
    {"stable_write", "iii:", kAll, kOnly32, 0, 0, -1, Write32},
};

}  // namespace

std::span<const SystemCall> StableCalls() { return kCalls; }

}  // namespace runtime
