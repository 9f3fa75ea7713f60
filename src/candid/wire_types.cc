#include "candid/wire_types.h"

#include <cstring>

#include "base/leb128.h"
#include "candid/utf8.h"

namespace candid {
namespace {

class HeaderReader {
 public:
  HeaderReader(Cursor& in, const DecodeLimits& limits, TypeTable& table)
      : in_(in), limits_(limits), fields_left_(limits.type_fields), table_(table) {}

  base::Status Table() {
    const base::ByteSpan magic = in_.Take(4);
    if (!in_.ok() || std::memcmp(magic.data(), "DIDL", 4) != 0) {
      return base::Err("message does not begin with DIDL");
    }
    n_types_ = in_.Count(2);
    if (n_types_ > limits_.types) {
      return base::Err("type table has ", n_types_, " entries, expected at most ", limits_.types);
    }
    table_.Reserve(n_types_);
    for (uint32_t i = 0; i < n_types_; ++i) {
      if (!Entry()) return Refuse();
    }
    return CheckMethods();
  }

  base::Status Arguments(std::vector<TypeRef>& out) {
    if (!List()) return Refuse();
    out.reserve(fields_.size());
    for (const TypeTable::Field& field : fields_) out.push_back(field.type);
    return {};
  }

 private:
  std::unexpected<base::Error> Refuse() {
    return base::Err("types of the message: ", problem_, " at byte ", in_.position());
  }
  bool Bad(const char* problem) {
    problem_ = problem;
    return false;
  }
  bool Good() { return in_.ok() || Bad("a number out of range, or the end of the input"); }

  bool Entry() {
    const int32_t opcode = in_.Sleb();
    if (!Good()) return false;
    if (opcode < static_cast<int32_t>(Kind::kPrincipal)) return Future();
    if (opcode > static_cast<int32_t>(Kind::kOpt) ||
        opcode == static_cast<int32_t>(Kind::kPrincipal)) {
      return Bad("an entry that is no constructed type");
    }
    const TypeRef type = table_.Add(static_cast<Kind>(opcode));
    switch (static_cast<Kind>(opcode)) {
      case Kind::kOpt:
      case Kind::kVec:
        return Reference(table_.node(type).element);
      case Kind::kFunc:
        return Func(type);
      case Kind::kService:
        return Service(type);
      default:
        return Fields(type);
    }
  }

  bool Future() {
    table_.Add(Kind::kFuture);
    in_.Take(in_.Uleb());
    return Good();
  }

  bool Reference(TypeRef& out) {
    const int32_t code = in_.Sleb();
    if (!Good()) return false;
    out = TypeRef(code);
    if (code >= 0) return code < static_cast<int64_t>(n_types_) || Bad("a type index out of range");
    return code >= static_cast<int32_t>(Kind::kEmpty) ||
           code == static_cast<int32_t>(Kind::kPrincipal) || Bad("a type that needs an entry");
  }

  // Makes room in fields_ for a list whose items take at least `bytes_each` bytes.
  bool StartList(uint32_t bytes_each, uint32_t& count) {
    count = in_.Count(bytes_each);
    if (!Good()) return false;
    if (count > fields_left_) return Bad("too many fields");
    fields_left_ -= count;
    fields_.clear();
    return true;
  }

  bool Fields(TypeRef type) {
    uint32_t count;
    if (!StartList(2, count)) return false;
    int64_t last = -1;
    for (uint32_t i = 0; i < count; ++i) {
      const uint64_t id = in_.Uleb();
      if (id > UINT32_MAX || static_cast<int64_t>(id) <= last) {
        return Bad("field ids that do not ascend within 32 bits");
      }
      last = static_cast<int64_t>(id);
      fields_.push_back({static_cast<uint32_t>(id), TypeRef()});
      if (!Reference(fields_.back().type)) return false;
    }
    table_.SetSortedFields(type, fields_);
    return true;
  }

  bool List() {
    uint32_t count;
    if (!StartList(1, count)) return false;
    return Items(count);
  }

  bool Items(uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
      fields_.push_back({i, TypeRef()});
      if (!Reference(fields_.back().type)) return false;
    }
    return true;
  }

  bool Func(TypeRef type) {
    if (!List()) return false;
    const uint32_t arguments = static_cast<uint32_t>(fields_.size());
    const uint32_t results = in_.Count(1);
    if (!Good()) return false;
    if (results > fields_left_) return Bad("too many fields");
    fields_left_ -= results;
    if (!Items(results)) return false;
    uint8_t modes = 0;
    for (uint32_t left = in_.Count(1); left > 0; --left) {
      const uint8_t mode = in_.U8();
      if (mode < 1 || mode > 3) return Bad("an unknown annotation of a func");
      modes |= static_cast<uint8_t>(1 << (mode - 1));
    }
    table_.node(type).arguments = arguments;
    table_.node(type).modes = modes;
    table_.SetSortedFields(type, fields_);
    return Good();
  }

  bool Service(TypeRef type) {
    uint32_t count;
    if (!StartList(2, count)) return false;
    std::string_view last;
    for (uint32_t i = 0; i < count; ++i) {
      const base::ByteSpan raw = in_.Take(in_.Uleb());
      if (!Good()) return false;
      const std::string_view name = base::AsText(raw);
      if (!IsUtf8(raw) || (i > 0 && name <= last)) return Bad("methods that do not ascend by name");
      last = name;
      fields_.push_back({table_.AddMethodName(name), TypeRef()});
      if (!Reference(fields_.back().type)) return false;
      methods_.push_back(fields_.back().type);
    }
    table_.SetSortedFields(type, fields_);
    return true;
  }

  base::Status CheckMethods() {
    for (const TypeRef method : methods_) {
      if (table_.KindOf(method) != Kind::kFunc) {
        Bad("a method that is no func");
        return Refuse();
      }
    }
    if (!Good()) return Refuse();
    return {};
  }

  Cursor& in_;
  const DecodeLimits& limits_;
  uint32_t fields_left_;
  TypeTable& table_;
  uint32_t n_types_ = 0;
  std::vector<TypeTable::Field> fields_;  // of the entry at hand
  std::vector<TypeRef> methods_;          // to be checked when the table is complete
  const char* problem_ = "";
};

class HeaderWriter {
 public:
  HeaderWriter(base::Bytes& out, const TypeTable& table)
      : out_(out), table_(table), number_(table.size(), -1) {}

  void Write(std::span<const TypeRef> arguments) {
    for (const TypeRef type : arguments) Number(type);
    for (size_t i = 0; i < order_.size(); ++i) NumberParts(table_.node(order_[i]));
    base::Append(out_, "DIDL");
    base::AppendUleb(out_, order_.size());
    for (const TypeRef type : order_) Entry(table_.node(type));
    base::AppendUleb(out_, arguments.size());
    for (const TypeRef type : arguments) Reference(type);
  }

 private:
  void Number(TypeRef type) {
    if (type.IsPrimitive() || number_[static_cast<size_t>(type.code)] >= 0) return;
    number_[static_cast<size_t>(type.code)] = static_cast<int32_t>(order_.size());
    order_.push_back(type);
  }

  void NumberParts(const TypeTable::Node& node) {
    Number(node.element);
    for (const TypeTable::Field& field : table_.Fields(node)) Number(field.type);
  }

  void Reference(TypeRef type) {
    base::AppendSleb(out_,
                     type.IsPrimitive() ? type.code : number_[static_cast<size_t>(type.code)]);
  }

  void List(std::span<const TypeTable::Field> fields) {
    base::AppendUleb(out_, fields.size());
    for (const TypeTable::Field& field : fields) Reference(field.type);
  }

  void Entry(const TypeTable::Node& node) {
    base::AppendSleb(out_, static_cast<int64_t>(node.kind));
    switch (node.kind) {
      case Kind::kOpt:
      case Kind::kVec:
        return Reference(node.element);
      case Kind::kFunc:
        return Func(node);
      case Kind::kFuture:
        return base::AppendUleb(out_, 0);
      default:
        break;
    }
    base::AppendUleb(out_, node.count);
    for (const TypeTable::Field& field : table_.Fields(node)) {
      if (node.kind == Kind::kService) {
        const std::string& name = table_.MethodName(field);
        base::AppendUleb(out_, name.size());
        base::Append(out_, name);
      } else {
        base::AppendUleb(out_, field.id);
      }
      Reference(field.type);
    }
  }

  void Func(const TypeTable::Node& node) {
    List(table_.Arguments(node));
    List(table_.Results(node));
    base::AppendUleb(out_, static_cast<uint64_t>(__builtin_popcount(node.modes)));
    for (uint8_t mode = 1; mode <= 3; ++mode) {
      if ((node.modes >> (mode - 1)) & 1) out_.push_back(mode);
    }
  }

  base::Bytes& out_;
  const TypeTable& table_;
  std::vector<int32_t> number_;  // by index of the table: the number in the message, or -1
  std::vector<TypeRef> order_;
};

}  // namespace

base::Result<WireTypes> ReadHeader(Cursor& in, const DecodeLimits& limits) {
  WireTypes types;
  HeaderReader reader(in, limits, types.table);
  TRY_STATUS(reader.Table());
  TRY_STATUS(reader.Arguments(types.arguments));
  return types;
}

void AppendHeader(base::Bytes& out, const TypeTable& table, std::span<const TypeRef> arguments) {
  HeaderWriter(out, table).Write(arguments);
}

}  // namespace candid
