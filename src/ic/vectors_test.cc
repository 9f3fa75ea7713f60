// Every vector of tests/data/ic-http-vectors.json, made with the JavaScript libraries.

#include "ic/authenticate.h"
#include "ic/base64.h"
#include "ic/certificate_verify.h"
#include "ic/http_verify.h"
#include "ic/query_verify.h"
#include "ic/test_support.h"

namespace ic {
namespace {

uint64_t Number(const Json& text) { return std::stoull(text.get<std::string>()); }

TEST(VectorsTest, BlsKeyAndSignatures) {
  const Json& bls = Vectors()["bls"];
  const auto key = BlsKey::FromSecret(JsonHex(bls["secret_be"]));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->public_key_der(), JsonHex(bls["root_key_der"]));
  EXPECT_EQ(ParsePublicKey(key->public_key_der())->raw, JsonHex(bls["public_key_g2_compressed"]));
  const Principal principal = SelfAuthenticating(key->public_key_der());
  EXPECT_EQ(principal.ToText(), bls["self_authenticating_principal"].get<std::string>());
  EXPECT_EQ(base::ToHex(principal.bytes()), bls["self_authenticating_bytes"].get<std::string>());
  ASSERT_EQ(bls["cases"].size(), 3);
  for (const Json& row : bls["cases"]) {
    const base::Bytes message = JsonHex(row["message"]);
    const base::Bytes signature = JsonHex(row["signature"]);
    EXPECT_EQ(key->Sign(message), signature) << row["name"];
    EXPECT_TRUE(VerifyBls(key->public_key_der(), message, signature)) << row["name"];
    base::Bytes other = message;
    other.push_back(0);
    EXPECT_FALSE(VerifyBls(key->public_key_der(), other, signature)) << row["name"];
    // A hash is the signature by the secret 1.
    base::Bytes one(32);
    one[31] = 1;
    EXPECT_EQ(BlsKey::FromSecret(one)->Sign(message), JsonHex(row["hash_to_g1_compressed"]));
  }
}

TEST(VectorsTest, Certificate) {
  const Json& row = Vectors()["certificate"];
  const base::Bytes cbor = JsonHex(row["cbor"]);
  const auto certificate = ParseCertificate(cbor);
  ASSERT_TRUE(certificate) << ErrorOf(certificate);
  EXPECT_EQ(base::ToHex(certificate->tree.hash()), row["tree_root_hash"].get<std::string>());
  EXPECT_EQ(certificate->signature, JsonHex(row["signature"]));
  EXPECT_EQ(*TimeOf(certificate->tree), Number(row["time_ns"]));
  const Principal canister_id = *Principal::FromBytes(JsonHex(row["canister_id"]));
  EXPECT_EQ(certificate->tree.Value(CanisterPath(canister_id, "certified_data")),
            JsonHex(row["certified_data"]));
  const base::Bytes root_key = JsonHex(Vectors()["bls"]["root_key_der"]);
  EXPECT_TRUE(VerifyCertificate(*certificate, root_key, canister_id));
  EXPECT_EQ(EncodeCertificate(*certificate), cbor);
  // Made by us from the same values, it is the same certificate.
  TreeBuilder tree;
  tree.Set(CanisterPath(canister_id, "certified_data"), JsonHex(row["certified_data"]));
  tree.Set(TextPath({"time"}), EncodeLeb(Number(row["time_ns"])));
  const auto key = BlsKey::FromSecret(JsonHex(Vectors()["bls"]["secret_be"]));
  EXPECT_EQ(EncodeCertificate(SignCertificate(*key, tree.Build())), cbor);
}

RequestType TypeOf(const Json& row) {
  const auto kind = row["kind"].get<std::string>();
  if (kind == "call") return RequestType::kCall;
  return kind == "query" ? RequestType::kQuery : RequestType::kReadState;
}

TEST(VectorsTest, Envelopes) {
  ASSERT_EQ(Vectors()["envelopes"].size(), 15);
  for (const Json& row : Vectors()["envelopes"]) {
    const std::string name =
        row["identity"].get<std::string>() + " " + row["kind"].get<std::string>();
    const auto envelope = ParseEnvelope(JsonHex(row["body"]), TypeOf(row));
    ASSERT_TRUE(envelope) << name << ": " << ErrorOf(envelope);
    EXPECT_EQ(base::ToHex(RequestIdOf(envelope->content)), row["request_id"].get<std::string>())
        << name;
    EXPECT_EQ(envelope->content.sender.ToText(), row["sender"].get<std::string>()) << name;
    EXPECT_EQ(envelope->sender_sig.has_value(), row["has_sig"].get<bool>()) << name;
    const size_t delegations =
        envelope->sender_delegation ? envelope->sender_delegation->size() : 0;
    EXPECT_EQ(delegations, row["delegations"].get<size_t>()) << name;
    const uint64_t now = envelope->content.ingress_expiry - 1;
    const auto verdict = Authenticate(*envelope, now, {});
    EXPECT_TRUE(verdict) << name << ": " << verdict.error().text;
    const auto again = ParseEnvelope(EncodeEnvelope(*envelope), TypeOf(row));
    ASSERT_TRUE(again) << name << ": " << ErrorOf(again);
    EXPECT_EQ(RequestIdOf(again->content), RequestIdOf(envelope->content)) << name;
    EXPECT_TRUE(Authenticate(*again, now, {})) << name;
    if (!envelope->sender_sig) continue;
    auto forged = *envelope;
    forged.sender_sig->back() ^= 1;
    EXPECT_FALSE(Authenticate(forged, now, {})) << name;
    forged = *envelope;
    ++forged.content.ingress_expiry;
    EXPECT_FALSE(Authenticate(forged, now, {})) << name;
  }
}

TEST(VectorsTest, RequestIdOfTheSpecification) {
  Content content;
  content.sender = Anonymous();
  content.ingress_expiry = 1685570400000000000;
  content.canister_id = PrincipalFromHex("00000000000004D2");
  content.method_name = "hello";
  content.arg = Hex("4449444c00fd2a");
  EXPECT_EQ(base::ToHex(RequestIdOf(content)), Vectors()["spec_request_id"].get<std::string>());
}

TEST(VectorsTest, QueryReplies) {
  const Json& rows = Vectors()["query_response"];
  const auto node = SigningKey::FromSecret(KeyScheme::kEd25519, JsonHex(rows["node_seed"]));
  ASSERT_TRUE(node);
  EXPECT_EQ(node->public_key_der(), JsonHex(rows["node_public_key_der"]));
  EXPECT_EQ(node->principal().ToText(), rows["node_id"].get<std::string>());
  RequestId id;
  std::ranges::copy(JsonHex(rows["request_id"]), id.begin());
  const uint64_t time = Number(rows["timestamp_ns"]);
  QueryReply replied, rejected;
  replied.arg = JsonHex(rows["replied"]["arg"]);
  rejected.reject = Reject{rows["rejected"]["reject_code"].get<uint64_t>(),
                           rows["rejected"]["reject_message"].get<std::string>(),
                           rows["rejected"]["error_code"].get<std::string>()};
  const NodeKeys nodes = {{node->principal(), node->public_key_der()}};
  for (auto [reply, row] : {std::pair(replied, rows["replied"]), {rejected, rows["rejected"]}}) {
    EXPECT_EQ(base::ToHex(HashOf(reply, id, time)), row["hash"].get<std::string>());
    SignQueryReply(reply, id, time, *node);
    EXPECT_EQ(reply.signatures[0].signature, JsonHex(row["signature"]));
    const auto again = ParseQueryReply(EncodeQueryReply(reply));
    ASSERT_TRUE(again) << ErrorOf(again);
    EXPECT_TRUE(VerifyQueryReply(*again, id, nodes, time, 0));
  }
}

HttpResponse ResponseOf(const Json& row) {
  HttpResponse response;
  response.status_code = row["status"].get<uint16_t>();
  response.body = Text(row["body"].get<std::string>());
  for (const Json& header : row["headers"]) {
    response.headers.push_back({header[0].get<std::string>(), header[1].get<std::string>()});
  }
  return response;
}

TEST(VectorsTest, CertifiedHttpResponse) {
  const Json& rows = Vectors()["http_v2"];
  const Json& row = rows["exact"];
  HttpResponse response = ResponseOf(row);
  const std::string text = response.headers[1].value;
  const auto expression = ParseExpression(text);
  ASSERT_TRUE(expression) << ErrorOf(expression);
  EXPECT_EQ(expression->Text(), text);
  EXPECT_EQ(base::ToHex(base::Sha256Of(base::AsBytes(text))),
            row["expression_hash"].get<std::string>());
  const Sha256Digest response_hash = ResponseHash(response, *expression);
  EXPECT_EQ(base::ToHex(response_hash), row["response_hash"].get<std::string>());
  const auto url = row["url"].get<std::string>();
  TreeBuilder tree;
  const ExpressionPath path = ExactPath(*UrlSegments(url));
  tree.Set(EntryPath(path, text, nullptr, &response_hash), base::ByteSpan());
  EXPECT_EQ(base::ToHex(tree.Build().hash()), row["certified_data"].get<std::string>());

  response.headers.push_back({"IC-Certificate", row["ic_certificate"].get<std::string>()});
  const Principal canister_id = PrincipalFromHex(rows["canister_id"].get<std::string>());
  const base::Bytes root_key = JsonHex(Vectors()["bls"]["root_key_der"]);
  const uint64_t now = Number(rows["verify_at_time_ns"]);
  const HttpRequest request = {"GET", url, {}, {}};
  const auto verified = VerifyHttpResponse(request, response, canister_id, root_key, now);
  ASSERT_TRUE(verified) << ErrorOf(verified);
  EXPECT_EQ(verified->headers.size(), 2);
  const auto parts = ParseCertificateHeader(row["ic_certificate"].get<std::string>());
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->tree, tree.Build().Encode());
  const auto again = ParseCertificateHeader(CertificateHeaderText(*parts));
  EXPECT_EQ(again->expr_path, path);
  EXPECT_EQ(again->certificate, parts->certificate);
}

TEST(VectorsTest, RequestHash) {
  const Json& row = Vectors()["http_v2"]["request_hash"];
  CertificationExpression expression;
  expression.kind = CertificationExpression::Kind::kFull;
  expression.query_parameters = row["certified_query_parameters"];
  HttpRequest request = {row["method"].get<std::string>(), row["url"].get<std::string>(), {}, {}};
  for (const Json& header : row["certified_headers"]) {
    expression.request_headers.push_back(header[0].get<std::string>());
    request.headers.push_back({header[0].get<std::string>(), header[1].get<std::string>()});
  }
  EXPECT_EQ(base::ToHex(RequestHash(request, expression)), row["hash"].get<std::string>());
  request.url = "/p?z=2";
  EXPECT_EQ(base::ToHex(RequestHash(request, expression)),
            row["hash_when_q_absent"].get<std::string>());
}

TEST(VectorsTest, SkippedHttpCertification) {
  const Json& rows = Vectors()["http_v2"];
  const Json& row = rows["skip"];
  const auto text = row["expression"].get<std::string>();
  CertificationExpression skip;
  skip.kind = CertificationExpression::Kind::kSkip;
  EXPECT_EQ(skip.Text(), text);
  EXPECT_EQ(base::ToHex(base::Sha256Of(base::AsBytes(text))),
            row["expression_hash"].get<std::string>());
  TreeBuilder tree;
  tree.Set(EntryPath(WildcardPath({}), text, nullptr, nullptr), base::ByteSpan());
  EXPECT_EQ(base::ToHex(tree.Build().hash()), row["certified_data"].get<std::string>());
  EXPECT_EQ(base::ToHex(tree.Build().Encode()),
            "d9d9f7830249687474705f657870728302433c2a3e83025820c31abadbd0b059f9d464fd6df4da9e2dc087"
            "ae7d0b40468d337226d413b33723820340");
  const HttpResponse response = {200,
                                 {{"IC-Certificate", row["ic_certificate"].get<std::string>()},
                                  {"IC-CertificateExpression", text}},
                                 Text("anything")};
  const auto verified = VerifyHttpResponse({"GET", "/any/where?x", {}, {}}, response,
                                           PrincipalFromHex(rows["canister_id"].get<std::string>()),
                                           JsonHex(Vectors()["bls"]["root_key_der"]),
                                           Number(rows["verify_at_time_ns"]));
  ASSERT_TRUE(verified) << ErrorOf(verified);
  EXPECT_EQ(verified->expression.kind, CertificationExpression::Kind::kSkip);
}

}  // namespace
}  // namespace ic
