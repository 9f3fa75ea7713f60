#include "runtime/certify/state_tree.h"

#include <gtest/gtest.h>

#include "ic/certificate_verify.h"
#include "ic/query_verify.h"

namespace runtime {
namespace {

const Principal kId = {0, 0, 0, 0, 0, 0, 0, 1, 1, 1};
const ic::Principal kIcId = *ic::Principal::FromBytes(kId);
const ic::Principal kLast = *ic::Principal::FromBytes(base::Bytes(10, 0xff));
const ic::RequestId kRequest = base::Sha256Of(base::AsBytes("request"));
constexpr uint64_t kTime = 1'790'000'000'000'000'000;

NetworkKeys Keys(uint8_t byte = 1) { return *KeysFromSeed(base::Bytes(32, byte)); }

class StateTreeTest : public ::testing::Test {
 protected:
  StateTreeTest() : state_(Keys(), kRanges, "application") {
    canister_.id = kId;
    canister_.certified_data = {1, 2, 3};
    canister_.settings.controllers = {{4}, kId};
    auto module = std::make_shared<InstalledModule>();
    module->hash = base::Sha256Of(base::AsBytes("wasm"));
    module->info.metadata["candid:service"] = {true, {'s'}};
    canister_.module = module;
    state_.SetCanister(canister_);
    state_.SetTime(kTime);
  }

  // The certificate that a client gets for `paths`, verified as a client does.
  ic::HashTree Read(std::vector<ic::Path> paths) {
    const auto certificate = ic::ParseCertificate(state_.Certify(std::move(paths)));
    EXPECT_TRUE(certificate);
    EXPECT_TRUE(ic::VerifyCertificate(*certificate, state_.keys().root.public_key_der(), kIcId));
    EXPECT_EQ(*ic::TimeOf(certificate->tree), kTime);
    return certificate->tree;
  }

  static inline const ic::CanisterRange kRanges[] = {{kIcId, kLast}};
  StateTree state_;
  Canister canister_;
};

TEST_F(StateTreeTest, KeysComeFromTheSeed) {
  EXPECT_EQ(Keys().root.public_key_der(), Keys().root.public_key_der());
  EXPECT_EQ(Keys().node_id(), Keys().node_id());
  EXPECT_NE(Keys().node_id(), Keys(2).node_id());
  EXPECT_NE(Keys().subnet_id(), Keys(2).subnet_id());
  EXPECT_EQ(KeysFromSeed(base::Bytes(31)).error().message,
            "seed of the network's keys has 31 bytes, expected 32");
}

TEST_F(StateTreeTest, TellsOfCanisters) {
  const auto value = [&](const ic::Path& path) { return Read({path}).Value(path); };
  EXPECT_EQ(value(ic::CanisterPath(kIcId, "certified_data")), (base::Bytes{1, 2, 3}));
  EXPECT_EQ(ic::ParsePrincipals(*value(ic::CanisterPath(kIcId, "controllers")))->size(), 2);
  EXPECT_EQ(value(ic::CanisterPath(kIcId, "module_hash"))->size(), 32);
  EXPECT_EQ(value(ic::MetadataPath(kIcId, "candid:service")), base::Bytes{'s'});
  canister_.module = nullptr;
  state_.SetCanister(canister_);
  const ic::Path hash = ic::CanisterPath(kIcId, "module_hash");
  ic::HashTree unused;
  EXPECT_EQ(Read({hash}).Find(hash, &unused), ic::Lookup::kAbsent);
  state_.EraseCanister(kId);
  EXPECT_EQ(Read({hash}).Find(hash, &unused), ic::Lookup::kAbsent);
}

TEST_F(StateTreeTest, ADataCertificateTellsOfOneCanisterOnly) {
  Canister other;
  other.id = {0, 0, 0, 0, 0, 0, 0, 2, 1, 1};
  state_.SetCanister(other);
  const auto certificate = ic::ParseCertificate(state_.DataCertificate(kId));
  ASSERT_TRUE(certificate);
  ic::HashTree canisters, unused;
  ASSERT_EQ(certificate->tree.Find(ic::TextPath({"canister"}), &canisters), ic::Lookup::kFound);
  EXPECT_EQ(canisters.Labels(), std::vector<base::Bytes>{kId});
  EXPECT_EQ(certificate->tree.Find(ic::CanisterPath(kIcId, "controllers"), &unused),
            ic::Lookup::kUnknown);
  EXPECT_EQ(certificate->tree.Find(ic::TextPath({"subnet"}), &unused), ic::Lookup::kUnknown);
}

TEST_F(StateTreeTest, TellsOfRequests) {
  EXPECT_EQ(ic::RequestStatusOf(Read({ic::RequestStatusPath(kRequest)}), kRequest)->status, "");
  state_.SetRequest(kRequest, {"rejected", {}, {4, "no", "IC0406"}});
  const auto status = ic::RequestStatusOf(Read({ic::RequestStatusPath(kRequest)}), kRequest);
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(status->reject.error_code, "IC0406");
  EXPECT_FALSE(ic::RequestStatusOf(Read({ic::TextPath({"time"})}), kRequest))
      << "not asked, not told";
  state_.EraseRequest(kRequest);
  EXPECT_EQ(ic::RequestStatusOf(Read({ic::RequestStatusPath(kRequest)}), kRequest)->status, "");
}

TEST_F(StateTreeTest, ClientsFindTheNodeKeysInBothPlaces) {
  const ic::Principal subnet = state_.keys().subnet_id();
  for (const std::vector<ic::Path>& paths :
       {std::vector<ic::Path>{ic::TextPath({"subnet"})},
        {ic::CanisterRangesPath(subnet, kIcId), ic::TextPath({"subnet"})}}) {
    const auto nodes = ic::NodeKeysOf(Read(paths), subnet, kIcId);
    ASSERT_TRUE(nodes) << nodes.error().message;
    EXPECT_EQ(nodes->at(state_.keys().node_id()), state_.keys().node.public_key_der());
  }
  const ic::HashTree tree = Read({ic::TextPath({"subnet"})});
  EXPECT_EQ(tree.Value(ic::SubnetPath(subnet, "type")),
            base::Bytes({'a', 'p', 'p', 'l', 'i', 'c', 'a', 't', 'i', 'o', 'n'}));
  EXPECT_EQ(tree.Value(ic::SubnetPath(subnet, "public_key")), state_.keys().root.public_key_der());
}

}  // namespace
}  // namespace runtime
