// Public keys, signatures, secret keys and their files.

#include "ic/base64.h"
#include "ic/pem.h"
#include "ic/signature.h"
#include "ic/test_support.h"

namespace ic {
namespace {

constexpr std::string_view kEd25519Der =
    "302a300506032b6570032100d0843043e2ae26b664bacd16774afc4e457d29a7ef807967705478cde93a7d4e";
constexpr std::string_view kSecp256k1Der =
    "3056301006072a8648ce3d020106052b8104000a03420004cf796d1cb173554d92be013e20742e48cbb2273e13e673"
    "5db4cc06fa7812ec9383b18c800983a8da38526fcf01aab6eb2d0a1c4eb735aa5065a43e242a249e13";
constexpr std::string_view kP256Der =
    "3059301306072a8648ce3d020106082a8648ce3d0301070342000451a98fb85094ad5c30bf5b8d8cd553eb327b22ed"
    "6e1b14b11c7e3d6ba397cac19c258e4a5b46bf1168611007d2d7aea7935c1b83fba949f797d374acaf96d5a8";

base::Result<SigningKey> FromFile(const std::string& name) {
  return SigningKey::FromPem(ReadTestFile("tests/data/pem/" + name));
}

TEST(KeysTest, PemFilesOfEveryFormGiveTheirKey) {
  const std::pair<std::string, std::string_view> cases[] = {
      {"ed_v1.pem", kEd25519Der},          {"ed_v2.pem", kEd25519Der},
      {"ed_v2_explicit.pem", kEd25519Der}, {"k1_params_sec1.pem", kSecp256k1Der},
      {"k1_pkcs8.pem", kSecp256k1Der},     {"p256_sec1.pem", kP256Der}};
  for (const auto& [name, der] : cases) {
    const auto key = FromFile(name);
    ASSERT_TRUE(key) << name << ": " << ErrorOf(key);
    EXPECT_EQ(base::ToHex(key->public_key_der()), der) << name;
    const auto again = SigningKey::FromPem(key->Pem());
    ASSERT_TRUE(again) << name << ": " << ErrorOf(again);
    EXPECT_EQ(again->public_key_der(), key->public_key_der()) << name;
  }
}

TEST(KeysTest, PemFilesAreWrittenAsOpensslWritesThem) {
  EXPECT_EQ(FromFile("ed_v1.pem")->Pem(), ReadTestFile("tests/data/pem/ed_v1.pem"));
  EXPECT_EQ(FromFile("p256_sec1.pem")->Pem(), ReadTestFile("tests/data/pem/p256_sec1.pem"));
  const std::string two_blocks = ReadTestFile("tests/data/pem/k1_params_sec1.pem");
  EXPECT_TRUE(two_blocks.ends_with(FromFile("k1_params_sec1.pem")->Pem()));
}

TEST(KeysTest, OtherPemFilesAreRefused) {
  EXPECT_EQ(ErrorOf(FromFile("enc.pem")), "PEM file is encrypted, expected one without a password");
  EXPECT_EQ(ErrorOf(FromFile("rsa.pem")),
            "private key has the algorithm with object id 2a864886f70d010101, expected Ed25519 or "
            "an elliptic curve");
  EXPECT_EQ(ErrorOf(SigningKey::FromPem("")), "PEM file has no private key");
  EXPECT_EQ(ErrorOf(SigningKey::FromPem("-----BEGIN PRIVATE KEY-----\nMC4=")),
            "PEM block \"PRIVATE KEY\" has no end");
  // A public key that is another's: the last bytes of the file changed.
  std::string pem = ReadTestFile("tests/data/pem/ed_v2.pem");
  pem.replace(pem.find("6fU4="), 5, "6fU8=");
  EXPECT_EQ(ErrorOf(SigningKey::FromPem(pem)),
            "PEM file has a public key that is not the private key's");
  // Every cut of a file is refused, none is read beyond its end.
  const std::string whole = ReadTestFile("tests/data/pem/k1_pkcs8.pem");
  const auto der = FromBase64("MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQgTyhBSZL/Cj1X");
  ASSERT_TRUE(der);
  for (size_t size = 0; size < der->size(); ++size) {
    const std::string cut = "-----BEGIN PRIVATE KEY-----\n" +
                            ToBase64(base::ByteSpan(*der).first(size)) +
                            "\n-----END PRIVATE KEY-----\n";
    EXPECT_FALSE(SigningKey::FromPem(cut)) << size;
  }
}

TEST(KeysTest, SecretsOutsideTheGroupAreRefused) {
  EXPECT_EQ(ErrorOf(SigningKey::FromSecret(KeyScheme::kP256, base::Bytes(32))),
            "private key is 0 or not below the order of prime256v1");
  EXPECT_EQ(ErrorOf(SigningKey::FromSecret(KeyScheme::kSecp256k1, base::Bytes(32, 0xff))),
            "private key is 0 or not below the order of secp256k1");
  EXPECT_EQ(ErrorOf(SigningKey::FromSecret(KeyScheme::kEd25519, base::Bytes(31))),
            "private key has 31 bytes, expected 32");
  EXPECT_FALSE(BlsKey::FromSecret(base::Bytes(32)));
  EXPECT_FALSE(BlsKey::FromSecret(base::Bytes(32, 0xff)));
  EXPECT_FALSE(BlsKey::FromSeed(base::Bytes(31)));
}

TEST(KeysTest, GeneratedKeysSign) {
  for (const KeyScheme scheme : {KeyScheme::kEd25519, KeyScheme::kP256, KeyScheme::kSecp256k1}) {
    const auto key = SigningKey::Generate(scheme);
    const auto other = SigningKey::Generate(scheme);
    ASSERT_TRUE(key && other);
    EXPECT_NE(key->public_key_der(), other->public_key_der());
    const base::Bytes signature = key->Sign(base::AsBytes("message"));
    const PublicKey public_key = *ParsePublicKey(key->public_key_der());
    EXPECT_TRUE(VerifyBasic(public_key, base::AsBytes("message"), signature));
    EXPECT_FALSE(VerifyBasic(public_key, base::AsBytes("massage"), signature));
    EXPECT_FALSE(
        VerifyBasic(*ParsePublicKey(other->public_key_der()), base::AsBytes("message"), signature));
  }
}

// The orders of the groups, big-endian.
constexpr std::string_view kOrderP256 =
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
constexpr std::string_view kOrderSecp256k1 =
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

base::Bytes Minus(const base::Bytes& a, base::ByteSpan b) {
  base::Bytes out = a;
  int borrow = 0;
  for (size_t i = 32; i-- > 0;) {
    const int difference = a[i] - b[i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    out[i] = static_cast<uint8_t>(difference + 256 * borrow);
  }
  return out;
}

TEST(KeysTest, EcdsaSignsWithALowSAndAcceptsAHighOne) {
  for (const auto& [scheme, order_hex] :
       {std::pair(KeyScheme::kP256, kOrderP256), {KeyScheme::kSecp256k1, kOrderSecp256k1}}) {
    const SigningKey key = TestKey(scheme, 9);
    const PublicKey public_key = *ParsePublicKey(key.public_key_der());
    const base::Bytes order = Hex(order_hex);
    for (int i = 0; i < 20; ++i) {
      const base::Bytes message = Text("message " + std::to_string(i));
      base::Bytes signature = key.Sign(message);
      const base::Bytes s(signature.begin() + 32, signature.end());
      const base::Bytes other_s = Minus(order, s);
      EXPECT_LT(s, other_s);
      EXPECT_TRUE(VerifyBasic(public_key, message, signature));
      std::ranges::copy(other_s, signature.begin() + 32);
      EXPECT_TRUE(VerifyBasic(public_key, message, signature)) << "as the IC does";
      std::ranges::copy(order, signature.begin() + 32);
      EXPECT_FALSE(VerifyBasic(public_key, message, signature)) << "s is the order";
    }
  }
}

TEST(KeysTest, OnlyCanonicalPublicKeysAreRead) {
  for (const std::string_view der : {kEd25519Der, kSecp256k1Der, kP256Der}) {
    const base::Bytes bytes = Hex(der);
    const auto key = ParsePublicKey(bytes);
    ASSERT_TRUE(key) << ErrorOf(key);
    EXPECT_EQ(EncodePublicKey(*key), bytes);
    base::Bytes longer = bytes;
    longer.push_back(0);
    EXPECT_FALSE(ParsePublicKey(longer));
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(ParsePublicKey(base::ByteSpan(bytes).first(size))) << size;
    }
  }
  base::Bytes hybrid = Hex(kP256Der);
  hybrid[26] = 6;
  EXPECT_EQ(ErrorOf(ParsePublicKey(hybrid)), "EcdsaP256 public key is not an uncompressed point");
  // A compressed point, correctly encoded.
  PublicKey compressed = *ParsePublicKey(Hex(kP256Der));
  compressed.raw.resize(33);
  compressed.raw[0] = 2;
  EXPECT_EQ(ErrorOf(ParsePublicKey(EncodePublicKey(compressed))),
            "EcdsaP256 public key has 33 bytes, expected 65");
  // The long form of a length that fits the short one.
  EXPECT_EQ(ErrorOf(ParsePublicKey(Hex("30812a" + std::string(kEd25519Der.substr(4))))),
            "Ed25519 public key is not in canonical DER encoding");
  const PublicKey canister = {KeyScheme::kCanister, Hex("02abcd7365656473")};
  const auto again = ParsePublicKey(EncodePublicKey(canister));
  ASSERT_TRUE(again);
  EXPECT_EQ(ParseCanisterKey(again->raw)->seed, Text("seeds"));
  EXPECT_FALSE(ParseCanisterKey(Hex("02ab")));
  EXPECT_FALSE(ParseCanisterKey({}));
}

TEST(KeysTest, BlsPointsAreChecked) {
  const base::Bytes root = JsonHex(Vectors()["bls"]["root_key_der"]);
  base::Bytes infinity(48);
  infinity[0] = 0xc0;
  EXPECT_EQ(ErrorOf(VerifyBls(root, {}, infinity)), "BLS signature is no point of the group");
  EXPECT_EQ(ErrorOf(VerifyBls(root, {}, base::Bytes(48, 0x11))),
            "BLS signature is no point of the group");
  base::Bytes outside(48);  // (0, 2) is on the curve, but has order 3
  outside[0] = 0x80;
  EXPECT_EQ(ErrorOf(VerifyBls(root, {}, outside)), "BLS signature is no point of the group");
  EXPECT_EQ(ErrorOf(VerifyBls(root, {}, base::Bytes(47))),
            "BLS signature has 47 bytes, expected 48");
  PublicKey key = {KeyScheme::kBls, base::Bytes(96)};
  key.raw[0] = 0xc0;
  const base::Bytes signature = JsonHex(Vectors()["bls"]["cases"][0]["signature"]);
  EXPECT_EQ(ErrorOf(VerifyBls(EncodePublicKey(key), {}, signature)),
            "BLS public key is no point of the group");
  for (uint8_t x = 0; x < 40; ++x) {  // half of them on the curve, none in the group
    key.raw = base::Bytes(96);
    key.raw[0] = 0x80;
    key.raw[95] = x;
    EXPECT_EQ(ErrorOf(VerifyBls(EncodePublicKey(key), {}, signature)),
              "BLS public key is no point of the group");
  }
  EXPECT_EQ(ErrorOf(VerifyBls(Hex(kEd25519Der), {}, signature)),
            "key of a certificate is Ed25519, expected BLS12-381");
  EXPECT_EQ(BlsKey::FromSeed(base::Bytes(32, 1))->public_key_der(),
            BlsKey::FromSeed(base::Bytes(32, 1))->public_key_der());
}

TEST(Base64Test, IsThatOfTheStandard) {
  const std::pair<std::string, std::string> cases[] = {// RFC 4648, section 10
                                                       {"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [text, digits] : cases) {
    EXPECT_EQ(ToBase64(base::AsBytes(text)), digits);
    EXPECT_EQ(*FromBase64(digits), Text(text));
    EXPECT_EQ(*FromBase64(digits.substr(0, digits.find('='))), Text(text));
  }
  EXPECT_EQ(ErrorOf(FromBase64("Zg=a")), "base64 has '=' at 2");
  EXPECT_EQ(ErrorOf(FromBase64("Z")), "base64 of 1 digits is cut off");
  EXPECT_EQ(ErrorOf(FromBase64("Zh")), "base64 of 2 digits is cut off") << "stray bits";
}

}  // namespace
}  // namespace ic
