#include "candid/decode.h"
#include "candid/encode.h"
#include "candid/typed.h"

namespace candid {
namespace {

class Checksum {  // FNV-1a
 public:
  void Add(base::ByteSpan bytes) {
    for (const uint8_t byte : bytes) hash_ = (hash_ ^ byte) * 16777619u;
  }
  void AddByte(uint8_t byte) { Add({&byte, 1}); }
  uint32_t value() const { return hash_; }

 private:
  uint32_t hash_ = 2166136261u;
};

struct Node {
  Nat head;
  std::unique_ptr<Node> tail;
  std::optional<std::vector<Node>> children;
};
CANDID_RECORD(Node, head, tail, children)

struct Choice {
  uint8_t which = 0;
  Null idle;
  std::vector<uint32_t> busy;
  Reserved other;
};
CANDID_VARIANT(Choice, which, idle, busy, other)

// Decodes at C++ types, and at the same types dynamically: both must agree.
template <class... Ts>
void Probe(base::ByteSpan message, Checksum& sum) {
  TypeTable table;
  BindingTypes bindings(table);
  const std::vector<TypeRef> types = {bindings.Add(Candid<Ts>::kBinding)...};
  const auto values = Decode(message, table, types);
  const auto typed = DecodeArgs<Ts...>(message);
  CHECK(values.has_value() == typed.has_value());
  sum.AddByte(values.has_value());
  if (!values) return;
  const base::Bytes bytes =
      std::apply([](const Ts&... each) { return EncodeArgs(each...); }, *typed);
  CHECK(bytes == Encode(table, types, *values).value());
  sum.Add(bytes);
}

}  // namespace

uint32_t DecodeProbe(base::ByteSpan message) {
  Checksum sum;
  const auto any = DecodeAny(message);
  sum.AddByte(any.has_value());
  if (any) {
    // What has no value of its own (the future) is read as reserved and cannot be written back.
    const auto encoded = Encode(any->table, any->types, any->values);
    if (encoded) sum.Add(*encoded);
  }
  Probe<>(message, sum);
  Probe<std::vector<uint8_t>, uint8_t, double>(message, sum);
  Probe<std::optional<std::string>, Reserved>(message, sum);
  Probe<std::optional<Node>, std::optional<Choice>>(message, sum);
  Probe<Node>(message, sum);
  Probe<Int>(message, sum);
  Probe<std::vector<std::optional<Int>>>(message, sum);
  Probe<std::vector<std::tuple<std::string, base::Bytes>>>(message, sum);
  Probe<base::Result<std::string>>(message, sum);
  Probe<Principal>(message, sum);
  Probe<std::optional<Func<std::tuple<Node>, std::tuple<std::optional<Node>>, kQueryFunc>>>(message,
                                                                                            sum);
  return sum.value();
}

}  // namespace candid
