#include "runtime/system_api/functions.h"

namespace runtime {
namespace {

using enum SystemCall::Words;

bool SelfSize(Execution& e, uint64_t* a) {
  a[0] = e.canister().id.size();
  return true;
}
bool SelfCopy(Execution& e, uint64_t* a) {
  return e.CopyToHeap("canister_self_copy", e.canister().id, a[0], a[1], a[2]);
}
bool Status(Execution& e, uint64_t* a) {
  a[0] = static_cast<uint64_t>(e.canister().status);
  return true;
}
bool Version(Execution& e, uint64_t* a) {
  a[0] = e.canister().version;
  return true;
}
bool SubnetSize(Execution& e, uint64_t* a) {
  a[0] = e.around().subnet.size();
  return true;
}
bool SubnetCopy(Execution& e, uint64_t* a) {
  return e.CopyToHeap("subnet_self_copy", e.around().subnet, a[0], a[1], a[2]);
}
bool RootKeySize(Execution& e, uint64_t* a) {
  a[0] = e.around().root_key.size();
  return true;
}
bool RootKeyCopy(Execution& e, uint64_t* a) {
  return e.CopyToHeap("root_key_copy", e.around().root_key, a[0], a[1], a[2]);
}

bool CertifiedDataSet(Execution& e, uint64_t* a) {
  if (a[1] > 32) {
    return e.Violation(
        "ic0_certified_data_set failed because the passed data must be no larger "
        "than 32 bytes. Found ",
        a[1], " bytes.");
  }
  const uint8_t* from = e.HeapRange("certified_data_set", a[0], a[1]);
  if (from == nullptr) return false;
  e.effects().certified_data = base::Bytes(from, from + a[1]);
  return true;
}
bool CertificatePresent(Execution& e, uint64_t* a) {
  a[0] = e.input().data_certificate.has_value();
  return true;
}
bool NoCertificate(Execution& e) {
  return e.Violation("ic0.data_certificate: no certificate is available in this call");
}
bool CertificateSize(Execution& e, uint64_t* a) {
  if (!e.input().data_certificate) return NoCertificate(e);
  a[0] = e.input().data_certificate->size();
  return true;
}
bool CertificateCopy(Execution& e, uint64_t* a) {
  if (!e.input().data_certificate) return NoCertificate(e);
  return e.CopyToHeap("data_certificate_copy", *e.input().data_certificate, a[0], a[1], a[2]);
}

bool Time(Execution& e, uint64_t* a) {
  a[0] = e.around().time_ns;
  return true;
}
bool GlobalTimerSet(Execution& e, uint64_t* a) {
  const uint64_t previous = e.effects().global_timer_ns.value_or(e.canister().global_timer_ns);
  e.effects().global_timer_ns = a[0];
  a[0] = previous;
  return true;
}
bool PerformanceCounter(Execution& e, uint64_t* a) {
  const uint64_t type = a[0];
  if (type > 1) return e.Violation("Error getting performance counter type ", type);
  a[0] = e.InstructionsSoFar() + (type == 1 ? e.input().context_instructions : 0);
  return true;
}

bool IsController(Execution& e, uint64_t* a) {
  const uint8_t* from = e.HeapRange("is_controller", a[0], a[1]);
  if (from == nullptr) return false;
  if (a[1] > 29) {
    return e.Violation("ic0.is_controller: a principal of ", a[1],
                       " bytes, at most 29 are possible");
  }
  a[0] = e.canister().IsController(Principal(from, from + a[1]));
  return true;
}
bool InReplicatedExecution(Execution& e, uint64_t* a) {
  a[0] = e.input().replicated;
  return true;
}

const std::vector<std::pair<std::string, std::string>>& Variables(const Execution& e) {
  return e.canister().settings.environment_variables;
}
bool EnvVarCount(Execution& e, uint64_t* a) {
  a[0] = Variables(e).size();
  return true;
}
bool NameAt(Execution& e, uint64_t index, const std::string** name) {
  if (index >= Variables(e).size()) {
    return e.Violation("ic0.env_var_name: index ", index, " of ", Variables(e).size(),
                       " variables");
  }
  *name = &Variables(e)[index].first;
  return true;
}
bool EnvVarNameSize(Execution& e, uint64_t* a) {
  const std::string* name;
  if (!NameAt(e, a[0], &name)) return false;
  a[0] = name->size();
  return true;
}
bool EnvVarNameCopy(Execution& e, uint64_t* a) {
  const std::string* name;
  if (!NameAt(e, a[0], &name)) return false;
  return e.CopyToHeap("env_var_name_copy", base::AsBytes(*name), a[1], a[2], a[3]);
}

// The value of the variable named at [address, size); null when there is none. False after a trap.
bool FindVariable(Execution& e, const char* call, uint64_t address, uint64_t size,
                  const std::string** value) {
  const uint8_t* from = e.HeapRange(call, address, size);
  if (from == nullptr) return false;
  *value = nullptr;
  for (const auto& [name, text] : Variables(e)) {
    if (name == base::AsText({from, size})) *value = &text;
  }
  return true;
}
bool EnvVarNameExists(Execution& e, uint64_t* a) {
  const std::string* value;
  if (!FindVariable(e, "env_var_name_exists", a[0], a[1], &value)) return false;
  a[0] = value != nullptr;
  return true;
}
bool ValueOf(Execution& e, const char* call, const uint64_t* a, const std::string** value) {
  if (!FindVariable(e, call, a[0], a[1], value)) return false;
  return *value != nullptr || e.Violation("ic0.", call, ": there is no such environment variable");
}
bool EnvVarValueSize(Execution& e, uint64_t* a) {
  const std::string* value;
  if (!ValueOf(e, "env_var_value_size", a, &value)) return false;
  a[0] = value->size();
  return true;
}
bool EnvVarValueCopy(Execution& e, uint64_t* a) {
  const std::string* value;
  if (!ValueOf(e, "env_var_value_copy", a, &value)) return false;
  return e.CopyToHeap("env_var_value_copy", base::AsBytes(*value), a[2], a[3], a[4]);
}

constexpr char kRoot[] = "I G U RQ Ry Rt C T";

constexpr SystemCall kCalls[] = {
    {"canister_self_size", ":I", "*", kBoth, 500, 0, -1, SelfSize},
    {"canister_self_copy", "III:", "*", kBoth, 500, 1, 2, SelfCopy},
    {"canister_status", ":i", "*", kBoth, 500, 0, -1, Status},
    {"canister_version", ":l", "*", kBoth, 500, 0, -1, Version},
    {"subnet_self_size", ":I", "*", kBoth, 500, 0, -1, SubnetSize},
    {"subnet_self_copy", "III:", "*", kBoth, 500, 1, 2, SubnetCopy},
    {"root_key_size", ":I", kRoot, kBoth, 500, 0, -1, RootKeySize},
    {"root_key_copy", "III:", kRoot, kBoth, 500, 1, 2, RootKeyCopy},
    {"certified_data_set", "II:", "I G U Ry Rt T", kBoth, 500, 1, 1, CertifiedDataSet},
    {"data_certificate_present", ":i", "*", kBoth, 500, 0, -1, CertificatePresent},
    {"data_certificate_size", ":I", "NRQ CQ", kBoth, 500, 0, -1, CertificateSize},
    {"data_certificate_copy", "III:", "NRQ CQ", kBoth, 500, 1, 2, CertificateCopy},
    {"time", ":l", "*", kBoth, 500, 0, -1, Time},
    {"global_timer_set", "l:l", "I G U Ry Rt C T", kBoth, 500, 0, -1, GlobalTimerSet},
    {"performance_counter", "i:l", "* s", kBoth, 200, 0, -1, PerformanceCounter},
    {"is_controller", "II:i", "* s", kBoth, 1000, 1, 1, IsController},
    {"in_replicated_execution", ":i", "* s", kBoth, 500, 0, -1, InReplicatedExecution},
    {"env_var_count", ":I", "*", kBoth, 500, 0, -1, EnvVarCount},
    {"env_var_name_size", "I:I", "*", kBoth, 500, 0, -1, EnvVarNameSize},
    {"env_var_name_copy", "IIII:", "*", kBoth, 500, 1, 3, EnvVarNameCopy},
    {"env_var_name_exists", "II:i", "*", kBoth, 500, 0, -1, EnvVarNameExists},
    {"env_var_value_size", "II:I", "*", kBoth, 500, 0, -1, EnvVarValueSize},
    {"env_var_value_copy", "IIIII:", "*", kBoth, 500, 1, 4, EnvVarValueCopy},
};

}  // namespace

std::span<const SystemCall> CanisterCalls() { return kCalls; }

}  // namespace runtime
