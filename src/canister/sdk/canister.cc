#include "canister/sdk/canister.h"

#include "canister/sdk/ic0.h"

namespace sdk {

base::Bytes ArgumentBytes() {
  base::Bytes bytes(ArgumentSize());
  ic0::msg_arg_data_copy(bytes.data(), 0, bytes.size());
  return bytes;
}

uint32_t ArgumentSize() { return ic0::msg_arg_data_size(); }

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

candid::Principal Self() {
  uint8_t bytes[candid::Principal::kBytesMax];
  const uint32_t size = ic0::canister_self_size();
  CHECK(size <= sizeof(bytes));
  ic0::canister_self_copy(bytes, 0, size);
  return *candid::Principal::FromBytes({bytes, size});
}

bool IsController(const candid::Principal& principal) {
  return ic0::is_controller(principal.bytes().data(), principal.bytes().size()) != 0;
}

bool CallerIsController() { return IsController(Caller()); }

uint64_t NowNs() { return ic0::time(); }

namespace {

template <class Read>
Cycles ReadCycles(Read read) {
  Cycles cycles = 0;
  read(&cycles);
  return cycles;
}

}  // namespace

Cycles LiquidBalance() { return ReadCycles(ic0::canister_liquid_cycle_balance128); }
Cycles Balance() { return ReadCycles(ic0::canister_cycle_balance128); }
Cycles CyclesAvailable() { return ReadCycles(ic0::msg_cycles_available128); }

Cycles AcceptCycles(Cycles most) {
  Cycles accepted = 0;
  ic0::msg_cycles_accept128(static_cast<uint64_t>(most >> 64), static_cast<uint64_t>(most),
                            &accepted);
  return accepted;
}

uint64_t InstructionsUsed() { return ic0::performance_counter(0); }

void SetTimer(uint64_t ns) { ic0::global_timer_set(ns); }

bool Stopping() { return ic0::canister_status() != 1; }

uint64_t CanisterVersion() { return ic0::canister_version(); }

void SetCertifiedData(base::ByteSpan bytes) {
  ic0::certified_data_set(bytes.data(), static_cast<uint32_t>(bytes.size()));
}

base::Bytes DataCertificate() {
  if (ic0::data_certificate_present() == 0) return {};
  base::Bytes certificate(ic0::data_certificate_size());
  ic0::data_certificate_copy(certificate.data(), 0, static_cast<uint32_t>(certificate.size()));
  return certificate;
}

std::string InspectedMethod() {
  std::string name(ic0::msg_method_name_size(), '\0');
  ic0::msg_method_name_copy(name.data(), 0, name.size());
  return name;
}

void AcceptMessage() { ic0::accept_message(); }

void TrapWith(std::string_view sentence) { ic0::trap(sentence.data(), sentence.size()); }

void ReplyBytes(base::ByteSpan message) {
  ic0::msg_reply_data_append(message.data(), message.size());
  ic0::msg_reply();
}

void Reject(std::string_view sentence) { ic0::msg_reject(sentence.data(), sentence.size()); }

}  // namespace sdk
