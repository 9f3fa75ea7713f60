#include "ic/public_key.h"

#include <algorithm>

#include "base/check.h"
#include "base/hex.h"

namespace ic {
namespace {

using base::Err;

constexpr size_t kKeyBytesMax = 2048;  // an RSA key of 4096 bits in COSE form has about 550

// A scheme with the DER of its AlgorithmIdentifier, and the size of its keys (0: any).
struct Scheme {
  KeyScheme scheme;
  std::string_view name;
  std::string_view algorithm;  // hex
  size_t raw_bytes;
};

// RFC 8410; RFC 5480 with the curves' object ids; the interface specification for the others.
constexpr Scheme kSchemes[] = {
    {KeyScheme::kEd25519, "Ed25519", "300506032b6570", 32},
    {KeyScheme::kP256, "EcdsaP256", "301306072a8648ce3d020106082a8648ce3d030107", 65},
    {KeyScheme::kSecp256k1, "EcdsaSecp256k1", "301006072a8648ce3d020106052b8104000a", 65},
    {KeyScheme::kBls, "ThresBls12_381",
     "301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201", 96},
    {KeyScheme::kWebAuthn, "WebAuthn", "300c060a2b0601040183b8430101", 0},
    {KeyScheme::kCanister, "IcCanisterSignature", "300c060a2b0601040183b8430102", 0},
};

base::Bytes Hex(std::string_view digits) {
  auto bytes = base::FromHex(digits);
  CHECK(bytes);
  return *std::move(bytes);
}

void AppendLength(base::Bytes& out, size_t length) {
  CHECK(length <= 0xffff);
  if (length >= 0x100) {
    out.insert(out.end(), {0x82, static_cast<uint8_t>(length >> 8)});
  } else if (length >= 0x80) {
    out.push_back(0x81);
  }
  out.push_back(static_cast<uint8_t>(length));
}

base::Bytes Element(uint8_t tag, base::ByteSpan contents) {
  base::Bytes out = {tag};
  AppendLength(out, contents.size());
  base::Append(out, contents);
  return out;
}

}  // namespace

base::Bytes EncodePublicKey(const PublicKey& key) {
  const auto scheme = std::ranges::find(kSchemes, key.scheme, &Scheme::scheme);
  base::Bytes bits = {0};  // no unused bits
  base::Append(bits, key.raw);
  base::Bytes contents = Hex(scheme->algorithm);
  base::Append(contents, Element(0x03, bits));
  return Element(0x30, contents);
}

base::Result<PublicKey> ParsePublicKey(base::ByteSpan der) {
  if (der.size() > kKeyBytesMax) {
    return Err("public key has ", der.size(), " bytes, expected at most ", kKeyBytesMax);
  }
  // The key is what stands behind the algorithm and a bit string's head; encoding it again and
  // comparing checks all lengths and that the encoding is the canonical one.
  for (const Scheme& scheme : kSchemes) {
    const base::Bytes algorithm = Hex(scheme.algorithm);
    for (size_t head = 2; head <= 4 && head + algorithm.size() < der.size(); ++head) {
      if (!std::ranges::equal(der.subspan(head, algorithm.size()), algorithm)) continue;
      for (size_t bits = 3; bits <= 5; ++bits) {
        const size_t start = head + algorithm.size() + bits;
        if (start > der.size()) break;
        PublicKey key{scheme.scheme, {der.begin() + static_cast<ptrdiff_t>(start), der.end()}};
        if (!std::ranges::equal(EncodePublicKey(key), der)) continue;
        if (scheme.raw_bytes != 0 && key.raw.size() != scheme.raw_bytes) {
          return Err(scheme.name, " public key has ", key.raw.size(), " bytes, expected ",
                     scheme.raw_bytes);
        }
        const bool ecdsa = scheme.raw_bytes == 65;
        if (ecdsa && key.raw[0] != 4) {
          return Err(scheme.name, " public key is not an uncompressed point");
        }
        return key;
      }
      return Err(scheme.name, " public key is not in canonical DER encoding");
    }
  }
  return Err("public key of ", der.size(), " bytes is of no known kind");
}

std::string_view Name(KeyScheme scheme) {
  return std::ranges::find(kSchemes, scheme, &Scheme::scheme)->name;
}

base::Result<CanisterKey> ParseCanisterKey(base::ByteSpan raw) {
  if (raw.empty() || raw[0] > raw.size() - 1 || raw[0] > 29) {
    return Err("canister signature key of ", raw.size(),
               " bytes does not begin with a canister id and its length");
  }
  const base::ByteSpan id = raw.subspan(1, raw[0]);
  const base::ByteSpan seed = raw.subspan(1 + raw[0]);
  return CanisterKey{{id.begin(), id.end()}, {seed.begin(), seed.end()}};
}

}  // namespace ic
