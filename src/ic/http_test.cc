#include "ic/http_verify.h"
#include "ic/test_support.h"

namespace ic {
namespace {

using Kind = CertificationExpression::Kind;
using Headers = CertificationExpression::Headers;

std::string Refusal(std::string_view text) { return ErrorOf(ParseExpression(text)); }

TEST(HttpExpressionTest, EveryFormIsWrittenAndReadBack) {
  for (const Kind kind : {Kind::kSkip, Kind::kResponseOnly, Kind::kFull}) {
    for (const Headers headers : {Headers::kOnly, Headers::kAllBut}) {
      CertificationExpression expression;
      expression.kind = kind;
      if (kind == Kind::kFull) {
        expression.request_headers = {"host", "accept"};
        expression.query_parameters = {"q"};
      }
      if (kind != Kind::kSkip) {
        expression.response_headers_are = headers;
        expression.response_headers = {"content-type", "etag"};
      }
      const auto again = ParseExpression(expression.Text());
      ASSERT_TRUE(again) << ErrorOf(again);
      EXPECT_EQ(again->kind, expression.kind);
      EXPECT_EQ(again->request_headers, expression.request_headers);
      EXPECT_EQ(again->query_parameters, expression.query_parameters);
      EXPECT_EQ(again->response_headers_are, expression.response_headers_are);
      EXPECT_EQ(again->response_headers, expression.response_headers);
      EXPECT_EQ(again->Text(), expression.Text());
    }
  }
}

TEST(HttpExpressionTest, ReadsSpacesAndTrailingCommas) {
  const auto expression = ParseExpression(R"(
      default_certification (
        ValidationArgs {
          certification: Certification {
            request_certification: RequestCertification {
              certified_request_headers: ["host"],
              certified_query_parameters: [],
            },
            response_certification: ResponseCertification {
              certified_response_headers: ResponseHeaderList { headers: ["A", "B",] }
            }
          }
        }
      ))");
  ASSERT_TRUE(expression) << ErrorOf(expression);
  EXPECT_EQ(expression->kind, Kind::kFull);
  EXPECT_EQ(expression->response_headers, (std::vector<std::string>{"A", "B"}));
}

TEST(HttpExpressionTest, RefusesOthers) {
  EXPECT_EQ(Refusal(""), "certificate expression has \"\" at 0, expected default_certification");
  EXPECT_EQ(Refusal("default_certification(ValidationArgs{no_certification:Empty{}}"),
            "certificate expression has \"\" at 62, expected )");
  EXPECT_EQ(Refusal("default_certification(ValidationArgs{no_certification:Empty{}})x"),
            "certificate expression has \"x\" at 63, expected its end");
  EXPECT_EQ(Refusal("default_certification(ValidationArgs{})"),
            "certificate expression has neither no_certification nor certification");
  EXPECT_EQ(Refusal("default_certification(ValidationArgs{no_certification:Empty{},"
                    "certification:Empty{}})"),
            "certificate expression has both no_certification and certification");
  EXPECT_EQ(Refusal("default_certification(Args{})"),
            "certificate expression has Args, expected ValidationArgs");
  EXPECT_EQ(Refusal("default_certification(ValidationArgs{no_certification:[]})"),
            "certificate expression has a list, expected Empty");
  EXPECT_EQ(Refusal("default_certification(ValidationArgs{no_certification:Empty{},"
                    "no_certification:Empty{}})"),
            "certificate expression has \":Empty{}})\" at 78, expected no_certification only once");
  EXPECT_EQ(Refusal("default_certification(ValidationArgs{no_certification:Empty{a:[]}})"),
            "certificate expression has a in Empty");
  EXPECT_EQ(Refusal("default_certification(ValidationArgs{certification:Certification{"
                    "no_request_certification:Empty{}}})"),
            "certificate expression has no response_certification");
  EXPECT_EQ(Refusal(std::string(9000, ' ')),
            "certificate expression has 9000 bytes, expected at most 8192");
  std::string deep = "default_certification(";
  for (int i = 0; i < 100; ++i) deep += "A{a:";
  EXPECT_TRUE(Refusal(deep).ends_with("expected no deeper nesting"));
  CertificationExpression quoted;
  quoted.response_headers = {"a\\b"};
  EXPECT_TRUE(Refusal(quoted.Text()).ends_with("expected a string without escapes"));
}

std::vector<std::string> Segments(std::string_view url) { return *UrlSegments(url); }
using Strings = std::vector<std::string>;

TEST(HttpCertificationTest, UrlsBecomeSegments) {
  EXPECT_EQ(Segments("/"), Strings{""});
  EXPECT_EQ(Segments(""), Strings{""});
  EXPECT_EQ(Segments("/app"), Strings{"app"});
  EXPECT_EQ(Segments("/app/"), (Strings{"app", ""}));
  EXPECT_EQ(Segments("/a//b?x=/y/"), (Strings{"a", "b"}));
  EXPECT_EQ(Segments("/a%20b/%C3%A9+"), (Strings{"a b", "\xc3\xa9+"}));
  EXPECT_EQ(Segments("/%2520"), Strings{"%20"}) << "decoded once";
  EXPECT_EQ(Segments("/50%"), Strings{"50%"});
  EXPECT_EQ(Segments("/a%zz"), Strings{"a%zz"});
  EXPECT_EQ(Segments("/a%2fb"), (Strings{"a", "b"}));
  EXPECT_EQ(Segments("https://host.localhost:80/x?u=http://y/"), Strings{"x"});
  EXPECT_EQ(Segments("http://host"), Strings{""});
  EXPECT_EQ(Segments("/x?u=http://y/"), Strings{"x"});
  EXPECT_EQ(Segments("/x#y/z"), Strings{"x"});
  EXPECT_EQ(ErrorOf(UrlSegments("/%ff")), "path of the URL is not UTF-8");
  std::string deep;
  for (int i = 0; i < 256; ++i) deep += "/a";
  EXPECT_EQ(Segments(deep).size(), 256);
  EXPECT_EQ(ErrorOf(UrlSegments(deep + "/a")), "path of the URL has more than 256 segments");
}

TEST(HttpCertificationTest, HeadersAreHashedAsTheExpressionSays) {
  CertificationExpression only, all_but;
  only.response_headers = {"Content-Type", "absent"};
  all_but.response_headers_are = Headers::kAllBut;
  all_but.response_headers = {"Date"};
  const HttpResponse response = {200,
                                 {{"content-type", "a"},
                                  {"DATE", "b"},
                                  {"IC-Certificate", "c"},
                                  {"IC-CertificateExpression", "d"},
                                  {"Content-Type", "e"}},
                                 Text("body")};
  const auto names = [&](const CertificationExpression& expression) {
    Strings names;
    for (const HttpHeader& header : CertifiedHeaders(response, expression)) {
      names.push_back(header.name);
    }
    return names;
  };
  const Strings expected = {"content-type", "IC-CertificateExpression", "Content-Type"};
  EXPECT_EQ(names(only), expected);
  EXPECT_EQ(names(all_but), expected);
  HttpResponse other = response;
  other.headers[1].value = other.headers[2].value = "x";
  EXPECT_EQ(ResponseHash(other, only), ResponseHash(response, only));
  other.headers[4].value = "x";
  EXPECT_NE(ResponseHash(other, only), ResponseHash(response, only)) << "twice there, hashed twice";
  other = response;
  other.status_code = 201;
  EXPECT_NE(ResponseHash(other, only), ResponseHash(response, only));
}

// A site with some pages, as a canister certifies them.
class Site {
 public:
  explicit Site(std::vector<ExpressionPath> paths) {
    TreeBuilder builder;
    for (const ExpressionPath& path : paths) {
      const Sha256Digest hash = ResponseHash(Page(path), expression_);
      builder.Set(EntryPath(path, expression_.Text(), nullptr, &hash), base::ByteSpan());
    }
    tree_ = builder.Build();
  }

  HttpResponse Page(const ExpressionPath& path) const {
    std::string body;
    for (const std::string& part : path) body += "/" + part;
    return {200,
            {{"content-type", "text/html"}, {"IC-CertificateExpression", expression_.Text()}},
            Text(body)};
  }

  HttpResponse Answer(const ExpressionPath& path, const HashTree& witness) const {
    TreeBuilder state;
    state.Set(CanisterPath(id_, "certified_data"), tree_.hash());
    state.Set(TextPath({"time"}), EncodeLeb(kNow));
    const Certificate certificate = SignCertificate(key_, state.Build());
    HttpResponse response = Page(path);
    response.headers.push_back(
        {"IC-Certificate",
         CertificateHeaderText({EncodeCertificate(certificate), witness.Encode(), path})});
    return response;
  }

  std::string Check(std::string_view url, const HttpResponse& response, uint64_t now = kNow) const {
    const HttpRequest request = {"GET", std::string(url), {}, {}};
    return ErrorOf(VerifyHttpResponse(request, response, id_, key_.public_key_der(), now));
  }

  // The canister answers `url` with the page at `path`.
  std::string Serve(std::string_view url, const ExpressionPath& path) const {
    const auto whole = Check(url, Answer(path, tree_));
    const HashTree witness = tree_.Witness(WitnessPaths(path, Segments(url)));
    EXPECT_EQ(Check(url, Answer(path, witness)), whole) << "the witness is as good as the tree";
    return whole;
  }

  const HashTree& tree() const { return tree_; }
  static constexpr uint64_t kNow = 1'790'000'000'000'000'000;

 private:
  CertificationExpression expression_{
      Kind::kResponseOnly, {}, {}, Headers::kOnly, {"content-type"}};
  BlsKey key_ = *BlsKey::FromSeed(base::Bytes(32, 1));
  Principal id_ = PrincipalFromHex("00000000000000010101");
  HashTree tree_;
};

TEST(HttpCertificationTest, TheMostSpecificPageAnswers) {
  const auto exact = [](std::string_view url) { return ExactPath(Segments(url)); };
  const Site site({exact("/"), exact("/a.txt"), exact("/app/"), WildcardPath({}),
                   WildcardPath({"app"}), WildcardPath({"app", "js", ""})});
  EXPECT_EQ(site.Serve("/a.txt?x=1", exact("/a.txt")), "");
  EXPECT_EQ(site.Serve("/", exact("/")), "");
  EXPECT_EQ(site.Serve("/nothing", WildcardPath({})), "");
  EXPECT_EQ(site.Serve("/nothing/here", WildcardPath({})), "");
  EXPECT_EQ(site.Serve("/app/x/y", WildcardPath({"app"})), "");
  EXPECT_EQ(site.Serve("/app/js/x", WildcardPath({"app", "js", ""})), "");
  EXPECT_EQ(site.Serve("/a.txt", WildcardPath({})),
            "expr_path is http_expr/<*>, but the more specific http_expr/a.txt/<$> may exist in "
            "the tree");
  EXPECT_EQ(site.Serve("/app/x", WildcardPath({})),
            "expr_path is http_expr/<*>, but the more specific http_expr/app/<*> may exist in the "
            "tree");
  EXPECT_EQ(site.Serve("/app/js/x", WildcardPath({"app"})),
            "expr_path is http_expr/app/<*>, but the more specific http_expr/app/js//<*> may exist "
            "in the tree");
  EXPECT_EQ(site.Serve("/b.txt", exact("/a.txt")),
            "expr_path is http_expr/a.txt/<$>, but the request is for http_expr/b.txt/<$>");
  EXPECT_EQ(site.Serve("/b.txt", exact("/b.txt")),
            "expr_path http_expr/b.txt/<$> is not in the tree");
  EXPECT_EQ(site.Serve("/b.txt", WildcardPath({"app"})),
            "expr_path is http_expr/app/<*>, which does not cover the request for "
            "http_expr/b.txt/<$>");
  EXPECT_EQ(site.Serve("/b.txt", {"http_expr", "b.txt"}),
            "expr_path is http_expr/b.txt, expected http_expr/.../<$> or <*>");
}

TEST(HttpCertificationTest, WhatIsHiddenCountsAsThere) {
  const Site site({WildcardPath({}), ExactPath({"a.txt"}), ExactPath({"z.txt"})});
  const ExpressionPath path = WildcardPath({});
  // Shows the answer, but not that /b.txt is absent.
  const std::vector<Path> only_answer = {WitnessPaths(path, {"b.txt"})[0]};
  EXPECT_EQ(site.Check("/b.txt", site.Answer(path, site.tree().Witness(only_answer))),
            "expr_path is http_expr/<*>, but the more specific http_expr/b.txt/<*> may exist in "
            "the tree");
}

TEST(HttpCertificationTest, ChangedResponsesAreRefused) {
  const Site site({ExactPath({"a"})});
  const HttpResponse good = site.Answer(ExactPath({"a"}), site.tree());
  EXPECT_EQ(site.Check("/a", good), "");
  const auto changed = [&](auto change) {
    HttpResponse response = good;
    change(response);
    return site.Check("/a", response);
  };
  const std::string wrong_hash = "hash of the response or its request is not in the tree";
  EXPECT_EQ(changed([](auto& r) { r.body.push_back('!'); }), wrong_hash);
  EXPECT_EQ(changed([](auto& r) { r.status_code = 404; }), wrong_hash);
  EXPECT_EQ(changed([](auto& r) { r.headers[0].value = "text/plain"; }), wrong_hash);
  EXPECT_EQ(changed([](auto& r) { r.headers.push_back({"set-cookie", "x"}); }), "")
      << "not certified, so not passed on";
  EXPECT_EQ(changed([](auto& r) { r.headers.pop_back(); }),
            "response has no header ic-certificate");
  EXPECT_EQ(changed([](auto& r) { r.headers.push_back(r.headers.back()); }),
            "response has the header ic-certificate twice");
  EXPECT_EQ(changed([](auto& r) { r.headers.erase(r.headers.begin() + 1); }),
            "response has no header ic-certificateexpression");
  EXPECT_EQ(changed([](auto& r) { r.headers[1].value += " "; }), wrong_hash)
      << "the same expression in other letters";
  const Site other({ExactPath({"a"}), ExactPath({"b"})});
  EXPECT_EQ(site.Check("/a", site.Answer(ExactPath({"a"}), other.tree())),
            "tree of the response is not the certified data of canister " +
                PrincipalFromHex("00000000000000010101").ToText());
  EXPECT_EQ(site.Check("/a", good, Site::kNow + 400'000'000'000),
            "certificate's time is 400 s in the past, expected at most 300");
}

TEST(HttpCertificationTest, FullCertificationCoversTheRequest) {
  CertificationExpression full;
  full.kind = Kind::kFull;
  full.request_headers = {"X-Key"};
  full.query_parameters = {"q", "r"};
  const HttpRequest request = {"GET", "/p?q=1&z=2&q=3", {{"x-key", "k"}, {"other", "o"}}, {}};
  const Sha256Digest hash = RequestHash(request, full);
  const auto same = [&](auto change) {
    HttpRequest other = request;
    change(other);
    return RequestHash(other, full) == hash;
  };
  EXPECT_TRUE(same([](auto& r) { r.url = "/elsewhere?z=9&q=1&q=3"; }));
  EXPECT_TRUE(same([](auto& r) { r.headers[1].value = "x"; }));
  EXPECT_TRUE(same([](auto& r) { r.headers[0].name = "X-KEY"; }));
  EXPECT_FALSE(same([](auto& r) { r.method = "POST"; }));
  EXPECT_FALSE(same([](auto& r) { r.url = "/p?q=3&q=1"; }));
  EXPECT_FALSE(same([](auto& r) { r.url = "/p?q=1&q=3&r="; }));
  EXPECT_FALSE(same([](auto& r) { r.headers[0].value = "x"; }));
  EXPECT_FALSE(same([](auto& r) { r.body.push_back(0); }));
}

TEST(HttpCertificationTest, CertificateHeadersAreChecked) {
  const auto refusal = [](std::string_view text) { return ErrorOf(ParseCertificateHeader(text)); };
  EXPECT_EQ(refusal("certificate=:AA==:, tree=:AA==:"),
            "IC-Certificate header has version 1, expected 2");
  EXPECT_EQ(refusal("version=2,tree=:AA==:"), "IC-Certificate header has no certificate");
  EXPECT_EQ(refusal("version=2,certificate=AA=="),
            "certificate of the IC-Certificate header is not between colons");
  EXPECT_EQ(refusal("version=2, version=2"), "IC-Certificate header has version twice");
  EXPECT_EQ(refusal("version=2,certificate=:*:"), "base64 has '*' at 0");
  EXPECT_EQ(refusal("version=2,certificate=:AA==:,tree=:AA==:,expr_path=:AA==:"),
            "expr_path is a natural number, expected an array");
  EXPECT_EQ(refusal("expr_path=:gWFh:,future=9,tree=:AA==:,certificate=:AA==:,version=2"), "");
}

}  // namespace
}  // namespace ic
