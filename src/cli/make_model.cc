// gpt2ic make-model: a model of a known shape with seeded random weights, in Hugging Face form.
#include "gpt2/make_model.h"

#include <fmt/core.h>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/command.h"
#include "cli/files.h"
#include "cli/native_model.h"

namespace cli {
namespace {

struct Options {
  std::string shape, tokenizer, out;
  uint64_t seed = 1;
  bool outliers = false;
};

base::Status WriteText(const std::string& path, const std::string& text) {
  FileSink sink(path);
  TRY_STATUS(sink.Write(base::AsBytes(text)));
  return sink.Close();
}

base::Status MakeModel(const Options& options) {
  const auto shape = gpt2::ShapeByName(options.shape);
  if (!shape) {
    return base::Err("there is no shape '", options.shape,
                     "', expected tiny, mini, gpt2, gpt2-medium, gpt2-large or gpt2-xl");
  }
  gpt2::MakeModelArgs args{*shape, options.seed, options.outliers};
  std::filesystem::create_directories(options.out);
  if (!options.tokenizer.empty()) {
    args.hparams.n_vocab = TRY(LoadTokenizer(options.tokenizer)).size();
    TRY_STATUS(WriteText(options.out + "/tokenizer.json", TRY(ReadFile(options.tokenizer))));
  }
  TRY_STATUS(WriteText(options.out + "/config.json", gpt2::ConfigJson(args.hparams)));
  FileSink sink(options.out + "/model.safetensors");
  TRY_STATUS(gpt2::WriteRandomModel(args, sink));
  return sink.Close();
}

int Run(const Options& options) {
  const auto done = MakeModel(options);
  if (!done) return Complain(done.error().message, kExitFailed);
  fmt::print("{}: shape {}, seed {}\n", options.out, options.shape, options.seed);
  return 0;
}

}  // namespace

void AddMakeModel(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("make-model", "a model with seeded random weights");
  command
      ->add_option("--shape", options->shape, "tiny, mini, gpt2, gpt2-medium, gpt2-large, gpt2-xl")
      ->required();
  command->add_option("--seed", options->seed, "of the weights (default 1)");
  command->add_flag("--outliers", options->outliers, "with GPT-2's massive activations planted");
  command->add_option("--tokenizer", options->tokenizer,
                      "tokenizer.json to take along; sets the vocabulary");
  command->add_option("-o", options->out, "folder to write")->required();
  command->callback([options, exit_code] { *exit_code = Run(*options); });
}

}  // namespace cli
