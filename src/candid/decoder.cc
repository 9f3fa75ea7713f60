// The types of the message are walked together with the binding of what is expected. A value that
// is well-formed but of another type is a mismatch; the nearest opt around it goes back to where
// the value began, skips it and becomes null. So every coercion is decided by the value itself, as
// the specification has it (vec {} of any element type is an empty vec), and needs no table of
// pairs. Every opt may go over its value twice, so nested ones may do so once per level: the work
// limit is what bounds that.

#include "candid/decoder.h"

#include <algorithm>
#include <optional>

#include "candid/cursor.h"
#include "candid/principal.h"
#include "candid/utf8.h"
#include "candid/wire_types.h"

namespace candid {
namespace {

enum class Verdict : uint8_t {
  kOk,
  kMismatch,  // well-formed, but not of the expected type: an opt around it becomes null
  kBad,       // malformed or over a limit: the end
};

class Decoder {
 public:
  Decoder(Cursor& in, const WireTypes& wire, const DecodeLimits& limits, uint64_t work,
          const TypeTable* expected)
      : in_(in), wire_(wire), limits_(limits), work_(work), expected_(expected) {}

  base::Status Arguments(const Binding& arguments, void* slot) {
    const uint32_t n = static_cast<uint32_t>(wire_.arguments.size());
    for (argument_ = 0; argument_ < std::max(n, arguments.n_fields); ++argument_) {
      const uint32_t i = argument_;
      Verdict verdict;
      if (i >= arguments.n_fields) {
        verdict = Skip(wire_.arguments[i]);
      } else if (void* field = FieldSlot(arguments, slot, i); i < n) {
        verdict = Read(wire_.arguments[i], *arguments.fields[i].binding, field);
      } else {
        verdict = Missing(*arguments.fields[i].binding, field);
      }
      if (verdict != Verdict::kOk) return Explain(verdict);
    }
    if (in_.remaining() != 0) {
      return base::Err("message goes on for ", in_.remaining(), " bytes after its last value");
    }
    return {};
  }

 private:
  std::unexpected<base::Error> Explain(Verdict verdict) const {
    if (verdict == Verdict::kBad) {
      return base::Err("argument ", argument_, ": ", problem_, " at byte ", in_.position());
    }
    return base::Err("argument ", argument_, ": found ", found_ ? KindName(*found_) : "nothing",
                     ", expected ", KindName(wanted_), ", at byte ", mismatch_at_);
  }
  Verdict Bad(const char* problem) {
    problem_ = problem;
    return Verdict::kBad;
  }
  Verdict Good() {
    return in_.ok() ? Verdict::kOk : Bad("a number out of range, or the end of the input");
  }
  Verdict Mismatch(std::optional<Kind> found, Kind wanted) {
    found_ = found;
    wanted_ = wanted;
    mismatch_at_ = in_.position();
    return Verdict::kMismatch;
  }

  bool Charge(uint64_t units) {
    if (units > work_) return Bad("more work than the message's size allows"), false;
    work_ -= units;
    return true;
  }
  bool Enter() {
    if (depth_ >= limits_.depth) return Bad("values nested too deep"), false;
    ++depth_;
    return Charge(1);
  }
  Verdict Leave(Verdict verdict) {
    --depth_;
    return verdict;
  }

  static void* FieldSlot(const Binding& record, void* slot, uint32_t index) {
    if (record.field != nullptr) return record.field(record, slot, index);
    return static_cast<uint8_t*>(slot) + record.fields[index].offset;
  }
  static void Clear(const Binding& want, void* slot) {
    if (want.clear != nullptr) want.clear(want, slot);
  }

  Verdict Missing(const Binding& want, void* slot) {
    if (!Charge(1)) return Verdict::kBad;
    if (want.kind == Kind::kOpt) return Clear(want, slot), Verdict::kOk;
    if (want.kind == Kind::kNull || want.kind == Kind::kReserved)
      return Store(want, slot, want.kind, {});
    return Mismatch(std::nullopt, want.kind);
  }

  Verdict Store(const Binding& want, void* slot, Kind wire, base::ByteSpan bytes,
                base::ByteSpan method = {}) {
    if (Good() != Verdict::kOk) return Verdict::kBad;
    if (!Charge(bytes.size() / 64)) return Verdict::kBad;
    if (want.store(slot, {want.kind, wire, bytes, method})) return Verdict::kOk;
    return Bad("a value that does not fit");
  }

  Verdict Read(TypeRef wire, const Binding& want, void* slot) {
    if (!Enter()) return Verdict::kBad;
    return Leave(ReadInner(wire, want, slot));
  }

  Verdict ReadInner(TypeRef type, const Binding& want, void* slot) {
    const Kind wire = wire_.table.KindOf(type);
    if (wire == Kind::kEmpty) return Bad("a value of type empty");
    if (want.kind == Kind::kOpt) return ReadOpt(type, want, slot);
    if (want.kind == Kind::kReserved) {
      const Verdict verdict = Skip(type);
      return verdict == Verdict::kOk ? Store(want, slot, Kind::kReserved, {}) : verdict;
    }
    const bool coerced = (wire == Kind::kNat && want.kind == Kind::kInt) ||
                         (wire == Kind::kService && want.kind == Kind::kPrincipal);
    if (wire != want.kind && !coerced) return Mismatch(wire, want.kind);
    switch (wire) {
      case Kind::kVec:
        return ReadVec(wire_.table.node(type).element, want, slot);
      case Kind::kRecord:
        return ReadRecord(wire_.table.node(type), want, slot);
      case Kind::kVariant:
        return ReadVariant(wire_.table.node(type), want, slot);
      case Kind::kFunc:
        return ReadFunc(type, want, slot);
      case Kind::kService:
        return ReadService(type, want, slot);
      default:
        return Store(want, slot, wire, LeafBytes(wire));
    }
  }

  // The bytes of a value without parts, checked; nothing when the cursor has failed.
  base::ByteSpan LeafBytes(Kind wire) {
    switch (wire) {
      case Kind::kBool:
        return Checked(in_.Take(1), [](auto raw) { return raw[0] <= 1; });
      case Kind::kNat:
      case Kind::kInt:
        return in_.Number(limits_.number_bytes);
      case Kind::kText:
        return Checked(in_.Take(in_.Uleb()), IsUtf8);
      case Kind::kPrincipal:
        return Reference();
      default:
        return in_.Take(FixedSize(wire));  // null and reserved: none
    }
  }

  template <class Valid>
  base::ByteSpan Checked(base::ByteSpan raw, Valid valid) {
    if (!in_.ok() || valid(raw)) return raw;
    in_.Take(UINT64_MAX);  // the failure sticks
    return {};
  }

  // A principal: a tag that says that it is not opaque, then its bytes.
  base::ByteSpan Reference() {
    if (in_.U8() != 1) in_.Take(UINT64_MAX);
    return Checked(in_.Take(in_.Uleb()),
                   [](auto raw) { return raw.size() <= Principal::kBytesMax; });
  }

  Verdict ReadOpt(TypeRef type, const Binding& want, void* slot) {
    const Kind wire = wire_.table.KindOf(type);
    if (wire == Kind::kNull || wire == Kind::kReserved) return Clear(want, slot), Verdict::kOk;
    if (wire == Kind::kFuture) return Clear(want, slot), Skip(type);
    if (wire == Kind::kOpt) {
      const uint8_t tag = in_.U8();
      if (Good() != Verdict::kOk) return Verdict::kBad;
      if (tag > 1) return Bad("an opt that is neither 0 nor 1");
      if (tag == 0) return Clear(want, slot), Verdict::kOk;
      type = wire_.table.node(type).element;
    }
    const size_t start = in_.position();
    const Verdict verdict = Read(type, *want.element, want.open(slot));
    if (verdict != Verdict::kMismatch) return verdict;
    in_.Seek(start);
    Clear(want, slot);
    return Skip(type);
  }

  Verdict ReadVec(TypeRef element, const Binding& want, void* slot) {
    const uint64_t count = in_.Uleb();
    if (Good() != Verdict::kOk) return Verdict::kBad;
    const Kind wire = wire_.table.KindOf(element);
    const uint32_t size = FixedSize(wire);
    if (size != 0 && count > in_.remaining() / size) return Bad("a vec longer than the message");
    if (want.store != nullptr && wire == want.element->kind) {
      return Store(want, slot, Kind::kVec, in_.Take(count * size));
    }
    Clear(want, slot);
    if (count > 0 && want.open == nullptr) return Mismatch(wire, want.element->kind);
    for (uint64_t i = 0; i < count; ++i) {
      const Verdict verdict = Read(element, *want.element, want.open(slot));
      if (verdict != Verdict::kOk) return verdict;
    }
    return Verdict::kOk;
  }

  Verdict ReadRecord(const TypeTable::Node& node, const Binding& want, void* slot) {
    Clear(want, slot);
    uint32_t next = 0;  // of the expected fields; both lists ascend
    for (const TypeTable::Field& field : wire_.table.Fields(node)) {
      for (; next < want.n_fields && want.fields[next].id < field.id; ++next) {
        const Verdict verdict = Missing(*want.fields[next].binding, FieldSlot(want, slot, next));
        if (verdict != Verdict::kOk) return verdict;
      }
      Verdict verdict;
      if (next < want.n_fields && want.fields[next].id == field.id) {
        verdict = Read(field.type, *want.fields[next].binding, FieldSlot(want, slot, next));
        ++next;
      } else {
        verdict = Skip(field.type);
      }
      if (verdict != Verdict::kOk) return verdict;
    }
    for (; next < want.n_fields; ++next) {
      const Verdict verdict = Missing(*want.fields[next].binding, FieldSlot(want, slot, next));
      if (verdict != Verdict::kOk) return verdict;
    }
    return Verdict::kOk;
  }

  // The field of the alternative at hand, or null.
  const TypeTable::Field* Alternative(const TypeTable::Node& node) {
    const uint64_t index = in_.Uleb();
    if (Good() != Verdict::kOk) return nullptr;
    if (index >= node.count) return Bad("a variant's alternative out of range"), nullptr;
    return &wire_.table.Fields(node)[static_cast<size_t>(index)];
  }

  Verdict ReadVariant(const TypeTable::Node& node, const Binding& want, void* slot) {
    const TypeTable::Field* field = Alternative(node);
    if (field == nullptr) return Verdict::kBad;
    const FieldBinding* end = want.fields + want.n_fields;
    const FieldBinding* found = std::lower_bound(
        want.fields, end, field->id, [](const FieldBinding& a, FieldId id) { return a.id < id; });
    if (found == end || found->id != field->id) return Mismatch(Kind::kVariant, Kind::kVariant);
    const uint32_t index = static_cast<uint32_t>(found - want.fields);
    return Read(field->type, *found->binding, want.field(want, slot, index));
  }

  // References carry no proof of their type: what the message claims must be a subtype.
  Verdict CheckReference(TypeRef type, const Binding& want) {
    TypeTable own;
    const TypeTable* expected = expected_;
    TypeRef wanted = want.type;
    if (expected == nullptr) {
      wanted = BindingTypes(own).Add(want);
      expected = &own;
    }
    const base::Result<bool> is = IsSubtype(wire_.table, type, *expected, wanted, work_);
    if (!is) return Bad("more work than the message's size allows");
    return *is ? Verdict::kOk : Mismatch(want.kind, want.kind);
  }

  Verdict ReadService(TypeRef type, const Binding& want, void* slot) {
    if (want.kind == Kind::kService) {
      const Verdict verdict = CheckReference(type, want);
      if (verdict != Verdict::kOk) return verdict;
    }
    return Store(want, slot, Kind::kService, Reference());
  }

  Verdict ReadFunc(TypeRef type, const Binding& want, void* slot) {
    const Verdict verdict = CheckReference(type, want);
    if (verdict != Verdict::kOk) return verdict;
    if (in_.U8() != 1) return Bad("an opaque reference");
    const base::ByteSpan service = Reference();
    const base::ByteSpan method = Checked(in_.Take(in_.Uleb()), IsUtf8);
    return Store(want, slot, Kind::kFunc, service, method);
  }

  Verdict Skip(TypeRef type) {
    if (!Enter()) return Verdict::kBad;
    return Leave(SkipInner(type));
  }

  Verdict SkipInner(TypeRef type) {
    const Kind wire = wire_.table.KindOf(type);
    if (type.IsPrimitive()) {
      if (wire == Kind::kEmpty) return Bad("a value of type empty");
      if (!Charge(LeafBytes(wire).size() / 64)) return Verdict::kBad;
      return Good();
    }
    const TypeTable::Node& node = wire_.table.node(type);
    switch (wire) {
      case Kind::kOpt: {
        const uint8_t tag = in_.U8();
        if (tag > 1) return Bad("an opt that is neither 0 nor 1");
        return tag == 0 ? Good() : Skip(node.element);
      }
      case Kind::kVec:
        return SkipVec(node.element);
      case Kind::kRecord:
        return SkipRecord(node);
      case Kind::kVariant: {
        const TypeTable::Field* field = Alternative(node);
        return field == nullptr ? Verdict::kBad : Skip(field->type);
      }
      case Kind::kService:
        return Reference(), Good();
      case Kind::kFunc: {
        if (in_.U8() != 1) return Bad("an opaque reference");
        Reference();
        Checked(in_.Take(in_.Uleb()), IsUtf8);
        return Good();
      }
      default:
        return SkipFuture();
    }
  }

  Verdict SkipFuture() {
    const uint64_t bytes = in_.Uleb();
    in_.Uleb();  // how many references come with it: they are not in the message
    return Charge(in_.Take(bytes).size() / 64) ? Good() : Verdict::kBad;
  }

  Verdict SkipRecord(const TypeTable::Node& node) {
    for (const TypeTable::Field& field : wire_.table.Fields(node)) {
      const Verdict verdict = Skip(field.type);
      if (verdict != Verdict::kOk) return verdict;
    }
    return Verdict::kOk;
  }

  Verdict SkipVec(TypeRef element) {
    const uint64_t count = in_.Uleb();
    if (Good() != Verdict::kOk) return Verdict::kBad;
    const Kind kind = wire_.table.KindOf(element);
    const uint32_t size = FixedSize(kind);
    if (size != 0 && count > in_.remaining() / size) return Bad("a vec longer than the message");
    if (size != 0 && kind != Kind::kBool) {
      return Charge(in_.Take(count * size).size() / 64) ? Verdict::kOk : Verdict::kBad;
    }
    for (uint64_t i = 0; i < count; ++i) {
      const Verdict verdict = Skip(element);
      if (verdict != Verdict::kOk) return verdict;
    }
    return Verdict::kOk;
  }

  Cursor& in_;
  const WireTypes& wire_;
  const DecodeLimits& limits_;
  uint64_t work_;
  const TypeTable* expected_;
  uint32_t depth_ = 0;
  uint32_t argument_ = 0;
  const char* problem_ = "";
  std::optional<Kind> found_;
  Kind wanted_ = Kind::kNull;
  size_t mismatch_at_ = 0;
};

}  // namespace

base::Status DecodeBound(base::ByteSpan message, const Binding& arguments, void* slot,
                         const DecodeLimits& limits, const TypeTable* expected) {
  Cursor in(message);
  const WireTypes wire = TRY(ReadHeader(in, limits));
  const uint64_t work = limits.work + limits.work_per_byte * message.size();
  return Decoder(in, wire, limits, work, expected).Arguments(arguments, slot);
}

}  // namespace candid
