#ifndef GPT2IC_CANDID_TYPED_INTERNAL_H_
#define GPT2IC_CANDID_TYPED_INTERNAL_H_

// The bindings behind candid/typed.h, which includes this file.

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/leb128.h"

#define CANDID_ONE(Type, field) +1
#define CANDID_FIELD(Type, field)                                                       \
  ::candid::FieldBinding{.offset = __builtin_offsetof(Type, field),                     \
                         .binding = &::candid::Candid<decltype(Type::field)>::kBinding, \
                         .label = #field},

// CANDID_EACH(M, T, a, b, ...) is M(T, a) M(T, b) ...: each pass over the text takes one field.
#define CANDID_PARENS ()
#define CANDID_AGAIN() CANDID_STEP
#define CANDID_STEP(macro, Type, field, ...) \
  macro(Type, field) __VA_OPT__(CANDID_AGAIN CANDID_PARENS(macro, Type, __VA_ARGS__))
#define CANDID_PASS4(...) __VA_ARGS__
#define CANDID_PASS3(...) CANDID_PASS4(CANDID_PASS4(CANDID_PASS4(CANDID_PASS4(__VA_ARGS__))))
#define CANDID_PASS2(...) CANDID_PASS3(CANDID_PASS3(CANDID_PASS3(CANDID_PASS3(__VA_ARGS__))))
#define CANDID_PASS1(...) CANDID_PASS2(CANDID_PASS2(CANDID_PASS2(CANDID_PASS2(__VA_ARGS__))))
#define CANDID_EACH(macro, Type, ...) \
  __VA_OPT__(CANDID_PASS1(CANDID_STEP(macro, Type, __VA_ARGS__)))

// The function that Candid<T> finds by its argument. offsetof is defined for every struct here by
// the compiler, also where the standard leaves it open (a std::unique_ptr member).
#define CANDID_SHAPE(Type, count, arguments)                                                  \
  _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Winvalid-offsetof\"") \
      [[maybe_unused]] constexpr ::candid::internal::Shape<count>                             \
      CandidShape(const Type*) {                                                              \
    return ::candid::internal::MakeShape<count> arguments;                                    \
  }                                                                                           \
  _Pragma("clang diagnostic pop")

namespace candid::internal {

// What the macros say of a struct: its fields by ascending id, and where a variant keeps its index.
template <size_t n>
struct Shape {
  Kind kind;
  std::array<FieldBinding, n> fields;
  uint32_t which_offset, which_size;
};

constexpr std::string_view LabelOf(std::string_view member) {
  if (member.ends_with('_')) member.remove_suffix(1);
  return member;
}

template <size_t n>
constexpr Shape<n> MakeShape(Kind kind, std::array<FieldBinding, n> fields, size_t which_offset = 0,
                             size_t which_size = 0) {
  for (uint32_t i = 0; i < n; ++i) {
    fields[i].label = LabelOf(fields[i].label);
    fields[i].id = LabelHash(fields[i].label);
    fields[i].index = i;
  }
  std::sort(fields.begin(), fields.end(),
            [](const FieldBinding& a, const FieldBinding& b) { return a.id < b.id; });
  for (size_t i = 1; i < n; ++i) CHECK(fields[i - 1].id != fields[i].id);  // at compile time
  return {kind, fields, static_cast<uint32_t>(which_offset), static_cast<uint32_t>(which_size)};
}

// Ops that are the same for every C++ type of one size or form.
bool StoreNothing(void*, const Leaf&);
void AppendNothing(const void*, base::Bytes&);
template <size_t size>
bool StoreFixed(void* slot, const Leaf& leaf) {
  std::memcpy(slot, leaf.bytes.data(), size);
  return true;
}
template <size_t size>
void AppendFixedBytes(const void* slot, base::Bytes& out) {
  base::Append(out, {static_cast<const uint8_t*>(slot), size});
}
void AppendBlock(base::ByteSpan bytes, size_t count, base::Bytes& out);  // LEB128 count, bytes

bool StoreNat(void* slot, const Leaf& leaf);
void AppendNat(const void* slot, base::Bytes& out);
bool StoreInt(void* slot, const Leaf& leaf);
void AppendInt(const void* slot, base::Bytes& out);
bool StoreU128(void* slot, const Leaf& leaf);
void AppendU128(const void* slot, base::Bytes& out);
bool StoreText(void* slot, const Leaf& leaf);
void AppendText(const void* slot, base::Bytes& out);
bool StoreTextView(void* slot, const Leaf& leaf);
void AppendTextView(const void* slot, base::Bytes& out);
bool StoreByteView(void* slot, const Leaf& leaf);
void AppendByteView(const void* slot, base::Bytes& out);
void ClearByteView(const Binding&, void* slot);
bool StorePrincipal(void* slot, const Leaf& leaf);
void AppendPrincipal(const void* slot, base::Bytes& out);

// A variant whose alternatives are members, with an index before them.
void* ChooseMember(uint8_t* which, uint32_t which_size, uint32_t index);
uint32_t WhichMember(const uint8_t* which, uint32_t which_size);

template <class T>
constexpr Binding LeafBinding(Kind kind, bool (*store)(void*, const Leaf&),
                              void (*append)(const void*, base::Bytes&)) {
  return {.kind = kind, .size = sizeof(T), .store = store, .append = append};
}

template <class T>
constexpr Kind FixedKind() {
  if constexpr (std::is_same_v<T, bool>) return Kind::kBool;
  if constexpr (std::is_same_v<T, float>) return Kind::kFloat32;
  if constexpr (std::is_same_v<T, double>) return Kind::kFloat64;
  constexpr int kLog = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
  return static_cast<Kind>(static_cast<int>(std::is_signed_v<T> ? Kind::kInt8 : Kind::kNat8) -
                           kLog);
}

template <class T>
concept FixedNumber = std::is_arithmetic_v<T>;

template <class T>
concept Shaped = requires { CandidShape(static_cast<const T*>(nullptr)); };

template <class T>
struct VecOps {
  static constexpr bool kBulk = FixedNumber<T> && !std::is_same_v<T, bool>;
  static std::vector<T>& Of(void* slot) { return *static_cast<std::vector<T>*>(slot); }

  static bool Store(void* slot, const Leaf& leaf) {
    std::vector<T>& vec = Of(slot);
    vec.resize(leaf.bytes.size() / sizeof(T));
    if (!vec.empty()) std::memcpy(vec.data(), leaf.bytes.data(), leaf.bytes.size());
    return true;
  }
  static void Append(const void* slot, base::Bytes& out) {
    const auto& vec = *static_cast<const std::vector<T>*>(slot);
    AppendBlock({reinterpret_cast<const uint8_t*>(vec.data()), vec.size() * sizeof(T)}, vec.size(),
                out);
  }
  static constexpr auto StoreOrNull() -> bool (*)(void*, const Leaf&) {
    if constexpr (kBulk) return Store;
    return nullptr;
  }
  static constexpr auto AppendOrNull() -> void (*)(const void*, base::Bytes&) {
    if constexpr (kBulk) return Append;
    return nullptr;
  }
  static void Clear(const Binding&, void* slot) { Of(slot).clear(); }
  static void* Open(void* slot) { return &Of(slot).emplace_back(); }
  static View Elements(const void* slot) {
    const auto& vec = *static_cast<const std::vector<T>*>(slot);
    return {vec.data(), vec.size()};
  }
};

template <class T>
constexpr Binding VecBinding() {
  using Ops = VecOps<T>;
  return {.kind = Kind::kVec,
          .size = sizeof(std::vector<T>),
          .element = &Candid<T>::kBinding,
          .store = Ops::StoreOrNull(),
          .clear = Ops::Clear,
          .open = Ops::Open,
          .append = Ops::AppendOrNull(),
          .view = Ops::Elements};
}

// opt T as std::optional<T> or std::unique_ptr<T>.
template <class Opt, class T>
struct OptOps {
  static Opt& Of(void* slot) { return *static_cast<Opt*>(slot); }
  static void Clear(const Binding&, void* slot) { Of(slot).reset(); }
  static void* Open(void* slot) {
    if constexpr (std::is_same_v<Opt, std::optional<T>>) {
      return &Of(slot).emplace();
    } else {
      Of(slot) = std::make_unique<T>();
      return Of(slot).get();
    }
  }
  static View Elements(const void* slot) {
    const Opt& opt = *static_cast<const Opt*>(slot);
    return {opt ? &*opt : nullptr, opt ? size_t{1} : size_t{0}};
  }
};

template <class Opt, class T>
constexpr Binding OptBinding() {
  using Ops = OptOps<Opt, T>;
  return {.kind = Kind::kOpt,
          .size = sizeof(Opt),
          .element = &Candid<T>::kBinding,
          .clear = Ops::Clear,
          .open = Ops::Open,
          .view = Ops::Elements};
}

template <class Tuple>
struct TupleOps;
template <template <class...> class Tuple, class... Ts>
struct TupleOps<Tuple<Ts...>> {
  static constexpr std::array<FieldBinding, sizeof...(Ts)> Fields() {
    std::array<FieldBinding, sizeof...(Ts)> fields = {
        {FieldBinding{.binding = &Candid<Ts>::kBinding}...}};
    for (uint32_t i = 0; i < sizeof...(Ts); ++i) fields[i].id = fields[i].index = i;
    return fields;
  }
  static constexpr auto kFields = Fields();
  static void* Field(const Binding&, void* slot, uint32_t index) {
    return At(*static_cast<Tuple<Ts...>*>(slot), index, std::index_sequence_for<Ts...>());
  }
  template <size_t... is>
  static void* At(Tuple<Ts...>& tuple, uint32_t index, std::index_sequence<is...>) {
    void* found = nullptr;
    (void)((index == is && (found = &std::get<is>(tuple), true)) || ...);
    return found;
  }
};

template <class Tuple>
constexpr Binding TupleBinding() {
  using Ops = TupleOps<Tuple>;
  return {.kind = Kind::kRecord,
          .size = sizeof(Tuple),
          .fields = Ops::kFields.data(),
          .n_fields = Ops::kFields.size(),
          .field = Ops::Field};
}

template <class Expected>
struct ExpectedOps {
  using T = typename Expected::value_type;
  using E = typename Expected::error_type;
  template <class U>
  using OrNull = std::conditional_t<std::is_void_v<U>, Null, U>;
  static constexpr auto kShape = MakeShape<2>(
      Kind::kVariant, {FieldBinding{.binding = &Candid<OrNull<T>>::kBinding, .label = "Ok"},
                       FieldBinding{.binding = &Candid<E>::kBinding, .label = "Err"}});

  static void* Field(const Binding&, void* slot, uint32_t index) {
    Expected& value = *static_cast<Expected*>(slot);
    if (kShape.fields[index].index == 1) {
      value = Expected(std::unexpect);
      return &value.error();
    }
    value = Expected();
    if constexpr (std::is_void_v<T>)
      return slot;
    else
      return &*value;
  }
  static View Current(const void* slot) {
    const Expected& value = *static_cast<const Expected*>(slot);
    if (!value) return {&value.error(), 1};
    if constexpr (std::is_void_v<T>)
      return {slot, 0};
    else
      return {&*value, 0};
  }
};

template <class Expected>
constexpr Binding ExpectedBinding() {
  using Ops = ExpectedOps<Expected>;
  return {.kind = Kind::kVariant,
          .size = sizeof(Expected),
          .fields = Ops::kShape.fields.data(),
          .n_fields = 2,
          .field = Ops::Field,
          .view = Ops::Current};
}

template <class T>
struct ShapedOps {
  static constexpr auto kShape = CandidShape(static_cast<const T*>(nullptr));

  static void* Field(const Binding& self, void* slot, uint32_t index) {
    uint8_t* bytes = static_cast<uint8_t*>(slot);
    ChooseMember(bytes + kShape.which_offset, kShape.which_size, self.fields[index].index);
    return bytes + self.fields[index].offset;
  }
  static View Current(const void* slot) {
    const uint8_t* bytes = static_cast<const uint8_t*>(slot);
    const uint32_t which = WhichMember(bytes + kShape.which_offset, kShape.which_size);
    for (const FieldBinding& field : kShape.fields) {
      if (field.index == which) return {bytes + field.offset, which};
    }
    return {nullptr, which};  // the encoder CHECKs it
  }
};

template <class T>
constexpr Binding ShapedBinding() {
  using Ops = ShapedOps<T>;
  constexpr bool kVariant = Ops::kShape.kind == Kind::kVariant;
  return {.kind = Ops::kShape.kind,
          .size = sizeof(T),
          .fields = Ops::kShape.fields.data(),
          .n_fields = Ops::kShape.fields.size(),
          .field = kVariant ? Ops::Field : nullptr,
          .view = kVariant ? Ops::Current : nullptr};
}

template <class Arguments, class Results>
struct FuncFields;
template <class... As, class... Rs>
struct FuncFields<std::tuple<As...>, std::tuple<Rs...>> {
  static constexpr uint32_t kArguments = sizeof...(As);
  static constexpr auto kFields = TupleOps<std::tuple<As..., Rs...>>::kFields;
};

// Of any Func: they differ in type only.
struct AnyFunc {
  Principal principal;
  std::string method;
};
bool StoreFunc(AnyFunc& func, const Leaf& leaf);
void AppendFunc(const Principal& principal, const std::string& method, base::Bytes& out);

template <class Self>
struct FuncOps {
  static bool Store(void* slot, const Leaf& leaf) {
    AnyFunc func;
    if (!StoreFunc(func, leaf)) return false;
    *static_cast<Self*>(slot) = {func.principal, std::move(func.method)};
    return true;
  }
  static void Append(const void* slot, base::Bytes& out) {
    const Self& func = *static_cast<const Self*>(slot);
    AppendFunc(func.principal, func.method, out);
  }
};

template <class Arguments, class Results, FuncMode mode>
constexpr Binding FuncBinding() {
  using Self = Func<Arguments, Results, mode>;
  using Fields = FuncFields<Arguments, Results>;
  return {.kind = Kind::kFunc,
          .size = sizeof(Self),
          .fields = Fields::kFields.data(),
          .n_fields = Fields::kFields.size(),
          .arguments = Fields::kArguments,
          .modes = mode,
          .store = FuncOps<Self>::Store,
          .append = FuncOps<Self>::Append};
}

// An enum: alternatives of null, the index is the enum itself.
template <size_t n>
constexpr Shape<n> MakeShape(std::array<const char*, n> labels, size_t size);

}  // namespace candid::internal

namespace candid {

// kBinding is defined outside its class and is constinit, not constexpr: so that taking its address
// in the shape of a recursive type does not need it defined.

template <internal::FixedNumber T>
struct Candid<T> {
  static const Binding kBinding;
};
template <internal::FixedNumber T>
constinit const Binding Candid<T>::kBinding =
    internal::LeafBinding<T>(internal::FixedKind<T>(), internal::StoreFixed<sizeof(T)>,
                             internal::AppendFixedBytes<sizeof(T)>);

#define CANDID_LEAF(Type, kind, store, append)            \
  template <>                                             \
  struct Candid<Type> {                                   \
    static const Binding kBinding;                        \
  };                                                      \
  inline constinit const Binding Candid<Type>::kBinding = \
      internal::LeafBinding<Type>(Kind::kind, internal::store, internal::append);
CANDID_LEAF(Null, kNull, StoreNothing, AppendNothing)
CANDID_LEAF(Reserved, kReserved, StoreNothing, AppendNothing)
CANDID_LEAF(Nat, kNat, StoreNat, AppendNat)
CANDID_LEAF(Int, kInt, StoreInt, AppendInt)
CANDID_LEAF(unsigned __int128, kNat, StoreU128, AppendU128)
CANDID_LEAF(std::string, kText, StoreText, AppendText)
CANDID_LEAF(base::Error, kText, StoreText, AppendText)
CANDID_LEAF(std::string_view, kText, StoreTextView, AppendTextView)
CANDID_LEAF(Principal, kPrincipal, StorePrincipal, AppendPrincipal)
CANDID_LEAF(Service, kService, StorePrincipal, AppendPrincipal)
#undef CANDID_LEAF

template <>
struct Candid<base::ByteSpan> {
  static const Binding kBinding;
};
inline constinit const Binding Candid<base::ByteSpan>::kBinding = {
    .kind = Kind::kVec,
    .size = sizeof(base::ByteSpan),
    .element = &Candid<uint8_t>::kBinding,
    .store = internal::StoreByteView,
    .clear = internal::ClearByteView,
    .append = internal::AppendByteView};

template <class T>
struct Candid<std::vector<T>> {
  static_assert(!std::is_same_v<T, bool>, "std::vector<bool> has no addressable elements");
  static const Binding kBinding;
};
template <class T>
constinit const Binding Candid<std::vector<T>>::kBinding = internal::VecBinding<T>();

template <class T>
struct Candid<std::optional<T>> {
  static const Binding kBinding;
};
template <class T>
constinit const Binding Candid<std::optional<T>>::kBinding =
    internal::OptBinding<std::optional<T>, T>();

template <class T>
struct Candid<std::unique_ptr<T>> {
  static const Binding kBinding;
};
template <class T>
constinit const Binding Candid<std::unique_ptr<T>>::kBinding =
    internal::OptBinding<std::unique_ptr<T>, T>();

template <class... Ts>
struct Candid<std::tuple<Ts...>> {
  static const Binding kBinding;
};
template <class... Ts>
constinit const Binding Candid<std::tuple<Ts...>>::kBinding =
    internal::TupleBinding<std::tuple<Ts...>>();

template <class A, class B>
struct Candid<std::pair<A, B>> {
  static const Binding kBinding;
};
template <class A, class B>
constinit const Binding Candid<std::pair<A, B>>::kBinding =
    internal::TupleBinding<std::pair<A, B>>();

template <class T, class E>
struct Candid<std::expected<T, E>> {
  static const Binding kBinding;
};
template <class T, class E>
constinit const Binding Candid<std::expected<T, E>>::kBinding =
    internal::ExpectedBinding<std::expected<T, E>>();

template <internal::Shaped T>
struct Candid<T> {
  static const Binding kBinding;
};
template <internal::Shaped T>
constinit const Binding Candid<T>::kBinding = internal::ShapedBinding<T>();

template <class Arguments, class Results, FuncMode mode>
struct Candid<Func<Arguments, Results, mode>> {
  static const Binding kBinding;
};
template <class Arguments, class Results, FuncMode mode>
constinit const Binding Candid<Func<Arguments, Results, mode>>::kBinding =
    internal::FuncBinding<Arguments, Results, mode>();

template <size_t n>
constexpr internal::Shape<n> internal::MakeShape(std::array<const char*, n> labels, size_t size) {
  std::array<FieldBinding, n> fields = {};
  for (size_t i = 0; i < n; ++i)
    fields[i] = {.binding = &Candid<Null>::kBinding, .label = labels[i]};
  return MakeShape<n>(Kind::kVariant, fields, 0, size);
}

}  // namespace candid

#endif  // GPT2IC_CANDID_TYPED_INTERNAL_H_
