#ifndef GPT2IC_CLI_MODEL_SOURCE_H_
#define GPT2IC_CLI_MODEL_SOURCE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "cli/files.h"
#include "gpt2/hparams.h"
#include "gpt2/import/tensor_plan.h"
#include "gpt2/packed/packed_model.h"
#include "gpt2/tokenizer/tokenizer.h"

namespace cli {

// An unpacked model's file, and where its tensors lie.
struct ModelSource {
  std::unique_ptr<FileSource> file;
  gpt2::Hparams hparams;
  std::vector<gpt2::PlannedTensor> tensors;
};

// A Hugging Face folder, a safetensors file with its config.json beside it, or an ONNX file, which
// says all there is to know.
base::Result<ModelSource> FindModel(const std::string& path);

// A model to check answers with: its packed form in memory, and that form's SHA-256.
struct LoadedModel {
  gpt2::PackedModel model;
  base::Sha256Digest hash;
  std::optional<gpt2::Tokenizer> tokenizer;  // of tokenizer.json in the folder or beside the file
};

// Packs what FindModel takes, in int8 as canisters do; takes a packed file as it is. When `wanted`
// is another hash than int8's, the exact mode is tried too.
base::Result<LoadedModel> LoadModel(const std::string& path, const base::Sha256Digest& wanted);

}  // namespace cli

#endif  // GPT2IC_CLI_MODEL_SOURCE_H_
