#include "canister/sdk/canister.h"

#include "canister/sdk/ic0.h"

namespace sdk {

base::Bytes ArgumentBytes() {
  base::Bytes bytes(ic0::msg_arg_data_size());
  ic0::msg_arg_data_copy(bytes.data(), 0, bytes.size());
  return bytes;
}

const base::Bytes& KeptArgument() {
  static base::Bytes kept;
  kept = ArgumentBytes();
  return kept;
}

candid::Principal Caller() {
  uint8_t bytes[candid::Principal::kBytesMax];
  const uint32_t size = ic0::msg_caller_size();
  CHECK(size <= sizeof(bytes));
  ic0::msg_caller_copy(bytes, 0, size);
  return *candid::Principal::FromBytes({bytes, size});
}

bool CallerIsController() {
  const candid::Principal caller = Caller();
  return ic0::is_controller(caller.bytes().data(), caller.bytes().size()) != 0;
}

uint64_t NowNs() { return ic0::time(); }

void TrapWith(std::string_view sentence) { ic0::trap(sentence.data(), sentence.size()); }

void ReplyBytes(base::ByteSpan message) {
  ic0::msg_reply_data_append(message.data(), message.size());
  ic0::msg_reply();
}

void Reject(std::string_view sentence) { ic0::msg_reject(sentence.data(), sentence.size()); }

}  // namespace sdk
