// The same bits natively and in a canister: logits, and what every parser makes of its fuzz corpus.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "base/hex.h"
#include "candid/text.h"
#include "cli/command.h"
#include "probes.h"
#include "runtime/round/network.h"

namespace {

using base::Bytes;

const runtime::Principal kUser = {2};

class ProbeCanister {
 public:
  ProbeCanister() : network_(env_, Options()) {
    const std::string wasm = cli::ReadFile(GPT2IC_WASM_DIR "/probe.wasm").value();
    canister_ = network_.CreateCanister(kUser, runtime::Cycles{1} << 80).value();
    const auto error = network_.InstallCode(canister_, runtime::InstallMode::kInstall,
                                            Bytes(wasm.begin(), wasm.end()), {}, kUser);
    EXPECT_FALSE(error) << error->message;
    network_.OnExecution([this](const runtime::ExecutionRecord& r) {
      instructions = r.instructions - r.page_charges;
    });
  }

  Bytes Run(const std::string& probe, const Bytes& message) {
    const runtime::Response response = network_.Call(kUser, canister_, probe, message);
    EXPECT_FALSE(response.reject) << response.reject->message;
    return response.reply;
  }

  uint64_t instructions = 0;  // of the last call, page charges apart

 private:
  static runtime::NetworkOptions Options() {
    runtime::NetworkOptions options;
    options.cache_dir = cli::CacheDir();
    return options;
  }
  runtime::SimulatedEnv env_{1};
  runtime::Network network_;
  runtime::Principal canister_;
};

Bytes LogitsMessage(const std::string& config, const std::vector<uint32_t>& ids,
                    const std::string& weights) {
  const std::string json = cli::ReadFile(config).value();
  Bytes message;
  base::AppendFixed(message, static_cast<uint32_t>(json.size()));
  base::Append(message, json);
  base::AppendFixed(message, static_cast<uint32_t>(ids.size()));
  for (const uint32_t id : ids) base::AppendFixed(message, id);
  base::Append(message, cli::ReadFile(weights).value());
  return message;
}

TEST(WasmEqualsNative, LogitsBitForBit) {
  ProbeCanister canister;
  const std::string tiny = "tests/data/gpt2-tiny/";
  for (const Bytes& message :
       {LogitsMessage(tiny + "config.json", {1, 5, 6, 7, 511, 0, 300}, tiny + "model.safetensors"),
        LogitsMessage("models/demo/config.json", {3326, 9, 300, 301, 17},
                      "models/demo/model.safetensors")}) {
    const Bytes native = probes::Logits(message);
    ASSERT_GT(native.size(), 1000u) << base::AsText(native);
    EXPECT_EQ(canister.Run("logits", message), native);
  }
}

// Random shapes, among them those with kernels of their own; both modes; prompts cut anywhere.
TEST(WasmEqualsNative, PackedLogitsOfManyShapes) {
  ProbeCanister canister;
  std::mt19937 random(7);
  const auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  constexpr uint32_t kHeadDims[] = {1, 3, 4, 7, 16, 32, 64, 64, 64, 100};
  constexpr uint32_t kEmbds[] = {192, 384, 768, 128, 256, 200, 400, 1600};
  for (int round = 0; round < 24; ++round) {
    uint32_t n_head = 1 + below(4), n_embd = n_head * kHeadDims[below(10)];
    if (round % 2 == 0) {
      n_embd = kEmbds[below(8)];
      n_head = n_embd % 64 == 0 ? n_embd / 64 : n_embd / 8;
    }
    const uint32_t numbers[] = {below(2),      1 + below(150), 150,      n_embd,
                                n_head,        1 + below(2),   below(2), 1 + below(150),
                                1 + below(99), below(1000)};
    Bytes message;
    for (const uint32_t number : numbers) base::AppendFixed(message, number);
    const Bytes native = probes::PackedLogits(message);
    ASSERT_GE(native.size(), 36u) << base::AsText(native);
    EXPECT_EQ(canister.Run("packed_logits", message), native)
        << "mode " << numbers[0] << ", n_embd " << n_embd << ", n_head " << n_head;
  }
}

TEST(WasmEqualsNative, EveryCorpus) {
  const std::pair<const char*, const char*> kCorpora[] = {
      {"safetensors_fuzz", "safetensors"}, {"tokenizer_json_fuzz", "tokenizer_json"},
      {"config_json_fuzz", "config_json"}, {"packed_model_fuzz", "packed_file"},
      {"candid_decode_fuzz", "candid"},    {"receipt_fuzz", "receipt"}};
  ProbeCanister canister;
  for (const auto& [corpus, probe] : kCorpora) {
    int files = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(base::StrCat("tests/corpus/", corpus))) {
      const std::string content = cli::ReadFile(entry.path().string()).value();
      const Bytes message(content.begin(), content.end());
      const auto* row =
          std::ranges::find(probes::kProbes, std::string_view(probe),
                            [](const probes::Probe& p) { return std::string_view(p.name); });
      EXPECT_EQ(canister.Run(probe, message), row->run(message)) << entry.path();
      ++files;
    }
    EXPECT_GT(files, 3) << corpus;
  }
}

// Every blob of the Candid conformance files, at the types of DecodeProbe, with bounded work.
TEST(WasmEqualsNative, CandidConformanceBlobs) {
  ProbeCanister canister;
  int blobs = 0;
  for (const auto& entry : std::filesystem::directory_iterator("tests/data/candid")) {
    if (!entry.path().string().ends_with(".test.did")) continue;
    const std::string text = cli::ReadFile(entry.path().string()).value();
    for (size_t at = text.find("blob \""); at != std::string::npos;
         at = text.find("blob \"", at + 1)) {
      const size_t end = text.find('"', at + 6);
      const auto values = candid::ParseArgs("(" + text.substr(at, end + 1 - at) + ")");
      if (!values) continue;
      const Bytes message((*values)[0].text.begin(), (*values)[0].text.end());
      ASSERT_EQ(canister.Run("candid", message), probes::Candid(message)) << text.substr(at, 80);
      EXPECT_LT(canister.instructions, 80'000'000u) << text.substr(at, 80);
      ++blobs;
    }
  }
  EXPECT_GT(blobs, 400);
}

TEST(WasmEqualsNative, EveryVectorOperation) {
  ProbeCanister canister;
  constexpr uint32_t kEdges[] = {0,          0x80000000, 0x3f800000, 0x7f800000, 0xff800000,
                                 0x7fc00000, 0xffc00000, 0x7fa00001, 0x00000001, 0x7f7fffff,
                                 0x7fffffff, 0x80008000, 0x4b400000, 0x7fff8000};
  Bytes message;
  for (const uint32_t a : kEdges) {
    for (const uint32_t b : kEdges) {
      for (uint32_t i = 0; i < 16; ++i) base::AppendFixed(message, i / 4 % 2 == 0 ? a : b);
    }
  }
  std::mt19937 random(1);
  for (int i = 0; i < 16'000; ++i) base::AppendFixed(message, static_cast<uint32_t>(random()));
  EXPECT_EQ(canister.Run("simd", message), probes::Simd(message));
}

TEST(WasmEqualsNative, Sha256) {
  ProbeCanister canister;
  const Bytes message(100'000, 0x5a);
  EXPECT_EQ(canister.Run("sha256", message), probes::Sha256(message));
  EXPECT_LT(canister.instructions / message.size(), 80u);
}

}  // namespace
