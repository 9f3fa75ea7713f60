#include "runtime/http/service.h"

#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "ic/certificate_verify.h"
#include "ic/query_verify.h"
#include "runtime/http/test_support.h"
#include "runtime/round/management_types.h"
#include "runtime/state/disk_storage.h"

namespace runtime {
namespace {

using ic::RequestType;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ServiceTest : public ReplicaTest {
 protected:
  using ReplicaTest::ReplicaTest;

  ~ServiceTest() override {
    service_.reset();
    replica_.reset();
  }
  std::unique_ptr<DiskStorage> disk_;
  std::unique_ptr<SystemEnv> disk_env_;

  // The tree of a certificate, verified as a client does.
  ic::HashTree Tree(const base::Bytes& certificate_cbor) {
    const auto certificate = ic::ParseCertificate(certificate_cbor);
    EXPECT_TRUE(certificate);
    EXPECT_TRUE(ic::VerifyCertificate(*certificate, root_key(), id_));
    EXPECT_TRUE(ic::CheckCertificateTime(certificate->tree, env_.NowNs()));
    return certificate->tree;
  }
  ic::RequestStatus Outcome(const ic::HttpResponse& response, const ic::Content& call) {
    EXPECT_EQ(response.status_code, 200) << Text(response);
    const auto reply = ic::ParseCallReply(response.body);
    if (!reply || !reply->certificate) return {};
    return *ic::RequestStatusOf(Tree(*reply->certificate), ic::RequestIdOf(call));
  }
  ic::HashTree ReadState(std::vector<ic::Path> paths) {
    ic::Content content = Content(RequestType::kReadState);
    content.paths = std::move(paths);
    const ic::HttpResponse response = Send(Url("v3", "read_state"), content);
    EXPECT_EQ(response.status_code, 200) << Text(response);
    const auto certificate = ic::ParseReadStateReply(response.body);
    return certificate ? Tree(*certificate) : ic::HashTree();
  }
};

TEST_F(ServiceTest, StatusGivesTheRootKey) {
  const auto response = service_->HandleNow({"GET", "/api/v2/status", {}, {}});
  const auto status = ic::ParseStatusReply(response.body);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->root_key, root_key());
  EXPECT_EQ(status->replica_health_status, "healthy");
}

TEST_F(ServiceTest, ACallIsAnsweredWithItsCertificate) {
  for (const char* version : {"v3", "v4"}) {
    const ic::Content call = Content(RequestType::kCall, "echo", {1, 2, 3});
    const auto status = Outcome(Send(Url(version, "call"), call), call);
    EXPECT_EQ(status.status, "replied");
    EXPECT_EQ(status.reply, (base::Bytes{1, 2, 3}));
  }
}

TEST_F(ServiceTest, AnAsynchronousCallIsFoundByReadState) {
  const ic::Content call = Content(RequestType::kCall);
  EXPECT_EQ(Text(Send(Url("v2", "call"), call)), "202 ");
  const ic::RequestId id = ic::RequestIdOf(call);
  const auto status = [&] {
    return *ic::RequestStatusOf(ReadState({ic::RequestStatusPath(id)}), id);
  };
  EXPECT_EQ(status().status, "received");
  replica_->Work();
  EXPECT_EQ(status().reply, (base::Bytes{1, 0, 0, 0}));
}

TEST_F(ServiceTest, ACallThatIsSentAgainIsNotExecutedAgain) {
  const ic::Content call = Content(RequestType::kCall);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Outcome(Send(Url("v4", "call"), call), call).reply, (base::Bytes{1, 0, 0, 0}));
  }
  const ic::Content next = Content(RequestType::kCall);
  EXPECT_EQ(Outcome(Send(Url("v4", "call"), next), next).reply, (base::Bytes{2, 0, 0, 0}));
}

TEST_F(ServiceTest, WhatFailsInTheCanisterIsInTheCertificate) {
  const ic::Content trap = Content(RequestType::kCall, "fail");
  EXPECT_EQ(*Outcome(Send(Url("v4", "call"), trap), trap).reject.error_code, "IC0502");
  const ic::Content missing = Content(RequestType::kCall, "absent");
  const auto status = Outcome(Send(Url("v4", "call"), missing), missing);
  EXPECT_EQ(*status.reject.error_code, "IC0536");
  EXPECT_EQ(status.reject.reject_code, 5);
}

TEST_F(ServiceTest, WhatIsNotTakenInIsRejectedAtOnce) {
  const auto rejection = [&](const ic::Content& call, const ic::Principal& at) {
    const auto response = Send(base::StrCat("/api/v4/canister/", at.ToText(), "/call"), call);
    const auto reply = ic::ParseCallReply(response.body);
    return reply && reply->rejection ? *reply->rejection : ic::Reject();
  };
  ic::Content nowhere = Content(RequestType::kCall);
  nowhere.canister_id = *ic::Principal::FromText("rwlgt-iiaaa-aaaaa-aaaaa-cai");
  EXPECT_EQ(*rejection(nowhere, nowhere.canister_id).error_code, "IC0301");
  EXPECT_EQ(rejection(nowhere, nowhere.canister_id).reject_code, 3);
  const ic::Content refused = Content(RequestType::kCall, "private");
  EXPECT_EQ(*rejection(refused, id_).error_code, "IC0406");
  ic::Content v2 = Content(RequestType::kCall, "private");
  EXPECT_TRUE(ic::ParseCallReply(Send(Url("v2", "call"), v2).body)->rejection);
}

TEST_F(ServiceTest, QueriesAreSignedByTheNode) {
  const ic::Principal subnet = replica_->state().keys().subnet_id();
  const auto nodes = ic::NodeKeysOf(ReadState({ic::TextPath({"subnet"})}), subnet, id_);
  ASSERT_TRUE(nodes) << nodes.error().message;
  for (const auto& [version, method] :
       {std::pair("v2", "peek"), std::pair("v3", "peek"), std::pair("v3", "nothing")}) {
    const ic::Content query = Content(RequestType::kQuery, method, {7});
    const auto reply = ic::ParseQueryReply(Send(Url(version, "query"), query).body);
    ASSERT_TRUE(reply);
    const auto verified =
        ic::VerifyQueryReply(*reply, ic::RequestIdOf(query), *nodes, env_.NowNs(), 300 * kSecond);
    EXPECT_TRUE(verified) << verified.error().message;
    if (method == std::string("peek")) {
      EXPECT_EQ(reply->arg, base::Bytes{7});
    } else {
      EXPECT_EQ(reply->reject->error_code, "IC0536");
    }
  }
}

TEST_F(ServiceTest, ReadStateTellsOfCanisters) {
  const ic::Path note = ic::MetadataPath(id_, "note");
  EXPECT_EQ(base::AsText(*ReadState({note}).Value(note)), "hello");
  const ic::Path hash = ic::CanisterPath(id_, "module_hash");
  EXPECT_EQ(ReadState({hash}).Value(hash)->size(), 32);
}

TEST_F(ServiceTest, ASubnetsAddressTellsOfTheSubnet) {
  const ic::Principal subnet = replica_->state().keys().subnet_id();
  ic::Content content = Content(RequestType::kReadState);
  ic::Path ranges = ic::TextPath({"canister_ranges"});
  ranges.emplace_back(subnet.bytes().begin(), subnet.bytes().end());
  content.paths = {ranges, ic::TextPath({"subnet"})};
  for (const char* version : {"v2", "v3"}) {
    const auto response =
        Send(base::StrCat("/api/", version, "/subnet/", subnet.ToText(), "/read_state"), content);
    ASSERT_EQ(response.status_code, 200) << Text(response);
    const auto tree = Tree(*ic::ParseReadStateReply(response.body));
    EXPECT_TRUE(ic::CanisterRangesOf(tree, subnet, id_));
  }
}

TEST_F(ServiceTest, EveryRefusalHasItsStatusAndText) {
  const auto call = [&](auto change) {
    ic::Content content = Content(RequestType::kCall);
    change(content);
    return Text(Send(Url("v4", "call"), content));
  };
  EXPECT_THAT(call([&](auto& c) { c.ingress_expiry = env_.NowNs() - kSecond; }),
              StartsWith("400 Invalid request expiry: Specified ingress_expiry not within "));
  EXPECT_THAT(call([&](auto& c) { c.ingress_expiry += 300 * kSecond; }),
              StartsWith("400 Invalid request expiry: Specified ingress_expiry not within "));
  EXPECT_THAT(call([](auto& c) { c.sender = *ic::Principal::FromBytes(base::Bytes{1, 2}); }),
              StartsWith("400 Missing signature from user: "));
  EXPECT_THAT(call([](auto& c) { c.nonce = base::Bytes(33); }),
              StartsWith("400 Nonce in request is too big"));
  EXPECT_THAT(call([](auto& c) { c.canister_id = *ic::Principal::FromBytes(base::Bytes{1}); }),
              HasSubstr("does not match effective canister ID in URL"));
  EXPECT_THAT(call([](auto& c) { c.arg = base::Bytes(2 << 20); }),
              testing::MatchesRegex("413 Request 0x[0-9a-f]+ is too large. Message byte size "
                                    "[0-9]+ is larger than the max allowed 2097152."));
}

TEST_F(ServiceTest, SignaturesAndDelegationsAreChecked) {
  using ic::KeyScheme;
  const auto key = [](KeyScheme scheme, uint8_t byte) {
    return *ic::SigningKey::FromSecret(scheme, base::Bytes(32, byte));
  };
  for (const auto scheme : {KeyScheme::kEd25519, KeyScheme::kP256, KeyScheme::kSecp256k1}) {
    ic::Envelope envelope = ic::Identity(key(scheme, 1)).Sign(Content(RequestType::kCall));
    EXPECT_EQ(Send(Url("v4", "call"), envelope).status_code, 200);
    envelope.content.arg = {1};
    EXPECT_THAT(Text(Send(Url("v4", "call"), envelope)),
                StartsWith("400 Invalid signature: Invalid basic signature: "));
    envelope.sender_pubkey = key(scheme, 2).public_key_der();
    EXPECT_THAT(Text(Send(Url("v4", "call"), envelope)), StartsWith("400 The user id '"));
  }
  const ic::SigningKey owner = key(KeyScheme::kEd25519, 1), session = key(KeyScheme::kP256, 2);
  const auto delegated = [&](uint64_t expiration, std::optional<ic::Principal> target) {
    ic::Delegation delegation{session.public_key_der(), expiration, std::nullopt, std::nullopt};
    if (target) delegation.targets = {{*target}};
    const ic::Identity identity(session, owner.public_key_der(),
                                {ic::Identity::Delegate(owner, delegation)});
    return identity.Sign(Content(RequestType::kCall));
  };
  const uint64_t later = env_.NowNs() + 600 * kSecond;
  EXPECT_EQ(Send(Url("v4", "call"), delegated(later, std::nullopt)).status_code, 200);
  EXPECT_EQ(Send(Url("v4", "call"), delegated(later, id_)).status_code, 200);
  EXPECT_THAT(Text(Send(Url("v4", "call"), delegated(1, std::nullopt))),
              StartsWith("400 Invalid delegation expiry: "));
  EXPECT_THAT(Text(Send(Url("v4", "call"), delegated(later, ic::Anonymous()))),
              HasSubstr("is not one of the delegation targets."));
  ic::Envelope broken = delegated(later, std::nullopt);
  (*broken.sender_delegation)[0].delegation.expiration += 1;
  EXPECT_THAT(Text(Send(Url("v4", "call"), broken)), StartsWith("400 Invalid delegation: "));
}

TEST_F(ServiceTest, BodiesThatAreNoRequestsAreRefused) {
  const auto text = [&](base::Bytes body) {
    return Text(service_->HandleNow(Post(Url("v4", "call"), std::move(body))));
  };
  ic::Envelope envelope;
  envelope.content = Content(RequestType::kCall);
  const base::Bytes good = ic::EncodeEnvelope(envelope);
  base::Bytes trailing = good, cut = good;
  trailing.push_back(0);
  cut.pop_back();
  for (const base::Bytes& body :
       {base::Bytes(), base::Bytes{0xff}, trailing, cut, base::Bytes(1000, 0x81),
        base::Bytes{0xa2, 0x61, 'a', 0, 0x61, 'a', 0}}) {
    EXPECT_THAT(text(body), StartsWith("400 Failed to deserialize cbor request: "));
  }
  ic::HttpRequest typed = Post(Url("v4", "call"), good);
  typed.headers[0].value = "text/plain";
  EXPECT_EQ(Text(service_->HandleNow(typed)),
            "400 Unexpected content-type, expected application/cbor.");
}

TEST_F(ServiceTest, PathsThatMayNotBeReadAreRefused) {
  const auto text = [&](ic::Path path) {
    ic::Content content = Content(RequestType::kReadState);
    content.paths = {std::move(path)};
    return Text(Send(Url("v3", "read_state"), content));
  };
  EXPECT_THAT(text(ic::TextPath({"everything"})), StartsWith("404 Invalid path requested."));
  EXPECT_THAT(text(ic::MetadataPath(id_, "secret")), StartsWith("403 "));
  EXPECT_THAT(text(ic::CanisterPath(ic::Anonymous(), "controllers")), StartsWith("400 "));
  const ic::Content call = Content(RequestType::kCall);
  ic::Identity owner(*ic::SigningKey::FromSecret(ic::KeyScheme::kEd25519, base::Bytes(32, 9)));
  const ic::Envelope signed_call = owner.Sign(call);
  Send(Url("v4", "call"), signed_call);
  EXPECT_THAT(text(ic::RequestStatusPath(ic::RequestIdOf(signed_call.content))),
              StartsWith("403 "));
}

TEST_F(ServiceTest, WrongAddressesAreRefused) {
  const auto text = [&](const char* method, const std::string& url) {
    return Text(service_->HandleNow({method, url, {}, {}}));
  };
  EXPECT_THAT(text("POST", "/api/v5/canister/aaaaa-aa/call"), StartsWith("404 "));
  EXPECT_THAT(text("POST", "/api/v2/canister/aaaaa-aa/call/more"), StartsWith("404 "));
  EXPECT_THAT(text("POST", "/api/v4/canister/nobody/call"),
              StartsWith("400 Invalid effective canister id: "));
  EXPECT_THAT(text("GET", Url("v4", "call")), StartsWith("405 "));
  EXPECT_THAT(text("POST", "/api/v2/status"), StartsWith("405 "));
  EXPECT_THAT(text("GET", "/"), StartsWith("400 This address names no canister."));
}

// A call is known after a restart: its answer is certified again, and it is not executed again.
TEST_F(ServiceTest, ARestartForgetsNothing) {
  const std::string folder = testing::TempDir() + "/replica_restart";
  std::filesystem::remove_all(folder);
  const auto start = [&] {
    service_.reset();
    replica_.reset();
    disk_.reset();
    disk_ = DiskStorage::Open(folder).value();
    disk_env_ = std::make_unique<SystemEnv>(disk_.get());
    replica_ = Replica::Open(*disk_env_, {}).value();
    service_ = std::make_unique<Service>(*replica_, ServiceOptions());
  };
  start();
  const base::Bytes key = root_key();
  id_ = Install(kCounter);
  const ic::Content call = Content(RequestType::kCall);
  EXPECT_EQ(Outcome(Send(Url("v4", "call"), call), call).reply, (base::Bytes{1, 0, 0, 0}));
  start();
  EXPECT_EQ(root_key(), key);
  const ic::RequestId id = ic::RequestIdOf(call);
  EXPECT_EQ(ic::RequestStatusOf(ReadState({ic::RequestStatusPath(id)}), id)->reply,
            (base::Bytes{1, 0, 0, 0}));
  EXPECT_EQ(Outcome(Send(Url("v4", "call"), call), call).reply, (base::Bytes{1, 0, 0, 0}));
  const ic::Content next = Content(RequestType::kCall);
  EXPECT_EQ(Outcome(Send(Url("v4", "call"), next), next).reply, (base::Bytes{2, 0, 0, 0}));
}

// `inc` as above; once `begin` has been called, every round has its timer at work for longer
// than a round's time for messages.
constexpr char kNeverDone[] = R"((module
  (import "ic0" "msg_reply" (func $msg_reply))
  (import "ic0" "global_timer_set" (func $timer (param i64) (result i64)))
  (memory 1)
  (func (export "canister_update begin") (drop (call $timer (i64.const 1))) (call $msg_reply))
  (func (export "canister_update inc") (call $msg_reply))
  (func (export "canister_global_timer")
    (local $i i32)
    (loop $work
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $work (i32.lt_u (local.get $i) (i32.const 200000000))))
    (drop (call $timer (i64.const 1))))))";

TEST_F(ServiceTest, ATimerThatIsNeverDoneDoesNotKeepCallsWaiting) {
  id_ = Install(kNeverDone);
  const ic::Content begin = Content(RequestType::kCall, "begin");
  EXPECT_EQ(Outcome(Send(Url("v4", "call"), begin), begin).status, "replied");
  const ic::Content call = Content(RequestType::kCall);
  EXPECT_EQ(Text(Send(Url("v2", "call"), call)), "202 ");
  const ic::RequestId id = ic::RequestIdOf(call);
  std::this_thread::sleep_for(std::chrono::milliseconds(15));  // the timer is due
  replica_->Work();
  EXPECT_EQ(ic::RequestStatusOf(ReadState({ic::RequestStatusPath(id)}), id)->status, "replied");
}

class ImpatientTest : public ServiceTest {
 protected:
  ImpatientTest() : ServiceTest(Options()) {}
  static ReplicaOptions Options() {
    ReplicaOptions options;
    options.call_wait_ns = options.round_work_ns = 0;
    return options;
  }
};

TEST_F(ImpatientTest, ACallThatTakesTooLongIsAnswered202) {
  EXPECT_EQ(Text(Send(Url("v4", "call"), Content(RequestType::kCall))), "202 ");
}

TEST_F(ServiceTest, CanistersAreCreatedAndInstalledByCalls) {
  ic::Content create = Content(RequestType::kCall, "provisional_create_canister_with_cycles",
                               candid::EncodeArgs(ic_did::CreateArgs()));
  create.canister_id = ic::Principal();
  const auto status = Outcome(Send("/api/v4/canister/aaaaa-aa/call", create), create);
  EXPECT_EQ(status.status, "replied") << status.reject.reject_message;
}

}  // namespace
}  // namespace runtime
