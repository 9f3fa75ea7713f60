// Random types with random values: binary, text and types all go both ways.

#include <gtest/gtest.h>

#include <random>

#include "candid/decode.h"
#include "candid/did.h"
#include "candid/encode.h"
#include "candid/text.h"
#include "candid/utf8.h"

namespace candid {
namespace {

class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  TypeRef Type(int depth) {
    if (depth == 0 || Below(3) == 0) {
      constexpr int kLeaves = 16;  // null to reserved; then principal
      const int code = static_cast<int>(Below(kLeaves + 1));
      return code == kLeaves ? TypeRef(Kind::kPrincipal) : TypeRef(-1 - code);
    }
    switch (Below(6)) {
      case 0:
        return table.AddOpt(Type(depth - 1));
      case 1:
        return table.AddVec(Type(depth - 1));
      case 2:
        return Fields(Kind::kVariant, 1 + Below(3), depth);
      case 3:
        return Reference(depth);
      default:
        return Fields(Kind::kRecord, Below(4), depth);
    }
  }

  Value Make(TypeRef type) {
    Value value;
    value.kind = table.KindOf(type);
    switch (value.kind) {
      case Kind::kNull:
      case Kind::kReserved:
        return value;
      case Kind::kNat:
        value.number = Int::Make(false, Number());
        return value;
      case Kind::kInt:
        value.number = Int::Make(Below(2) == 0, Number());
        return value;
      case Kind::kText:
        value.text = Text();
        return value;
      case Kind::kFunc:
        value.method = Text();
        [[fallthrough]];
      case Kind::kService:
      case Kind::kPrincipal:
        value.text = Bytes(29);
        return value;
      default:
        break;
    }
    if (FixedSize(value.kind) != 0) return Fixed(value);
    const TypeTable::Node node = table.node(type);
    if (value.kind == Kind::kOpt) return Items(value, node.element, Below(2));
    if (value.kind == Kind::kVec && node.element == TypeRef(Kind::kNat8))
      return BlobValue(Bytes(9));
    if (value.kind == Kind::kVec) return Items(value, node.element, Below(4));
    const auto span = table.Fields(node);
    const std::vector<TypeTable::Field> fields(span.begin(), span.end());
    const size_t one =
        value.kind == Kind::kVariant ? Below(static_cast<uint32_t>(fields.size())) : 0;
    for (size_t i = 0; i < fields.size(); ++i) {
      if (value.kind == Kind::kVariant && i != one) continue;
      value.ids.push_back(fields[i].id);
      value.items.push_back(Make(fields[i].type));
    }
    return value;
  }

  TypeTable table;

 private:
  uint32_t Below(uint32_t n) { return random_() % n; }

  TypeRef Fields(Kind kind, uint32_t n, int depth) {
    std::vector<TypeTable::Field> fields;
    for (uint32_t i = 0; i < n; ++i) {
      const FieldId id = Below(2) ? i : table.AddLabel("label " + std::to_string(i));
      fields.push_back({id, Type(depth - 1)});
    }
    const TypeRef type = table.Add(kind);
    EXPECT_TRUE(table.SetFields(type, fields));
    return type;
  }

  TypeRef Reference(int depth) {
    const TypeRef argument = Type(depth - 1);
    const TypeRef func = table.Add(Kind::kFunc);
    table.node(func).arguments = Below(3);
    table.SetSortedFields(func, std::vector<TypeTable::Field>{{0, argument}, {1, argument}});
    if (Below(2)) return func;
    const TypeRef service = table.Add(Kind::kService);
    EXPECT_TRUE(table.SetFields(service, {{table.AddMethodName(Text()), func}}));
    return service;
  }

  Value Items(Value value, TypeRef element, uint32_t n) {
    for (uint32_t i = 0; i < n; ++i) value.items.push_back(Make(element));
    return value;
  }

  Value Fixed(Value value) {
    const uint64_t any = (uint64_t{random_()} << 32) | random_();
    const uint32_t size = FixedSize(value.kind);
    value.bits = size == 8 ? any : any & ((uint64_t{1} << (size * 8)) - 1);
    if (value.kind == Kind::kBool) value.bits &= 1;
    // Finite floats: the text form has no others.
    if (value.kind == Kind::kFloat64) value.bits &= ~(uint64_t{1} << 62);
    if (value.kind == Kind::kFloat32) value.bits &= ~(uint64_t{1} << 30);
    return value;
  }

  Nat Number() {
    std::vector<uint32_t> limbs(Below(5));
    for (uint32_t& limb : limbs) limb = Below(4) == 0 ? ~0u : random_();
    return Nat::FromLimbs(limbs);
  }

  std::string Bytes(uint32_t max) {
    std::string bytes;
    for (uint32_t n = Below(max + 1); n > 0; --n) bytes.push_back(static_cast<char>(random_()));
    return bytes;
  }

  std::string Text() {
    std::string text;
    for (uint32_t n = Below(6); n > 0; --n)
      AppendUtf8(text, Below(2) ? Below(128) : Below(0x110000));
    return text;
  }

  std::mt19937 random_;
};

TEST(Property, BinaryAndTextGoBothWays) {
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    Generator generator(seed);
    std::vector<TypeRef> types;
    std::vector<Value> values;
    for (uint32_t i = 0; i < seed % 4; ++i) {
      types.push_back(generator.Type(4));
      values.push_back(generator.Make(types.back()));
    }
    const TypeTable& table = generator.table;
    const auto message = Encode(table, types, values);
    ASSERT_TRUE(message) << message.error().message;
    const auto decoded = Decode(*message, table, types);
    ASSERT_TRUE(decoded) << decoded.error().message;
    ASSERT_EQ(*decoded, values);
    const auto any = DecodeAny(*message);
    ASSERT_TRUE(any) << any.error().message;
    ASSERT_EQ(any->values, values);
    const std::string text = PrintArgs(values, table.labels());
    const auto parsed = ParseArgsAt(text, table, types);
    ASSERT_TRUE(parsed) << parsed.error().message << text;
    ASSERT_EQ(*parsed, values) << text;
  }
}

TEST(Property, TypesGoBothWays) {
  for (uint32_t seed = 0; seed < 1000; ++seed) {
    Generator generator(seed);
    DidFile file;
    const TypeRef type = generator.Type(5);
    file.table = generator.table;
    file.definitions = {{"T", type}};
    const std::string printed = PrintDid(file);
    const auto read = ParseDid(printed);
    ASSERT_TRUE(read) << read.error().message << printed;
    ASSERT_EQ(PrintDid(*read), printed);
    uint64_t work = 1'000'000;
    const TypeRef back = read->definitions[0].type;
    ASSERT_TRUE(IsSubtype(read->table, back, file.table, type, work).value()) << printed;
    ASSERT_TRUE(IsSubtype(file.table, type, read->table, back, work).value()) << printed;
  }
}

}  // namespace
}  // namespace candid
