// gpt2ic pack: a Hugging Face folder, a safetensors or ONNX file -> the packed model that a
// canister runs.
#include <fmt/core.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/hex.h"
#include "base/sha256.h"
#include "cli/accuracy.h"
#include "cli/command.h"
#include "cli/files.h"
#include "cli/local.h"
#include "cli/model_source.h"
#include "cli/weight_error.h"
#include "gpt2/import/loader.h"
#include "gpt2/packed/packer.h"
#include "gpt2/sampler/philox.h"

namespace cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

struct PackOptions {
  std::string model, out;
  bool exact = false, json = false;
  uint32_t tokens = 0;
};

// A file, and the SHA-256 of what was written to it.
class HashedSink : public gpt2::ByteSink {
 public:
  explicit HashedSink(const std::string& path) : file_(path) {}
  base::Status Write(base::ByteSpan bytes) override {
    hash_.Update(bytes);
    return file_.Write(bytes);
  }
  base::Status Close() { return file_.Close(); }
  std::string digest() const { return base::ToHex(hash_.Finish()); }

 private:
  FileSink file_;
  base::Sha256 hash_;
};

base::Result<std::string> PackTo(const ModelSource& model, gpt2::PackedMode mode,
                                 const std::string& path) {
  HashedSink sink(path);
  auto packer = TRY(gpt2::Packer::Open(model.hparams, mode, model.tensors, *model.file, sink));
  Progress progress("packing", packer.file_bytes());
  while (!TRY(packer.Step())) progress.Set(packer.bytes_done());
  TRY_STATUS(sink.Close());
  return sink.digest();
}

// Against float32, on random tokens.
base::Result<Accuracy> CompareLogits(const ModelSource& model, gpt2::ByteSource& packed,
                                     uint32_t tokens) {
  auto loader = TRY(gpt2::SafetensorsLoader::Open(model.hparams, model.tensors, *model.file));
  while (!TRY(loader.Step())) {
  }
  const gpt2::Model float32(model.hparams, loader.Take());
  const gpt2::PackedModel quantised = TRY(gpt2::PackedModel::Load(packed));
  std::vector<gpt2::TokenId> text(std::min(tokens, model.hparams.n_ctx));
  for (uint32_t i = 0; i < text.size(); ++i) {
    text[i] = gpt2::Philox(1, i, 0)[0] % model.hparams.n_vocab;
  }
  return Compare(float32, quantised, {&text, 1});
}

base::Result<Json> Pack(const PackOptions& options) {
  const ModelSource model = TRY(FindModel(options.model));
  const auto mode = options.exact ? gpt2::PackedMode::kExact : gpt2::PackedMode::kInt8;
  const std::string unfinished = options.out + ".unfinished";
  const auto digest = PackTo(model, mode, unfinished);
  if (!digest) {
    std::remove(unfinished.c_str());
    return std::unexpected(digest.error());
  }
  fs::rename(unfinished, options.out);
  const auto packed = TRY(FileSource::Open(options.out));
  Json out = {{"file", options.out},
              {"mode", options.exact ? "exact" : "int8"},
              {"source_bytes", model.file->size()},
              {"bytes", packed->size()},
              {"sha256", *digest}};
  double squares = 0, errors = 0, worst = 0;
  for (const WeightError& error : TRY(WeightErrors(model.tensors, *model.file, *packed))) {
    squares += error.squares;
    errors += error.error_squares;
    if (error.relative() < worst) continue;
    worst = error.relative();
    out["worst_tensor"] = error.tensor;
  }
  out["weight_error"] = squares == 0 ? 0 : std::sqrt(errors / squares);
  out["worst_weight_error"] = worst;
  if (options.tokens > 0) {
    const Accuracy accuracy = TRY(CompareLogits(model, *packed, options.tokens));
    out["logits"] = {{"positions", accuracy.positions},
                     {"kl_mean", accuracy.kl_mean()},
                     {"kl_worst", accuracy.kl_worst},
                     {"same_best_token", accuracy.same()}};
    out["logits_text"] = accuracy.Text();
  }
  return out;
}

int Run(const PackOptions& options) {
  const auto out = Pack(options);
  if (!out) return Complain(out.error().message, kExitFailed);
  if (options.json) {
    fmt::print("{}\n", out->dump());
    return 0;
  }
  fmt::print("{}\n", options.out);
  fmt::print("  mode      {}\n", (*out)["mode"].get<std::string>());
  fmt::print("  size      {} bytes, from {}\n", Grouped((*out)["bytes"].get<uint64_t>()),
             Grouped((*out)["source_bytes"].get<uint64_t>()));
  fmt::print("  sha-256   {}\n", (*out)["sha256"].get<std::string>());
  fmt::print("  weights   {:.3f} % off float32; at most {:.3f} % ({})\n",
             (*out)["weight_error"].get<double>() * 100,
             (*out)["worst_weight_error"].get<double>() * 100,
             out->value("worst_tensor", std::string()));
  if (options.tokens > 0) {
    fmt::print("  logits    {}\n", (*out)["logits_text"].get<std::string>());
  }
  return 0;
}

}  // namespace

void AddPack(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<PackOptions>();
  CLI::App* command = app.add_subcommand("pack", "make the packed model that a canister runs");
  command
      ->add_option("model", options->model,
                   "Hugging Face folder, a safetensors file in one, or an ONNX file")
      ->required();
  command->add_option("-o,--out", options->out, "the packed file")->required();
  command->add_flag("--exact", options->exact, "weights of 12 bits instead of 7");
  command->add_option("--compare", options->tokens,
                      "also compare the logits with float32's over so many random tokens");
  command->add_flag("--json", options->json, "one JSON object");
  command->callback([options, exit_code] { *exit_code = Run(*options); });
}

}  // namespace cli
