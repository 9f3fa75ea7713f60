#include "runtime/ingress/ingress.h"

#include <gtest/gtest.h>

#include "ic/certificate_verify.h"
#include "runtime/ingress/read_view.h"
#include "runtime/round/management.h"

namespace runtime {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// `inc` counts up and replies with the count; `fail` traps.
constexpr char kCounter[] = R"((module
  (import "ic0" "msg_reply" (func $msg_reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (memory 1)
  (func (export "canister_update inc")
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
    (call $append (i32.const 0) (i32.const 4))
    (call $msg_reply))
  (func (export "canister_update fail") unreachable)
  (@custom "icp:private secret" "s")
  (@custom "icp:public open" "o")))";

class IngressTest : public ::testing::Test {
 protected:
  IngressTest() : network_(env_, NetworkOptions{}), state_(Keys(), kRanges, "application") {
    canister_ = network_.CreateCanister({2}, Cycles{1'000'000'000'000'000}).value();
    const auto error =
        network_.InstallCode(canister_, InstallMode::kInstall, ParseWat(kCounter).value(), {}, {2});
    EXPECT_FALSE(error) << error->message;
  }

  static NetworkKeys Keys() { return *KeysFromSeed(base::Bytes(32, 1)); }

  ic::Content Call(uint64_t nonce, std::string method = "inc", uint8_t sender = 4) {
    ic::Content call;
    call.nonce = ic::EncodeLeb(nonce);
    call.sender = *ic::Principal::FromBytes(base::Bytes{sender});
    call.canister_id = *ic::Principal::FromBytes(canister_);
    call.ingress_expiry = env_.NowNs() + 60 * kSecond;
    call.method_name = std::move(method);
    return call;
  }

  static ic::OrRefusal<Ingress::Admission> Admit(Ingress& ingress, const ic::Content& call) {
    return ingress.Admit(ic::RequestIdOf(call), call);
  }

  void Run(Ingress& ingress) {
    ingress.Induct(env_.NowNs());
    network_.Round();
    ingress.Collect(env_.NowNs());
  }

  // As the client reads it: certified.
  ic::RequestStatus Certified(const ic::Content& call) {
    const ic::RequestId id = ic::RequestIdOf(call);
    const auto certificate = ic::ParseCertificate(state_.Certify({ic::RequestStatusPath(id)}));
    EXPECT_TRUE(certificate);
    EXPECT_TRUE(ic::VerifyCertificate(*certificate, Keys().root.public_key_der(), {}));
    const auto status = ic::RequestStatusOf(certificate->tree, id);
    EXPECT_TRUE(status) << status.error().message;
    return status ? *status : ic::RequestStatus();
  }

  static inline const ic::CanisterRange kRanges[] = {
      {*ic::Principal::FromBytes(base::Bytes(10)),
       *ic::Principal::FromBytes(base::Bytes(10, 255))}};
  SimulatedEnv env_{1};
  Network network_;
  StateTree state_;
  Principal canister_;
};

TEST_F(IngressTest, ACallGoesFromReceivedToReplied) {
  Ingress ingress(network_, state_);
  const ic::Content call = Call(1);
  EXPECT_EQ(Certified(call).status, "");
  EXPECT_EQ(*Admit(ingress, call), Ingress::Admission::kNew);
  EXPECT_EQ(Certified(call).status, "received");
  Run(ingress);
  EXPECT_EQ(Certified(call).status, "replied");
  EXPECT_EQ(Certified(call).reply, (base::Bytes{1, 0, 0, 0}));
  const ic::Content bad = Call(2, "fail");
  ASSERT_TRUE(Admit(ingress, bad));
  Run(ingress);
  EXPECT_EQ(Certified(bad).status, "rejected");
  EXPECT_EQ(Certified(bad).reject.reject_code, 5);
  EXPECT_EQ(Certified(bad).reject.error_code, "IC0502");
}

TEST_F(IngressTest, ARepeatedCallIsExecutedOnce) {
  Ingress ingress(network_, state_);
  const ic::Content call = Call(1);
  ASSERT_TRUE(Admit(ingress, call));
  EXPECT_EQ(*Admit(ingress, call), Ingress::Admission::kKnown) << "while it waits";
  ingress.Induct(env_.NowNs());
  EXPECT_EQ(*Admit(ingress, call), Ingress::Admission::kKnown) << "in the network";
  Run(ingress);
  EXPECT_EQ(*Admit(ingress, call), Ingress::Admission::kKnown) << "answered";
  Run(ingress);
  ASSERT_TRUE(Admit(ingress, Call(2)));
  Run(ingress);
  EXPECT_EQ(Certified(call).reply, (base::Bytes{1, 0, 0, 0}));
  EXPECT_EQ(Certified(Call(2)).reply, (base::Bytes{2, 0, 0, 0}));
}

TEST_F(IngressTest, ACallIsKnownUntilItCannotComeAgain) {
  Ingress ingress(network_, state_);
  const ic::Content call = Call(1);  // expires in 60 s
  ASSERT_TRUE(Admit(ingress, call));
  Run(ingress);
  env_.Advance(360 * kSecond);
  ingress.Collect(env_.NowNs());
  EXPECT_EQ(Certified(call).status, "replied") << "five minutes after its expiry, to the second";
  env_.Advance(kSecond);
  ingress.Collect(env_.NowNs());
  EXPECT_EQ(Certified(call).status, "");
  EXPECT_EQ(ingress.known(), 0);
}

TEST_F(IngressTest, ACallThatExpiresWhileItWaitsIsNotExecuted) {
  Ingress ingress(network_, state_);
  const ic::Content call = Call(1);
  ASSERT_TRUE(Admit(ingress, call));
  env_.Advance(61 * kSecond);
  Run(ingress);
  EXPECT_EQ(Certified(call).status, "");
  EXPECT_EQ(ingress.queued(), 0);
  const ic::Content next = Call(2);
  ASSERT_TRUE(Admit(ingress, next));
  Run(ingress);
  EXPECT_EQ(Certified(next).reply, (base::Bytes{1, 0, 0, 0}));
}

TEST_F(IngressTest, FullQueuesRefuse) {
  Ingress ingress(network_, state_,
                  {.queued_max = 3, .queued_bytes_max = 100, .queued_per_sender_max = 2});
  const auto refusal = [&](const ic::Content& call) {
    const auto verdict = Admit(ingress, call);
    return verdict ? "" : base::StrCat(verdict.error().status, " ", verdict.error().text);
  };
  ic::Content big = Call(0);
  big.arg.resize(101);
  EXPECT_EQ(refusal(big), "503 Service is overloaded, try again later.");
  EXPECT_EQ(refusal(Call(1)), "");
  EXPECT_EQ(refusal(Call(2)), "");
  EXPECT_EQ(refusal(Call(3)), "429 Too many calls of this sender are waiting, try again later.");
  EXPECT_EQ(refusal(Call(3, "inc", 5)), "");
  EXPECT_EQ(refusal(Call(4, "inc", 6)), "503 Service is overloaded, try again later.");
  EXPECT_EQ(refusal(Call(1)), "") << "known, so it takes no room";
  EXPECT_EQ(Certified(Call(4, "inc", 6)).status, "");
  Run(ingress);
  EXPECT_EQ(refusal(Call(4, "inc", 6)), "");
}

TEST_F(IngressTest, SendersTakeTurns) {
  Ingress ingress(network_, state_, {.in_network_max = 4});
  for (uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(Admit(ingress, Call(i, "inc", 5)));
  for (const uint8_t sender : {4, 6}) ASSERT_TRUE(Admit(ingress, Call(0, "inc", sender)));
  Run(ingress);
  EXPECT_EQ(Certified(Call(0, "inc", 4)).status, "replied");
  EXPECT_EQ(Certified(Call(0, "inc", 6)).status, "replied");
  EXPECT_EQ(ingress.queued(), 98);
  for (int i = 0; i < 25; ++i) Run(ingress);
  EXPECT_EQ(ingress.queued(), 0);
  EXPECT_EQ(Certified(Call(99, "inc", 5)).status, "replied");
}

TEST_F(IngressTest, OldAnswersMakeRoomForNewOnes) {
  Ingress ingress(network_, state_, {.answer_bytes_max = 10});
  for (uint64_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(Admit(ingress, Call(i)));
    Run(ingress);
  }
  EXPECT_EQ(Certified(Call(0)).status, "done");
  EXPECT_EQ(Certified(Call(1)).status, "done");
  EXPECT_EQ(Certified(Call(2)).status, "replied");
  EXPECT_EQ(*Admit(ingress, Call(0)), Ingress::Admission::kKnown) << "still not executed again";
  size_t kept = 0;
  for (const auto& [id, message] : network_.IngressMessages()) {
    kept += message.response.reply.size();
  }
  EXPECT_EQ(kept, 8) << "the network has no answers either that are not given any more";
}

TEST_F(IngressTest, ReadStateAsksTheNetwork) {
  Ingress ingress(network_, state_);
  const ReadView view(network_, ingress);
  const ic::Content call = Call(1);
  const ic::RequestId id = ic::RequestIdOf(call);
  EXPECT_FALSE(view.FindIngress(id));
  ASSERT_TRUE(Admit(ingress, call));
  EXPECT_EQ(view.FindIngress(id)->sender, call.sender);
  EXPECT_EQ(view.FindIngress(id)->receiver, call.canister_id);
  const ic::Principal controller = *ic::Principal::FromBytes(base::Bytes{2});
  EXPECT_TRUE(view.IsPrivateSection(call.canister_id, "secret", call.sender));
  EXPECT_FALSE(view.IsPrivateSection(call.canister_id, "secret", controller));
  EXPECT_FALSE(view.IsPrivateSection(call.canister_id, "open", call.sender));
  EXPECT_FALSE(view.IsPrivateSection(call.canister_id, "none", call.sender));
  EXPECT_FALSE(view.IsPrivateSection(controller, "secret", call.sender)) << "no such canister";
}

}  // namespace
}  // namespace runtime
