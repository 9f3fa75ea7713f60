#include "runtime/system_api/table.h"

#include <algorithm>

#include "runtime/system_api/functions.h"

namespace runtime {
namespace {

constexpr std::string_view kLetters[] = {"s",  "I",  "G",   "U",   "RQ", "NRQ", "TQ", "CQ",
                                         "Ry", "Rt", "CRy", "CRt", "C",  "CC",  "F",  "T"};

base::Bytes Types(std::string_view letters, bool word64) {
  base::Bytes types;
  for (const char c : letters) {
    types.push_back(c == 'l' || (c == 'I' && word64) ? kTypeI64 : kTypeI32);
  }
  return types;
}

FuncType TypeOf(std::string_view signature, bool word64) {
  const size_t colon = signature.find(':');
  return {Types(signature.substr(0, colon), word64), Types(signature.substr(colon + 1), word64)};
}

// Per-byte charges fall away on system subnets.
uint64_t FeeOf(const SystemCall& call, const Execution& execution, const uint64_t* arguments) {
  if (call.per_byte == 0 || execution.limits().system_subnet) return call.fixed;
  uint64_t bytes, fee;
  if (call.size != SystemCall::kNames) {
    bytes = arguments[call.size];
  } else if (__builtin_add_overflow(arguments[1], arguments[3], &bytes)) {
    return ~uint64_t{0};
  }
  if (__builtin_mul_overflow(bytes, uint64_t{call.per_byte}, &fee)) return ~uint64_t{0};
  return __builtin_add_overflow(fee, uint64_t{call.fixed}, &fee) ? ~uint64_t{0} : fee;
}

bool RunSystemCall(const HostFunction& function, void* context, uint64_t* arguments) {
  auto& execution = *static_cast<Execution*>(context);
  const auto& call = *static_cast<const SystemCall*>(function.data);
  const uint64_t fee = FeeOf(call, execution, arguments);
  if (fee != 0 && !execution.Charge(fee)) return false;
  const Entry entry = execution.input().entry;
  if (!AllowedIn(call, entry)) {
    return execution.Violation("\"ic0_", call.name, "\" cannot be executed in ", EntryName(entry),
                               " mode");
  }
  return call.run(execution, arguments);
}

bool RunTryGrowMemory(const HostFunction&, void* context, uint64_t* arguments) {
  return static_cast<Execution*>(context)->TryGrowMemory(arguments[0], arguments[1], arguments);
}

}  // namespace

const char* EntryName(Entry entry) {
  static constexpr const char* kNames[] = {"start",
                                           "init",
                                           "pre upgrade",
                                           "update",
                                           "replicated query",
                                           "non replicated query",
                                           "transform query",
                                           "composite query",
                                           "reply callback",
                                           "reject callback",
                                           "composite reply callback",
                                           "composite reject callback",
                                           "cleanup callback",
                                           "composite cleanup callback",
                                           "inspect message",
                                           "system task"};
  return kNames[static_cast<size_t>(entry)];
}

std::span<const SystemCall> SystemCalls() {
  static const std::vector<SystemCall> all = [] {
    std::vector<SystemCall> out;
    for (const auto group :
         {MessageCalls(), CyclesCalls(), CanisterCalls(), InterCanisterCalls(), StableCalls()}) {
      out.insert(out.end(), group.begin(), group.end());
    }
    return out;
  }();
  return all;
}

bool AllowedIn(const SystemCall& call, Entry entry) {
  std::string_view rest = call.contexts;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    if (word == "*" ? entry != Entry::kStart : word == kLetters[static_cast<size_t>(entry)]) {
      return true;
    }
  }
  return false;
}

std::vector<HostFunction> HostFunctions(bool word64) {
  const auto make = [&](std::string_view module, std::string_view name, std::string_view signature,
                        auto run, const void* data) {
    FuncType type = TypeOf(signature, word64);
    return HostFunction{
        std::string(module), std::string(name), type.params, type.results, run, data};
  };
  std::vector<HostFunction> out;
  for (const SystemCall& call : SystemCalls()) {
    if (word64 && call.words == SystemCall::Words::kOnly32) continue;
    out.push_back(make("ic0", call.name, call.signature, RunSystemCall, &call));
  }
  out.push_back(make(kHookModule, kHookTryGrowMemory, "II:I", RunTryGrowMemory, nullptr));
  return out;
}

std::vector<ImportSignature> ImportSignatures(bool word64) {
  std::vector<ImportSignature> out;
  for (const SystemCall& call : SystemCalls()) {
    if (word64 && call.words == SystemCall::Words::kOnly32) continue;
    out.push_back({call.name, TypeOf(call.signature, word64)});
  }
  return out;
}

}  // namespace runtime
