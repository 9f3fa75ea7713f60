// a <: b for recursive types: assume the pair holds, then check its parts. Every rule is a
// conjunction (anything is a subtype of an opt, so no failure is ever caught), which makes it a
// work list of pairs that must all hold: no recursion, and a pair that was seen needs no second
// look.

#include <algorithm>

#include "candid/type.h"

namespace candid {
namespace {

// An open-addressing set of 64-bit keys.
class PairSet {
 public:
  // Whether `key` is new.
  bool Insert(uint64_t key) {
    if (count_ * 2 >= slots_.size()) Grow();
    if (!Place(key)) return false;
    ++count_;
    return true;
  }

 private:
  static constexpr uint64_t kFree = ~uint64_t{0};

  bool Place(uint64_t key) {
    const size_t mask = slots_.size() - 1;
    size_t i = static_cast<size_t>((key * 0x9e3779b97f4a7c15u) >> 32) & mask;
    for (; slots_[i] != kFree; i = (i + 1) & mask) {
      if (slots_[i] == key) return false;
    }
    slots_[i] = key;
    return true;
  }
  void Grow() {
    std::vector<uint64_t> old(std::max<size_t>(16, slots_.size() * 2), kFree);
    old.swap(slots_);
    for (const uint64_t key : old) {
      if (key != kFree) Place(key);
    }
  }

  std::vector<uint64_t> slots_;
  size_t count_ = 0;
};

class SubtypeCheck {
 public:
  SubtypeCheck(const TypeTable& a, const TypeTable& b) : tables_{&a, &b} {}

  base::Result<bool> Run(TypeRef a, TypeRef b, uint64_t& work) {
    todo_.push_back({a, b, 0});
    while (!todo_.empty()) {
      const Pair pair = todo_.back();
      todo_.pop_back();
      const uint64_t cost =
          1 + Parts(*tables_[pair.side], pair.sub) + Parts(*tables_[1 - pair.side], pair.super);
      if (cost > work) return base::Err("comparing the types takes too much work");
      work -= cost;
      if (!Step(pair)) return false;
    }
    return true;
  }

 private:
  // sub <: super, where sub is of tables_[side] and super of the other one.
  struct Pair {
    TypeRef sub, super;
    int side;
  };
  using Fields = std::span<const TypeTable::Field>;

  static uint32_t Parts(const TypeTable& table, TypeRef type) {
    return type.IsPrimitive() ? 0 : table.node(type).count;
  }

  bool Step(const Pair& pair) {
    const TypeTable& sub_table = *tables_[pair.side];
    const TypeTable& super_table = *tables_[1 - pair.side];
    const Kind sub = sub_table.KindOf(pair.sub);
    const Kind super = super_table.KindOf(pair.super);
    if (super == Kind::kReserved || super == Kind::kOpt || sub == Kind::kEmpty) return true;
    if (sub == Kind::kNat && super == Kind::kInt) return true;
    if (sub == Kind::kService && super == Kind::kPrincipal) return true;
    if (sub != super || sub == Kind::kFuture) return false;
    if (pair.sub.IsPrimitive()) return true;
    const uint64_t key = (static_cast<uint64_t>(pair.sub.code) << 32) |
                         (static_cast<uint64_t>(pair.super.code) << 1) |
                         static_cast<uint64_t>(pair.side);
    if (!seen_.Insert(key)) return true;
    const TypeTable::Node& a = sub_table.node(pair.sub);
    const TypeTable::Node& b = super_table.node(pair.super);
    switch (sub) {
      case Kind::kVec:
        todo_.push_back({a.element, b.element, pair.side});
        return true;
      case Kind::kRecord:
        return Record(sub_table.Fields(a), super_table.Fields(b), pair.side);
      case Kind::kVariant:
        return Variant(sub_table.Fields(a), super_table.Fields(b), pair.side);
      case Kind::kService:
        return Service(a, b, pair.side);
      case Kind::kFunc:
        return a.modes == b.modes &&
               Tuple(super_table.Arguments(b), sub_table.Arguments(a), 1 - pair.side) &&
               Tuple(sub_table.Results(a), super_table.Results(b), pair.side);
      default:
        return false;
    }
  }

  bool Record(Fields sub, Fields super, int side) {
    size_t i = 0;
    for (const TypeTable::Field& field : super) {
      while (i < sub.size() && sub[i].id < field.id) ++i;
      if (i < sub.size() && sub[i].id == field.id) {
        todo_.push_back({sub[i].type, field.type, side});
      } else if (!tables_[1 - side]->MayBeMissing(field.type)) {
        return false;
      }
    }
    return true;
  }

  bool Variant(Fields sub, Fields super, int side) {
    size_t i = 0;
    for (const TypeTable::Field& field : sub) {
      while (i < super.size() && super[i].id < field.id) ++i;
      if (i == super.size() || super[i].id != field.id) return false;
      todo_.push_back({field.type, super[i].type, side});
    }
    return true;
  }

  bool Tuple(Fields sub, Fields super, int side) {
    for (size_t i = 0; i < super.size(); ++i) {
      if (i < sub.size()) {
        todo_.push_back({sub[i].type, super[i].type, side});
      } else if (!tables_[1 - side]->MayBeMissing(super[i].type)) {
        return false;
      }
    }
    return true;
  }

  bool Service(const TypeTable::Node& a, const TypeTable::Node& b, int side) {
    const TypeTable& sub_table = *tables_[side];
    const TypeTable& super_table = *tables_[1 - side];
    const Fields sub = sub_table.Fields(a);
    size_t i = 0;
    for (const TypeTable::Field& method : super_table.Fields(b)) {
      const std::string& name = super_table.MethodName(method);
      while (i < sub.size() && sub_table.MethodName(sub[i]) < name) ++i;
      if (i == sub.size() || sub_table.MethodName(sub[i]) != name) return false;
      todo_.push_back({sub[i].type, method.type, side});
    }
    return true;
  }

  const TypeTable* tables_[2];
  std::vector<Pair> todo_;
  PairSet seen_;
};

}  // namespace

base::Result<bool> IsSubtype(const TypeTable& table_a, TypeRef a, const TypeTable& table_b,
                             TypeRef b, uint64_t& work) {
  return SubtypeCheck(table_a, table_b).Run(a, b, work);
}

}  // namespace candid
