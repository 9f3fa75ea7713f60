#include "candid/typed.h"

namespace candid::internal {

bool StoreNothing(void*, const Leaf&) { return true; }
void AppendNothing(const void*, base::Bytes&) {}

void AppendBlock(base::ByteSpan bytes, size_t count, base::Bytes& out) {
  base::AppendUleb(out, count);
  base::Append(out, bytes);
}

bool StoreNat(void* slot, const Leaf& leaf) {
  *static_cast<Nat*>(slot) = NatFromLeb(leaf.bytes);
  return true;
}
void AppendNat(const void* slot, base::Bytes& out) {
  AppendLeb(out, *static_cast<const Nat*>(slot));
}

bool StoreInt(void* slot, const Leaf& leaf) {
  *static_cast<Int*>(slot) =
      leaf.wire == Kind::kNat ? Int::Make(false, NatFromLeb(leaf.bytes)) : IntFromSleb(leaf.bytes);
  return true;
}
void AppendInt(const void* slot, base::Bytes& out) {
  AppendSleb(out, *static_cast<const Int*>(slot));
}

bool StoreU128(void* slot, const Leaf& leaf) {
  const auto value = NatFromLeb(leaf.bytes).ToU128();
  if (value) std::memcpy(slot, &*value, sizeof(*value));
  return value.has_value();
}
void AppendU128(const void* slot, base::Bytes& out) {
  AppendLeb(out, Nat::FromU128(*static_cast<const unsigned __int128*>(slot)));
}

static_assert(sizeof(base::Error) == sizeof(std::string), "an Error is stored as its message");

bool StoreText(void* slot, const Leaf& leaf) {
  static_cast<std::string*>(slot)->assign(base::AsText(leaf.bytes));
  return true;
}
void AppendText(const void* slot, base::Bytes& out) {
  const std::string_view text = *static_cast<const std::string*>(slot);
  AppendBlock(base::AsBytes(text), text.size(), out);
}

bool StoreTextView(void* slot, const Leaf& leaf) {
  *static_cast<std::string_view*>(slot) = base::AsText(leaf.bytes);
  return true;
}
void AppendTextView(const void* slot, base::Bytes& out) {
  const std::string_view text = *static_cast<const std::string_view*>(slot);
  AppendBlock(base::AsBytes(text), text.size(), out);
}

bool StoreByteView(void* slot, const Leaf& leaf) {
  *static_cast<base::ByteSpan*>(slot) = leaf.bytes;
  return true;
}
void AppendByteView(const void* slot, base::Bytes& out) {
  const base::ByteSpan bytes = *static_cast<const base::ByteSpan*>(slot);
  AppendBlock(bytes, bytes.size(), out);
}
void ClearByteView(const Binding&, void* slot) { *static_cast<base::ByteSpan*>(slot) = {}; }

static_assert(sizeof(Service) == sizeof(Principal), "a Service is stored as its principal");

bool StorePrincipal(void* slot, const Leaf& leaf) {
  const auto principal = Principal::FromBytes(leaf.bytes);
  if (principal) *static_cast<Principal*>(slot) = *principal;
  return principal.has_value();
}
void AppendPrincipal(const void* slot, base::Bytes& out) {
  const base::ByteSpan bytes = static_cast<const Principal*>(slot)->bytes();
  out.push_back(1);
  AppendBlock(bytes, bytes.size(), out);
}

void* ChooseMember(uint8_t* which, uint32_t which_size, uint32_t index) {
  std::memcpy(which, &index, which_size);  // little-endian, as everywhere in this project
  return which;
}

uint32_t WhichMember(const uint8_t* which, uint32_t which_size) {
  uint32_t index = 0;
  std::memcpy(&index, which, which_size);
  return index;
}

bool StoreFunc(AnyFunc& func, const Leaf& leaf) {
  func.method.assign(base::AsText(leaf.method));
  return StorePrincipal(&func.principal, leaf);
}

void AppendFunc(const Principal& principal, const std::string& method, base::Bytes& out) {
  out.push_back(1);
  AppendPrincipal(&principal, out);
  AppendText(&method, out);
}

}  // namespace candid::internal
