// The seed's two calls for an answer (waiting.h: one call, the whole answer).
#include "canister/model/access.h"
#include "canister/model/waiting.h"
#include "canister/sdk/canister.h"

namespace model {
namespace {

using base::Result;

constexpr uint8_t kGenerateTokensMax = 100;
constexpr double kTemperatureMax = 2;

struct Inference {
  Result<std::vector<uint32_t>> result;
};
CANDID_RECORD(Inference, result)

}  // namespace

void ReplyTo(const Job& job) {
  const auto failed = FailureOf(job);
  if (job.kind == JobKind::kGenerate) {
    sdk::Reply(failed ? Result<std::string>(job.text) : std::unexpected(failed.error()));
  } else {
    sdk::Reply(failed ? Result<Inference>(Inference{job.output}) : std::unexpected(failed.error()));
  }
}

void ReplyError(JobKind kind, const std::string& sentence) {
  if (kind == JobKind::kGenerate) {
    sdk::Reply(Result<std::string>(base::Err(sentence)));
  } else {
    sdk::Reply(Result<Inference>(Inference{base::Err(sentence)}));
  }
}

namespace {

Result<void> CheckGenerate(std::string_view prompt, uint8_t count, double temperature) {
  if (count > kGenerateTokensMax) {
    return base::Err(count, " tokens were asked for, at most ", kGenerateTokensMax, " are allowed");
  }
  if (!(temperature >= 0 && temperature <= kTemperatureMax)) {
    return base::Err("the temperature must lie between 0 and ", static_cast<int>(kTemperatureMax));
  }
  if (prompt.empty()) return base::Err("the prompt is empty, expected text");
  return {};
}

// Ids as they are; stops after the end token, which is part of the result.
CANISTER_UPDATE(inference) {
  RequireAuthorized();
  auto [ids, count, temperature] = sdk::Arguments<std::vector<uint32_t>, uint8_t, double>();
  GenerateArgs args;
  args.input = {InputKind::kTokens, {}, {}, std::move(ids)};
  args.sampling.max_tokens = count;
  args.sampling.temperature = temperature;
  StartWaiting(JobKind::kInference, args);
}

CANISTER_UPDATE(generate) {
  const auto [prompt, count, temperature] = sdk::Arguments<std::string_view, uint8_t, double>();
  const auto checked = CheckGenerate(prompt, count, temperature);
  if (!checked) return ReplyError(JobKind::kGenerate, checked.error().message);
  GenerateArgs args;
  args.input = {InputKind::kMessages, {}, {{"user", std::string(prompt)}}, {}};
  args.sampling.max_tokens = count;
  args.sampling.temperature = temperature;
  StartWaiting(JobKind::kGenerate, args);
}

}  // namespace
}  // namespace model
