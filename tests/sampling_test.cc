// The parameters of `Sampling` against Hugging Face's logits processors (tests/data/sampling.json,
// made by tools/make_sampling_vectors.py): the same tokens are left, with the same probabilities.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "canister/model/sampling_plan.h"
#include "gpt2/sampler/philox.h"

namespace {

using Json = nlohmann::json;
using model::Sampling;

const Json& Vectors() {
  static const Json vectors = Json::parse(std::ifstream("tests/data/sampling.json"));
  return vectors;
}

template <class T>
std::optional<T> Maybe(const Json& of, const char* name) {
  return of.contains(name) ? std::optional(of.at(name).get<T>()) : std::nullopt;
}

Sampling SamplingOf(const Json& row, uint64_t seed) {
  Sampling s;
  s.temperature = Maybe<double>(row, "temperature");
  s.top_k = Maybe<uint32_t>(row, "top_k");
  s.top_p = Maybe<double>(row, "top_p");
  s.repetition_penalty = Maybe<double>(row, "repetition_penalty");
  s.frequency_penalty = Maybe<double>(row, "frequency_penalty");
  s.presence_penalty = Maybe<double>(row, "presence_penalty");
  return model::CheckedSampling(s, seed).value();
}

// The random number of the n-th token, as sampler.h documents it.
double Uniform(uint64_t seed, uint64_t n) {
  const auto bits = gpt2::Philox(seed, n, 0);
  return static_cast<double>((uint64_t{bits[0]} << 32 | bits[1]) >> 11) * 0x1p-53;
}

// Draws with many seeds: where in [0, 1) a draw falls decides which token it is, so that equal
// tokens everywhere mean equal sets and probabilities. Within kEdge of a border either side is
// right: the sampler's probabilities are within 1e-5 of their size.
TEST(Sampling, LeavesWhatHuggingFacesProcessorsLeave) {
  constexpr double kEdge = 2e-5;
  constexpr uint64_t kDraws = 1'000;
  size_t cases = 0;
  for (const Json& row : Vectors().at("cases")) {
    const Json& recorded = Vectors().at("rows").at(row.at("row").get<size_t>());
    const auto logits = recorded.at("logits").get<std::vector<float>>();
    const auto prompt = recorded.at("prompt").get<std::vector<uint32_t>>();
    const auto output = recorded.at("output").get<std::vector<uint32_t>>();
    const auto ids = row.at("ids").get<std::vector<uint32_t>>();
    const auto probabilities = row.at("probabilities").get<std::vector<double>>();
    uint64_t on_edge = 0;
    for (uint64_t seed = 0; seed < kDraws; ++seed) {
      double left = Uniform(seed, output.size());
      size_t i = 0;
      while (i + 1 < ids.size() && left >= probabilities[i]) left -= probabilities[i++];
      if (left < kEdge || probabilities[i] - left < kEdge) {
        ++on_edge;
        continue;
      }
      const auto token = ChooseToken(logits, SamplingOf(row, seed), prompt, output).token;
      ASSERT_EQ(token, ids[i]) << "case " << cases << ", seed " << seed;
    }
    EXPECT_LT(on_edge, kDraws / 20);
    ++cases;
  }
  EXPECT_EQ(cases, 69u);
}

TEST(Sampling, AtTemperature0ItIsTheLikeliestAndLogprobsAreTheModelsOwn) {
  for (const Json& recorded : Vectors().at("rows")) {
    const auto logits = recorded.at("logits").get<std::vector<float>>();
    Sampling s = SamplingOf(Json::object(), 1);
    s.logprobs = 20;
    EXPECT_EQ(ChooseToken(logits, s, {}, {}).token, recorded.at("greedy").get<uint32_t>());
    s.repetition_penalty = 3;  // changes the draw, not what is reported
    s.temperature = 2;
    const auto prompt = recorded.at("prompt").get<std::vector<uint32_t>>();
    const auto reported = ChooseToken(logits, s, prompt, {}).logprob.value();
    const Json& top = recorded.at("logprobs");
    ASSERT_EQ(reported.top.size(), top.size());
    for (size_t i = 0; i < top.size(); ++i) {
      EXPECT_EQ(reported.top[i].first, top[i][0].get<uint32_t>());
      EXPECT_NEAR(reported.top[i].second, top[i][1].get<double>(), 1e-5);
    }
  }
}

}  // namespace
