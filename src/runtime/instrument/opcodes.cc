#include "runtime/instrument/opcodes.h"

#include <array>

#include "base/leb128.h"

namespace runtime {
namespace {

using enum Immediates;
using enum OperatorKind;

constexpr Opcode kOpcodes[] = {
#define OPCODE(prefix, code, name, immediates, kind, cost32, cost64, complexity, allowed) \
  {prefix, code, name, immediates, kind, cost32, cost64, complexity, allowed != 0},
#include "runtime/instrument/opcodes.inc"
#undef OPCODE
};

// One-byte opcodes, then those behind 0xfc (0 to 31), then those behind 0xfd (0 to 511).
constexpr size_t kSlots = 256 + 32 + 512;

constexpr size_t Slot(uint8_t prefix, uint32_t code) {
  if (prefix == 0xfc) return code < 32 ? 256 + code : kSlots;
  if (prefix == 0xfd) return code < 512 ? 288 + code : kSlots;
  return code < 256 ? code : kSlots;
}

constexpr auto kTable = [] {
  std::array<const Opcode*, kSlots> table{};
  for (const Opcode& opcode : kOpcodes) table[Slot(opcode.prefix, opcode.code)] = &opcode;
  return table;
}();

base::Status SkipMany(base::ByteReader& in, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) TRY(base::ReadUleb(in, 32));
  return {};
}

base::Status SkipMemArg(base::ByteReader& in) {
  const uint64_t align = TRY(base::ReadUleb(in, 32));
  if (align & 0x40) TRY(base::ReadUleb(in, 32));  // an explicit memory index
  TRY(base::ReadUleb(in, 64));
  return {};
}

base::Status SkipTypes(base::ByteReader& in) {
  const uint64_t count = TRY(base::ReadUleb(in, 32));
  TRY(in.Take(count));  // value types of the IC's feature set are one byte each
  return {};
}

base::Result<uint32_t> ReadImmediates(base::ByteReader& in, Immediates immediates) {
  switch (immediates) {
    case kNone:
      return 0;
    case kBlockType:
      TRY(base::ReadSleb(in, 33));
      return 0;
    case kHeapType:
      TRY(base::ReadSleb(in, 33));
      return 0;
    case kIndex:
    case kFunc:
      return static_cast<uint32_t>(TRY(base::ReadUleb(in, 32)));
    case kTwoIndices: {
      const auto index = static_cast<uint32_t>(TRY(base::ReadUleb(in, 32)));
      TRY(base::ReadUleb(in, 32));
      return index;
    }
    case kBrTable: {
      const uint64_t labels = TRY(base::ReadUleb(in, 32));
      TRY_STATUS(SkipMany(in, static_cast<uint32_t>(labels)));
      TRY(base::ReadUleb(in, 32));
      return 0;
    }
    case kTypes:
      TRY_STATUS(SkipTypes(in));
      return 0;
    case kI32:
      TRY(base::ReadSleb(in, 32));
      return 0;
    case kI64:
      TRY(base::ReadSleb(in, 64));
      return 0;
    case kBytes4:
      TRY(in.Take(4));
      return 0;
    case kBytes8:
      TRY(in.Take(8));
      return 0;
    case kBytes16:
      TRY(in.Take(16));
      return 0;
    case kByte:
      TRY(in.Take(1));
      return 0;
    case kMemArg:
      TRY_STATUS(SkipMemArg(in));
      return 0;
    case kMemArgLane:
      TRY_STATUS(SkipMemArg(in));
      TRY(in.Take(1));
      return 0;
  }
  __builtin_unreachable();
}

}  // namespace

const Opcode* FindOpcode(uint8_t prefix, uint32_t code) {
  const size_t slot = Slot(prefix, code);
  return slot < kSlots ? kTable[slot] : nullptr;
}

std::span<const Opcode> AllOpcodes() { return kOpcodes; }

base::Result<Operator> ReadOperator(base::ByteReader& in, base::ByteSpan body) {
  const size_t start = in.position();
  uint8_t prefix = 0;
  uint32_t code = TRY(in.U8());
  if (code == 0xfc || code == 0xfd) {
    prefix = static_cast<uint8_t>(code);
    code = static_cast<uint32_t>(TRY(base::ReadUleb(in, 32)));
  }
  const Opcode* opcode = FindOpcode(prefix, code);
  if (opcode == nullptr) return base::Err("unknown operator ", prefix, " ", code);
  const uint32_t index = TRY(ReadImmediates(in, opcode->immediates));
  return Operator{opcode, index, body.subspan(start, in.position() - start)};
}

}  // namespace runtime
