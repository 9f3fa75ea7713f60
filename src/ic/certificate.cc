#include "ic/certificate.h"

#include <algorithm>

#include "base/leb128.h"

namespace ic {
namespace {

using base::Err;

base::Bytes Copy(base::ByteSpan bytes) { return {bytes.begin(), bytes.end()}; }

Path With(Path path, base::ByteSpan label) {
  path.push_back(Copy(label));
  return path;
}

}  // namespace

base::Result<Certificate> ParseCertificate(base::ByteSpan cbor) {
  const CborDocument document = TRY(CborDocument::Parse(cbor));
  CborFields fields = TRY(CborFields::Of(document.root(), "certificate"));
  Certificate certificate;
  certificate.tree = TRY(HashTree::Read(TRY(fields.Need("tree"))));
  certificate.signature = Copy(TRY(fields.Blob("signature")));
  if (const auto item = fields.Take("delegation")) {
    CborFields delegation = TRY(CborFields::Of(*item, "delegation of a certificate"));
    auto& made = certificate.delegation.emplace();
    made.subnet_id = TRY(PrincipalOf(TRY(delegation.Blob("subnet_id")), "subnet_id"));
    made.certificate = Copy(TRY(delegation.Blob("certificate")));
  }
  return certificate;  // other fields may come with later versions
}

base::Bytes EncodeCertificate(const Certificate& certificate) {
  CborWriter out;
  out.SelfDescribed().Map(2u + certificate.delegation.has_value()).Text("tree");
  certificate.tree.Write(out);
  out.Text("signature").Blob(certificate.signature);
  if (const auto& delegation = certificate.delegation) {
    out.Text("delegation").Map(2).Text("subnet_id").Blob(delegation->subnet_id.bytes());
    out.Text("certificate").Blob(delegation->certificate);
  }
  return out.Take();
}

base::Bytes SignedBytes(const HashTree& tree) { return WithDomain(kStateRootDomain, tree.hash()); }

base::Bytes EncodeLeb(uint64_t value) {
  base::Bytes out;
  base::AppendUleb(out, value);
  return out;
}

base::Result<uint64_t> ParseLeb(base::ByteSpan bytes, std::string_view what) {
  base::ByteReader in(bytes);
  const auto value = base::ReadUleb(in);
  if (!value || !in.empty()) return Err(what, " is not one LEB128 number of 64 bits");
  return *value;
}

base::Result<uint64_t> TimeOf(const HashTree& tree) {
  const auto time = tree.Value(TextPath({"time"}));
  if (!time) return Err("certificate does not tell /time");
  return ParseLeb(*time, "/time of a certificate");
}

base::Bytes EncodeCanisterRanges(std::span<const CanisterRange> ranges) {
  CborWriter out;
  out.SelfDescribed().Array(ranges.size());
  for (const CanisterRange& range : ranges) {
    out.Array(2).Blob(range.first.bytes()).Blob(range.last.bytes());
  }
  return out.Take();
}

base::Result<std::vector<CanisterRange>> ParseCanisterRanges(base::ByteSpan cbor) {
  const CborDocument document = TRY(CborDocument::Parse(cbor));
  std::vector<CanisterRange> ranges;
  for (const CborItem item : TRY(CborArray(document.root(), "canister_ranges"))) {
    const CborItem pair = TRY(CborArray(item, "a canister range"));
    if (pair.number() != 2) {
      return Err("a canister range has ", pair.number(), " elements, expected 2");
    }
    auto it = pair.begin();
    const base::ByteSpan first = TRY(CborBytes(*it, "start of a canister range"));
    const base::ByteSpan last = TRY(CborBytes(*++it, "end of a canister range"));
    ranges.push_back({TRY(PrincipalOf(first, "start of a canister range")),
                      TRY(PrincipalOf(last, "end of a canister range"))});
  }
  return ranges;
}

bool InRanges(std::span<const CanisterRange> ranges, const Principal& canister_id) {
  for (const CanisterRange& range : ranges) {
    if (!BytesLess(canister_id, range.first) && !BytesLess(range.last, canister_id)) return true;
  }
  return false;
}

base::Result<std::vector<CanisterRange>> CanisterRangesOf(const HashTree& tree,
                                                          const Principal& subnet_id,
                                                          const Principal& canister_id) {
  const Path shards_path = With(TextPath({"canister_ranges"}), subnet_id.bytes());
  HashTree shards;
  if (tree.Find(shards_path, &shards) == Lookup::kFound) {
    std::optional<base::Bytes> best;
    for (base::Bytes& first : shards.Labels()) {
      const base::ByteSpan id = canister_id.bytes();
      if (!std::ranges::lexicographical_compare(id, first)) best = std::move(first);
    }
    if (best) {
      if (const auto value = tree.Value(With(shards_path, *best))) {
        return ParseCanisterRanges(*value);
      }
    }
  }
  if (const auto value = tree.Value(SubnetPath(subnet_id, "canister_ranges"))) {
    return ParseCanisterRanges(*value);
  }
  return Err("certificate does not tell the canister ranges of subnet ", subnet_id.ToText());
}

base::Bytes EncodePrincipals(std::span<const Principal> principals) {
  CborWriter out;
  out.SelfDescribed().Array(principals.size());
  for (const Principal& principal : principals) out.Blob(principal.bytes());
  return out.Take();
}

base::Result<std::vector<Principal>> ParsePrincipals(base::ByteSpan cbor) {
  const CborDocument document = TRY(CborDocument::Parse(cbor));
  std::vector<Principal> principals;
  for (const CborItem item : TRY(CborArray(document.root(), "list of principals"))) {
    const base::ByteSpan bytes = TRY(CborBytes(item, "a principal of the list"));
    principals.push_back(TRY(PrincipalOf(bytes, "a principal of the list")));
  }
  return principals;
}

Path SubnetPath(const Principal& subnet_id, std::string_view field) {
  return With(With(TextPath({"subnet"}), subnet_id.bytes()), base::AsBytes(field));
}

Path NodeKeyPath(const Principal& subnet_id, const Principal& node_id) {
  return With(With(SubnetPath(subnet_id, "node"), node_id.bytes()), base::AsBytes("public_key"));
}

Path CanisterRangesPath(const Principal& subnet_id, const Principal& first) {
  return With(With(TextPath({"canister_ranges"}), subnet_id.bytes()), first.bytes());
}

Path CanisterPath(const Principal& canister_id, std::string_view field) {
  return With(With(TextPath({"canister"}), canister_id.bytes()), base::AsBytes(field));
}

Path MetadataPath(const Principal& canister_id, std::string_view name) {
  return With(CanisterPath(canister_id, "metadata"), base::AsBytes(name));
}

Path RequestStatusPath(const RequestId& id) { return With(TextPath({"request_status"}), id); }

Path RequestStatusPath(const RequestId& id, std::string_view field) {
  return With(RequestStatusPath(id), base::AsBytes(field));
}

}  // namespace ic
