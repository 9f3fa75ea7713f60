#include "ic/pem.h"

#include <algorithm>

#include "base/check.h"
#include "base/hex.h"
#include "ic/base64.h"

namespace ic {
namespace {

using base::Err;

constexpr size_t kPemBytesMax = 16 << 10;
constexpr size_t kSecretBytes = 32;

constexpr uint8_t kInteger = 0x02;
constexpr uint8_t kBitString = 0x03;
constexpr uint8_t kOctetString = 0x04;
constexpr uint8_t kObjectId = 0x06;
constexpr uint8_t kSequence = 0x30;
constexpr uint8_t kContext0 = 0xa0;
constexpr uint8_t kContext1 = 0xa1;
constexpr uint8_t kContext1Primitive = 0x81;

constexpr std::string_view kOidEd25519 = "2b6570";
constexpr std::string_view kOidEcPublicKey = "2a8648ce3d0201";
constexpr std::string_view kOidP256 = "2a8648ce3d030107";
constexpr std::string_view kOidSecp256k1 = "2b8104000a";

// DER elements one after the other.
class DerReader {
 public:
  explicit DerReader(base::ByteSpan bytes) : in_(bytes) {}

  bool Next(uint8_t tag) const { return !in_.empty() && in_.Peek(0) == tag; }
  bool empty() const { return in_.empty(); }

  base::Result<base::ByteSpan> Take(uint8_t tag) {
    const size_t position = in_.position();
    const uint8_t found = TRY(in_.U8());
    if (found != tag) {
      return Err("DER tag ", unsigned{found}, " at byte ", position, ", expected ", unsigned{tag});
    }
    uint64_t length = TRY(in_.U8());
    if (length == 0x80 || length > 0x82) return Err("DER length at byte ", position, " is wrong");
    if (length > 0x80) {
      uint64_t value = 0;
      for (const uint8_t byte : TRY(in_.Take(length - 0x80))) value = value << 8 | byte;
      length = value;
    }
    return in_.Take(length);
  }

 private:
  base::ByteReader in_;
};

base::Result<KeyScheme> CurveOf(base::ByteSpan oid) {
  const std::string hex = base::ToHex(oid);
  if (hex == kOidP256) return KeyScheme::kP256;
  if (hex == kOidSecp256k1) return KeyScheme::kSecp256k1;
  return Err("private key is on the curve with object id ", base::Printable(hex),
             ", expected P-256 or secp256k1");
}

base::Status SetSecret(SecretKey& key, base::ByteSpan secret) {
  if (secret.size() != kSecretBytes) {
    return Err("private key has ", secret.size(), " bytes, expected ", kSecretBytes);
  }
  key.secret.assign(secret.begin(), secret.end());
  return {};
}

base::Status SetPublic(SecretKey& key, base::ByteSpan bit_string) {
  if (bit_string.empty() || bit_string[0] != 0) {
    return Err("public key of a private key is no string of whole bytes");
  }
  key.public_raw.assign(bit_string.begin() + 1, bit_string.end());
  return {};
}

// RFC 5915. `curve`: known from outside, or null.
base::Result<SecretKey> ParseSec1(base::ByteSpan der, const KeyScheme* curve) {
  DerReader in(TRY(DerReader(der).Take(kSequence)));
  const base::ByteSpan version = TRY(in.Take(kInteger));
  if (version.size() != 1 || version[0] != 1) return Err("EC private key is not of version 1");
  SecretKey key;
  TRY_STATUS(SetSecret(key, TRY(in.Take(kOctetString))));
  if (in.Next(kContext0)) {
    DerReader parameters(TRY(in.Take(kContext0)));
    key.scheme = TRY(CurveOf(TRY(parameters.Take(kObjectId))));
    if (curve != nullptr && key.scheme != *curve) return Err("EC private key names two curves");
  } else if (curve != nullptr) {
    key.scheme = *curve;
  } else {
    return Err("EC private key does not name its curve");
  }
  if (in.Next(kContext1)) {
    DerReader public_key(TRY(in.Take(kContext1)));
    TRY_STATUS(SetPublic(key, TRY(public_key.Take(kBitString))));
  }
  return key;
}

// RFC 5958.
base::Result<SecretKey> ParsePkcs8(base::ByteSpan der) {
  DerReader in(TRY(DerReader(der).Take(kSequence)));
  const base::ByteSpan version = TRY(in.Take(kInteger));
  if (version.size() != 1 || version[0] > 1) return Err("private key is not of version 1 or 2");
  DerReader algorithm(TRY(in.Take(kSequence)));
  const std::string oid = base::ToHex(TRY(algorithm.Take(kObjectId)));
  const base::ByteSpan contents = TRY(in.Take(kOctetString));
  if (oid == kOidEcPublicKey) {
    const KeyScheme curve = TRY(CurveOf(TRY(algorithm.Take(kObjectId))));
    return ParseSec1(contents, &curve);
  }
  if (oid != kOidEd25519) {
    return Err("private key has the algorithm with object id ", base::Printable(oid),
               ", expected Ed25519 or an elliptic curve");
  }
  SecretKey key;
  TRY_STATUS(SetSecret(key, TRY(DerReader(contents).Take(kOctetString))));
  if (in.Next(kContext0)) static_cast<void>(TRY(in.Take(kContext0)));  // attributes
  if (in.Next(kContext1Primitive)) {
    TRY_STATUS(SetPublic(key, TRY(in.Take(kContext1Primitive))));
  } else if (in.Next(kContext1)) {  // explicitly tagged, as older libraries wrote it
    DerReader public_key(TRY(in.Take(kContext1)));
    TRY_STATUS(SetPublic(key, TRY(public_key.Take(kBitString))));
  }
  return key;
}

struct Block {
  std::string_view label;
  std::string_view body;
};

// The next block in `pem`, which is cut behind it.
base::Result<Block> NextBlock(std::string_view& pem) {
  static constexpr std::string_view kBegin = "-----BEGIN ";
  static constexpr std::string_view kDashes = "-----";
  const size_t begin = pem.find(kBegin);
  if (begin == std::string_view::npos) return Err("PEM file has no private key");
  pem.remove_prefix(begin + kBegin.size());
  const size_t label_end = pem.find(kDashes);
  if (label_end == std::string_view::npos) return Err("PEM file ends in a label");
  const std::string_view label = pem.substr(0, label_end);
  pem.remove_prefix(label_end + kDashes.size());
  const size_t body_end = pem.find(base::StrCat("-----END ", label, "-----"));
  if (body_end == std::string_view::npos) {
    return Err("PEM block \"", base::Printable(label), "\" has no end");
  }
  const std::string_view body = pem.substr(0, body_end);
  pem.remove_prefix(body_end);
  return Block{label, body};
}

base::Result<base::Bytes> DecodeBody(std::string_view body) {
  std::string digits;
  std::ranges::copy_if(body, std::back_inserter(digits),
                       [](char c) { return c != '\n' && c != '\r' && c != ' ' && c != '\t'; });
  return FromBase64(digits);
}

base::Bytes Der(std::string_view head_hex, base::ByteSpan body, std::string_view tail_hex = "") {
  auto out = base::FromHex(head_hex);
  const auto tail = base::FromHex(tail_hex);
  CHECK(out && tail);
  base::Append(*out, body);
  base::Append(*out, *tail);
  return *std::move(out);
}

std::string Armour(std::string_view label, base::ByteSpan der) {
  const std::string digits = ToBase64(der);
  std::string out = base::StrCat("-----BEGIN ", label, "-----\n");
  for (size_t i = 0; i < digits.size(); i += 64) out += digits.substr(i, 64) + "\n";
  return out + base::StrCat("-----END ", label, "-----\n");
}

}  // namespace

base::Result<SecretKey> ParsePem(std::string_view pem) {
  if (pem.size() > kPemBytesMax) {
    return Err("PEM file has ", pem.size(), " bytes, expected at most ", kPemBytesMax);
  }
  for (;;) {
    const Block block = TRY(NextBlock(pem));
    if (block.label == "ENCRYPTED PRIVATE KEY" || block.body.contains("ENCRYPTED")) {
      return Err("PEM file is encrypted, expected one without a password");
    }
    if (block.label == "PRIVATE KEY") return ParsePkcs8(TRY(DecodeBody(block.body)));
    if (block.label == "EC PRIVATE KEY") return ParseSec1(TRY(DecodeBody(block.body)), nullptr);
    // Another block, as openssl writes the curve's parameters in front.
  }
}

std::string ToPem(const SecretKey& key) {
  CHECK(key.secret.size() == kSecretBytes);
  if (key.scheme == KeyScheme::kEd25519) {
    return Armour("PRIVATE KEY", Der("302e020100300506032b657004220420", key.secret));
  }
  CHECK(key.public_raw.size() == 65);
  const bool p256 = key.scheme == KeyScheme::kP256;
  base::Bytes der =
      Der(p256 ? "30770201010420" : "30740201010420", key.secret,
          p256 ? "a00a06082a8648ce3d030107a144034200" : "a00706052b8104000aa144034200");
  base::Append(der, key.public_raw);
  return Armour("EC PRIVATE KEY", der);
}

}  // namespace ic
