#ifndef GPT2IC_CANDID_LIMITS_H_
#define GPT2IC_CANDID_LIMITS_H_

#include <cstdint>

namespace candid {

// What a decoder may spend on a message it did not write. The defaults let every honest message of
// the IC's size (2 MiB) through and keep a hostile one to work in proportion to its bytes.
struct DecodeLimits {
  // Nesting of values. One level costs at most about 300 bytes of the canister's 1 MiB stack.
  uint32_t depth = 512;
  // Entries of the message's type table, and fields, methods, arguments and results of all of them.
  uint32_t types = 10'000;
  uint32_t type_fields = 100'000;
  // Bytes of one nat or int. Printing one is quadratic in its length.
  uint32_t number_bytes = 16 * 1024;
  // Work: one unit per value that is read, skipped or filled in, one per pair of types and their
  // fields that are compared for a reference, and one per 64 bytes moved. Values of size zero
  // (vec null) are paid from this too; without it 5 bytes could ask for a billion of them. It is
  // also the bound on memory: every value that is made was paid for. Counted alike natively and in
  // wasm, so that both accept the same messages.
  uint64_t work = 20'000;
  uint64_t work_per_byte = 4;
};

}  // namespace candid

#endif  // GPT2IC_CANDID_LIMITS_H_
