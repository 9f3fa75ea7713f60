#include "ic/read_state.h"

#include "ic/certificate.h"
#include "ic/test_support.h"

namespace ic {
namespace {

const Principal kCanister = PrincipalFromHex("00000000000000010101");
const Principal kOther = PrincipalFromHex("00000000000000020101");
const Principal kSubnet = PrincipalFromHex("7602");
const RequestId kId = base::Sha256Of(base::AsBytes("request"));

class View : public ReadStateView {
 public:
  std::optional<Ingress> FindIngress(const RequestId& id) const override {
    if (id != kId) return std::nullopt;
    return Ingress{.sender = Anonymous(), .receiver = kCanister};
  }
  bool IsPrivateSection(const Principal&, std::string_view name,
                        const Principal& user) const override {
    return name == "secret" && user != kOther;
  }
};

struct Answer {
  int status = 200;
  std::string text;
  bool operator==(const Answer&) const = default;
};

Answer Ask(std::vector<Path> paths, ReadStateEndpoint endpoint = ReadStateEndpoint::kCanisterV3,
           Authenticated reader = {Anonymous(), {}}) {
  const Principal& effective = endpoint == ReadStateEndpoint::kSubnet ? kSubnet : kCanister;
  const auto verdict = CheckReadStatePaths(paths, endpoint, effective, kSubnet, reader, View());
  if (verdict) return {};
  return {verdict.error().status, verdict.error().text};
}

const Answer kAllowed;
const Answer kInvalidPath = {404, "Invalid path requested."};
constexpr auto kV2 = ReadStateEndpoint::kCanisterV2;
constexpr auto kV3 = ReadStateEndpoint::kCanisterV3;
constexpr auto kAtSubnet = ReadStateEndpoint::kSubnet;

TEST(ReadStateTest, AllowsWhatClientsAskFor) {
  const std::vector<Path> paths = {TextPath({"time"}),
                                   TextPath({"subnet"}),
                                   SubnetPath(kSubnet, "public_key"),
                                   SubnetPath(kSubnet, "type"),
                                   SubnetPath(kSubnet, "canister_ranges"),
                                   NodeKeyPath(kSubnet, kOther),
                                   TextPath({"api_boundary_nodes"}),
                                   CanisterPath(kCanister, "controllers"),
                                   CanisterPath(kCanister, "module_hash"),
                                   MetadataPath(kCanister, "candid:service"),
                                   RequestStatusPath(kId),
                                   RequestStatusPath(kId, "reply")};
  for (const Path& path : paths) EXPECT_EQ(Ask({path}), kAllowed);
  EXPECT_EQ(Ask(paths), kAllowed);
  EXPECT_EQ(Ask({}), kAllowed);
}

TEST(ReadStateTest, RefusesPathsThatAreNoOnesBusiness) {
  for (const Path& path : {Path(), TextPath({"times"}), TextPath({"time", "x"}),
                           TextPath({"canister"}), CanisterPath(kCanister, "certified_data"),
                           CanisterPath(kCanister, "metadata"), TextPath({"request_status"}),
                           RequestStatusPath(kId, "secret"), SubnetPath(kSubnet, "metrics"),
                           SubnetPath(kSubnet, "secret"), CanisterRangesPath(kSubnet, kCanister)}) {
    EXPECT_EQ(Ask({path}), kInvalidPath);
    EXPECT_EQ(Ask({TextPath({"time"}), path}), kInvalidPath);
  }
}

TEST(ReadStateTest, SomePathsDependOnTheEndpoint) {
  const Path other_ranges = SubnetPath(kOther, "canister_ranges");
  EXPECT_EQ(Ask({other_ranges}, kV2), kAllowed);
  EXPECT_EQ(Ask({other_ranges}, kV3), kInvalidPath);
  EXPECT_EQ(Ask({other_ranges}, kAtSubnet), kAllowed);
  EXPECT_EQ(Ask({SubnetPath(kSubnet, "metrics")}, kAtSubnet), kAllowed);
  EXPECT_EQ(Ask({SubnetPath(kOther, "metrics")}, kAtSubnet),
            (Answer{400, "Effective principal id in URL " + kSubnet.ToText() +
                             " does not match requested principal id: " + kOther.ToText() + "."}));
  EXPECT_EQ(Ask({CanisterRangesPath(kSubnet, kCanister)}, kAtSubnet), kAllowed);
  EXPECT_EQ(Ask({CanisterPath(kCanister, "controllers")}, kAtSubnet), kInvalidPath);
  EXPECT_EQ(Ask({RequestStatusPath(kId)}, kAtSubnet), kInvalidPath);
}

TEST(ReadStateTest, ACanisterIsReadAtItsOwnAddress) {
  EXPECT_EQ(Ask({CanisterPath(kOther, "controllers")}),
            (Answer{400, "Effective principal id in URL " + kCanister.ToText() +
                             " does not match requested principal id: " + kOther.ToText() + "."}));
  EXPECT_EQ(Ask({{Text("canister"), base::Bytes(30), Text("module_hash")}}),
            (Answer{400, "Could not parse principal ID: it has 30 bytes."}));
}

TEST(ReadStateTest, PrivateSectionsAreTheControllers) {
  EXPECT_EQ(Ask({MetadataPath(kCanister, "secret")}),
            (Answer{403,
                    "Custom section secret can only be requested by the controllers of the "
                    "canister."}));
  EXPECT_EQ(Ask({MetadataPath(kCanister, "secret")}, kV3, {kOther, {}}), kAllowed);
  EXPECT_EQ(Ask({MetadataPath(kCanister, "\xff")}),
            (Answer{400, "Could not parse the custom section name: it is not UTF-8."}));
}

TEST(ReadStateTest, ARequestIsItsSenders) {
  EXPECT_EQ(Ask({RequestStatusPath(kId)}, kV3, {kOther, {}}),
            (Answer{403, "The user tries to access Request ID not signed by the caller."}));
  Authenticated narrow = {Anonymous(), {}};
  narrow.targets.Intersect({kOther});
  EXPECT_EQ(Ask({RequestStatusPath(kId)}, kV3, narrow),
            (Answer{403,
                    "The user tries to access request IDs for canisters not belonging to sender "
                    "delegation targets."}));
  const RequestId unknown = base::Sha256Of(base::AsBytes("other"));
  EXPECT_EQ(Ask({RequestStatusPath(unknown)}, kV3, {kOther, {}}), kAllowed) << "proves its absence";
  EXPECT_EQ(Ask({RequestStatusPath(kId), RequestStatusPath(unknown)}),
            (Answer{400, "More than one non-unique request ID exists in request_status paths: 0x" +
                             base::ToHex(kId) + " and 0x" + base::ToHex(unknown) + "."}));
  EXPECT_EQ(Ask({TextPath({"request_status", "short"})}),
            (Answer{400,
                    "Invalid request id in paths. Maybe the request ID is not of 32 bytes in "
                    "length?!"}));
}

}  // namespace
}  // namespace ic
