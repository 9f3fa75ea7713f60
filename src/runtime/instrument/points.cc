#include "runtime/instrument/points.h"

#include <algorithm>

#include "runtime/instrument/opcodes.h"

namespace runtime {
namespace {

// The block whose cost is being summed up.
struct Block {
  uint32_t offset;
  bool reentrant;
  uint64_t cost;
};

class Scanner {
 public:
  explicit Scanner(bool memory64) : memory64_(memory64) {}

  base::Result<BodyScan> Run(base::ByteSpan code) {
    base::ByteReader in(code);
    while (!in.empty()) {
      const auto offset = static_cast<uint32_t>(in.position());
      const Operator op = TRY(ReadOperator(in, code));
      Visit(op, offset, static_cast<uint32_t>(in.position()));
    }
    // The block opened behind the final `end` is dropped.
    std::ranges::stable_sort(scan_.edits, {}, [](const Edit& edit) {
      return std::pair(edit.offset, edit.kind >= Edit::Kind::kFuncIndex);
    });
    return std::move(scan_);
  }

 private:
  void Visit(const Operator& op, uint32_t offset, uint32_t next) {
    using enum OperatorKind;
    const Opcode& opcode = *op.opcode;
    ++scan_.operators;
    scan_.complexity += opcode.complexity;
    if (!opcode.allowed && scan_.refused == nullptr) scan_.refused = opcode.name;
    block_.cost += opcode.Cost(memory64_);
    switch (opcode.kind) {
      case kLoop:
        Cut(next, true);
        break;
      case kIf:
      case kElse:
      case kEnd:
      case kBranch:
      case kReturn:
        Cut(next, false);
        break;
      case kBulk:
        Add(memory64_ ? Edit::Kind::kDynamic : Edit::Kind::kDynamic32, offset, 0, 0);
        break;
      case kBulkInit:
        Add(Edit::Kind::kDynamic32, offset, 0, 0);
        break;
      case kMemoryGrow:
        Add(Edit::Kind::kMemoryGrow, offset, next - offset, 0);
        break;
      case kPlain:
      case kCall:
      case kBlock:
        break;
    }
    if (opcode.immediates == Immediates::kFunc) {
      Add(Edit::Kind::kFuncIndex, offset, next - offset, op.index);
    }
    if (opcode.kind == OperatorKind::kCall) Add(Edit::Kind::kReload, next, 0, 0);
  }

  void Cut(uint32_t next, bool reentrant) {
    if (block_.reentrant || block_.cost != 0) {
      Add(block_.reentrant ? Edit::Kind::kChargeAndCheck : Edit::Kind::kCharge, block_.offset, 0,
          static_cast<uint32_t>(block_.cost));
    }
    block_ = {next, reentrant, 0};
  }

  void Add(Edit::Kind kind, uint32_t offset, uint32_t size, uint32_t value) {
    scan_.edits.push_back({kind, offset, size, value});
  }

  bool memory64_;
  Block block_{0, true, 1};  // entering a function costs 1
  BodyScan scan_;
};

}  // namespace

base::Result<BodyScan> ScanBody(base::ByteSpan code, bool memory64) {
  return Scanner(memory64).Run(code);
}

}  // namespace runtime
