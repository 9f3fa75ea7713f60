// The costs of the 124M shape, pinned: whoever changes one rebases it here with the reason in the
// commit. docs/bench.md has the whole tables.
#include "cli/bench.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace {

base::Result<nlohmann::json> RunOn(const cli::BenchPlan& plan) {
  setenv("GPT2IC_WASM_DIR", GPT2IC_WASM_DIR, 1);
  return cli::RunBench(plan);
}

// Within a thousandth: the counts are exact, but which tokens an argmax picks and where an
// allocation falls moves a few instructions.
void ExpectPinned(const nlohmann::json& found, uint64_t pinned, const char* what) {
  const auto count = found.get<uint64_t>();
  std::printf("%s: %llu\n", what, static_cast<unsigned long long>(count));
  EXPECT_NEAR(static_cast<double>(count), static_cast<double>(pinned),
              static_cast<double>(pinned) * 1e-3)
      << what;
}

TEST(BenchTest, Gpt2IsAsCheapAsPinned) {
  cli::BenchPlan plan;
  plan.decode_positions = {0, 63, 128};
  plan.prefill_lengths = {64};
  plan.table_prompts = {64};
  plan.table_generated = {8};
  plan.hash = false;
  const auto out = RunOn(plan);
  ASSERT_TRUE(out) << out.error().message;
  ExpectPinned((*out)["decode"][1]["instructions"], 82'211'536, "decode, context 64");
  ExpectPinned((*out)["decode"][2]["instructions"], 84'064'208, "decode, context 129");
  ExpectPinned((*out)["prefill"][0]["instructions_per_token"], 42'029'545, "prefill of 64");
  ExpectPinned((*out)["load"]["instructions"], 130'701'100, "load");
  ExpectPinned((*out)["sample"]["instructions"], 461'010, "sample");
  ExpectPinned((*out)["table"][0]["instructions"], 3'465'895'744, "prompt 64, 8 tokens");
  EXPECT_EQ((*out)["table"][0]["messages"], 1);
  // What a session says beforehand is an upper bound, and not far off. Sampling comes on top.
  for (const auto& row : (*out)["decode"]) {
    const auto total = row["instructions"].get<double>() + row["page_charges"].get<double>();
    const auto estimate =
        row["estimate"].get<double>() + row["estimated_page_charges"].get<double>();
    EXPECT_GT(row["estimate"], row["instructions"]) << row["position"];
    EXPECT_GT(estimate, total) << row["position"];
    EXPECT_LT(estimate, total * 1.2) << row["position"];
  }
}

TEST(BenchTest, TinyRunsWholeAndItsShapeIsDocumented) {
  auto plan = cli::BenchPlan::Full("tiny", gpt2::PackedMode::kExact);
  const auto out = RunOn(plan);
  ASSERT_TRUE(out) << out.error().message;
  for (const char* key : {"shape", "mode", "decode", "prefill", "table", "pack", "hash", "load",
                          "sample", "heap_bytes", "tokens_per_message"}) {
    EXPECT_TRUE(out->contains(key)) << key;
  }
  for (const char* key : {"pack", "hash", "load"}) {
    EXPECT_GT((*out)[key]["instructions"].get<uint64_t>(), 0u);
    EXPECT_EQ((*out)[key]["messages"], 1);
  }
}

TEST(BenchTest, RefusesAShapeThatIsNone) {
  cli::BenchPlan plan;
  plan.shape = "gpt3";
  const auto out = RunOn(plan);
  ASSERT_FALSE(out);
  EXPECT_TRUE(out.error().message.starts_with("there is no shape 'gpt3'"));
}

}  // namespace
