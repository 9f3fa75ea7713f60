#ifndef GPT2IC_RUNTIME_CONFIG_H_
#define GPT2IC_RUNTIME_CONFIG_H_

#include <cstdint>

namespace runtime {

using Cycles = unsigned __int128;

// Settings of the network, with the values of an application subnet of 13 nodes. Source of each
// number: docs/metering.md, "Limits and fees".
struct Limits {
  uint64_t message = 40'000'000'000;   // update, callback, system task
  uint64_t query = 5'000'000'000;      // also the whole graph of a composite query
  uint64_t install = 300'000'000'000;  // start + init, or pre_upgrade + start + post_upgrade
  uint64_t inspect = 200'000'000;
  uint64_t slice = 2'000'000'000;  // of update executions; at least the limit: no slicing
  uint64_t install_slice = 2'000'000'000;
  uint64_t cleanup_reserve_percent = 5;  // of `message`, held back from callbacks for cleanup
  uint64_t query_call_overhead = 50'000'000;
  uint32_t composite_depth = 6;

  uint64_t page_overhead = 80'000;  // per first access, and again per first write, of 64 KiB
  bool charge_stable_read = true;   // first reads of stable pages (open in the fact sheet)
  bool system_subnet = false;       // no per-byte charge of system calls, no cycles

  uint64_t heap_bytes_max = uint64_t{4} << 30;
  uint64_t heap64_bytes_max = uint64_t{6} << 30;
  uint64_t stable_bytes_max = uint64_t{500} << 30;
  uint64_t stable_pages_message = (uint64_t{2} << 30) / 4096;  // OS pages touched, and written
  uint64_t stable_pages_install = (uint64_t{8} << 30) / 4096;
  uint64_t stable_pages_query = (uint64_t{1} << 30) / 4096;
  uint64_t reply_bytes_max = 2 << 20;
  uint64_t query_reply_bytes_max = 3 << 20;
  uint64_t ingress_bytes_max = 2 << 20;
  uint64_t request_bytes_max = 10 << 20;  // between canisters of one subnet
  uint32_t queue_capacity = 500;          // per pair of canisters, and of calls waiting for a reply
  uint64_t log_bytes_max = 4096;
};

// Cycles on a 13-node application subnet.
struct Fees {
  uint64_t execution = 5'000'000;
  uint64_t instruction = 1;  // wasm32; twice as much for a 64-bit memory
  uint64_t ingress_message = 1'200'000;
  uint64_t ingress_byte = 2'000;
  uint64_t call = 260'000;
  uint64_t call_byte = 1'000;
  uint64_t gib_second = 317'500;
  uint64_t canister_second = 10'000;
  uint64_t canister_creation = 500'000'000'000;
  uint64_t usd_per_trillion_e6 = 1'366'430;  // 1 T cycles = 1 XDR, in millionths of a dollar
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_CONFIG_H_
