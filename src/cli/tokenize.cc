// gpt2ic tokenize and decode.
#include <fmt/core.h>

#include <memory>

#include "cli/command.h"
#include "cli/native_model.h"
#include "gpt2/tokenizer/vectors.h"

namespace cli {
namespace {

struct Options {
  std::string tokenizer, text, vectors;
  std::vector<uint32_t> ids;
};

int ReplayFile(const gpt2::Tokenizer& tokenizer, const std::string& path) {
  const auto text = ReadFile(path);
  if (!text) return Complain(text.error().message, kExitUsage);
  const auto result = gpt2::ReplayTokenizerVectors(tokenizer, *text);
  if (!result) return Complain(result.error().message, kExitUsage);
  fmt::print("{}{} passed, {} failed\n", result->report, result->passed, result->failed);
  return result->failed == 0 ? 0 : kExitFailed;
}

int Tokenize(const Options& options) {
  const auto tokenizer = LoadTokenizer(options.tokenizer);
  if (!tokenizer) return Complain(tokenizer.error().message, kExitUsage);
  if (!options.vectors.empty()) return ReplayFile(*tokenizer, options.vectors);
  std::string line;
  for (const gpt2::TokenId id : tokenizer->Encode(options.text)) {
    line += base::StrCat(line.empty() ? "" : " ", id);
  }
  fmt::print("{}\n", line);
  return 0;
}

int Decode(const Options& options) {
  const auto tokenizer = LoadTokenizer(options.tokenizer);
  if (!tokenizer) return Complain(tokenizer.error().message, kExitUsage);
  const auto text = tokenizer->Decode(options.ids);
  if (!text) return Complain(text.error().message, kExitFailed);
  fmt::print("{}\n", *text);
  return 0;
}

}  // namespace

void AddTokenize(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("tokenize", "ids of a text");
  command->add_option("--tokenizer", options->tokenizer, "tokenizer.json or a model folder")
      ->required();
  auto* text = command->add_option("text", options->text, "the text");
  command->add_option("--vectors", options->vectors, "replay a file of texts and ids")
      ->excludes(text);
  command->callback([options, exit_code] { *exit_code = Tokenize(*options); });
}

void AddDecode(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("decode", "text of ids");
  command->add_option("--tokenizer", options->tokenizer, "tokenizer.json or a model folder")
      ->required();
  command->add_option("ids", options->ids, "token ids")->required();
  command->callback([options, exit_code] { *exit_code = Decode(*options); });
}

}  // namespace cli
