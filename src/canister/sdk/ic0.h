#ifndef GPT2IC_CANISTER_SDK_IC0_H_
#define GPT2IC_CANISTER_SDK_IC0_H_

#include <cstdint>

// The functions of the IC's system API that our canisters use, as the interface spec names them.
// Everything else in sdk/ is built on these.
#define IC0(name) __attribute__((import_module("ic0"), import_name(#name)))

namespace ic0 {

IC0(msg_arg_data_size) uint32_t msg_arg_data_size();
IC0(msg_arg_data_copy) void msg_arg_data_copy(void* dst, uint32_t offset, uint32_t size);
IC0(msg_caller_size) uint32_t msg_caller_size();
IC0(msg_caller_copy) void msg_caller_copy(void* dst, uint32_t offset, uint32_t size);
IC0(msg_reply_data_append) void msg_reply_data_append(const void* src, uint32_t size);
IC0(msg_reply) void msg_reply();
IC0(msg_reject) void msg_reject(const void* src, uint32_t size);
[[noreturn]] IC0(trap) void trap(const void* src, uint32_t size);
IC0(debug_print) void debug_print(const void* src, uint32_t size);
IC0(is_controller) uint32_t is_controller(const void* src, uint32_t size);
IC0(time) uint64_t time();
IC0(performance_counter) uint64_t performance_counter(uint32_t type);
IC0(stable64_size) uint64_t stable64_size();
IC0(stable64_grow) uint64_t stable64_grow(uint64_t pages);
IC0(stable64_read) void stable64_read(uint64_t dst, uint64_t offset, uint64_t size);
IC0(stable64_write) void stable64_write(uint64_t offset, uint64_t src, uint64_t size);

}  // namespace ic0

#endif  // GPT2IC_CANISTER_SDK_IC0_H_
