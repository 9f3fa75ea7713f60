#ifndef GPT2IC_CANDID_NUMBER_H_
#define GPT2IC_CANDID_NUMBER_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace candid {

// A natural number of any size. Below 2^64 it does not allocate.
class Nat {
 public:
  Nat() = default;
  Nat(uint64_t value) : low_(value) {}                       // NOLINT: a number is a number
  static Nat FromLimbs(const std::vector<uint32_t>& limbs);  // least significant first
  static Nat FromU128(unsigned __int128 value);

  std::vector<uint32_t> Limbs() const;  // least significant first, without leading zeros
  bool FitsU64() const { return high_.empty(); }
  uint64_t low() const { return low_; }  // modulo 2^64
  std::optional<unsigned __int128> ToU128() const;

  // `digits` in base 10 or 16, underscores allowed. Quadratic in the length, so it is limited to
  // kDigitsMax digits.
  static constexpr size_t kDigitsMax = 20'000;
  static base::Result<Nat> FromDigits(std::string_view digits, uint32_t base = 10);
  std::string ToDecimal() const;  // quadratic in the length

  friend bool operator==(const Nat&, const Nat&) = default;
  friend std::strong_ordering operator<=>(const Nat& a, const Nat& b);

 private:
  uint64_t low_ = 0;
  std::vector<uint32_t> high_;  // bits from 64 up; the last limb is not zero
};

// An integer of any size: sign and magnitude, zero is never negative.
struct Int {
  bool negative = false;
  Nat magnitude;

  static Int From(int64_t value);
  static Int Make(bool negative, Nat magnitude);
  bool FitsI64() const;
  int64_t ToI64() const;  // requires FitsI64()
  std::string ToDecimal() const;
  friend bool operator==(const Int&, const Int&) = default;
};

// LEB128 of any length; `bytes` is exactly one number (its last byte, and only that, is < 0x80).
Nat NatFromLeb(base::ByteSpan bytes);
Int IntFromSleb(base::ByteSpan bytes);
void AppendLeb(base::Bytes& out, const Nat& value);
void AppendSleb(base::Bytes& out, const Int& value);

}  // namespace candid

#endif  // GPT2IC_CANDID_NUMBER_H_
