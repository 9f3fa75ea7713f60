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
IC0(msg_reject_code) uint32_t msg_reject_code();
IC0(msg_reject_msg_size) uint32_t msg_reject_msg_size();
IC0(msg_reject_msg_copy) void msg_reject_msg_copy(void* dst, uint32_t offset, uint32_t size);
IC0(msg_method_name_size) uint32_t msg_method_name_size();
IC0(msg_method_name_copy) void msg_method_name_copy(void* dst, uint32_t offset, uint32_t size);
IC0(accept_message) void accept_message();
[[noreturn]] IC0(trap) void trap(const void* src, uint32_t size);
IC0(debug_print) void debug_print(const void* src, uint32_t size);
IC0(is_controller) uint32_t is_controller(const void* src, uint32_t size);
IC0(time) uint64_t time();
IC0(global_timer_set) uint64_t global_timer_set(uint64_t ns);
IC0(canister_self_size) uint32_t canister_self_size();
IC0(canister_self_copy) void canister_self_copy(void* dst, uint32_t offset, uint32_t size);
IC0(canister_status) uint32_t canister_status();
IC0(canister_version) uint64_t canister_version();
IC0(canister_cycle_balance128) void canister_cycle_balance128(void* dst);
IC0(canister_liquid_cycle_balance128) void canister_liquid_cycle_balance128(void* dst);
IC0(msg_cycles_available128) void msg_cycles_available128(void* dst);
IC0(msg_cycles_refunded128) void msg_cycles_refunded128(void* dst);
IC0(msg_cycles_accept128) void msg_cycles_accept128(uint64_t high, uint64_t low, void* dst);
IC0(call_new)
void call_new(const void* callee, uint32_t callee_size, const void* name, uint32_t name_size,
              void (*reply)(uint32_t), uint32_t reply_env, void (*reject)(uint32_t),
              uint32_t reject_env);
IC0(call_data_append) void call_data_append(const void* src, uint32_t size);
IC0(call_cycles_add128) void call_cycles_add128(uint64_t high, uint64_t low);
IC0(call_perform) uint32_t call_perform();
IC0(certified_data_set) void certified_data_set(const void* src, uint32_t size);
IC0(data_certificate_present) uint32_t data_certificate_present();
IC0(data_certificate_size) uint32_t data_certificate_size();
IC0(data_certificate_copy) void data_certificate_copy(void* dst, uint32_t offset, uint32_t size);
IC0(performance_counter) uint64_t performance_counter(uint32_t type);
IC0(root_key_size) uint32_t root_key_size();
IC0(root_key_copy) void root_key_copy(void* dst, uint32_t offset, uint32_t size);
IC0(env_var_count) uint32_t env_var_count();
IC0(env_var_name_size) uint32_t env_var_name_size(uint32_t index);
IC0(env_var_name_copy)
void env_var_name_copy(uint32_t index, void* dst, uint32_t offset, uint32_t size);
IC0(env_var_value_size) uint32_t env_var_value_size(const void* name, uint32_t name_size);
IC0(env_var_value_copy)
void env_var_value_copy(const void* name, uint32_t name_size, void* dst, uint32_t offset,
                        uint32_t size);
IC0(stable64_size) uint64_t stable64_size();
IC0(stable64_grow) uint64_t stable64_grow(uint64_t pages);
IC0(stable64_read) void stable64_read(uint64_t dst, uint64_t offset, uint64_t size);
IC0(stable64_write) void stable64_write(uint64_t offset, uint64_t src, uint64_t size);

}  // namespace ic0

#endif  // GPT2IC_CANISTER_SDK_IC0_H_
