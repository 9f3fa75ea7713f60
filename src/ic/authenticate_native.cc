#include <algorithm>

#include "base/hex.h"
#include "ic/authenticate.h"
#include "ic/signature.h"

namespace ic {
namespace {

using Verdict = OrRefusal<void>;

// TRY for verdicts, whose error is a Refusal.
#define TRY_VERDICT(...) TRY_STATUS(__VA_ARGS__)

Verdict CheckSizes(const Content& content) {
  if (content.paths.size() > kPathsMax) {
    return Refuse(400, "Too many paths in read state request: got ", content.paths.size(),
                  " paths, but at most ", kPathsMax, " are allowed.");
  }
  for (const Path& path : content.paths) {
    if (path.size() <= kPathLabelsMax) continue;
    return Refuse(400, "At least one path in read state request is too deep: got ", path.size(),
                  " labels, but at most ", kPathLabelsMax, " are allowed.");
  }
  if (content.nonce && content.nonce->size() > kNonceBytesMax) {
    return Refuse(400, "Nonce in request is too big: got ", content.nonce->size(),
                  " bytes, but at most ", kNonceBytesMax, " are allowed.");
  }
  return {};
}

Verdict CheckExpiry(uint64_t ingress_expiry, uint64_t now_ns) {
  const uint64_t latest = now_ns + kIngressTtl + kPermittedDrift;
  if (now_ns <= ingress_expiry && ingress_expiry <= latest) return {};
  // agent-js sets its clock right and tries again when it reads the first three words.
  return Refuse(400,
                "Invalid request expiry: Specified ingress_expiry not within expected range: "
                "Minimum allowed expiry: ",
                UtcText(now_ns), ", Maximum allowed expiry: ", UtcText(latest),
                ", Provided expiry:        ", UtcText(ingress_expiry));
}

// The two prefixes that tell whether the request's own signature or a delegation's is meant.
constexpr std::string_view kInvalidSignature = "Invalid signature: ";
constexpr std::string_view kInvalidDelegation = "Invalid delegation: ";

// Whether `signature` over `message` is by the key `der`.
Verdict CheckSignature(std::string_view prefix, base::ByteSpan der, base::ByteSpan message,
                       base::ByteSpan signature, base::ByteSpan root_key_der) {
  const auto key = ParsePublicKey(der);
  if (!key) {
    return Refuse(400, prefix, "Invalid public key: Malformed public key: ", key.error().message);
  }
  switch (key->scheme) {
    case KeyScheme::kCanister: {
      const auto valid = VerifyCanisterSignature(*key, message, signature, root_key_der);
      if (valid) return {};
      return Refuse(400, prefix, "Invalid canister signature: ", valid.error().message);
    }
    case KeyScheme::kBls:
    case KeyScheme::kWebAuthn:
      return Refuse(400, prefix, "Invalid public key: Algorithm ", Name(key->scheme),
                    " is not supported for requests");
    default:
      break;
  }
  const auto valid = VerifyBasic(*key, message, signature);
  if (valid) return {};
  return Refuse(400, prefix, "Invalid basic signature: ", Name(key->scheme),
                " signature could not be verified: public key ", base::ToHex(key->raw),
                ", signature ",
                base::ToHex(signature.first(std::min<size_t>(signature.size(), 96))),
                ", error: ", valid.error().message);
}

Verdict CheckChainShape(const Envelope& envelope, uint64_t now_ns) {
  const auto& chain = *envelope.sender_delegation;
  if (chain.size() > kDelegationsMax) {
    return Refuse(400, kInvalidDelegation, "Chain of delegations is too long: got ", chain.size(),
                  " delegations, but at most ", kDelegationsMax, " are allowed.");
  }
  for (const SignedDelegation& link : chain) {
    if (link.delegation.expiration >= now_ns) continue;
    return Refuse(400,
                  "Invalid delegation expiry: Specified sender delegation has expired:\n"
                  "Provided expiry:    ",
                  UtcText(link.delegation.expiration), "\nLocal replica time: ", UtcText(now_ns));
  }
  std::set<base::Bytes> seen = {*envelope.sender_pubkey};
  for (const SignedDelegation& link : chain) {
    if (seen.insert(link.delegation.pubkey).second) continue;
    return Refuse(400, kInvalidDelegation,
                  "Chain of delegations contains at least one cycle: first repeating public key "
                  "encountered ",
                  base::ToHex(link.delegation.pubkey));
  }
  for (const SignedDelegation& link : chain) {
    const auto& targets = link.delegation.targets;
    if (!targets || targets->size() <= kDelegationTargetsMax) continue;
    return Refuse(400, kInvalidDelegation, "Delegation target error: expected at most ",
                  kDelegationTargetsMax, " targets per delegation, but got ", targets->size());
  }
  return {};
}

// Follows the chain; *key becomes the one that signs the request.
Verdict FollowChain(const Envelope& envelope, uint64_t now_ns, base::ByteSpan root_key_der,
                    base::Bytes* key, CanisterIdSet* targets) {
  TRY_VERDICT(CheckChainShape(envelope, now_ns));
  for (const auto& [delegation, signature] : *envelope.sender_delegation) {
    TRY_VERDICT(
        CheckSignature(kInvalidDelegation, *key, SignedBytes(delegation), signature, root_key_der));
    if (delegation.permissions == "queries" &&
        envelope.content.request_type == RequestType::kCall) {
      return Refuse(400, kInvalidDelegation,
                    "Delegation permissions are \"queries\", which do not allow a call");
    }
    if (delegation.targets) targets->Intersect(*delegation.targets);
    *key = delegation.pubkey;
  }
  return {};
}

// Information about the sender that the canister behind its key vouches for.
Verdict CheckSenderInfo(const Envelope& envelope, base::ByteSpan root_key_der) {
  const auto& info = envelope.content.sender_info;
  if (!info) return {};
  if (!envelope.sender_pubkey) {
    return Refuse(400, "Invalid sender info: the request is not signed");
  }
  const auto key = ParsePublicKey(*envelope.sender_pubkey);
  if (!key || key->scheme != KeyScheme::kCanister) {
    return Refuse(400, "Invalid sender info: the sender's key is not a canister's");
  }
  const auto parts = ParseCanisterKey(key->raw);
  if (!parts || !std::ranges::equal(parts->canister_id, info->signer.bytes())) {
    return Refuse(400, "Invalid sender info: signer ", info->signer.ToText(),
                  " is not the canister of the sender's key");
  }
  const auto valid = VerifyCanisterSignature(*key, WithDomain(kSenderInfoDomain, info->info),
                                             info->sig, root_key_der);
  if (!valid) return Refuse(400, "Invalid sender info: ", valid.error().message);
  return {};
}

}  // namespace

void CanisterIdSet::Intersect(const std::vector<Principal>& targets) {
  std::set<Principal> common;
  for (const Principal& target : targets) {
    if (Contains(target)) common.insert(target);
  }
  ids_ = std::move(common);
}

OrRefusal<Authenticated> Authenticate(const Envelope& envelope, uint64_t now_ns,
                                      base::ByteSpan root_key_der) {
  const Content& content = envelope.content;
  TRY_VERDICT(CheckSizes(content));
  TRY_VERDICT(CheckExpiry(content.ingress_expiry, now_ns));
  Authenticated authenticated;
  authenticated.sender = content.sender;
  if (!envelope.sender_pubkey || !envelope.sender_sig) {
    if (content.sender != Anonymous()) {
      return Refuse(400, "Missing signature from user: ", content.sender.ToText());
    }
  } else if (content.sender == Anonymous()) {
    return Refuse(400, "Signature is not allowed for the anonymous user.");
  } else {
    base::Bytes key = *envelope.sender_pubkey;
    if (SelfAuthenticating(key) != content.sender) {
      return Refuse(400, "The user id '", content.sender.ToText(),
                    "' does not match the public key '", base::ToHex(key), "'");
    }
    if (envelope.sender_delegation) {
      TRY_VERDICT(FollowChain(envelope, now_ns, root_key_der, &key, &authenticated.targets));
    }
    TRY_VERDICT(CheckSignature(kInvalidSignature, key, SignedBytes(RequestIdOf(content)),
                               *envelope.sender_sig, root_key_der));
  }
  TRY_VERDICT(CheckSenderInfo(envelope, root_key_der));
  const bool targeted = content.request_type != RequestType::kReadState;
  if (targeted && !authenticated.targets.Contains(content.canister_id)) {
    return Refuse(400, "Canister '", content.canister_id.ToText(),
                  "' is not one of the delegation targets.");
  }
  return authenticated;
}

OrRefusal<void> CheckEffectiveId(const Content& content, const Principal& effective_id) {
  if (content.canister_id == Principal() || content.canister_id == effective_id) return {};
  return Refuse(400, "Specified canister ID ", content.canister_id.ToText(),
                " does not match effective canister ID in URL ", effective_id.ToText());
}

}  // namespace ic
