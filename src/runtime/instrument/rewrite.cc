#include "runtime/instrument/rewrite.h"

#include <limits>
#include <optional>

#include "base/leb128.h"
#include "runtime/instrument/opcodes.h"
#include "runtime/instrument/points.h"

namespace runtime {
namespace {

using base::Append;
using base::AppendSleb;
using base::AppendUleb;
using base::ByteReader;
using base::Bytes;
using base::ByteSpan;
using base::Result;
using base::Status;

// Opcodes written by the rewriting.
enum : uint8_t {
  kIf = 0x04,
  kEnd = 0x0b,
  kCall = 0x10,
  kLocalGet = 0x20,
  kLocalTee = 0x22,
  kLocalSet = 0x21,
  kSelect = 0x1b,
  kI32Load = 0x28,
  kI64Load = 0x29,
  kI64Store = 0x37,
  kI32Store8 = 0x3a,
  kMemoryGrow = 0x40,
  kI32Const = 0x41,
  kI64Const = 0x42,
  kI64LtS = 0x53,
  kI64GtS = 0x55,
  kI64Sub = 0x7d,
  kI64ExtendI32U = 0xad,
  kEmptyBlock = 0x40,
  kAlign8 = 3,
};

void AppendName(Bytes& out, std::string_view name) {
  AppendUleb(out, name.size());
  Append(out, name);
}

void AppendSection(Bytes& out, uint8_t id, const Bytes& content) {
  out.push_back(id);
  AppendUleb(out, content.size());
  Append(out, content);
}

constexpr uint64_t kPagesMax32 = 65'536, kPagesMax64 = uint64_t{1} << 32;
constexpr uint64_t kLocalsMax = 50'000;  // of the engine, parameters included

class Rewriter {
 public:
  explicit Rewriter(const Module& module) : m_(module) {}

  Result<Metered> Run() {
    Metered out;
    Append(out.wasm, std::string_view("\0asm\1\0\0\0", 8));
    AppendSection(out.wasm, 1, Types());
    AppendSection(out.wasm, 2, Imports());
    AppendSection(out.wasm, 3, Functions());
    if (m_.tables) AppendRaw(out.wasm, 4, *m_.tables);
    AppendSection(out.wasm, 5, Memories());
    if (!m_.globals_section.empty()) AppendRaw(out.wasm, 6, m_.globals_section);
    AppendSection(out.wasm, 7, Exports(out.global_exports));
    if (m_.element_count > 0) AppendSection(out.wasm, 9, TRY(Elements()));
    if (m_.data_count) AppendSection(out.wasm, 12, DataCount());
    AppendSection(out.wasm, 10, TRY(Code()));
    if (!m_.data.empty()) AppendSection(out.wasm, 11, Data());
    return out;
  }

 private:
  static constexpr uint32_t kHooks = 1;
  enum Helper : uint32_t { kCharge32, kCharge64, kGrow, kHelpers };

  uint32_t Shifted(uint32_t function) const {
    return function < m_.imported_functions ? function : function + kHooks;
  }
  uint32_t GrowHook() const { return m_.imported_functions; }
  uint32_t HelperIndex(Helper helper) const {
    return m_.imported_functions + kHooks + static_cast<uint32_t>(m_.functions.size()) + helper;
  }
  uint32_t TypeIndex(uint32_t i) const { return static_cast<uint32_t>(m_.types.size()) + i; }
  uint32_t MeterMemory() const { return m_.memory ? 1 : 0; }

  static void AppendRaw(Bytes& out, uint8_t id, ByteSpan content) {
    AppendSection(out, id, Bytes(content.begin(), content.end()));
  }

  static void AppendType(Bytes& out, ByteSpan params, ByteSpan results) {
    out.push_back(0x60);
    AppendUleb(out, params.size());
    Append(out, params);
    AppendUleb(out, results.size());
    Append(out, results);
  }

  // The module's types, then: (I, I) -> I; (i32) -> i32; (i64) -> i64; (I) -> I.
  Bytes Types() const {
    const uint8_t word = m_.memory64() ? kTypeI64 : kTypeI32;
    const uint8_t words[] = {word, word}, i32[] = {kTypeI32}, i64[] = {kTypeI64};
    const ByteSpan two(words, 2), one(words, 1);
    Bytes out;
    AppendUleb(out, m_.types.size() + 4);
    for (const FuncType& type : m_.types) AppendType(out, type.params, type.results);
    AppendType(out, two, one);
    AppendType(out, i32, i32);
    AppendType(out, i64, i64);
    AppendType(out, one, one);
    return out;
  }

  // Validated modules import functions only.
  Bytes Imports() const {
    Bytes out;
    AppendUleb(out, m_.imports.size() + kHooks);
    const auto add = [&](std::string_view module, std::string_view name, uint32_t type) {
      AppendName(out, module);
      AppendName(out, name);
      out.push_back(static_cast<uint8_t>(ExternKind::kFunc));
      AppendUleb(out, type);
    };
    for (const Import& import : m_.imports) add(import.module, import.name, import.type_index);
    add(kHookModule, kHookTryGrowMemory, TypeIndex(0));
    return out;
  }

  Bytes Functions() const {
    Bytes out;
    AppendUleb(out, m_.functions.size() + kHelpers);
    for (const uint32_t type : m_.functions) AppendUleb(out, type);
    AppendUleb(out, TypeIndex(1));
    AppendUleb(out, TypeIndex(2));
    AppendUleb(out, TypeIndex(3));
    return out;
  }

  Bytes Memories() const {
    Bytes out;
    AppendUleb(out, m_.memory ? 2 : 1);
    if (m_.memory) {
      const MemoryType& memory = *m_.memory;
      // Always with a maximum: by it the engine's callbacks tell it from memories of the engine's
      // own.
      out.push_back(static_cast<uint8_t>((memory.is64 ? 4 : 0) | 1));
      AppendUleb(out, memory.pages_min);
      AppendUleb(out, memory.pages_max.value_or(memory.is64 ? kPagesMax64 : kPagesMax32));
    }
    Append(out, std::string_view("\1\1\1", 3));  // the meter: exactly one page
    return out;
  }

  Bytes Exports(std::vector<std::string>& global_exports) const {
    Bytes out;
    uint32_t count = 0;
    Bytes entries;
    const auto add = [&](std::string_view name, ExternKind kind, uint32_t index) {
      AppendName(entries, name);
      entries.push_back(static_cast<uint8_t>(kind));
      AppendUleb(entries, index);
      ++count;
    };
    for (const Export& e : m_.exports) {
      add(e.name, e.kind, e.kind == ExternKind::kFunc ? Shifted(e.index) : e.index);
    }
    for (uint32_t i = 0; i < m_.globals.size(); ++i) {
      if (!m_.globals[i].is_mutable) continue;
      global_exports.push_back(base::StrCat(kExportGlobalPrefix, i));
      add(global_exports.back(), ExternKind::kGlobal, i);
    }
    if (m_.table_count > 0) add(kExportTable, ExternKind::kTable, 0);
    if (m_.start) add(kExportStart, ExternKind::kFunc, Shifted(*m_.start));
    AppendUleb(out, count);
    Append(out, entries);
    return out;
  }

  // Copies a constant expression, shifting the index of a ref.func.
  Status CopyExpr(ByteReader& in, ByteSpan section, Bytes& out) const {
    for (;;) {
      const Operator op = TRY(ReadOperator(in, section));
      if (op.opcode->immediates == Immediates::kFunc) {
        out.push_back(op.bytes[0]);
        AppendUleb(out, Shifted(op.index));
      } else {
        Append(out, op.bytes);
      }
      if (op.opcode->kind == OperatorKind::kEnd) return {};
    }
  }

  Status CopyItems(ByteReader& in, ByteSpan section, bool expressions, Bytes& out) const {
    const uint64_t count = TRY(base::ReadUleb(in, 32));
    AppendUleb(out, count);
    for (uint64_t i = 0; i < count; ++i) {
      if (expressions) {
        TRY_STATUS(CopyExpr(in, section, out));
      } else {
        AppendUleb(out, Shifted(static_cast<uint32_t>(TRY(base::ReadUleb(in, 32)))));
      }
    }
    return {};
  }

  Result<Bytes> Elements() const {
    ByteReader in(m_.elements_section);
    Bytes out;
    const uint64_t count = TRY(base::ReadUleb(in, 32));
    AppendUleb(out, count);
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t flags = TRY(base::ReadUleb(in, 32));
      AppendUleb(out, flags);
      const bool active = (flags & 1) == 0;
      if (active && (flags & 2)) AppendUleb(out, TRY(base::ReadUleb(in, 32)));  // table
      if (active) TRY_STATUS(CopyExpr(in, m_.elements_section, out));
      if (flags & 3) out.push_back(TRY(in.U8()));  // element kind or type
      TRY_STATUS(CopyItems(in, m_.elements_section, (flags & 4) != 0, out));
    }
    return out;
  }

  Bytes DataCount() const {
    Bytes out;
    AppendUleb(out, *m_.data_count);
    return out;
  }

  // Active segments are written by the install; here they become empty passive ones, which is what
  // an active segment is once it has been applied.
  Bytes Data() const {
    Bytes out;
    AppendUleb(out, m_.data.size());
    for (const DataSegment& segment : m_.data) {
      out.push_back(1);
      const ByteSpan bytes = segment.active ? ByteSpan() : segment.bytes;
      AppendUleb(out, bytes.size());
      Append(out, bytes);
    }
    return out;
  }

  Result<Bytes> Code() {
    Bytes out;
    AppendUleb(out, m_.bodies.size() + kHelpers);
    Bytes body;
    const auto add = [&] {
      AppendUleb(out, body.size());
      Append(out, body);
      body.clear();
    };
    for (size_t i = 0; i < m_.bodies.size(); ++i) {
      TRY_STATUS(MeterBody(m_.bodies[i], m_.types[m_.functions[i]], body));
      add();
    }
    counter_local_.reset();
    ChargeHelper(kTypeI32, body);
    add();
    ChargeHelper(kTypeI64, body);
    add();
    GrowHelper(body);
    add();
    return out;
  }

  Status MeterBody(const Body& original, const FuncType& type, Bytes& out) {
    const BodyScan scan = TRY(ScanBody(original.code, m_.memory64()));
    const uint64_t locals = type.params.size() + original.local_count;
    counter_local_.reset();
    if (locals < kLocalsMax) {
      counter_local_ = static_cast<uint32_t>(locals);
      TRY_STATUS(AppendLocals(original.locals, out));
      Reload(out);
    } else {
      Append(out, original.locals);
    }
    uint32_t copied = 0;
    for (const Edit& edit : scan.edits) {
      Append(out, original.code.subspan(copied, edit.offset - copied));
      copied = edit.offset + edit.size;
      ApplyEdit(edit, original.code, out);
    }
    Append(out, original.code.subspan(copied));
    return {};
  }

  // The declarations, and one more local of type i64.
  static Status AppendLocals(ByteSpan locals, Bytes& out) {
    ByteReader in(locals);
    const uint64_t groups = TRY(base::ReadUleb(in, 32));
    AppendUleb(out, groups + 1);
    Append(out, locals.subspan(in.position()));
    out.insert(out.end(), {1, kTypeI64});
    return {};
  }

  void Local(uint8_t opcode, Bytes& out) const {
    out.push_back(opcode);
    AppendUleb(out, *counter_local_);
  }

  void Reload(Bytes& out) const {
    if (!counter_local_) return;
    Load(kCounterOffset, out);
    Local(kLocalSet, out);
  }

  void ApplyEdit(const Edit& edit, ByteSpan code, Bytes& out) const {
    switch (edit.kind) {
      case Edit::Kind::kCharge:
        Charge(edit.value, out);
        break;
      case Edit::Kind::kChargeAndCheck:
        Charge(edit.value, out);
        Check(out);
        break;
      case Edit::Kind::kDynamic:
        Call(HelperIndex(kCharge64), out);
        Reload(out);
        break;
      case Edit::Kind::kDynamic32:
        Call(HelperIndex(kCharge32), out);
        Reload(out);
        break;
      case Edit::Kind::kReload:
        Reload(out);
        break;
      case Edit::Kind::kFuncIndex:
        out.push_back(code[edit.offset]);
        AppendUleb(out, Shifted(edit.value));
        break;
      case Edit::Kind::kMemoryGrow:
        Call(HelperIndex(kGrow), out);
        break;
    }
  }

  static void Call(uint32_t function, Bytes& out) {
    out.push_back(kCall);
    AppendUleb(out, function);
  }

  void MeterAccess(uint8_t opcode, uint32_t offset, uint8_t align, Bytes& out) const {
    out.push_back(opcode);
    if (MeterMemory() == 0) {
      out.push_back(align);
    } else {
      out.push_back(align | 0x40);
      AppendUleb(out, MeterMemory());
    }
    AppendUleb(out, offset);
  }

  void Load(uint32_t offset, Bytes& out) const {
    out.insert(out.end(), {kI32Const, 0});
    MeterAccess(kI64Load, offset, kAlign8, out);
  }

  void LoadCounter(Bytes& out) const {
    if (counter_local_) {
      Local(kLocalGet, out);
    } else {
      Load(kCounterOffset, out);
    }
  }

  // counter := counter - cost
  void Charge(uint32_t cost, Bytes& out) const {
    if (cost == 0) return;
    out.insert(out.end(), {kI32Const, 0});
    LoadCounter(out);
    out.push_back(kI64Const);
    AppendSleb(out, cost);
    out.push_back(kI64Sub);
    if (counter_local_) Local(kLocalTee, out);
    MeterAccess(kI64Store, kCounterOffset, kAlign8, out);
  }

  // if counter < page charges then write to the byte that faults: the host pauses or stops
  void Check(Bytes& out) const {
    LoadCounter(out);
    Load(kPagesOffset, out);
    out.insert(out.end(), {kI64LtS, kIf, kEmptyBlock});
    out.insert(out.end(), {kI32Const, 0});
    MeterAccess(kI32Load, kHookOffset, 2, out);
    out.insert(out.end(), {kI32Const, 0});
    MeterAccess(kI32Store8, 0, 0, out);
    Reload(out);
    out.push_back(kEnd);
  }

  // (n) -> n: counter := counter - n, saturating at the lowest i64; then the check.
  void ChargeHelper(uint8_t operand_type, Bytes& out) const {
    out.insert(out.end(), {1, 1, kTypeI64});  // one local: the new counter
    Load(kCounterOffset, out);
    out.insert(out.end(), {kLocalGet, 0});
    if (operand_type == kTypeI32) out.push_back(kI64ExtendI32U);
    out.insert(out.end(), {kI64Sub, kLocalSet, 1});
    out.insert(out.end(), {kI32Const, 0, kI64Const});
    AppendSleb(out, std::numeric_limits<int64_t>::min());
    out.insert(out.end(), {kLocalGet, 1, kLocalGet, 1});
    Load(kCounterOffset, out);
    out.insert(out.end(), {kI64GtS, kSelect});
    MeterAccess(kI64Store, kCounterOffset, kAlign8, out);
    Check(out);
    out.insert(out.end(), {kLocalGet, 0, kEnd});
  }

  // (pages) -> try_grow_memory(memory.grow(pages), pages)
  void GrowHelper(Bytes& out) const {
    out.push_back(0);
    out.insert(out.end(), {kLocalGet, 0});
    if (m_.memory) {
      out.insert(out.end(), {kMemoryGrow, 0, kLocalGet, 0});
      Call(GrowHook(), out);
    }
    out.push_back(kEnd);
  }

  const Module& m_;
  // The local of the function at hand that mirrors the counter, so that a loop need not load what
  // it has just stored; every charge still stores, as a trap must find the exact count. None in a
  // function that has as many locals as the engine allows.
  std::optional<uint32_t> counter_local_;
};

}  // namespace

Result<Metered> Rewrite(const Module& module) { return Rewriter(module).Run(); }

}  // namespace runtime
