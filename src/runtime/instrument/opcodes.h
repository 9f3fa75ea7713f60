#ifndef GPT2IC_RUNTIME_INSTRUMENT_OPCODES_H_
#define GPT2IC_RUNTIME_INSTRUMENT_OPCODES_H_

#include <cstdint>

#include "base/bytes.h"

namespace runtime {

// What follows an opcode in the binary format.
enum class Immediates : uint8_t {
  kNone,
  kBlockType,
  kIndex,
  kTwoIndices,
  kFunc,
  kBrTable,
  kTypes,
  kI32,
  kI64,
  kBytes4,
  kBytes8,
  kBytes16,
  kByte,
  kHeapType,
  kMemArg,
  kMemArgLane,
};

// How an operator matters to the cutting of a function body into metered blocks (docs/metering.md).
enum class OperatorKind : uint8_t {
  kPlain,
  kBlock,
  kLoop,
  kIf,
  kElse,
  kEnd,
  kBranch,
  kReturn,
  kBulk,
  kBulkInit,
  kMemoryGrow,
  kCall,
};

struct Opcode {
  uint8_t prefix;  // 0x00 for a one-byte opcode, else 0xfc or 0xfd
  uint16_t code;
  const char* name;
  Immediates immediates;
  OperatorKind kind;
  uint16_t cost32;  // instructions in a module with a 32-bit memory (or none)
  uint16_t cost64;
  uint8_t complexity;  // points towards the limit of 1,000,000 per function
  bool allowed;        // by the IC's validation

  uint16_t Cost(bool memory64) const { return memory64 ? cost64 : cost32; }
};

// The row of an opcode, or null when the Internet Computer knows none.
const Opcode* FindOpcode(uint8_t prefix, uint32_t code);

// All rows, for tests.
std::span<const Opcode> AllOpcodes();

// One operator of a function body.
struct Operator {
  const Opcode* opcode;
  uint32_t index;        // the first index immediate (function, memory, label, segment), if any
  base::ByteSpan bytes;  // opcode and immediates as they stand in the module
};

// Reads the next operator. The module was validated, so an Error means that it uses an operator
// that is not in the table.
base::Result<Operator> ReadOperator(base::ByteReader& in, base::ByteSpan body);

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_INSTRUMENT_OPCODES_H_
