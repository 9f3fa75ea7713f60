#ifndef GPT2IC_RUNTIME_SYSTEM_API_FUNCTIONS_H_
#define GPT2IC_RUNTIME_SYSTEM_API_FUNCTIONS_H_

#include "runtime/system_api/table.h"

namespace runtime {

// The rows of the table, by the interface spec's groups.
std::span<const SystemCall> MessageCalls();  // arguments, replies, rejects, callers
std::span<const SystemCall> CyclesCalls();
std::span<const SystemCall> CanisterCalls();  // self, time, certified data, timers, environment
std::span<const SystemCall> InterCanisterCalls();
std::span<const SystemCall> StableCalls();

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_SYSTEM_API_FUNCTIONS_H_
