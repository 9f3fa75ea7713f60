// The wall time of decode on this machine: packed against float32, as a ratio.
#include <chrono>

#include "cli/bench.h"
#include "gpt2/import/loader.h"
#include "gpt2/make_model.h"
#include "gpt2/memory_file.h"
#include "gpt2/packed/packed_session.h"
#include "gpt2/packed/packer.h"
#include "gpt2/session.h"

namespace cli {
namespace {

constexpr uint32_t kTokens = 24;

template <class Session>
double TokensPerSecond(Session session) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point start;
  for (uint32_t i = 0; i < kTokens + 2; ++i) {
    if (i == 2) start = Clock::now();  // the first ones warm up
    CHECK(session.Append({{i}}).has_value());
    session.Step();
    session.Logits();
  }
  return kTokens / std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

base::Result<nlohmann::json> NativeSpeed(const gpt2::Hparams& hparams, gpt2::PackedMode mode) {
  gpt2::MemoryFile safetensors, packed;
  TRY_STATUS(gpt2::WriteRandomModel({hparams, 1, false}, safetensors));
  auto packer = TRY(gpt2::Packer::Open(hparams, mode, safetensors, packed));
  while (!TRY(packer.Step())) {
  }
  auto loader = TRY(gpt2::SafetensorsLoader::Open(hparams, safetensors));
  while (!TRY(loader.Step())) {
  }
  const gpt2::Model model(hparams, loader.Take());
  const gpt2::PackedModel packed_model = TRY(gpt2::PackedModel::Load(packed));
  const double fast = TokensPerSecond(gpt2::PackedSession(packed_model));
  const double slow = TokensPerSecond(gpt2::Session(model));
  return nlohmann::json{{"tokens_per_second", fast},
                        {"float32_tokens_per_second", slow},
                        {"ratio_to_float32", fast / slow}};
}

}  // namespace cli
