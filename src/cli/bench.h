#ifndef GPT2IC_CLI_BENCH_H_
#define GPT2IC_CLI_BENCH_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "gpt2/packed/format.h"

namespace cli {

// What `gpt2ic bench` measures on the canister bench/.
struct BenchPlan {
  std::string shape = "gpt2";
  gpt2::PackedMode mode = gpt2::PackedMode::kInt8;
  bool pack = false;     // pack on chain, from float32; else the packed file is uploaded
  bool hash = true;      // of the packed file
  bool kernels = false;  // the matrix kernels alone, for several numbers of tokens at once
  bool message = false;  // tokens that fit into one message
  bool native = false;   // wall time
  std::vector<uint32_t> decode_positions, prefill_lengths, table_prompts, table_generated;

  // All that the command line shows for a shape, up to so many tokens.
  static BenchPlan Full(const std::string& shape, gpt2::PackedMode mode,
                        uint32_t context_max = UINT32_MAX);
};

// Runs the plan on a network of its own. The object that --json prints: docs/bench.md.
base::Result<nlohmann::json> RunBench(const BenchPlan& plan);

// Tokens a second of decode, natively: packed, float32, and their ratio.
base::Result<nlohmann::json> NativeSpeed(const gpt2::Hparams& hparams, gpt2::PackedMode mode);

}  // namespace cli

#endif  // GPT2IC_CLI_BENCH_H_
