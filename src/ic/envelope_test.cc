#include "ic/envelope.h"

#include <functional>

#include "ic/cbor.h"
#include "ic/hash_tree.h"
#include "ic/test_support.h"

namespace ic {
namespace {

Content Call() {
  Content content;
  content.nonce = Text("nonce");
  content.ingress_expiry = 1'790'000'000'000'000'000;
  content.sender = Anonymous();
  content.canister_id = PrincipalFromHex("00000000000004D2");
  content.method_name = "greet";
  content.arg = Hex("4449444c0000");
  return content;
}

// Writes `envelope`'s content with its fields as `write` gives them.
base::Bytes WithContent(uint64_t fields, const std::function<void(CborWriter&)>& write) {
  CborWriter out;
  out.SelfDescribed().Map(1).Text("content").Map(fields);
  write(out);
  return out.Take();
}

std::string Refusal(base::ByteSpan body, RequestType type = RequestType::kCall) {
  return ErrorOf(ParseEnvelope(body, type));
}

TEST(EnvelopeTest, AllFieldsAreWrittenAndReadBack) {
  Envelope envelope = {Call(), {}, {}, {}};
  envelope.content.sender_info = SenderInfo{Text("info"), PrincipalFromHex("0102"), Text("sig")};
  envelope.sender_pubkey = Text("key");
  envelope.sender_sig = Text("signature");
  Delegation delegation = {Text("other"), 5, {}, "queries"};
  delegation.targets = {PrincipalFromHex("01"), PrincipalFromHex("")};
  envelope.sender_delegation = {{delegation, Text("by key")}};
  for (const RequestType type :
       {RequestType::kCall, RequestType::kQuery, RequestType::kReadState}) {
    envelope.content.request_type = type;
    const bool read_state = type == RequestType::kReadState;
    if (read_state) envelope.content.paths = {TextPath({"time"}), {}, TextPath({"a", ""})};
    const auto again = ParseEnvelope(EncodeEnvelope(envelope), type);
    ASSERT_TRUE(again) << ErrorOf(again);
    EXPECT_EQ(RequestIdOf(again->content), RequestIdOf(envelope.content));
    EXPECT_EQ(again->content.paths, envelope.content.paths);
    EXPECT_EQ(EncodeEnvelope(*again), EncodeEnvelope(envelope));
    const Delegation& read = (*again->sender_delegation)[0].delegation;
    EXPECT_EQ(HashOf(read), HashOf(delegation));
    EXPECT_EQ(read.targets, delegation.targets);
  }
}

TEST(EnvelopeTest, EveryFieldCountsForTheRequestId) {
  const RequestId id = RequestIdOf(Call());
  const auto changed = [&](const std::function<void(Content&)>& change) {
    Content content = Call();
    change(content);
    return RequestIdOf(content) != id;
  };
  EXPECT_FALSE(changed([](Content&) {}));
  EXPECT_TRUE(changed([](Content& c) { c.nonce.reset(); }));
  EXPECT_TRUE(changed([](Content& c) { c.nonce = base::Bytes(); }));
  EXPECT_TRUE(changed([](Content& c) { ++c.ingress_expiry; }));
  EXPECT_TRUE(changed([](Content& c) { c.sender = Principal(); }));
  EXPECT_TRUE(changed([](Content& c) { c.canister_id = Principal(); }));
  EXPECT_TRUE(changed([](Content& c) { c.method_name += "t"; }));
  EXPECT_TRUE(changed([](Content& c) { c.arg.push_back(0); }));
  EXPECT_TRUE(changed([](Content& c) { c.request_type = RequestType::kQuery; }));
  EXPECT_TRUE(changed([](Content& c) { c.sender_info = SenderInfo(); }));
}

TEST(EnvelopeTest, AbsentFieldsMayBeNullAndTheTagMayBeMissing) {
  // As ic-py sends an anonymous request.
  CborWriter out;
  out.Map(3).Text("content").Map(6).Text("request_type").Text("call");
  out.Text("ingress_expiry").Nat(5).Text("sender").Blob(Hex("04")).Text("canister_id");
  out.Blob({}).Text("method_name").Text("m").Text("arg").Blob({});
  out.Text("sender_pubkey").Raw(Hex("f6")).Text("sender_sig").Raw(Hex("f6"));
  const auto envelope = ParseEnvelope(out.Take(), RequestType::kCall);
  ASSERT_TRUE(envelope) << ErrorOf(envelope);
  EXPECT_FALSE(envelope->sender_pubkey);
  EXPECT_EQ(envelope->content.ingress_expiry, 5);
}

TEST(EnvelopeTest, AnExpiryMayBeABigNumber) {
  const base::Bytes body = WithContent(4, [](CborWriter& out) {
    out.Text("request_type").Text("read_state").Text("sender").Blob(Hex("04"));
    out.Text("paths").Array(0).Text("ingress_expiry").Raw(Hex("c24818d7731e4f0b0000"));
  });
  const auto envelope = ParseEnvelope(body, RequestType::kReadState);
  ASSERT_TRUE(envelope) << ErrorOf(envelope);
  EXPECT_EQ(envelope->content.ingress_expiry, 0x18d7731e4f0b0000);
}

TEST(EnvelopeTest, RefusesWrongShapes) {
  EXPECT_EQ(Refusal(Hex("80")), "envelope is an array, expected a map");
  EXPECT_EQ(Refusal(Hex("a0")), "envelope has no field content");
  EXPECT_EQ(Refusal(Hex("a167636f6e74656e7405")), "content is a natural number, expected a map");
  const Envelope call = {Call(), {}, {}, {}};
  EXPECT_EQ(Refusal(EncodeEnvelope(call), RequestType::kQuery),
            "request_type is \"call\", expected \"query\"");
  base::Bytes trailing = EncodeEnvelope(call);
  trailing.push_back(0);
  EXPECT_TRUE(Refusal(trailing).ends_with("but 1 more bytes follow"));
  EXPECT_EQ(Refusal(WithContent(1, [](auto& out) { out.Text("request_type").Nat(1); })),
            "request_type is a natural number, expected text");
  EXPECT_EQ(Refusal(WithContent(1, [](auto& out) { out.Text("request_type").Text("call"); })),
            "content has no field ingress_expiry");
  const auto with = [](std::string_view name, std::string_view value) {
    return WithContent(7, [&](CborWriter& out) {
      out.Text("request_type").Text("call").Text("ingress_expiry").Nat(1);
      out.Text("sender").Blob(Hex("04")).Text("canister_id").Blob({});
      out.Text("method_name").Text("m").Text("arg").Blob({}).Text(name).Raw(Hex(value));
    });
  };
  EXPECT_EQ(Refusal(with("nonce", "4101")), "");
  EXPECT_EQ(Refusal(with("colour", "01")), "content has an unknown field \"colour\"");
  EXPECT_EQ(Refusal(with("sender", "4104")), "CBOR map has the key \"sender\" twice");
  EXPECT_EQ(Refusal(with("nonce", "6101")), "nonce is text, expected a byte string");
  EXPECT_EQ(Refusal(with("sender_info", "a0")), "sender_info has no field info");
}

TEST(EnvelopeTest, RefusesPrincipalsThatAreTooLong) {
  const base::Bytes body = WithContent(6, [](CborWriter& out) {
    out.Text("request_type").Text("call").Text("ingress_expiry").Nat(1);
    out.Text("sender").Blob(base::Bytes(30)).Text("canister_id").Blob({});
    out.Text("method_name").Text("m").Text("arg").Blob({});
  });
  EXPECT_EQ(Refusal(body), "sender has 30 bytes, expected a principal of at most 29");
}

TEST(EnvelopeTest, RefusesHalfASignature) {
  Envelope envelope = {Call(), {}, {}, {}};
  envelope.sender_pubkey = Text("key");
  EXPECT_EQ(Refusal(EncodeEnvelope(envelope)),
            "envelope has one of sender_pubkey and sender_sig, expected both or none");
  envelope.sender_pubkey.reset();
  envelope.sender_delegation.emplace();
  EXPECT_EQ(Refusal(EncodeEnvelope(envelope)),
            "envelope has sender_delegation, but no sender_pubkey");
}

TEST(EnvelopeTest, RefusesWrongDelegations) {
  Envelope envelope = {Call(), {}, {}, {}};
  envelope.sender_pubkey = envelope.sender_sig = Text("x");
  envelope.sender_delegation = {{{Text("key"), 5, {}, "everything"}, Text("s")}};
  EXPECT_EQ(Refusal(EncodeEnvelope(envelope)),
            "permissions is \"everything\", expected \"queries\" or \"all\"");
}

TEST(EnvelopeTest, TheLargestReadStateIsRead) {
  Envelope envelope;
  envelope.content.request_type = RequestType::kReadState;
  envelope.content.paths.assign(kPathsMax, Path(kPathLabelsMax, Text("label")));
  const base::Bytes body = EncodeEnvelope(envelope);
  EXPECT_LT(body.size(), kIngressBytesMax);
  EXPECT_EQ(Refusal(body, RequestType::kReadState), "");
}

}  // namespace
}  // namespace ic
