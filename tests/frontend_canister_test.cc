// The canister `frontend` behind the gateway: every path, encoding and header of the page that it
// serves, and that nothing of it can be changed on the way.
#include <gmock/gmock.h>

#include "base/hex.h"
#include "cli/command.h"
#include "ic/http_verify.h"
#include "runtime/http/service.h"

namespace {

using namespace runtime;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class FrontendCanister : public ::testing::Test {
 protected:
  FrontendCanister() {
    replica_ = Replica::Open(env_, {}).value();
    id_ = replica_->network().CreateCanister({2}, Cycles{1'000'000'000'000'000}).value();
    SetVariables({{"PUBLIC_CANISTER_ID:model", "aaaaa-aa"}, {"SECRET", "hidden"}});
    Install(InstallMode::kInstall);
    text_id_ = ic::Principal::FromBytes(id_)->ToText();
    service_ = std::make_unique<Service>(*replica_, ServiceOptions());
  }

  void SetVariables(std::vector<std::pair<std::string, std::string>> variables) {
    replica_->network().Find(id_)->state.settings.environment_variables = std::move(variables);
  }
  void Install(InstallMode mode) {
    const std::string wasm = cli::ReadFile(GPT2IC_WASM_DIR "/frontend.wasm").value();
    const auto error =
        replica_->network().InstallCode(id_, mode, base::Bytes(wasm.begin(), wasm.end()), {}, {2});
    EXPECT_FALSE(error) << error->message;
    replica_->Work();
  }

  ic::HttpResponse Get(const std::string& url, std::vector<ic::HttpHeader> headers = {}) {
    ic::HttpRequest request{"GET", url, {{"Host", text_id_ + ".localhost:8000"}}, {}};
    for (auto& header : headers) request.headers.push_back(std::move(header));
    return service_->HandleNow(std::move(request));
  }
  static std::string Header(const ic::HttpResponse& response, std::string_view name) {
    for (const auto& header : response.headers) {
      if (EqualsIgnoringCase(header.name, name)) return header.value;
    }
    return "";
  }
  static std::string Body(const ic::HttpResponse& response) {
    return std::string(base::AsText(response.body));
  }
  // Of the script that the page names.
  std::string ScriptPath() {
    const std::string page = Body(Get("/"));
    const size_t at = page.find("/assets/index-");
    return page.substr(at, page.find('"', at) - at);
  }
  bool Verifies(const std::string& url, const ic::HttpResponse& response) {
    const ic::HttpRequest request{"GET", url, {}, {}};
    return ic::VerifyHttpResponse(request, response, *ic::Principal::FromBytes(id_),
                                  replica_->state().keys().root.public_key_der(), env_.NowNs())
        .has_value();
  }

  SystemEnv env_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<Service> service_;
  Principal id_;
  std::string text_id_;
};

TEST_F(FrontendCanister, TheRootIsThePage) {
  const auto page = Get("/");
  EXPECT_EQ(page.status_code, 200) << Body(page);
  EXPECT_EQ(Header(page, "content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(Header(page, "cache-control"), "no-cache");
  EXPECT_THAT(Body(page), HasSubstr("<title>"));
  EXPECT_EQ(Body(Get("/index.html")), Body(page));
  EXPECT_EQ(Body(Get("/?a=b")), Body(page));
}

TEST_F(FrontendCanister, OtherPathsAreThePageAndMissingFilesAreMissing) {
  for (const char* path : {"/chat", "/a/b/c", "/chat/", "/assets", "/a%20b"}) {
    EXPECT_EQ(Get(path).status_code, 200) << path;
    EXPECT_EQ(Body(Get(path)), Body(Get("/"))) << path;
  }
  for (const char* path : {"/nothing.js", "/assets/index-00000000.js", "/favicon.ico", "/a/b.c"}) {
    EXPECT_EQ(Get(path).status_code, 404) << path;
    EXPECT_EQ(Header(Get(path), "cache-control"), "no-store") << path;
  }
}

TEST_F(FrontendCanister, FilesNamedByTheirHashMayBeKeptForEver) {
  const auto script = Get(ScriptPath());
  EXPECT_EQ(script.status_code, 200);
  EXPECT_EQ(Header(script, "content-type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(Header(script, "cache-control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(Header(Get("/index.html"), "cache-control"), "no-cache");
}

TEST_F(FrontendCanister, TheLicensesOfWhatIsInThePageAreInThePage) {
  const auto licenses = Get("/licenses.txt");
  EXPECT_EQ(Header(licenses, "content-type"), "text/plain; charset=utf-8");
  for (const char* name : {"@icp-sdk/core 6.1.0: Apache-2.0", "@noble/curves", "@dfinity/cbor"}) {
    EXPECT_THAT(Body(licenses), HasSubstr(name));
  }
}

TEST_F(FrontendCanister, GzipIsSentToThoseWhoTakeIt) {
  const std::string path = ScriptPath();
  const auto plain = Get(path);
  EXPECT_EQ(Header(plain, "content-encoding"), "");
  EXPECT_EQ(Header(plain, "vary"), "accept-encoding");
  for (const char* accepted : {"gzip", "br, gzip;q=0.5", "GZIP", "deflate,gzip, identity"}) {
    const auto packed = Get(path, {{"Accept-Encoding", accepted}});
    EXPECT_EQ(packed.status_code, 200) << accepted;
    EXPECT_EQ(Header(packed, "content-encoding"), "gzip") << accepted;
    EXPECT_LT(packed.body.size(), plain.body.size() / 2);
  }
  for (const char* accepted : {"br", "gzip;q=0", "gzip; q=0.000", "xgzip", "*;q=0", ""}) {
    EXPECT_EQ(Header(Get(path, {{"Accept-Encoding", accepted}}), "content-encoding"), "")
        << accepted;
  }
}

TEST_F(FrontendCanister, WhatTheBrowserHasIsNotSentAgain) {
  for (const std::string& path : {std::string("/"), ScriptPath(), std::string("/chat")}) {
    const std::string etag = Header(Get(path), "etag");
    const auto again = Get(path, {{"If-None-Match", etag}, {"Accept-Encoding", "gzip"}});
    EXPECT_EQ(again.status_code, 304) << Body(again);
    EXPECT_TRUE(again.body.empty());
    EXPECT_EQ(Header(again, "etag"), etag);
    EXPECT_EQ(Get(path, {{"If-None-Match", "W/\"other\""}}).status_code, 200);
  }
}

TEST_F(FrontendCanister, SecurityHeadersAreStrict) {
  const auto page = Get("/");
  const std::string policy = Header(page, "content-security-policy");
  EXPECT_THAT(policy, HasSubstr("default-src 'none';script-src 'self';style-src 'self';"));
  EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'"));
  EXPECT_THAT(policy, ::testing::Not(HasSubstr("unsafe")));
  EXPECT_EQ(Header(page, "x-frame-options"), "DENY");
  EXPECT_THAT(Header(page, "permissions-policy"), HasSubstr("camera=()"));
  for (const std::string& path : {std::string("/"), ScriptPath(), std::string("/missing.js")}) {
    EXPECT_EQ(Header(Get(path), "x-content-type-options"), "nosniff") << path;
    EXPECT_EQ(Header(Get(path), "referrer-policy"), "same-origin") << path;
    EXPECT_THAT(Header(Get(path), "strict-transport-security"), HasSubstr("max-age=31536000"));
  }
}

TEST_F(FrontendCanister, TheCookieTellsTheRootKeyAndThePublicVariables) {
  const std::string cookie = Header(Get("/"), "set-cookie");
  const std::string key = base::ToHex(replica_->state().keys().root.public_key_der());
  EXPECT_EQ(cookie, "ic_env=ic_root_key%3D" + key +
                        "%26PUBLIC_CANISTER_ID%3Amodel%3Daaaaa-aa; Path=/; SameSite=Lax");
  EXPECT_EQ(Header(Get(ScriptPath()), "set-cookie"), "");
}

TEST_F(FrontendCanister, AChangedEnvironmentIsServedAtOnceAndCertifiedFromThenOn) {
  const std::string etag = Header(Get("/"), "etag");
  SetVariables({{"PUBLIC_CANISTER_ID:model", "2vxsx-fae"}, {"PUBLIC_B", "x&y=z %"}});
  const auto asked = Get("/", {{"If-None-Match", etag}});  // by an update call
  EXPECT_EQ(asked.status_code, 200) << "what the browser has is out of date";
  EXPECT_THAT(Header(asked, "set-cookie"), HasSubstr("PUBLIC_CANISTER_ID%3Amodel%3D2vxsx-fae"));
  EXPECT_THAT(Header(asked, "set-cookie"), HasSubstr("%26PUBLIC_B%3Dx%26y%3Dz%20%25%26PUBLIC_C"));
  EXPECT_EQ(Header(asked, "ic-certificate"), "");
  replica_->Work();
  const auto later = Get("/");
  EXPECT_TRUE(Verifies("/", later)) << "a query again";
  EXPECT_EQ(Header(later, "set-cookie"), Header(asked, "set-cookie"));
}

TEST_F(FrontendCanister, CallsThatNobodyNeedsAreNotTaken) {
  const auto taken = [&](const char* method) {
    return !replica_->network().Inspect({4}, id_, method, {}).has_value();
  };
  EXPECT_FALSE(taken("http_request_update"));
  EXPECT_FALSE(taken("http_request"));
  SetVariables({});
  EXPECT_TRUE(taken("http_request_update"));
  EXPECT_FALSE(taken("http_request"));
}

TEST_F(FrontendCanister, AnUpgradeCertifiesThePageAgain) {
  SetVariables({});
  Install(InstallMode::kUpgrade);
  const auto page = Get("/");
  EXPECT_TRUE(Verifies("/", page));
  EXPECT_THAT(Header(page, "set-cookie"), ContainsRegex("ic_root_key%3D[0-9a-f]+; Path"));
}

TEST_F(FrontendCanister, LongVariablesDoNotMakeTheCookieLongerThanBrowsersKeep) {
  std::vector<std::pair<std::string, std::string>> variables;
  for (char c = 'A'; c < 'A' + 20; ++c) {
    variables.emplace_back(std::string("PUBLIC_") + c, std::string(128, '%'));
  }
  SetVariables(std::move(variables));
  Install(InstallMode::kUpgrade);
  const std::string cookie = Header(Get("/"), "set-cookie");
  EXPECT_LE(cookie.size(), 4096u);
  EXPECT_THAT(cookie, HasSubstr("PUBLIC_A"));
}

TEST_F(FrontendCanister, AFlippedByteAnywhereIsRefused) {
  const std::string script = ScriptPath();
  for (const std::string& path :
       {std::string("/"), script, std::string("/chat"), std::string("/missing.js")}) {
    const ic::HttpResponse response = Get(path);
    ASSERT_TRUE(Verifies(path, response)) << path;
    const size_t step = 1 + response.body.size() / 40;
    for (size_t at = 0; at < response.body.size(); at += step) {
      ic::HttpResponse changed = response;
      changed.body[at] ^= 1;
      EXPECT_FALSE(Verifies(path, changed)) << path << ": byte " << at;
    }
    for (size_t i = 0; i < response.headers.size(); ++i) {
      if (response.headers[i].name == "x-ic-canister-id") continue;  // the gateway's own
      if (response.headers[i].name.starts_with("access-control-")) continue;
      ic::HttpResponse changed = response;
      changed.headers[i].value[changed.headers[i].value.size() / 2] ^= 1;
      EXPECT_FALSE(Verifies(path, changed)) << path << ": " << response.headers[i].name;
    }
    ic::HttpResponse changed = response;
    changed.status_code = 201;
    EXPECT_FALSE(Verifies(path, changed)) << path << ": status";
    EXPECT_FALSE(Verifies("/index.html", response)) << "the answer of another path";
  }
}

}  // namespace
