#include "ic/certificate_verify.h"
#include "ic/query_verify.h"
#include "ic/test_support.h"

namespace ic {
namespace {

const Principal kCanister = PrincipalFromHex("00000000000000010101");
const Principal kOutside = PrincipalFromHex("00000000000000090101");
constexpr uint64_t kTime = 1'790'000'000'000'000'000;

BlsKey Key(uint8_t byte) { return *BlsKey::FromSeed(base::Bytes(32, byte)); }

std::vector<CanisterRange> Ranges(std::string_view first, std::string_view last) {
  return {{PrincipalFromHex(first), PrincipalFromHex(last)}};
}

enum class RangesAt { kShard, kSubnet, kNowhere };

// A certificate by the subnet with key 2, for which the root subnet with key 1 vouches.
Certificate Delegated(RangesAt place = RangesAt::kShard) {
  const BlsKey root = Key(1), subnet = Key(2);
  const Principal subnet_id = SelfAuthenticating(subnet.public_key_der());
  const base::Bytes ranges =
      EncodeCanisterRanges(Ranges("00000000000000010101", "00000000000000080101"));
  TreeBuilder above;
  above.Set(SubnetPath(subnet_id, "public_key"), subnet.public_key_der());
  if (place == RangesAt::kShard) {
    above.Set(CanisterRangesPath(subnet_id, PrincipalFromHex("00000000000000010101")), ranges);
    above.Set(CanisterRangesPath(subnet_id, PrincipalFromHex("00000000000000700101")),
              EncodeCanisterRanges({}));
  } else if (place == RangesAt::kSubnet) {
    above.Set(SubnetPath(subnet_id, "canister_ranges"), ranges);
  }
  above.Set(TextPath({"time"}), EncodeLeb(5));
  TreeBuilder tree;
  tree.Set(TextPath({"time"}), EncodeLeb(kTime));
  Certificate certificate = SignCertificate(subnet, tree.Build());
  certificate.delegation = {subnet_id, EncodeCertificate(SignCertificate(root, above.Build()))};
  return certificate;
}

std::string Refusal(const Certificate& certificate, const Principal& canister_id = kCanister,
                    const BlsKey& root = Key(1)) {
  const auto again = ParseCertificate(EncodeCertificate(certificate));
  EXPECT_TRUE(again) << ErrorOf(again);
  return ErrorOf(VerifyCertificate(*again, root.public_key_der(), canister_id));
}

TEST(CertificateTest, ADelegationIsFollowed) {
  EXPECT_EQ(Refusal(Delegated()), "");
  EXPECT_EQ(Refusal(Delegated(RangesAt::kSubnet)), "");
  EXPECT_EQ(Refusal(Delegated(RangesAt::kNowhere), Principal()), "") << "the management canister";
}

TEST(CertificateTest, WrongDelegationsAreRefused) {
  const Certificate good = Delegated();
  const std::string subnet = good.delegation->subnet_id.ToText();
  EXPECT_EQ(Refusal(good, kOutside),
            "canister " + kOutside.ToText() + " is not in the ranges of subnet " + subnet);
  EXPECT_EQ(Refusal(Delegated(RangesAt::kNowhere)),
            "certificate does not tell the canister ranges of subnet " + subnet);
  EXPECT_EQ(Refusal(good, kCanister, Key(3)), "BLS signature does not verify");
  Certificate other_subnet = good;
  other_subnet.delegation->subnet_id = PrincipalFromHex("01");
  EXPECT_EQ(Refusal(other_subnet, Principal()),
            "delegation does not tell the key of subnet " + PrincipalFromHex("01").ToText());
  Certificate twice = good;
  twice.delegation->certificate = EncodeCertificate(good);
  EXPECT_EQ(Refusal(twice), "delegation of a certificate is delegated again");
  Certificate changed = good;
  changed.tree = HashTree::Empty();
  EXPECT_EQ(Refusal(changed), "BLS signature does not verify");
  Certificate bare = good;
  bare.delegation.reset();
  EXPECT_EQ(Refusal(bare), "BLS signature does not verify") << "it is the subnet's, not the root's";
}

TEST(CertificateTest, ItsTimeIsNearNow) {
  TreeBuilder builder;
  builder.Set(TextPath({"time"}), EncodeLeb(kTime));
  const HashTree tree = builder.Build();
  EXPECT_TRUE(CheckCertificateTime(tree, kTime + kCertificateOffsetMax));
  EXPECT_TRUE(CheckCertificateTime(tree, kTime - kCertificateOffsetMax));
  EXPECT_EQ(ErrorOf(CheckCertificateTime(tree, kTime + kCertificateOffsetMax + 1)),
            "certificate's time is 300 s in the past, expected at most 300");
  EXPECT_EQ(ErrorOf(CheckCertificateTime(tree, kTime - 2 * kCertificateOffsetMax)),
            "certificate's time is 600 s in the future, expected at most 300");
  EXPECT_EQ(ErrorOf(CheckCertificateTime(HashTree::Empty(), kTime)),
            "certificate does not tell /time");
  EXPECT_EQ(ErrorOf(ParseLeb(Hex("8001ff"), "it")), "it is not one LEB128 number of 64 bits");
  EXPECT_EQ(ErrorOf(ParseLeb({}, "it")), "it is not one LEB128 number of 64 bits");
}

TEST(CertificateTest, RangesAreByBytes) {
  const auto ranges = Ranges("01", "0200");
  EXPECT_TRUE(InRanges(ranges, PrincipalFromHex("01")));
  EXPECT_TRUE(InRanges(ranges, PrincipalFromHex("01ffffff")));
  EXPECT_TRUE(InRanges(ranges, PrincipalFromHex("0200")));
  EXPECT_FALSE(InRanges(ranges, PrincipalFromHex("020000")));
  EXPECT_FALSE(InRanges(ranges, PrincipalFromHex("00ffffff")));
  const auto again = ParseCanisterRanges(EncodeCanisterRanges(ranges));
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)[0].last, PrincipalFromHex("0200"));
  EXPECT_EQ(ErrorOf(ParseCanisterRanges(Hex("81814101"))),
            "a canister range has 1 elements, expected 2");
  const std::vector<Principal> principals = {kCanister, Principal()};
  EXPECT_EQ(*ParsePrincipals(EncodePrincipals(principals)), principals);
}

TEST(CertificateTest, OtherBytesAreRefused) {
  EXPECT_EQ(ErrorOf(ParseCertificate(Hex("a0"))), "certificate has no field tree");
  EXPECT_EQ(ErrorOf(ParseCertificate(Hex("a2647472656581006973"
                                         "69676e617475726505"))),
            "signature is a natural number, expected a byte string");
}

// What a network of one subnet, whose key is the root key, shows of itself.
class OneSubnet {
 public:
  OneSubnet() {
    builder_.Set(CanisterRangesPath(id_, PrincipalFromHex("00")),
                 EncodeCanisterRanges(Ranges("00000000000000000101", "00000000000000080101")));
    builder_.Set(NodeKeyPath(id_, node_.principal()), node_.public_key_der());
    builder_.Set(NodeKeyPath(id_, PrincipalFromHex("0e")), Text("unused key"));
    builder_.Set(SubnetPath(id_, "type"), Text("application"));
  }
  const Principal& id() const { return id_; }
  const SigningKey& node() const { return node_; }
  HashTree tree() const { return builder_.Build(); }

 private:
  Principal id_ = SelfAuthenticating(Key(1).public_key_der());
  SigningKey node_ = TestKey(KeyScheme::kEd25519, 4);
  TreeBuilder builder_;
};

TEST(QueryTest, NodeKeysAreReadFromTheTree) {
  const OneSubnet subnet;
  const auto keys = NodeKeysOf(subnet.tree(), subnet.id(), kCanister);
  ASSERT_TRUE(keys) << ErrorOf(keys);
  EXPECT_EQ(keys->size(), 2);
  EXPECT_EQ(keys->at(subnet.node().principal()), subnet.node().public_key_der());
  EXPECT_FALSE(NodeKeysOf(subnet.tree(), subnet.id(), kOutside));
  const std::vector<Path> some = {NodeKeyPath(subnet.id(), subnet.node().principal()),
                                  TextPath({"canister_ranges"})};
  EXPECT_EQ(ErrorOf(NodeKeysOf(subnet.tree().Witness(some), subnet.id(), kCanister)),
            "certificate does not tell all nodes of subnet " + subnet.id().ToText());
}

TEST(QueryTest, RepliesAreVerified) {
  const OneSubnet subnet;
  const RequestId id = base::Sha256Of(base::AsBytes("query"));
  const NodeKeys keys = *NodeKeysOf(subnet.tree(), subnet.id(), kCanister);
  QueryReply reply;
  reply.arg = Text("answer");
  const auto refusal = [&](uint64_t now = kTime) {
    return ErrorOf(VerifyQueryReply(reply, id, keys, now, 1'000'000'000));
  };
  EXPECT_EQ(refusal(), "reply to a query has 0 signatures, expected 1 to 2");
  SignQueryReply(reply, id, kTime, subnet.node());
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(refusal(kTime + 2'000'000'000),
            "reply to a query was signed 2 s away from now, expected at most 1");
  reply.arg->push_back('!');
  EXPECT_EQ(refusal(), "verification failed");
  reply.arg->pop_back();
  reply.signatures[0].identity = PrincipalFromHex("0f");
  EXPECT_EQ(refusal(), "reply to a query is signed by " + PrincipalFromHex("0f").ToText() +
                           ", which is no node of the subnet");
  reply.signatures[0].identity = PrincipalFromHex("0e");
  EXPECT_FALSE(refusal().empty()) << "its key is none";
  reply.signatures.resize(3);
  EXPECT_EQ(refusal(), "reply to a query has 3 signatures, expected 1 to 2");
  EXPECT_NE(RequestId(), id);
}

TEST(ReplyTest, BodiesAreWrittenAndReadBack) {
  const auto status = ParseStatusReply(EncodeStatusReply({Text("key"), "healthy", "1"}));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->root_key, Text("key"));
  EXPECT_EQ(status->replica_health_status, "healthy");
  EXPECT_EQ(*ParseReadStateReply(EncodeReadStateReply(Text("c"))), Text("c"));

  const auto call = ParseCallReply(EncodeCallReply({Text("c"), {}}));
  ASSERT_TRUE(call);
  EXPECT_EQ(call->certificate, Text("c"));
  const Reject reject = {3, "no such canister", "IC0301"};
  for (const CallVersion version : {CallVersion::kV2, CallVersion::kV3}) {
    const auto refused = ParseCallReply(EncodeCallReply({{}, reject}, version));
    ASSERT_TRUE(refused) << ErrorOf(refused);
    EXPECT_EQ(refused->rejection->reject_message, "no such canister");
    EXPECT_EQ(refused->rejection->error_code, "IC0301");
  }
  QueryReply query;
  query.reject = {4, "no", {}};
  query.signatures = {{5, Text("s"), kCanister}};
  const auto again = ParseQueryReply(EncodeQueryReply(query));
  ASSERT_TRUE(again) << ErrorOf(again);
  EXPECT_EQ(again->reject->reject_code, 4);
  EXPECT_EQ(again->signatures[0].identity, kCanister);
  // "status": "lost"
  EXPECT_EQ(ErrorOf(ParseQueryReply(Hex("a166737461747573646c6f7374"))),
            "status of a query is \"lost\", expected \"replied\" or \"rejected\"");
}

TEST(ReplyTest, AMessageThatIsNotUtf8BecomesText) {
  const OneSubnet subnet;
  const RequestId id = base::Sha256Of(base::AsBytes("query"));
  QueryReply reply;
  reply.reject = {4, "a\xff\xc3\xa9\xe2\x82", {}};
  SignQueryReply(reply, id, kTime, subnet.node());
  const auto again = ParseQueryReply(EncodeQueryReply(reply));
  ASSERT_TRUE(again) << ErrorOf(again);
  const std::string text = "a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd";
  EXPECT_EQ(again->reject->reject_message, text);
  const NodeKeys keys = *NodeKeysOf(subnet.tree(), subnet.id(), kCanister);
  EXPECT_TRUE(VerifyQueryReply(*again, id, keys, kTime, 0)) << "what was signed is what is sent";
  const HashTree tree = RequestStatusTree({"rejected", {}, *reply.reject});
  EXPECT_EQ(tree.Value(TextPath({"reject_message"})), Text(text));
}

TEST(ReplyTest, ARequestsStatusIsReadFromACertificate) {
  const RequestId known = base::Sha256Of(base::AsBytes("a")), unknown = base::Sha256Of({});
  const auto tree_with = [&](const RequestStatus& status) {
    TreeBuilder full;
    full.Set(RequestStatusPath(known), RequestStatusTree(status));
    full.Set(TextPath({"time"}), EncodeLeb(kTime));
    return full.Build();
  };
  const HashTree replied = tree_with({"replied", Text("answer"), {}});
  EXPECT_EQ(RequestStatusOf(replied, known)->reply, Text("answer"));
  EXPECT_EQ(RequestStatusOf(replied, unknown)->status, "");
  const HashTree rejected = tree_with({"rejected", {}, {5, "trapped", "IC0502"}});
  const auto status = RequestStatusOf(rejected, known);
  ASSERT_TRUE(status) << ErrorOf(status);
  EXPECT_EQ(status->reject.reject_code, 5);
  EXPECT_EQ(status->reject.error_code, "IC0502");
  const std::vector<Path> time = {TextPath({"time"})};
  EXPECT_EQ(ErrorOf(RequestStatusOf(replied.Witness(time), known)),
            "certificate does not tell the request's status");
  const std::vector<Path> no_code = {RequestStatusPath(known, "status"),
                                     RequestStatusPath(known, "reject_code"),
                                     RequestStatusPath(known, "reject_message")};
  EXPECT_EQ(ErrorOf(RequestStatusOf(rejected.Witness(no_code), known)),
            "certificate does not tell the request's error_code");
}

}  // namespace
}  // namespace ic
