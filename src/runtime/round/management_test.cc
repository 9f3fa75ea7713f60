#include "runtime/round/management.h"

#include <gtest/gtest.h>

namespace runtime {
namespace {

namespace did = ic_did;
const Principal kUser = {2}, kStranger = {3};

class ManagementTest : public ::testing::Test {
 protected:
  ManagementTest() : network_(env_, NetworkOptions{}) {
    id_ = network_.CreateCanister(kUser, Cycles{1'000'000'000'000'000}).value();
    principal_ = *candid::Principal::FromBytes(id_);
  }
  template <class T>
  Response Call(const char* method, const T& argument, const Principal& sender = kUser) {
    return network_.Call(sender, {}, method, candid::EncodeArgs(argument));
  }
  void ExpectNamed(const Response& response, const std::string& name) {
    ASSERT_TRUE(response.reject) << name;
    EXPECT_NE(response.reject->message.find(name), std::string::npos) << response.reject->message;
  }
  Response Update(const did::CanisterSettings& settings) {
    return Call("update_settings", did::UpdateSettingsArgs{principal_, settings});
  }

  SimulatedEnv env_{1};
  Network network_;
  Principal id_;
  candid::Principal principal_;
};

TEST_F(ManagementTest, EveryOtherMethodIsRejectedByName) {
  for (const char* method : {"take_canister_snapshot",
                             "load_canister_snapshot",
                             "list_canister_snapshots",
                             "delete_canister_snapshot",
                             "read_canister_snapshot_metadata",
                             "read_canister_snapshot_data",
                             "upload_canister_snapshot_metadata",
                             "upload_canister_snapshot_data",
                             "ecdsa_public_key",
                             "sign_with_ecdsa",
                             "schnorr_public_key",
                             "sign_with_schnorr",
                             "vetkd_public_key",
                             "vetkd_derive_key",
                             "http_request",
                             "bitcoin_get_balance",
                             "bitcoin_send_transaction",
                             "node_metrics_history",
                             "subnet_info",
                             "canister_info",
                             "canister_metadata",
                             "rename_canister",
                             "no_such_method"}) {
    ExpectNamed(network_.Call(kUser, {}, method, EmptyCandid()), method);
  }
}

TEST_F(ManagementTest, SettingsThatAreNotThereAreRejectedByName) {
  did::CanisterSettings settings;
  settings.compute_allocation = candid::Nat(uint64_t{1});
  ExpectNamed(Update(settings), "compute_allocation");
  settings = {};
  settings.log_memory_limit = candid::Nat(uint64_t{1});
  ExpectNamed(Update(settings), "log_memory_limit");
  settings = {};
  settings.log_visibility.emplace().which = did::LogVisibilityTag::kAllowedViewers;
  ExpectNamed(Update(settings), "allowed_viewers");
  settings = {};
  settings.controllers.emplace(11, principal_);
  ExpectNamed(Update(settings), "controllers");
  settings = {};
  settings.environment_variables.emplace(21, did::EnvironmentVariable{"a", "b"});
  ExpectNamed(Update(settings), "environment variables");
  settings.environment_variables.emplace(2, did::EnvironmentVariable{"a", "b"});
  ExpectNamed(Update(settings), "twice");
}

TEST_F(ManagementTest, SettingsAreShownAsTheyWereSet) {
  did::CanisterSettings settings;
  settings.freezing_threshold = candid::Nat(uint64_t{100});
  settings.memory_allocation = candid::Nat(uint64_t{1} << 30);
  settings.wasm_memory_limit = candid::Nat(uint64_t{1} << 20);
  settings.environment_variables.emplace(1, did::EnvironmentVariable{"KEY", "value"});
  ASSERT_FALSE(Update(settings).reject);
  const Response response = Call("canister_status", did::CanisterId{principal_});
  ASSERT_FALSE(response.reject);
  const auto [status] = candid::DecodeArgs<did::StatusResult>(response.reply).value();
  EXPECT_EQ(status.settings.freezing_threshold.low(), 100u);
  EXPECT_EQ(status.settings.memory_allocation.low(), uint64_t{1} << 30);
  EXPECT_EQ(status.settings.wasm_memory_limit.low(), uint64_t{1} << 20);
  EXPECT_EQ(status.settings.environment_variables.at(0).value, "value");
}

TEST_F(ManagementTest, OnlyControllersMayManage) {
  const did::CanisterId id{principal_};
  for (const char* method : {"uninstall_code", "start_canister", "stop_canister", "delete_canister",
                             "canister_status", "clear_chunk_store", "stored_chunks"}) {
    const Response response = Call(method, id, kStranger);
    ASSERT_TRUE(response.reject) << method;
    EXPECT_EQ(response.reject->error, ErrorCode::kCanisterInvalidController) << method;
  }
}

TEST_F(ManagementTest, ChunksMakeAModule) {
  const base::Bytes wasm =
      ParseWat("(module (memory 1) (data (i32.const 0) \"some bytes to cut\"))").value();
  did::InstallChunkedArgs install;
  install.target_canister = principal_;
  const size_t half = wasm.size() / 2;
  for (const base::Bytes& part : {base::Bytes(wasm.begin(), wasm.begin() + half),
                                  base::Bytes(wasm.begin() + half, wasm.end())}) {
    const Response response = Call("upload_chunk", did::UploadChunkArgs{principal_, part});
    ASSERT_FALSE(response.reject);
    install.chunk_hashes_list.push_back(
        std::get<0>(candid::DecodeArgs<did::ChunkHash>(response.reply).value()));
  }
  const base::Sha256Digest hash = base::Sha256Of(wasm);
  install.wasm_module_hash.assign(hash.begin(), hash.end());
  EXPECT_FALSE(Call("install_chunked_code", install).reject);
  EXPECT_EQ(network_.Find(id_)->state.module->hash, hash);
  install.mode.which = did::ModeTag::kReinstall;
  std::swap(install.chunk_hashes_list[0], install.chunk_hashes_list[1]);
  EXPECT_TRUE(Call("install_chunked_code", install).reject);
  EXPECT_FALSE(Call("clear_chunk_store", did::CanisterId{principal_}).reject);
  EXPECT_TRUE(Call("install_chunked_code", install).reject);
}

TEST_F(ManagementTest, RandomnessComesFromTheSeed) {
  const auto draw = [](uint64_t seed) {
    SimulatedEnv env(seed);
    Network network(env, NetworkOptions{});
    return network.Call(kUser, {}, "raw_rand", EmptyCandid()).reply;
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
}

TEST_F(ManagementTest, KeepingTheHeapIsForModulesThatSayTheyCan) {
  const base::Bytes plain = ParseWat("(module (memory 1))").value();
  const base::Bytes able =
      ParseWat("(module (memory 1) (@custom \"icp:private enhanced-orthogonal-persistence\" \"\"))")
          .value();
  const auto install = [&](InstallMode mode, const base::Bytes& wasm, HeapPersistence heap) {
    return network_.InstallCode(id_, mode, wasm, {}, kUser, {false, heap});
  };
  using enum HeapPersistence;
  EXPECT_FALSE(install(InstallMode::kInstall, plain, kUnset));
  EXPECT_TRUE(install(InstallMode::kUpgrade, plain, kKeep));
  EXPECT_FALSE(install(InstallMode::kUpgrade, able, kReplace));
  network_.Find(id_)->state.heap->Write(5, base::Bytes{42});
  network_.Find(id_)->state.heap->Commit();
  EXPECT_TRUE(install(InstallMode::kUpgrade, able, kUnset));
  EXPECT_FALSE(install(InstallMode::kUpgrade, able, kKeep));
  base::Bytes byte(1);
  network_.Find(id_)->state.heap->Read(5, byte);
  EXPECT_EQ(byte[0], 42);
}

TEST_F(ManagementTest, MemoryHeldCostsCyclesUntilThereAreNone) {
  ASSERT_FALSE(network_.InstallCode(id_, InstallMode::kInstall,
                                    ParseWat("(module (memory 16384))").value(), {}, kUser));
  Canister& state = network_.Find(id_)->state;
  state.settings.freezing_threshold_s = 0;
  const Cycles before = state.balance;
  env_.Advance(100'000'000'000);
  network_.Round();
  // 1 GiB and the module's bytes at 317,500 a second, and 10,000 for being there.
  EXPECT_EQ(static_cast<uint64_t>(before - state.balance), 100u * (317'500 + 10'000));
  state.balance = 5;
  env_.Advance(100'000'000'000);
  network_.Round();
  EXPECT_EQ(state.balance, Cycles{0});
  EXPECT_FALSE(state.module);
}

}  // namespace
}  // namespace runtime
