#ifndef GPT2IC_RUNTIME_ENGINE_METER_H_
#define GPT2IC_RUNTIME_ENGINE_METER_H_

#include <cstddef>
#include <cstdint>

namespace runtime {

// The memory that holds this thread's instruction counter (instrument/rewrite.h): one page in use,
// and behind it pages that nobody may touch. Metered code that finds the counter below zero writes
// to one of these. The fault is the call to the host: no register is lost by it, so that a loop
// with its values in registers stays as it is. (With an ordinary call in the loop a SIMD matrix
// product took 1.6 times as long as unmetered: every vector went to the stack and back.)
class Meter {
 public:
  static uint8_t* Base();  // of this thread's meter; reserved like a 4 GiB memory
  static int64_t* Counter();
  static int64_t* PagesCharged();

  // From here on this thread's metered code calls `out_of_instructions(context)` when the counter
  // is below zero; false stops the execution with a trap. Null: no execution.
  using Hook = bool (*)(void* context);
  static void Begin(Hook out_of_instructions, void* context);
  static void End() { Begin(nullptr, nullptr); }

  // Called by the signal handler. False when the address is not the meter's, or the execution is to
  // stop.
  static bool HandleFault(uintptr_t address);
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_ENGINE_METER_H_
