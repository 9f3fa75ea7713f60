#include "cli/agent.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "cli/deploy.h"
#include "cli/target.h"
#include "runtime/http/test_support.h"

namespace cli {
namespace {

using ::testing::HasSubstr;

// A network that does to requests and answers what a test wants.
class Meddler : public Transport {
 public:
  explicit Meddler(Transport& real) : real_(real) {}
  base::Result<ic::HttpResponse> Send(const ic::HttpRequest& request) override {
    ++sent;
    if (busy > 0) {
      --busy;
      return ic::HttpResponse{503, {}, {}};
    }
    if (lost > 0) {  // the request arrives, its answer does not
      --lost;
      real_.Send(request).value();
      return base::Err("connection reset");
    }
    auto response = real_.Send(request);
    if (response && meddle) meddle(request, *response);
    return response;
  }
  int sent = 0, busy = 0, lost = 0;
  std::function<void(const ic::HttpRequest&, ic::HttpResponse&)> meddle;

 private:
  Transport& real_;
};

class AgentTest : public runtime::ReplicaTest {
 protected:
  AgentTest() : network_(*service_), transport_(network_) {
    agent_ = Agent::Connect(transport_, ic::Identity(), {}).value();
  }
  static std::string ErrorOf(const base::Result<base::Bytes>& result) {
    return result ? "no error" : result.error().message;
  }

  InProcess network_;
  Meddler transport_;
  std::unique_ptr<Agent> agent_;
};

TEST_F(AgentTest, CallsAndQueries) {
  EXPECT_EQ(*agent_->Update(id_, "echo", {1, 2}), (base::Bytes{1, 2}));
  EXPECT_EQ(*agent_->Query(id_, "peek", {3}), base::Bytes{3});
  EXPECT_EQ(*agent_->Metadata(id_, "note").value(), "hello");
  EXPECT_FALSE(agent_->Metadata(id_, "nothing").value());
  EXPECT_THAT(ErrorOf(agent_->Update(id_, "fail", {})), HasSubstr("(IC0502)"));
  EXPECT_THAT(ErrorOf(agent_->Update(id_, "private", {})), HasSubstr("(IC0406)"));
  EXPECT_THAT(ErrorOf(agent_->Query(id_, "nothing", {})), HasSubstr("(IC0536)"));
}

TEST_F(AgentTest, ABusyOrLossyNetworkIsAskedAgainAndExecutesOnce) {
  transport_.busy = 1;
  EXPECT_EQ(*agent_->Update(id_, "inc", {}), (base::Bytes{1, 0, 0, 0}));
  transport_.lost = 2;
  EXPECT_EQ(*agent_->Update(id_, "inc", {}), (base::Bytes{2, 0, 0, 0}));
}

TEST_F(AgentTest, ACallThatIsOnlyAcceptedIsPolled) {
  transport_.meddle = [](const ic::HttpRequest& request, ic::HttpResponse& response) {
    if (request.url.ends_with("/call")) response = {202, {}, {}};
  };
  EXPECT_EQ(*agent_->Update(id_, "inc", {}), (base::Bytes{1, 0, 0, 0}));
}

TEST_F(AgentTest, RefusalsAreShown) {
  transport_.meddle = [](const ic::HttpRequest&, ic::HttpResponse& response) {
    response = {400, {}, {'n', 'o'}};
  };
  EXPECT_EQ(ErrorOf(agent_->Update(id_, "inc", {})),
            "the network refuses the call (HTTP status 400): no");
  EXPECT_EQ(transport_.sent, 2) << "the root key, and the call once";
}

// Every byte of an answer that is changed is noticed, or changes nothing.
TEST_F(AgentTest, ForgedAnswersAreNotBelieved) {
  ASSERT_TRUE(agent_->Query(id_, "peek", {7})) << "node keys are known now";
  int believed = 0;
  for (size_t at = 0; at < 600; at += 7) {
    transport_.meddle = [at](const ic::HttpRequest&, ic::HttpResponse& response) {
      if (at < response.body.size()) response.body[at] ^= 0x40;
    };
    const auto reply = agent_->Query(id_, "peek", {7});
    if (reply) EXPECT_EQ(*reply, base::Bytes{7});
    const auto update = agent_->Update(id_, "echo", {8});
    if (update) EXPECT_EQ(*update, base::Bytes{8});
    believed += update.has_value() ? 1 : 0;
  }
  EXPECT_LT(believed, 30) << "most changes of a certificate break it";
}

TEST_F(AgentTest, AnotherNetworksCertificatesAreNotBelieved) {
  const auto agent = Agent::Connect(transport_, ic::Identity(), MainnetRootKey()).value();
  EXPECT_THAT(ErrorOf(agent->Update(id_, "inc", {})), HasSubstr("signature"));
  EXPECT_NE(ErrorOf(agent->Query(id_, "peek", {})), "no error");
}

TEST_F(AgentTest, IdentitiesAreTheCallers) {
  const auto key = ic::SigningKey::FromSecret(ic::KeyScheme::kSecp256k1, base::Bytes(32, 3));
  const auto agent = Agent::Connect(transport_, ic::Identity(*key), {}).value();
  EXPECT_EQ(*agent->Update(id_, "echo", {5}), base::Bytes{5});
}

TEST(CanisterIdsTest, ANetworkHasOneFileHoweverItsAddressIsWritten) {
  const std::string path = IdsOfNetwork("http://127.0.0.1:8000").path();
  EXPECT_EQ(path, ".gpt2ic/http---127.0.0.1-8000.ids.json");
  EXPECT_EQ(IdsOfNetwork("http://localhost:8000").path(), path);
  EXPECT_EQ(IdsOfNetwork("http://localhost:8000/").path(), path);
  EXPECT_NE(IdsOfNetwork("http://localhost:8001").path(), path);
  EXPECT_NE(IdsOfNetwork("http://localhost.example:8000").path(), path);
  EXPECT_EQ(IdsOfNetwork("ic").path(), ".gpt2ic/ic.ids.json");
}

class DeployTest : public AgentTest {
 protected:
  DeployTest() {
    const std::string path = testing::TempDir() + "/deploy_test_ids.json";
    std::filesystem::remove(path);
    target_ = Target::Over(*service_, CanisterIds(path)).value();
  }
  static base::Bytes Counter() { return runtime::ParseWat(runtime::kCounter).value(); }

  std::unique_ptr<Target> target_;
};

TEST_F(DeployTest, CreatesInstallsUpgradesAndReinstalls) {
  const auto first = Deploy(*target_, "counter", Counter(), {}, DeployMode::kAuto);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_TRUE(first->created);
  const auto second = Deploy(*target_, "counter", Counter(), {}, DeployMode::kAuto);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->id, first->id);
  EXPECT_TRUE(second->upgraded);
  ASSERT_TRUE(target_->agent().Update(first->id, "inc", {}));
  ASSERT_TRUE(Deploy(*target_, "counter", Counter(), {}, DeployMode::kReinstall));
  EXPECT_EQ(*target_->agent().Query(first->id, "get", {}), base::Bytes(4));
  const auto install = Deploy(*target_, "counter", Counter(), {}, DeployMode::kInstall);
  EXPECT_THAT(install.error().message, HasSubstr("install_code: "));
}

// A module larger than a message goes through the chunk store.
TEST_F(DeployTest, LargeModulesAreSentInChunks) {
  const std::string wat =
      base::StrCat("(module (memory 64) (data (i32.const 0) \"", std::string(3 << 20, 'x'), "\"))");
  const auto done =
      Deploy(*target_, "large", runtime::ParseWat(wat).value(), {}, DeployMode::kAuto);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->module_hash.size(), 32);
}

TEST_F(DeployTest, NamesThatAreNotThereAreNamed) {
  EXPECT_THAT(target_->Canister("nobody").error().message,
              HasSubstr("'nobody' is neither a canister id nor a name in "));
}

}  // namespace
}  // namespace cli
