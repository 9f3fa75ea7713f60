// inference and generate: from token ids or text to an answer, in one message.
#include "base/sha256.h"
#include "canister/model/access.h"
#include "canister/model/state.h"
#include "canister/sdk/canister.h"
#include "gpt2/sampler/sampler.h"
#include "gpt2/session.h"

namespace model {
namespace {

using base::Err;
using base::Result;
using base::Status;

constexpr uint8_t kGenerateTokensMax = 100;
constexpr double kTemperatureMax = 2;

struct Request {
  std::vector<gpt2::TokenId> prompt;
  uint32_t tokens_max;
  double temperature;
  std::optional<gpt2::TokenId> end_token;
  bool keep_end_token;
};

// A fresh seed for each answer: the same message never draws the same numbers as another.
uint64_t NewSeed() {
  base::Bytes bytes;
  base::AppendFixed(bytes, sdk::NowNs());
  base::AppendFixed(bytes, TheState().answers++);
  base::Append(bytes, sdk::Caller().bytes());
  const base::Sha256Digest digest = base::Sha256Of(bytes);
  uint64_t seed;
  std::memcpy(&seed, digest.data(), sizeof(seed));
  return seed;
}

// A context that fills ends the answer with what there is.
Result<std::vector<gpt2::TokenId>> Run(const Request& request) {
  const gpt2::Model& model = *TheState().ready->model;
  const gpt2::SamplingParams sampling{request.temperature, NewSeed()};
  TRY_STATUS(gpt2::CheckSampling(sampling));
  if (request.prompt.empty()) return Err("the prompt has 0 tokens, expected at least 1");
  gpt2::Session session(model);
  TRY_STATUS(session.Append(request.prompt));
  std::vector<gpt2::TokenId> answer;
  while (answer.size() < request.tokens_max) {
    while (!session.Prefilled()) session.Step();
    const gpt2::TokenId next = gpt2::Sample(session.Logits(), sampling, answer.size());
    const bool end = request.end_token == next;
    if (!end || request.keep_end_token) answer.push_back(next);
    if (end || session.size() == session.capacity()) break;
    TRY_STATUS(session.Append({&next, 1}));
  }
  return answer;
}

Status CheckReady() {
  if (!TheState().ready) return Err("the model is not set up: call setup_model first");
  return {};
}

struct Inference {
  Result<std::vector<uint32_t>> result;
};
CANDID_RECORD(Inference, result)

// Ids as they are; stops after the end token, which is part of the result.
Result<Inference> Infer(std::vector<uint32_t> ids, uint8_t count, double temperature) {
  TRY_STATUS(CheckReady());
  const auto end =
      TheState().chat ? TheState().chat->end_token : TheState().ready->config.eos_token_id;
  return Inference{Run({std::move(ids), count, temperature, end, true})};
}

Result<std::string> Generate(std::string_view prompt, uint8_t count, double temperature) {
  TRY_STATUS(CheckReady());
  State& state = TheState();
  if (!state.tokenizer) return Err("the tokenizer is not set up: call setup_tokenizer first");
  if (count > kGenerateTokensMax) {
    return Err(count, " tokens were asked for, at most ", kGenerateTokensMax, " are allowed");
  }
  if (!(temperature >= 0 && temperature <= kTemperatureMax)) {
    return Err("the temperature must lie between 0 and ", static_cast<int>(kTemperatureMax));
  }
  if (prompt.empty()) return Err("the prompt is empty, expected text");
  Request request{gpt2::RenderPrompt(*state.chat, *state.tokenizer, prompt), count, temperature,
                  state.chat->end_token, false};
  return state.tokenizer->Decode(TRY(Run(request)));
}

CANISTER_UPDATE(inference) {
  RequireAuthorized();
  auto [ids, count, temperature] = sdk::Arguments<std::vector<uint32_t>, uint8_t, double>();
  sdk::Reply(Infer(std::move(ids), count, temperature));
}

CANISTER_UPDATE(generate) {
  const auto [prompt, count, temperature] = sdk::Arguments<std::string_view, uint8_t, double>();
  sdk::Reply(Generate(prompt, count, temperature));
}

}  // namespace
}  // namespace model
