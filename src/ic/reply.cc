#include "ic/reply.h"

#include "candid/utf8.h"

namespace ic {
namespace {

using base::Err;

base::Bytes Copy(base::ByteSpan bytes) { return {bytes.begin(), bytes.end()}; }

// The message as UTF-8: a canister may have written anything, and CBOR and the clients want text.
std::string MessageOf(const Reject& reject) {
  const base::ByteSpan bytes = base::AsBytes(reject.reject_message);
  if (candid::IsUtf8(bytes)) return reject.reject_message;
  std::string text;
  for (size_t at = 0; at < bytes.size();) {
    size_t size = 1;
    while (size <= 4 && !(at + size <= bytes.size() && candid::IsUtf8(bytes.subspan(at, size)))) {
      ++size;
    }
    text += size <= 4 ? base::AsText(bytes.subspan(at, size)) : "\xef\xbf\xbd";  // U+FFFD
    at += size <= 4 ? size : 1;
  }
  return text;
}

uint64_t FieldsOf(const Reject& reject) { return 2u + reject.error_code.has_value(); }

void Write(CborWriter& out, const Reject& reject) {
  out.Text("reject_code").Nat(reject.reject_code);
  out.Text("reject_message").Text(MessageOf(reject));
  if (reject.error_code) out.Text("error_code").Text(*reject.error_code);
}

base::Result<Reject> ReadReject(CborFields& fields) {
  Reject reject;
  reject.reject_code = TRY(fields.Nat("reject_code"));
  reject.reject_message = TRY(fields.Text("reject_message"));
  if (const auto code = TRY(fields.OptionalText("error_code"))) reject.error_code = *code;
  return reject;
}

base::Result<std::vector<NodeSignature>> ReadSignatures(CborFields& fields) {
  std::vector<NodeSignature> signatures;
  const auto list = fields.Take("signatures");
  if (!list) return signatures;
  for (const CborItem item : TRY(CborArray(*list, "signatures"))) {
    CborFields signature = TRY(CborFields::Of(item, "signature of a node"));
    NodeSignature& made = signatures.emplace_back();
    made.timestamp = TRY(signature.Nat("timestamp"));
    made.signature = Copy(TRY(signature.Blob("signature")));
    made.identity = TRY(PrincipalOf(TRY(signature.Blob("identity")), "identity"));
  }
  return signatures;
}

}  // namespace

base::Bytes EncodeStatusReply(const StatusReply& reply) {
  CborWriter out;
  out.SelfDescribed().Map(3).Text("root_key").Blob(reply.root_key);
  out.Text("replica_health_status").Text(reply.replica_health_status);
  out.Text("impl_version").Text(reply.impl_version);
  return out.Take();
}

base::Result<StatusReply> ParseStatusReply(base::ByteSpan cbor) {
  const CborDocument document = TRY(CborDocument::Parse(cbor));
  CborFields fields = TRY(CborFields::Of(document.root(), "status"));
  StatusReply reply;
  // The real network does not send its key: its clients know it.
  if (const auto key = TRY(fields.OptionalBlob("root_key"))) reply.root_key = Copy(*key);
  if (const auto health = TRY(fields.OptionalText("replica_health_status"))) {
    reply.replica_health_status = *health;
  }
  if (const auto version = TRY(fields.OptionalText("impl_version"))) reply.impl_version = *version;
  return reply;
}

base::Bytes EncodeCallReply(const CallReply& reply, CallVersion version) {
  CborWriter out;
  out.SelfDescribed();
  if (reply.certificate) {
    out.Map(2).Text("status").Text("replied").Text("certificate").Blob(*reply.certificate);
    return out.Take();
  }
  const Reject rejection = reply.rejection.value_or(Reject());
  if (version == CallVersion::kV2) {
    out.Map(FieldsOf(rejection));
  } else {
    out.Map(1 + FieldsOf(rejection)).Text("status").Text("non_replicated_rejection");
  }
  Write(out, rejection);
  return out.Take();
}

base::Result<CallReply> ParseCallReply(base::ByteSpan cbor) {
  const CborDocument document = TRY(CborDocument::Parse(cbor));
  CborFields fields = TRY(CborFields::Of(document.root(), "reply to a call"));
  const auto status = TRY(fields.OptionalText("status"));
  CallReply reply;
  if (status == "replied") {
    reply.certificate = Copy(TRY(fields.Blob("certificate")));
  } else if (!status || status == "non_replicated_rejection") {
    reply.rejection = TRY(ReadReject(fields));
  } else {
    return Err("status of a call is \"", base::Printable(*status),
               "\", expected \"replied\" or \"non_replicated_rejection\"");
  }
  return reply;
}

base::Bytes EncodeReadStateReply(base::ByteSpan certificate) {
  CborWriter out;
  out.SelfDescribed().Map(1).Text("certificate").Blob(certificate);
  return out.Take();
}

base::Result<base::Bytes> ParseReadStateReply(base::ByteSpan cbor) {
  const CborDocument document = TRY(CborDocument::Parse(cbor));
  CborFields fields = TRY(CborFields::Of(document.root(), "reply to a read_state"));
  return Copy(TRY(fields.Blob("certificate")));
}

base::Bytes EncodeQueryReply(const QueryReply& reply) {
  CborWriter out;
  out.SelfDescribed();
  if (reply.arg) {
    out.Map(3).Text("status").Text("replied");
    out.Text("reply").Map(1).Text("arg").Blob(*reply.arg);
  } else {
    const Reject reject = reply.reject.value_or(Reject());
    out.Map(2 + FieldsOf(reject)).Text("status").Text("rejected");
    Write(out, reject);
  }
  out.Text("signatures").Array(reply.signatures.size());
  for (const NodeSignature& signature : reply.signatures) {
    out.Map(3).Text("timestamp").Nat(signature.timestamp);
    out.Text("signature").Blob(signature.signature);
    out.Text("identity").Blob(signature.identity.bytes());
  }
  return out.Take();
}

base::Result<QueryReply> ParseQueryReply(base::ByteSpan cbor) {
  const CborDocument document = TRY(CborDocument::Parse(cbor));
  CborFields fields = TRY(CborFields::Of(document.root(), "reply to a query"));
  const std::string_view status = TRY(fields.Text("status"));
  QueryReply reply;
  if (status == "replied") {
    CborFields inner = TRY(CborFields::Of(TRY(fields.Need("reply")), "reply"));
    reply.arg = Copy(TRY(inner.Blob("arg")));
  } else if (status == "rejected") {
    reply.reject = TRY(ReadReject(fields));
  } else {
    return Err("status of a query is \"", base::Printable(status),
               "\", expected \"replied\" or \"rejected\"");
  }
  reply.signatures = TRY(ReadSignatures(fields));
  return reply;
}

Sha256Digest HashOf(const QueryReply& reply, const RequestId& id, uint64_t timestamp) {
  MapHash hash;
  if (reply.arg) {
    hash.Text("status", "replied");
    hash.Digest("reply", MapHash().Blob("arg", *reply.arg).Finish());
  } else {
    const Reject reject = reply.reject.value_or(Reject());
    hash.Text("status", "rejected").Nat("reject_code", reject.reject_code);
    hash.Text("reject_message", MessageOf(reject));
    if (reject.error_code) hash.Text("error_code", *reject.error_code);
  }
  return hash.Nat("timestamp", timestamp).Blob("request_id", id).Finish();
}

base::Bytes SignedBytes(const QueryReply& reply, const RequestId& id, uint64_t timestamp) {
  return WithDomain(kResponseDomain, HashOf(reply, id, timestamp));
}

base::Result<RequestStatus> RequestStatusOf(const HashTree& tree, const RequestId& id) {
  HashTree found;
  RequestStatus status;
  const Lookup lookup = tree.Find(RequestStatusPath(id), &found);
  if (lookup == Lookup::kAbsent) return status;
  if (lookup == Lookup::kUnknown) return Err("certificate does not tell the request's status");
  const auto field = [&](std::string_view name) { return found.Value(TextPath({name})); };
  const auto text = field("status");
  if (!text) return Err("certificate does not tell the request's status");
  status.status = base::AsText(*text);
  if (status.status == "replied") {
    auto reply = field("reply");
    if (!reply) return Err("certificate does not tell the request's reply");
    status.reply = *std::move(reply);
  } else if (status.status == "rejected") {
    const auto code = field("reject_code");
    const auto message = field("reject_message");
    if (!code || !message) return Err("certificate does not tell why the request was rejected");
    status.reject.reject_code = TRY(ParseLeb(*code, "reject_code"));
    status.reject.reject_message = base::AsText(*message);
    HashTree unused;
    if (const auto error = field("error_code")) {
      status.reject.error_code = base::AsText(*error);
    } else if (found.Find(TextPath({"error_code"}), &unused) == Lookup::kUnknown) {
      return Err("certificate does not tell the request's error_code");
    }
  }
  return status;
}

HashTree RequestStatusTree(const RequestStatus& status) {
  TreeBuilder tree;
  tree.Set(TextPath({"status"}), base::AsBytes(status.status));
  if (status.status == "replied") tree.Set(TextPath({"reply"}), status.reply);
  if (status.status == "rejected") {
    tree.Set(TextPath({"reject_code"}), EncodeLeb(status.reject.reject_code));
    tree.Set(TextPath({"reject_message"}), base::AsBytes(MessageOf(status.reject)));
    if (status.reject.error_code) {
      tree.Set(TextPath({"error_code"}), base::AsBytes(*status.reject.error_code));
    }
  }
  return tree.Build();
}

}  // namespace ic
