#ifndef GPT2IC_BASE_CHECK_H_
#define GPT2IC_BASE_CHECK_H_

namespace base {

// Ends the program: natively with a message on stderr and abort(), in a canister with ic0.trap.
// Each world defines it once (base/check_native.cc, canister/sdk/check.cc).
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);

}  // namespace base

// A broken invariant is a bug of ours: checked in every build.
#define CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::base::CheckFailed(__FILE__, __LINE__, #condition))

// Only in kernels, where the check would cost more than the work.
#ifdef NDEBUG
#define DCHECK(condition) static_cast<void>(0)
#else
#define DCHECK(condition) CHECK(condition)
#endif

#endif  // GPT2IC_BASE_CHECK_H_
