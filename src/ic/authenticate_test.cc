// One test for each rule of refusal, with the text of the IC.

#include "ic/authenticate.h"

#include "ic/certificate_verify.h"
#include "ic/test_support.h"

namespace ic {
namespace {

constexpr uint64_t kNow = 1'790'000'000'000'000'000;  // 2026-09-21 14:13:20 UTC
constexpr uint64_t kMinute = 60'000'000'000;

Content Query(uint64_t expiry = kNow + kMinute) {
  Content content;
  content.request_type = RequestType::kQuery;
  content.ingress_expiry = expiry;
  content.canister_id = PrincipalFromHex("00000000000000010101");
  content.method_name = "greet";
  return content;
}

std::string Refused(const Envelope& envelope, base::ByteSpan root_key = {}) {
  const auto verdict = Authenticate(envelope, kNow, root_key);
  if (verdict) return "";
  EXPECT_EQ(verdict.error().status, 400);
  return verdict.error().text;
}

Identity Ed25519(uint8_t byte = 1) { return Identity(TestKey(KeyScheme::kEd25519, byte)); }

// Keys 1 -> 2 -> ... -> length + 1, with every delegation as `each` leaves it.
template <class Each>
Identity Chain(int length, Each each, uint64_t expiration = kNow + kMinute) {
  std::vector<SignedDelegation> chain;
  for (int i = 0; i < length; ++i) {
    const auto from = TestKey(KeyScheme::kEd25519, static_cast<uint8_t>(i + 1));
    const auto to = TestKey(KeyScheme::kEd25519, static_cast<uint8_t>(i + 2));
    Delegation delegation = {to.public_key_der(), expiration, {}, {}};
    each(i, delegation);
    chain.push_back(Identity::Delegate(from, delegation));
  }
  const auto first = TestKey(KeyScheme::kEd25519, 1);
  return Identity(TestKey(KeyScheme::kEd25519, static_cast<uint8_t>(length + 1)),
                  first.public_key_der(), chain);
}
const auto kAsItIs = [](int, Delegation&) {};

TEST(AuthenticateTest, EveryKindOfSenderIsAccepted) {
  EXPECT_EQ(Refused(Identity().Sign(Query())), "");
  for (const KeyScheme scheme : {KeyScheme::kEd25519, KeyScheme::kP256, KeyScheme::kSecp256k1}) {
    const SigningKey key = TestKey(scheme, 7);
    const auto verdict = Authenticate(Identity(key).Sign(Query()), kNow, {});
    ASSERT_TRUE(verdict) << verdict.error().text;
    EXPECT_EQ(verdict->sender, key.principal());
    EXPECT_TRUE(verdict->targets.all());
  }
  EXPECT_EQ(Refused(Chain(20, kAsItIs).Sign(Query())), "");
}

TEST(AuthenticateTest, RefusesAnExpiryOutsideTheWindow) {
  EXPECT_EQ(Refused(Identity().Sign(Query(kNow))), "");
  EXPECT_EQ(Refused(Identity().Sign(Query(kNow - 1))),
            "Invalid request expiry: Specified ingress_expiry not within expected range: Minimum "
            "allowed expiry: 2026-09-21 14:13:20 UTC, Maximum allowed expiry: 2026-09-21 14:18:50 "
            "UTC, Provided expiry:        2026-09-21 14:13:19.999999999 UTC");
  EXPECT_EQ(Refused(Identity().Sign(Query(kNow + kIngressTtl + kPermittedDrift))), "");
  EXPECT_TRUE(Refused(Identity().Sign(Query(kNow + kIngressTtl + kPermittedDrift + 1)))
                  .starts_with("Invalid request expiry: "));
  EXPECT_TRUE(Refused(Identity().Sign(Query(~0ull))).starts_with("Invalid request expiry: "));
}

TEST(AuthenticateTest, RefusesWhatIsTooBig) {
  Content content = Query();
  content.nonce = base::Bytes(32);
  EXPECT_EQ(Refused(Identity().Sign(content)), "");
  content.nonce = base::Bytes(33);
  EXPECT_EQ(Refused(Identity().Sign(content)),
            "Nonce in request is too big: got 33 bytes, but at most 32 are allowed.");
  content = Query();
  content.request_type = RequestType::kReadState;
  content.paths.resize(1001);
  EXPECT_EQ(Refused(Identity().Sign(content)),
            "Too many paths in read state request: got 1001 paths, but at most 1000 are allowed.");
  content.paths = {Path(128)};
  EXPECT_EQ(Refused(Identity().Sign(content)),
            "At least one path in read state request is too deep: got 128 labels, but at most 127 "
            "are allowed.");
}

TEST(AuthenticateTest, RefusesASenderThatIsNotTheKeys) {
  Envelope envelope = Ed25519().Sign(Query());
  envelope.content.sender = PrincipalFromHex("0102");
  EXPECT_EQ(Refused(envelope), "The user id '" + PrincipalFromHex("0102").ToText() +
                                   "' does not match the public key '" +
                                   base::ToHex(*envelope.sender_pubkey) + "'");
}

TEST(AuthenticateTest, RefusesASenderWithoutSignature) {
  Envelope envelope = Ed25519().Sign(Query());
  envelope.sender_pubkey.reset();
  envelope.sender_sig.reset();
  EXPECT_EQ(Refused(envelope), "Missing signature from user: " + Ed25519().sender().ToText());
}

TEST(AuthenticateTest, RefusesASignedAnonymousRequest) {
  Envelope envelope = Ed25519().Sign(Query());
  envelope.content.sender = Anonymous();
  EXPECT_EQ(Refused(envelope), "Signature is not allowed for the anonymous user.");
}

TEST(AuthenticateTest, RefusesAWrongSignature) {
  for (const KeyScheme scheme : {KeyScheme::kEd25519, KeyScheme::kP256, KeyScheme::kSecp256k1}) {
    const Envelope good = Identity(TestKey(scheme, 7)).Sign(Query());
    const std::string start =
        base::StrCat("Invalid signature: Invalid basic signature: ", Name(scheme),
                     " signature could not be verified: ");
    for (const size_t byte : {0u, 31u, 32u, 63u}) {
      Envelope forged = good;
      (*forged.sender_sig)[byte] ^= 0x10;
      EXPECT_TRUE(Refused(forged).starts_with(start)) << Refused(forged);
    }
    Envelope cut = good;
    cut.sender_sig->pop_back();
    EXPECT_TRUE(Refused(cut).ends_with("error: signature has 63 bytes, expected 64"));
    Envelope zero = good;
    zero.sender_sig = base::Bytes(64);
    EXPECT_TRUE(Refused(zero).ends_with("error: verification failed"));
    Envelope changed = good;
    changed.content.method_name += "!";
    EXPECT_TRUE(Refused(changed).starts_with(start));
  }
}

TEST(AuthenticateTest, RefusesKeysThatAreNotTheSendersKind) {
  Envelope envelope = Ed25519().Sign(Query());
  const auto with_key = [&](base::Bytes key) {
    envelope.content.sender = SelfAuthenticating(key);
    envelope.sender_pubkey = std::move(key);
    return Refused(envelope);
  };
  EXPECT_EQ(with_key(Text("no key")),
            "Invalid signature: Invalid public key: Malformed public key: public key of 6 bytes is "
            "of no known kind");
  EXPECT_EQ(with_key(JsonHex(Vectors()["bls"]["root_key_der"])),
            "Invalid signature: Invalid public key: Algorithm ThresBls12_381 is not supported for "
            "requests");
  // On no curve: the point (1, 1).
  base::Bytes point(65);
  point[0] = 4;
  point[32] = point[64] = 1;
  EXPECT_TRUE(with_key(EncodePublicKey({KeyScheme::kP256, point}))
                  .ends_with("error: public key is no point of the curve"));
}

TEST(AuthenticateTest, RefusesAnExpiredDelegation) {
  EXPECT_EQ(Refused(Chain(2, kAsItIs, kNow).Sign(Query())), "");
  EXPECT_EQ(Refused(Chain(2, kAsItIs, kNow - 1).Sign(Query())),
            "Invalid delegation expiry: Specified sender delegation has expired:\nProvided expiry: "
            "   2026-09-21 14:13:19.999999999 UTC\nLocal replica time: 2026-09-21 14:13:20 UTC");
}

TEST(AuthenticateTest, RefusesAChainThatIsTooLong) {
  EXPECT_EQ(Refused(Chain(21, kAsItIs).Sign(Query())),
            "Invalid delegation: Chain of delegations is too long: got 21 delegations, but at most "
            "20 are allowed.");
}

TEST(AuthenticateTest, RefusesABrokenChain) {
  Envelope envelope = Chain(3, kAsItIs).Sign(Query());
  auto& chain = *envelope.sender_delegation;
  chain.erase(chain.begin() + 1);
  EXPECT_TRUE(Refused(envelope).starts_with(
      "Invalid delegation: Invalid basic signature: Ed25519 signature could not be verified"));
  envelope = Chain(3, kAsItIs).Sign(Query());
  (*envelope.sender_delegation)[2].delegation.expiration += 1;
  EXPECT_TRUE(Refused(envelope).starts_with("Invalid delegation: Invalid basic signature: "));
  // Signed by a key that the chain does not lead to.
  envelope = Chain(3, kAsItIs).Sign(Query());
  envelope.sender_sig = Ed25519(9).Sign(envelope.content).sender_sig;
  EXPECT_TRUE(Refused(envelope).starts_with("Invalid signature: Invalid basic signature: "));
}

TEST(AuthenticateTest, RefusesACycle) {
  const auto back = [](int i, Delegation& delegation) {
    if (i == 1) delegation.pubkey = TestKey(KeyScheme::kEd25519, 1).public_key_der();
  };
  EXPECT_EQ(Refused(Chain(2, back).Sign(Query())),
            "Invalid delegation: Chain of delegations contains at least one cycle: first repeating "
            "public key encountered " +
                base::ToHex(TestKey(KeyScheme::kEd25519, 1).public_key_der()));
}

TEST(AuthenticateTest, RefusesTooManyTargets) {
  const auto targets = [](size_t count) {
    return [count](int, Delegation& delegation) {
      delegation.targets.emplace(count, Query().canister_id);
    };
  };
  EXPECT_EQ(Refused(Chain(1, targets(1000)).Sign(Query())), "");
  EXPECT_EQ(Refused(Chain(1, targets(1001)).Sign(Query())),
            "Invalid delegation: Delegation target error: expected at most 1000 targets per "
            "delegation, but got 1001");
}

TEST(AuthenticateTest, TargetsAreWhatAllDelegationsShare) {
  const Principal a = Query().canister_id, b = PrincipalFromHex("0b"), c = PrincipalFromHex("0c");
  const auto with = [&](std::vector<Principal> first, std::vector<Principal> second) {
    const auto each = [&](int i, Delegation& delegation) {
      delegation.targets = i == 0 ? first : second;
    };
    return Chain(2, each);
  };
  const std::string refusal = "Canister '" + a.ToText() + "' is not one of the delegation targets.";
  EXPECT_EQ(Refused(with({a, b}, {c, a}).Sign(Query())), "");
  EXPECT_EQ(Refused(with({a, b}, {b, c}).Sign(Query())), refusal);
  EXPECT_EQ(Refused(with({b}, {a}).Sign(Query())), refusal);
  EXPECT_EQ(Refused(with({}, {a}).Sign(Query())), refusal);
  Content read_state = Query();
  read_state.request_type = RequestType::kReadState;
  const auto verdict = Authenticate(with({a, b}, {b, c}).Sign(read_state), kNow, {});
  ASSERT_TRUE(verdict) << "read_state has no target; its paths are checked against the set";
  EXPECT_TRUE(verdict->targets.Contains(b));
  EXPECT_FALSE(verdict->targets.Contains(a));
}

TEST(AuthenticateTest, ADelegationForQueriesDoesNotSignCalls) {
  const Identity identity =
      Chain(1, [](int, Delegation& delegation) { delegation.permissions = "queries"; });
  EXPECT_EQ(Refused(identity.Sign(Query())), "");
  Content call = Query();
  call.request_type = RequestType::kCall;
  EXPECT_EQ(Refused(identity.Sign(call)),
            "Invalid delegation: Delegation permissions are \"queries\", which do not allow a "
            "call");
}

// A canister that signs: the network's key, the canister's key, and its signatures.
class SigningCanister {
 public:
  base::Bytes PublicKeyDer() const {
    PublicKey key{KeyScheme::kCanister, {static_cast<uint8_t>(id_.bytes().size())}};
    base::Append(key.raw, id_.bytes());
    base::Append(key.raw, seed_);
    return EncodePublicKey(key);
  }
  const base::Bytes& root_key() const { return bls_.public_key_der(); }
  const Principal& id() const { return id_; }

  base::Bytes Sign(base::ByteSpan message) const {
    const auto seed = base::Sha256Of(seed_);
    const auto digest = base::Sha256Of(message);
    Path path = TextPath({"sig"});
    path.emplace_back(seed.begin(), seed.end());
    path.emplace_back(digest.begin(), digest.end());
    TreeBuilder builder;
    builder.Set(path, base::ByteSpan());
    const HashTree tree = builder.Build();
    TreeBuilder state;
    state.Set(CanisterPath(id_, "certified_data"), tree.hash());
    state.Set(TextPath({"time"}), EncodeLeb(1));
    CborWriter out;
    out.SelfDescribed().Map(2).Text("certificate");
    out.Blob(EncodeCertificate(SignCertificate(bls_, state.Build()))).Text("tree");
    tree.Write(out);
    return out.Take();
  }

 private:
  BlsKey bls_ = *BlsKey::FromSeed(base::Bytes(32, 5));
  Principal id_ = PrincipalFromHex("00000000000000020101");
  base::Bytes seed_ = Text("a user");
};

TEST(AuthenticateTest, ACanisterMayDelegateToAKey) {
  // As a login by Internet Identity.
  const SigningCanister canister;
  const SigningKey session = TestKey(KeyScheme::kP256, 3);
  const Delegation delegation = {session.public_key_der(), kNow + kMinute, {}, {}};
  const SignedDelegation link = {delegation, canister.Sign(SignedBytes(delegation))};
  const Identity identity(session, canister.PublicKeyDer(), {link});
  EXPECT_EQ(Refused(identity.Sign(Query()), canister.root_key()), "");
  EXPECT_EQ(Refused(identity.Sign(Query()), BlsKey::FromSeed(base::Bytes(32, 6))->public_key_der()),
            "Invalid delegation: Invalid canister signature: BLS signature does not verify");
  SignedDelegation other = link;
  ++other.delegation.expiration;
  EXPECT_EQ(Refused(Identity(session, canister.PublicKeyDer(), {other}).Sign(Query()),
                    canister.root_key()),
            "Invalid delegation: Invalid canister signature: canister signature does not cover the "
            "message");

  Content content = Query();
  content.sender_info =
      SenderInfo{Text("name"), canister.id(),
                 canister.Sign(WithDomain(kSenderInfoDomain, base::AsBytes("name")))};
  EXPECT_EQ(Refused(identity.Sign(content), canister.root_key()), "");
  EXPECT_EQ(Refused(Ed25519().Sign(content), canister.root_key()),
            "Invalid sender info: the sender's key is not a canister's");
  EXPECT_EQ(Refused(Identity().Sign(content), canister.root_key()),
            "Invalid sender info: the request is not signed");
  content.sender_info->signer = PrincipalFromHex("01");
  EXPECT_EQ(Refused(identity.Sign(content), canister.root_key()),
            "Invalid sender info: signer " + PrincipalFromHex("01").ToText() +
                " is not the canister of the sender's key");
  content.sender_info->signer = canister.id();
  content.sender_info->info = Text("other name");
  EXPECT_EQ(Refused(identity.Sign(content), canister.root_key()),
            "Invalid sender info: canister signature does not cover the message");
}

TEST(AuthenticateTest, TheIdInTheAddressIsTheCallees) {
  const Principal a = PrincipalFromHex("00000000000000010101"), b = PrincipalFromHex("0b");
  Content content = Query();
  EXPECT_TRUE(CheckEffectiveId(content, a));
  const auto verdict = CheckEffectiveId(content, b);
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().text, "Specified canister ID " + a.ToText() +
                                      " does not match effective canister ID in URL " + b.ToText());
  content.canister_id = Principal();
  EXPECT_TRUE(CheckEffectiveId(content, b)) << "the management canister";
}

TEST(RefusalTest, TimesAreWrittenAsTheIcWritesThem) {
  EXPECT_EQ(UtcText(0), "1970-01-01 00:00:00 UTC");
  EXPECT_EQ(UtcText(1'746'143'718'005'285'297), "2025-05-01 23:55:18.005285297 UTC");
  EXPECT_EQ(UtcText(951'782'400'000'000'000), "2000-02-29 00:00:00 UTC");
  EXPECT_EQ(UtcText(~0ull), "2554-07-21 23:34:33.709551615 UTC");
}

}  // namespace
}  // namespace ic
