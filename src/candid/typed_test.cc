#include "candid/typed.h"

#include <gtest/gtest.h>

#include "base/hex.h"

namespace candid {
namespace {

struct Token {
  uint32_t id = 0;
  std::string text;
  std::optional<float> logit;
  friend bool operator==(const Token&, const Token&) = default;
};
CANDID_RECORD(Token, id, text, logit)

struct Wider {
  std::string text;
  bool extra = true;
  uint32_t id = 7;
};
CANDID_RECORD(Wider, text, extra, id)

struct Empty {};
CANDID_RECORD(Empty)

enum class Part : uint8_t { kConfig, kWeights, kTokenizer };
CANDID_ENUM(Part, "config", "weights", "tokenizer")

struct State {
  uint8_t which = 0;
  Null idle;
  Token busy;
  std::string default_;
};
CANDID_VARIANT(State, which, idle, busy, default_)

struct Tree {
  uint8_t value = 0;
  std::vector<Tree> children;
  std::unique_ptr<Tree> next;
};
CANDID_RECORD(Tree, value, children, next)

using base::Bytes;

Bytes FromHex(std::string_view hex) { return base::FromHex(hex).value(); }

TEST(Typed, WritesTheBytesOfTheSpecification) {
  EXPECT_EQ(EncodeArgs(), FromHex("4449444c0000"));
  EXPECT_EQ(EncodeArgs(true, uint8_t{42}), FromHex("4449444c00027e7b012a"));
  EXPECT_EQ(EncodeArgs(std::string("Motoko")), FromHex("4449444c000171064d6f746f6b6f"));
  EXPECT_EQ(EncodeArgs(base::Result<std::string>("good")),
            FromHex("4449444c016b02bc8a0171c5fed2017101000004676f6f64"));
}

template <class... Ts>
std::tuple<Ts...> RoundTrip(const Ts&... values) {
  auto decoded = DecodeArgs<Ts...>(EncodeArgs(values...));
  EXPECT_TRUE(decoded) << decoded.error().message;
  return std::move(decoded).value();
}

TEST(Typed, RoundTripsEveryKind) {
  const auto [a, b, c, d] = RoundTrip(uint64_t{1} << 63, int16_t{-3}, 0.25f, -1e300);
  EXPECT_EQ(a, uint64_t{1} << 63);
  EXPECT_EQ(b, -3);
  EXPECT_EQ(c, 0.25f);
  EXPECT_EQ(d, -1e300);
  const auto [vec, blob, opt, none] =
      RoundTrip(std::vector<uint32_t>{1, 2, 3}, Bytes{9, 8},
                std::optional<Token>(Token{1, "x", 2.f}), std::optional<int64_t>());
  EXPECT_EQ(vec, (std::vector<uint32_t>{1, 2, 3}));
  EXPECT_EQ(blob, (Bytes{9, 8}));
  EXPECT_EQ(opt, (Token{1, "x", 2.f}));
  EXPECT_EQ(none, std::nullopt);
  const unsigned __int128 big = ~static_cast<unsigned __int128>(0);
  const auto [u128, part, unit, pair] =
      RoundTrip(big, Part::kTokenizer, Reserved(), std::pair<std::string, Null>("h", Null()));
  EXPECT_TRUE(u128 == big);
  EXPECT_EQ(part, Part::kTokenizer);
  EXPECT_EQ(pair.first, "h");
  const auto [headers] = RoundTrip(std::vector<std::pair<std::string, std::string>>{{"a", "b"}});
  EXPECT_EQ(headers.at(0).second, "b");
}

TEST(Typed, RoundTripsResults) {
  const auto [ok, err, done] = RoundTrip(base::Result<Token>(Token{5, "t", {}}),
                                         base::Result<Token>(base::Err("no")), base::Status());
  EXPECT_EQ(ok->id, 5u);
  EXPECT_EQ(err.error().message, "no");
  EXPECT_TRUE(done);
}

TEST(Typed, RoundTripsVariants) {
  State state;
  state.which = 1;
  state.busy = {3, "three", {}};
  auto [busy] = RoundTrip(state);
  EXPECT_EQ(busy.which, 1);
  EXPECT_EQ(busy.busy.text, "three");
  state.which = 2;
  state.default_ = "d";
  auto [other] = RoundTrip(state);
  EXPECT_EQ(other.which, 2);
  EXPECT_EQ(other.default_, "d");
}

TEST(Typed, RoundTripsRecursiveTypes) {
  Tree tree;
  tree.children.resize(2);
  tree.children[1].value = 4;
  tree.children[1].next = std::make_unique<Tree>();
  const Bytes message = EncodeArgs(tree);
  const auto decoded = DecodeArgs<Tree>(message);
  ASSERT_TRUE(decoded);
  const Tree& back = std::get<0>(*decoded);
  EXPECT_EQ(back.children.at(1).value, 4);
  EXPECT_TRUE(back.children[1].next);
  EXPECT_FALSE(back.next);
}

TEST(Typed, RoundTripsReferences) {
  using Callback = Func<std::tuple<Token>, std::tuple<std::optional<std::string>>, kQueryFunc>;
  const Principal id = Principal::FromText("w7x7r-cok77-xa").value();
  const auto [principal, service, func] =
      RoundTrip(id, Service{id}, Callback{id, "http_request_streaming_callback"});
  EXPECT_EQ(principal.ToText(), "w7x7r-cok77-xa");
  EXPECT_EQ(service.principal, id);
  EXPECT_EQ(func.method, "http_request_streaming_callback");
  using Update = Func<std::tuple<Token>, std::tuple<std::optional<std::string>>>;
  EXPECT_FALSE(DecodeArgs<Update>(EncodeArgs(Callback{id, "m"})));
}

TEST(Typed, AppliesTheSubtypingRules) {
  // Extra fields are skipped, missing opt fields are null, extra arguments are ignored.
  const Bytes message = EncodeArgs(Wider{"w", true, 9}, uint8_t{1});
  const auto decoded = DecodeArgs<Token>(message);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(std::get<0>(*decoded), (Token{9, "w", {}}));
  // Missing arguments.
  EXPECT_TRUE((DecodeArgs<std::optional<uint8_t>, Null, Reserved>(EncodeArgs())));
  EXPECT_FALSE(DecodeArgs<uint8_t>(EncodeArgs()));
  // A value at opt; a wrong one becomes null.
  EXPECT_EQ(std::get<0>(DecodeArgs<std::optional<uint8_t>>(EncodeArgs(uint8_t{3})).value()), 3);
  EXPECT_EQ(std::get<0>(DecodeArgs<std::optional<uint8_t>>(EncodeArgs(uint16_t{3})).value()),
            std::nullopt);
  EXPECT_EQ(std::get<0>(DecodeArgs<Int>(EncodeArgs(Nat(200))).value()), Int::From(200));
  EXPECT_TRUE(DecodeArgs<Empty>(EncodeArgs(Wider{})));
}

TEST(Typed, ErrorsSayWhatWasFoundAndExpected) {
  const auto wrong = DecodeArgs<uint8_t, std::string>(EncodeArgs(uint8_t{1}, uint8_t{2}));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "argument 1: found nat8, expected text, at byte 9");
  const auto missing = DecodeArgs<uint8_t>(EncodeArgs());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "argument 0: found nothing, expected nat8, at byte 6");
}

TEST(Typed, ViewsPointIntoTheMessage) {
  const Bytes message = EncodeArgs(Bytes(1000, 7), std::string("text"));
  const auto [bytes, text] = (DecodeArgs<base::ByteSpan, std::string_view>(message)).value();
  EXPECT_EQ(bytes.size(), 1000u);
  EXPECT_GE(bytes.data(), message.data());
  EXPECT_LE(bytes.data() + 1000, message.data() + message.size());
  EXPECT_EQ(text, "text");
}

}  // namespace
}  // namespace candid
