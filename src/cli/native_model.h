#ifndef GPT2IC_CLI_NATIVE_MODEL_H_
#define GPT2IC_CLI_NATIVE_MODEL_H_

#include <memory>
#include <string>

#include "cli/files.h"
#include "gpt2/chat_template.h"
#include "gpt2/import/config.h"
#include "gpt2/model/model.h"
#include "gpt2/packed/packed_model.h"
#include "gpt2/sampler/sampler.h"
#include "gpt2/tokenizer/tokenizer.h"

namespace cli {

// How a model computes: packed as in the canister, or the reference.
enum class Precision : uint8_t { kInt8, kFloat32 };

// A Hugging Face folder loaded into this process.
class NativeModel {
 public:
  // Packs the weights into memory for kInt8: the canister's own bytes.
  static base::Result<std::unique_ptr<NativeModel>> Load(const std::string& dir,
                                                         Precision precision = Precision::kInt8);

  // As the canister's `generate`: the same prompt, template and end.
  base::Result<std::string> Generate(std::string_view prompt, uint32_t tokens_max,
                                     const gpt2::SamplingParams& sampling) const;

  const gpt2::Model& model() const { return *float32_; }  // requires kFloat32
  const gpt2::Tokenizer& tokenizer() const { return tokenizer_; }

 private:
  explicit NativeModel(gpt2::Tokenizer tokenizer) : tokenizer_(std::move(tokenizer)) {}
  gpt2::Tokenizer tokenizer_;
  std::unique_ptr<gpt2::Model> float32_;
  std::unique_ptr<gpt2::PackedModel> packed_;
};

// tokenizer.json, or a folder with one, or with vocab.json and merges.txt.
base::Result<gpt2::Tokenizer> LoadTokenizer(const std::string& path);

}  // namespace cli

#endif  // GPT2IC_CLI_NATIVE_MODEL_H_
