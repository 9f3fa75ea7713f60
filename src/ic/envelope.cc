#include "ic/envelope.h"

#include "ic/cbor.h"

namespace ic {
namespace {

using base::Err;

base::Bytes Copy(base::ByteSpan bytes) { return {bytes.begin(), bytes.end()}; }

std::optional<base::Bytes> Copy(const std::optional<base::ByteSpan>& bytes) {
  if (!bytes) return std::nullopt;
  return Copy(*bytes);
}

base::Result<Principal> TakePrincipal(CborFields& fields, std::string_view name) {
  return PrincipalOf(TRY(fields.Blob(name)), name);
}

base::Result<std::vector<Path>> ParsePaths(CborItem item) {
  std::vector<Path> paths;
  for (const CborItem path : TRY(CborArray(item, "paths"))) {
    Path& labels = paths.emplace_back();
    for (const CborItem label : TRY(CborArray(path, "a path"))) {
      labels.push_back(Copy(TRY(CborBytes(label, "a label of a path"))));
    }
  }
  return paths;
}

base::Result<std::optional<SenderInfo>> ParseSenderInfo(CborFields& content) {
  const auto item = content.Take("sender_info");
  if (!item) return std::nullopt;
  CborFields fields = TRY(CborFields::Of(*item, "sender_info"));
  SenderInfo info;
  info.info = Copy(TRY(fields.Blob("info")));
  info.signer = TRY(TakePrincipal(fields, "signer"));
  info.sig = Copy(TRY(fields.Blob("sig")));
  TRY_STATUS(fields.Finish());
  return info;
}

base::Result<Content> ParseContent(CborItem item, RequestType expected) {
  CborFields fields = TRY(CborFields::Of(item, "content"));
  Content content;
  content.request_type = expected;
  const std::string_view type = TRY(fields.Text("request_type"));
  if (type != Name(expected)) {
    return Err("request_type is \"", base::Printable(type), "\", expected \"", Name(expected),
               "\"");
  }
  content.nonce = Copy(TRY(fields.OptionalBlob("nonce")));
  content.ingress_expiry = TRY(fields.Nat("ingress_expiry"));
  content.sender = TRY(TakePrincipal(fields, "sender"));
  content.sender_info = TRY(ParseSenderInfo(fields));
  if (expected == RequestType::kReadState) {
    content.paths = TRY(ParsePaths(TRY(fields.Need("paths"))));
  } else {
    content.canister_id = TRY(TakePrincipal(fields, "canister_id"));
    content.method_name = TRY(fields.Text("method_name"));
    content.arg = Copy(TRY(fields.Blob("arg")));
  }
  TRY_STATUS(fields.Finish());
  return content;
}

base::Result<Delegation> ParseDelegation(CborItem item) {
  CborFields fields = TRY(CborFields::Of(item, "delegation"));
  Delegation delegation;
  delegation.pubkey = Copy(TRY(fields.Blob("pubkey")));
  delegation.expiration = TRY(fields.Nat("expiration"));
  if (const auto targets = fields.Take("targets")) {
    auto& list = delegation.targets.emplace();
    for (const CborItem target : TRY(CborArray(*targets, "targets"))) {
      list.push_back(TRY(PrincipalOf(TRY(CborBytes(target, "a target")), "a target")));
    }
  }
  if (const auto permissions = TRY(fields.OptionalText("permissions"))) {
    if (*permissions != "queries" && *permissions != "all") {
      return Err("permissions is \"", base::Printable(*permissions),
                 "\", expected \"queries\" or \"all\"");
    }
    delegation.permissions = *permissions;
  }
  TRY_STATUS(fields.Finish());
  return delegation;
}

base::Result<std::vector<SignedDelegation>> ParseDelegations(CborItem item) {
  std::vector<SignedDelegation> chain;
  for (const CborItem link : TRY(CborArray(item, "sender_delegation"))) {
    CborFields fields = TRY(CborFields::Of(link, "signed delegation"));
    SignedDelegation signed_delegation;
    signed_delegation.delegation = TRY(ParseDelegation(TRY(fields.Need("delegation"))));
    signed_delegation.signature = Copy(TRY(fields.Blob("signature")));
    TRY_STATUS(fields.Finish());
    chain.push_back(std::move(signed_delegation));
  }
  return chain;
}

void WriteContent(CborWriter& out, const Content& content) {
  const bool read_state = content.request_type == RequestType::kReadState;
  out.Map((read_state ? 4u : 6u) + content.nonce.has_value() + content.sender_info.has_value());
  out.Text("request_type").Text(Name(content.request_type));
  if (content.nonce) out.Text("nonce").Blob(*content.nonce);
  out.Text("ingress_expiry").Nat(content.ingress_expiry);
  out.Text("sender").Blob(content.sender.bytes());
  if (const auto& info = content.sender_info) {
    out.Text("sender_info").Map(3).Text("info").Blob(info->info);
    out.Text("signer").Blob(info->signer.bytes()).Text("sig").Blob(info->sig);
  }
  if (!read_state) {
    out.Text("canister_id").Blob(content.canister_id.bytes());
    out.Text("method_name").Text(content.method_name);
    out.Text("arg").Blob(content.arg);
    return;
  }
  out.Text("paths").Array(content.paths.size());
  for (const Path& path : content.paths) {
    out.Array(path.size());
    for (const base::Bytes& label : path) out.Blob(label);
  }
}

void WriteDelegation(CborWriter& out, const SignedDelegation& link) {
  const Delegation& delegation = link.delegation;
  out.Map(2).Text("delegation");
  out.Map(2u + delegation.targets.has_value() + delegation.permissions.has_value());
  out.Text("pubkey").Blob(delegation.pubkey).Text("expiration").Nat(delegation.expiration);
  if (delegation.targets) {
    out.Text("targets").Array(delegation.targets->size());
    for (const Principal& target : *delegation.targets) out.Blob(target.bytes());
  }
  if (delegation.permissions) out.Text("permissions").Text(*delegation.permissions);
  out.Text("signature").Blob(link.signature);
}

}  // namespace

std::string_view Name(RequestType type) {
  switch (type) {
    case RequestType::kCall:
      return "call";
    case RequestType::kQuery:
      return "query";
    case RequestType::kReadState:
      return "read_state";
  }
  return "";
}

base::Result<Envelope> ParseEnvelope(base::ByteSpan body, RequestType expected) {
  const CborDocument document = TRY(CborDocument::Parse(body));
  CborFields fields = TRY(CborFields::Of(document.root(), "envelope"));
  Envelope envelope;
  envelope.content = TRY(ParseContent(TRY(fields.Need("content")), expected));
  envelope.sender_pubkey = Copy(TRY(fields.OptionalBlob("sender_pubkey")));
  envelope.sender_sig = Copy(TRY(fields.OptionalBlob("sender_sig")));
  if (const auto chain = fields.Take("sender_delegation")) {
    envelope.sender_delegation = TRY(ParseDelegations(*chain));
  }
  TRY_STATUS(fields.Finish());
  if (envelope.sender_pubkey.has_value() != envelope.sender_sig.has_value()) {
    return Err("envelope has one of sender_pubkey and sender_sig, expected both or none");
  }
  if (envelope.sender_delegation && !envelope.sender_pubkey) {
    return Err("envelope has sender_delegation, but no sender_pubkey");
  }
  return envelope;
}

base::Bytes EncodeEnvelope(const Envelope& envelope) {
  CborWriter out;
  out.SelfDescribed().Map(1u + envelope.sender_pubkey.has_value() +
                          envelope.sender_sig.has_value() + envelope.sender_delegation.has_value());
  out.Text("content");
  WriteContent(out, envelope.content);
  if (envelope.sender_pubkey) out.Text("sender_pubkey").Blob(*envelope.sender_pubkey);
  if (envelope.sender_sig) out.Text("sender_sig").Blob(*envelope.sender_sig);
  if (const auto& chain = envelope.sender_delegation) {
    out.Text("sender_delegation").Array(chain->size());
    for (const SignedDelegation& link : *chain) WriteDelegation(out, link);
  }
  return out.Take();
}

RequestId RequestIdOf(const Content& content) {
  MapHash hash;
  hash.Text("request_type", Name(content.request_type));
  if (content.nonce) hash.Blob("nonce", *content.nonce);
  hash.Nat("ingress_expiry", content.ingress_expiry);
  hash.Blob("sender", content.sender.bytes());
  if (const auto& info = content.sender_info) {
    MapHash nested;
    nested.Blob("info", info->info).Blob("signer", info->signer.bytes()).Blob("sig", info->sig);
    hash.Digest("sender_info", nested.Finish());
  }
  if (content.request_type != RequestType::kReadState) {
    hash.Blob("canister_id", content.canister_id.bytes());
    hash.Text("method_name", content.method_name).Blob("arg", content.arg);
    return hash.Finish();
  }
  std::vector<Sha256Digest> paths;
  for (const Path& path : content.paths) {
    std::vector<Sha256Digest> labels;
    for (const base::Bytes& label : path) labels.push_back(base::Sha256Of(label));
    paths.push_back(HashOfArray(labels));
  }
  return hash.Digest("paths", HashOfArray(paths)).Finish();
}

Sha256Digest HashOf(const Delegation& delegation) {
  MapHash hash;
  hash.Blob("pubkey", delegation.pubkey).Nat("expiration", delegation.expiration);
  if (delegation.targets) {
    std::vector<Sha256Digest> targets;
    for (const Principal& target : *delegation.targets) {
      targets.push_back(base::Sha256Of(target.bytes()));
    }
    hash.Digest("targets", HashOfArray(targets));
  }
  if (delegation.permissions) hash.Text("permissions", *delegation.permissions);
  return hash.Finish();
}

base::Bytes SignedBytes(const RequestId& id) { return WithDomain(kRequestDomain, id); }

base::Bytes SignedBytes(const Delegation& delegation) {
  return WithDomain(kDelegationDomain, HashOf(delegation));
}

}  // namespace ic
