#ifndef GPT2IC_CANDID_TYPED_H_
#define GPT2IC_CANDID_TYPED_H_

// Candid straight into C++ values and back, for canister methods and their callers.
//
//   struct Token { uint32_t id; std::string text; std::optional<float> logit; };
//   CANDID_RECORD(Token, id, text, logit)                // in the namespace of the struct
//
//   enum class Part : uint8_t { kConfig, kWeights };
//   CANDID_ENUM(Part, "config", "weights")               // labels of the values 0, 1, ...
//
//   struct State { uint8_t which; Null idle; Token busy; };
//   CANDID_VARIANT(State, which, idle, busy)             // which = 0: idle, 1: busy
//
//   auto [part, bytes] = TRY(DecodeArgs<Part, base::ByteSpan>(message));
//   reply = EncodeArgs(base::Result<Token>(token));      // (variant { Ok : Token; Err : text })
//
//   C++                                       Candid
//   bool, (u)intN_t, float, double            bool, natN, intN, float32, float64
//   Nat, unsigned __int128 | Int              nat | int  (a nat above 128 bits is an Error)
//   std::string, std::string_view             text
//   base::Bytes, base::ByteSpan               vec nat8, moved in bulk
//   std::vector<T>                            vec T, in bulk for numbers of fixed size
//   std::optional<T>, std::unique_ptr<T>      opt T
//   Principal, Service, Func<...>             principal, service {}, func
//   Null, Reserved                            null, reserved
//   std::tuple, std::pair                     record { T0; T1; ... }
//   base::Result<T>, std::expected<T, E>      variant { Ok : T; Err : E }; void is null
//   base::Error                               text
//
// A view (string_view, ByteSpan) points into the message, which must outlive it. A trailing
// underscore is no part of a label: `default_` is "default".

#include <array>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "candid/binding.h"
#include "candid/decoder.h"
#include "candid/number.h"
#include "candid/principal.h"

namespace candid {

struct Null {
  friend bool operator==(Null, Null) = default;
};
struct Reserved {
  friend bool operator==(Reserved, Reserved) = default;
};
struct Service {  // service {}: the type of a service of which no method is used
  Principal principal;
  friend bool operator==(const Service&, const Service&) = default;
};
// func (Arguments...) -> (Results...) with std::tuples of the types.
template <class Arguments, class Results, FuncMode mode = kUpdateFunc>
struct Func {
  Principal principal;
  std::string method;
  friend bool operator==(const Func&, const Func&) = default;
};

// Candid<T>::kBinding. Specialised in typed_internal.h for the types above.
template <class T>
struct Candid;

}  // namespace candid

#include "candid/typed_internal.h"

namespace candid {

template <class... Ts>
base::Result<std::tuple<Ts...>> DecodeArgs(base::ByteSpan message,
                                           const DecodeLimits& limits = {}) {
  std::tuple<Ts...> values;
  TRY_STATUS(DecodeBound(message, Candid<std::tuple<Ts...>>::kBinding, &values, limits));
  return values;
}

template <class... Ts>
base::Bytes EncodeArgs(const Ts&... values) {
  const std::array<BoundValue, sizeof...(Ts)> bound = {{{&Candid<Ts>::kBinding, &values}...}};
  return EncodeBound(bound);
}

}  // namespace candid

// The three macros, with up to 64 fields.
#define CANDID_RECORD(Type, ...)                                     \
  CANDID_SHAPE(Type, (0 CANDID_EACH(CANDID_ONE, Type, __VA_ARGS__)), \
               (::candid::Kind::kRecord, {CANDID_EACH(CANDID_FIELD, Type, __VA_ARGS__)}))

#define CANDID_VARIANT(Type, which, ...)                                                  \
  CANDID_SHAPE(Type, (0 CANDID_EACH(CANDID_ONE, Type, __VA_ARGS__)),                      \
               (::candid::Kind::kVariant, {CANDID_EACH(CANDID_FIELD, Type, __VA_ARGS__)}, \
                __builtin_offsetof(Type, which), sizeof(Type::which)))

#define CANDID_ENUM(Type, ...)                                                 \
  CANDID_SHAPE(Type, (std::initializer_list<const char*>{__VA_ARGS__}.size()), \
               ({__VA_ARGS__}, sizeof(Type)))

#endif  // GPT2IC_CANDID_TYPED_H_
