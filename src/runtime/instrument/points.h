#ifndef GPT2IC_RUNTIME_INSTRUMENT_POINTS_H_
#define GPT2IC_RUNTIME_INSTRUMENT_POINTS_H_

#include <vector>

#include "base/bytes.h"

namespace runtime {

// A place in a function body where the rewriting changes something.
struct Edit {
  enum class Kind : uint8_t {
    kCharge,          // static cost of the block that begins here
    kChargeAndCheck,  // the same at a function entry or a loop head, where the counter is looked at
    kDynamic,         // the operand on the stack (I wide) is charged byte by byte
    kDynamic32,       // the same, always i32
    kReload,          // behind a call: the counter may have changed
    kFuncIndex,       // an operator with a function index, to be shifted
    kMemoryGrow,      // to be replaced by a call
  };
  Kind kind;
  uint32_t offset;  // of the operator in the body before which (or in place of which) it stands
  uint32_t size;    // of that operator, where it is replaced
  uint32_t value;   // cost, or the function index
};

struct BodyScan {
  std::vector<Edit> edits;  // by offset; at one offset the charges first
  uint64_t operators = 0;
  uint64_t complexity = 0;
  const char* refused = nullptr;  // name of an operator that the IC does not allow
};

// Walks the operators of a valid function body and cuts it into blocks as section 3.2 of the IC
// fact sheet (docs/metering.md) says.
base::Result<BodyScan> ScanBody(base::ByteSpan code, bool memory64);

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_INSTRUMENT_POINTS_H_
