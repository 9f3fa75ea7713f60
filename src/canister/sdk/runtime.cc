// What the C++ libraries expect of a host and the IC has not: allocation failure and broken
// invariants end the message with ic0.trap, and so roll it back.
#include <__verbose_abort>
#include <cstdlib>
#include <new>
#include <string>

#include "base/check.h"
#include "base/str_cat.h"
#include "canister/sdk/ic0.h"

namespace base {

void CheckFailed(const char* file, int line, const char* condition) {
  const std::string text = StrCat(file, ":", line, ": CHECK failed: ", condition);
  ic0::trap(text.data(), text.size());
}

}  // namespace base

namespace {

void* Allocate(size_t size) {
  void* block = std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) {
    static constexpr char kText[] = "out of heap memory";
    ic0::trap(kText, sizeof(kText) - 1);
  }
  return block;
}

void* AllocateAligned(size_t size, std::align_val_t alignment) {
  const auto align = static_cast<size_t>(alignment);
  void* block = std::aligned_alloc(align, (size + align - 1) / align * align);
  return block != nullptr ? block : Allocate(~size_t{0} / 2);
}

}  // namespace

void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void* operator new(size_t size, std::align_val_t align) { return AllocateAligned(size, align); }
void* operator new[](size_t size, std::align_val_t align) { return AllocateAligned(size, align); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return std::malloc(size); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, size_t) noexcept { std::free(block); }
void operator delete[](void* block, size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, size_t, std::align_val_t) noexcept { std::free(block); }

[[noreturn]] void std::__libcpp_verbose_abort(const char* format, ...) noexcept {
  size_t size = 0;
  while (format[size] != 0) ++size;
  ic0::trap(format, size);
}

extern "C" {

uintptr_t __stack_chk_guard = 0x5bd1e995;

[[noreturn]] void __stack_chk_fail() { __builtin_trap(); }
void abort() { __builtin_trap(); }

}  // extern "C"
