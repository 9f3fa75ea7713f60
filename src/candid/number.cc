#include "candid/number.h"

#include <algorithm>

#include "base/check.h"
#include "base/leb128.h"

namespace candid {
namespace {

using Limbs = std::vector<uint32_t>;

void Trim(Limbs& limbs) {
  while (!limbs.empty() && limbs.back() == 0) limbs.pop_back();
}

void MulAdd(Limbs& limbs, uint32_t factor, uint32_t add) {
  uint64_t carry = add;
  for (uint32_t& limb : limbs) {
    carry += static_cast<uint64_t>(limb) * factor;
    limb = static_cast<uint32_t>(carry);
    carry >>= 32;
  }
  if (carry != 0) limbs.push_back(static_cast<uint32_t>(carry));
}

uint32_t DivMod(Limbs& limbs, uint32_t divisor) {
  uint64_t rest = 0;
  for (size_t i = limbs.size(); i-- > 0;) {
    rest = (rest << 32) | limbs[i];
    limbs[i] = static_cast<uint32_t>(rest / divisor);
    rest %= divisor;
  }
  Trim(limbs);
  return static_cast<uint32_t>(rest);
}

// Two's complement of the same width.
void Negate(Limbs& limbs) {
  uint64_t carry = 1;
  for (uint32_t& limb : limbs) {
    carry += static_cast<uint32_t>(~limb);
    limb = static_cast<uint32_t>(carry);
    carry >>= 32;
  }
}

// The 7-bit groups of `bytes`, filled up with `fill` (0 or ~0) to whole limbs.
Limbs LimbsFromGroups(base::ByteSpan bytes, uint32_t fill) {
  Limbs limbs((bytes.size() * 7 + 31) / 32 + 1, fill);
  size_t bit = 0;
  for (const uint8_t byte : bytes) {
    const size_t at = bit / 32;
    const unsigned shift = bit % 32;
    const uint64_t mask = uint64_t{0x7f} << shift;
    uint64_t pair =
        limbs[at] | (static_cast<uint64_t>(at + 1 < limbs.size() ? limbs[at + 1] : 0) << 32);
    pair = (pair & ~mask) | (static_cast<uint64_t>(byte & 0x7f) << shift);
    limbs[at] = static_cast<uint32_t>(pair);
    if (at + 1 < limbs.size()) limbs[at + 1] = static_cast<uint32_t>(pair >> 32);
    bit += 7;
  }
  return limbs;
}

uint8_t Group(const Limbs& limbs, size_t bit, uint32_t fill) {
  const size_t at = bit / 32;
  const uint64_t low = at < limbs.size() ? limbs[at] : fill;
  const uint64_t high = at + 1 < limbs.size() ? limbs[at + 1] : fill;
  return ((low | (high << 32)) >> (bit % 32)) & 0x7f;
}

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 16;
}

}  // namespace

Nat Nat::FromLimbs(const std::vector<uint32_t>& limbs) {
  Nat nat;
  if (!limbs.empty()) nat.low_ = limbs[0];
  if (limbs.size() > 1) nat.low_ |= static_cast<uint64_t>(limbs[1]) << 32;
  if (limbs.size() > 2) nat.high_.assign(limbs.begin() + 2, limbs.end());
  Trim(nat.high_);
  return nat;
}

Nat Nat::FromU128(unsigned __int128 value) {
  return FromLimbs({static_cast<uint32_t>(value), static_cast<uint32_t>(value >> 32),
                    static_cast<uint32_t>(value >> 64), static_cast<uint32_t>(value >> 96)});
}

std::vector<uint32_t> Nat::Limbs() const {
  std::vector<uint32_t> limbs = {static_cast<uint32_t>(low_), static_cast<uint32_t>(low_ >> 32)};
  limbs.insert(limbs.end(), high_.begin(), high_.end());
  Trim(limbs);
  return limbs;
}

std::optional<unsigned __int128> Nat::ToU128() const {
  if (high_.size() > 2) return std::nullopt;
  uint64_t high = high_.empty() ? 0 : high_[0];
  if (high_.size() == 2) high |= static_cast<uint64_t>(high_[1]) << 32;
  return (static_cast<unsigned __int128>(high) << 64) | low_;
}

base::Result<Nat> Nat::FromDigits(std::string_view digits, uint32_t base) {
  if (digits.size() > kDigitsMax) {
    return base::Err("number has ", digits.size(), " digits, expected at most ", kDigitsMax);
  }
  std::vector<uint32_t> limbs;
  for (const char c : digits) {
    if (c == '_') continue;
    const uint32_t digit = static_cast<uint32_t>(DigitOf(c));
    if (digit >= base) return base::Err("number has a digit '", c, "', expected base ", base);
    MulAdd(limbs, base, digit);
  }
  return FromLimbs(limbs);
}

std::string Nat::ToDecimal() const {
  std::vector<uint32_t> limbs = Limbs();
  if (limbs.size() <= 2) return base::StrCat(low_);
  std::string reversed;
  while (!limbs.empty()) {
    uint32_t chunk = DivMod(limbs, 1'000'000'000);
    for (int i = 0; i < 9; ++i, chunk /= 10)
      reversed.push_back(static_cast<char>('0' + chunk % 10));
  }
  while (reversed.size() > 1 && reversed.back() == '0') reversed.pop_back();
  return {reversed.rbegin(), reversed.rend()};
}

std::strong_ordering operator<=>(const Nat& a, const Nat& b) {
  if (a.high_.size() != b.high_.size()) return a.high_.size() <=> b.high_.size();
  for (size_t i = a.high_.size(); i-- > 0;) {
    if (a.high_[i] != b.high_[i]) return a.high_[i] <=> b.high_[i];
  }
  return a.low_ <=> b.low_;
}

Int Int::Make(bool negative, Nat magnitude) {
  const bool zero = magnitude == Nat(0);
  return {negative && !zero, std::move(magnitude)};
}

Int Int::From(int64_t value) {
  return {value < 0,
          Nat(value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value))};
}

bool Int::FitsI64() const {
  const uint64_t limit = uint64_t{1} << 63;
  return magnitude.FitsU64() && (negative ? magnitude.low() <= limit : magnitude.low() < limit);
}

int64_t Int::ToI64() const {
  return static_cast<int64_t>(negative ? 0 - magnitude.low() : magnitude.low());
}

std::string Int::ToDecimal() const {
  return negative ? "-" + magnitude.ToDecimal() : magnitude.ToDecimal();
}

Nat NatFromLeb(base::ByteSpan bytes) {
  if (bytes.size() > 9) return Nat::FromLimbs(LimbsFromGroups(bytes, 0));
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = (value << 7) | (bytes[i] & 0x7f);
  return value;
}

Int IntFromSleb(base::ByteSpan bytes) {
  const bool negative = !bytes.empty() && (bytes.back() & 0x40) != 0;
  if (bytes.size() <= 9) {
    uint64_t value = negative ? ~uint64_t{0} : 0;
    for (size_t i = bytes.size(); i-- > 0;) value = (value << 7) | (bytes[i] & 0x7f);
    return Int::From(static_cast<int64_t>(value));
  }
  Limbs limbs = LimbsFromGroups(bytes, negative ? ~0u : 0);
  if (negative) Negate(limbs);
  return Int::Make(negative, Nat::FromLimbs(limbs));
}

void AppendLeb(base::Bytes& out, const Nat& value) {
  if (value.FitsU64()) return base::AppendUleb(out, value.low());
  const Limbs limbs = value.Limbs();
  const size_t bits = limbs.size() * 32 - static_cast<size_t>(__builtin_clz(limbs.back()));
  for (size_t bit = 0; bit < bits; bit += 7) {
    out.push_back(Group(limbs, bit, 0) | (bit + 7 < bits ? 0x80 : 0));
  }
}

void AppendSleb(base::Bytes& out, const Int& value) {
  if (value.FitsI64()) return base::AppendSleb(out, value.ToI64());
  std::vector<uint32_t> limbs = value.magnitude.Limbs();
  limbs.push_back(0);  // room for the sign
  const uint32_t fill = value.negative ? ~0u : 0;
  if (value.negative) Negate(limbs);
  // From the top, the bits that only repeat the sign are left out, all but one.
  size_t bits = limbs.size() * 32;
  const auto differs = [&](size_t bit) { return ((limbs[bit / 32] ^ fill) >> (bit % 32)) & 1; };
  while (bits > 1 && !differs(bits - 2)) --bits;
  for (size_t bit = 0; bit < bits; bit += 7) {
    out.push_back(Group(limbs, bit, fill) | (bit + 7 < bits ? 0x80 : 0));
  }
}

}  // namespace candid
