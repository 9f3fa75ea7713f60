// Checking an answer against giving it: replay of 100 known tokens and generating them, natively,
// on GPT-2's own shape. Exits 1 when checking takes more than 0.6 of the time. With --quick: a tiny
// model, as a test.
#include <fmt/core.h>

#include <chrono>
#include <cstring>

#include "base/hex.h"
#include "cli/random_packed.h"
#include "gpt2/make_model.h"
#include "gpt2/memory_file.h"
#include "gpt2/packed/packed_session.h"
#include "receipt/replay.h"

namespace {

using gpt2::TokenId;

constexpr double kRatioMax = 0.6;
constexpr uint32_t kPromptTokens = 64, kTokens = 100;

double Seconds(auto work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// As a canister gives an answer, token after token.
std::vector<TokenId> Generate(const gpt2::PackedModel& model, const receipt::Receipt& r,
                              const std::vector<TokenId>& input) {
  gpt2::PackedSession session(model);
  std::vector<TokenId> output;
  if (!session.Append(input)) return output;
  while (output.size() < r.max_tokens) {
    while (!session.Prefilled()) session.Step();
    output.push_back(gpt2::Choose(session.Logits(), r.sampling, r.penalties, input, output));
    if (output.size() < r.max_tokens && !session.Append({&output.back(), 1})) break;
  }
  return output;
}

int Compare(const char* name, const gpt2::PackedModel& model, const receipt::Receipt& r,
            bool timed) {
  receipt::Answer answer;
  const uint32_t n_vocab = model.hparams().n_vocab;
  for (uint32_t i = 0; i < kPromptTokens; ++i) answer.input.push_back((i * 7919 + 13) % n_vocab);
  // Best of three of each, in turn: the machine has other work.
  double generating = 1e9, checking = 1e9;
  base::Status replayed;
  for (int round = 0; round < (timed ? 3 : 1); ++round) {
    generating =
        std::min(generating, Seconds([&] { answer.output = Generate(model, r, answer.input); }));
    checking = std::min(checking, Seconds([&] { replayed = Replay(model, nullptr, r, answer); }));
  }
  if (!replayed) {
    fmt::print("{}: {}\n", name, replayed.error().message);
    return 1;
  }
  answer.output[kTokens / 2] ^= 1;
  if (Replay(model, nullptr, r, answer)) {
    fmt::print("{}: a changed token was not seen\n", name);
    return 1;
  }
  const double ratio = checking / generating;
  fmt::print("{:<10}generate {:7.3f} s   check {:7.3f} s   ratio {:.2f}, at most {:.2f}\n", name,
             generating, checking, ratio, kRatioMax);
  return timed && ratio > kRatioMax ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
  gpt2::PackedHeader header;
  header.hparams = *gpt2::ShapeByName(quick ? "tiny" : "gpt2");
  header.hparams.n_ctx = std::max(header.hparams.n_ctx, kPromptTokens + kTokens);
  gpt2::MemoryFile file;
  if (!cli::WriteRandomPacked(header, file)) return 1;
  base::Sha256Digest hash;
  base::Result<gpt2::PackedModel> model = base::Err("not loaded");
  const double loading = Seconds([&] {
    hash = base::Sha256Of(file.bytes());
    model = gpt2::PackedModel::Load(file);
  });
  if (!model) {
    fmt::print("{}\n", model.error().message);
    return 1;
  }
  fmt::print("an answer of {} tokens to {}, one thread{}\n", kTokens, kPromptTokens,
             quick ? ", a tiny model" : ", 124M parameters");
  if (!quick) {
    fmt::print("the packed model hashed ({}...) and loaded in {:.3f} s\n",
               base::ToHex({hash.data(), 4}), loading);
    fmt::print(
        "published, on other machines: Jolt Atlas (August 2026), a zero-knowledge proof of one "
        "forward pass\nof GPT-2: about 15 s to prove, 1 s to verify; it hides what it proves, a "
        "replay does not\n");
  }
  receipt::Receipt greedy, sampled;
  greedy.max_tokens = sampled.max_tokens = kTokens;
  sampled.sampling = {0.9, 7, 50, 0.95};
  sampled.penalties.repetition = 1.1;
  int failed = Compare("greedy", *model, greedy, !quick);
  failed += Compare("sampled", *model, sampled, !quick);
  return failed == 0 ? 0 : 1;
}
