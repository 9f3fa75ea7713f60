// The HTTP gateway with the canister `pages`, whose pages are certified by src/ic in wasm.
#include <gmock/gmock.h>

#include "cli/command.h"
#include "runtime/http/service.h"

namespace {

using namespace runtime;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class GatewayTest : public ::testing::Test {
 protected:
  GatewayTest() {
    replica_ = Replica::Open(env_, {}).value();
    const std::string wasm = cli::ReadFile(GPT2IC_WASM_DIR "/pages.wasm").value();
    Network& network = replica_->network();
    const Principal id = network.CreateCanister({2}, Cycles{1'000'000'000'000'000}).value();
    const auto error = network.InstallCode(id, InstallMode::kInstall,
                                           base::Bytes(wasm.begin(), wasm.end()), {}, {2});
    EXPECT_FALSE(error) << error->message;
    replica_->Work();
    id_ = ic::Principal::FromBytes(id)->ToText();
    service_ = std::make_unique<Service>(*replica_, ServiceOptions());
  }

  ic::HttpResponse Ask(const std::string& host, const std::string& url, std::string method = "GET",
                       std::string_view body = "") {
    ic::HttpRequest request{std::move(method), url, {{"Host", host}}, {}};
    base::Append(request.body, body);
    return service_->HandleNow(std::move(request));
  }
  ic::HttpResponse Page(const std::string& url) { return Ask(id_ + ".localhost:8000", url); }
  ic::HttpResponse Raw(const std::string& url) { return Ask(id_ + ".raw.localhost", url); }
  static std::string Text(const ic::HttpResponse& response) {
    return base::StrCat(response.status_code, " ", base::AsText(response.body));
  }
  static std::string Header(const ic::HttpResponse& response, std::string_view name) {
    for (const auto& header : response.headers) {
      if (EqualsIgnoringCase(header.name, name)) return header.value;
    }
    return "";
  }

  SystemEnv env_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<Service> service_;
  std::string id_;
};

TEST_F(GatewayTest, ACertifiedPageIsServedWithItsCertifiedHeaders) {
  const auto page = Page("/?a=b");
  EXPECT_EQ(Text(page), "200 / part 0\n");
  EXPECT_EQ(Header(page, "content-type"), "text/plain");
  EXPECT_EQ(Header(page, "x-uncertified"), "") << "nobody vouches for it";
  EXPECT_EQ(Header(page, "x-ic-canister-id"), id_);
  EXPECT_EQ(Header(Raw("/"), "x-uncertified"), "yes");
}

TEST_F(GatewayTest, TheCanisterIsNamedByHostParameterOrReferer) {
  EXPECT_EQ(Text(Ask("127.0.0.1:8000", "/?x=1&canisterId=" + id_)), "200 / part 0\n");
  ic::HttpRequest linked{"GET", "/", {{"host", "localhost"}}, {}};
  linked.headers.push_back({"referer", "http://127.0.0.1:8000/page?canisterId=" + id_});
  EXPECT_EQ(Text(service_->HandleNow(linked)), "200 / part 0\n");
  EXPECT_EQ(Ask("localhost", "/?canisterId=nonsense").status_code, 400);
  EXPECT_EQ(Ask("rwlgt-iiaaa-aaaaa-aaaaa-cai.localhost", "/").status_code, 404);
}

TEST_F(GatewayTest, WhatIsNotCertifiedIsNotServed) {
  EXPECT_THAT(Text(Page("/changed")), StartsWith("500 Canister "));
  EXPECT_THAT(Text(Page("/changed")), HasSubstr("Response verification failed: "));
  EXPECT_THAT(Text(Page("/bare")),
              HasSubstr("Response verification failed: response has no header ic-certificate"));
  EXPECT_EQ(Text(Raw("/changed")), "200 changed");
  EXPECT_EQ(Raw("/bare").status_code, 200);
}

TEST_F(GatewayTest, APageThatSkipsCertificationIsServed) {
  EXPECT_EQ(Text(Page("/else/where")), "404 /else/where part 0\n");
  EXPECT_EQ(Header(Page("/else"), "x-uncertified"), "yes");
}

TEST_F(GatewayTest, StreamedBodiesAreWhole) {
  const std::string body = "/streamed part 0\n/streamed part 1\n/streamed part 2\n";
  EXPECT_EQ(Text(Page("/streamed")), "200 " + body);
  EXPECT_THAT(Text(Page("/long")), HasSubstr("/long part 9\n"));
  EXPECT_THAT(Text(Page("/endless")),
              HasSubstr("its body has not ended after 1000 streaming callbacks"));
}

TEST_F(GatewayTest, AnUpgradeBecomesACall) {
  EXPECT_EQ(Text(Ask(id_ + ".localhost", "/post", "POST", "body")), "201 POST /post body");
}

}  // namespace
