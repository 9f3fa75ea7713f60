#ifndef GPT2IC_GPT2_IMPORT_LOADER_H_
#define GPT2IC_GPT2_IMPORT_LOADER_H_

#include <memory>
#include <vector>

#include "base/result.h"
#include "gpt2/byte_source.h"
#include "gpt2/hparams.h"
#include "gpt2/import/tensor_plan.h"
#include "gpt2/weights.h"

namespace gpt2 {

// Reads the weights of a GPT-2 out of a safetensors file, piece by piece, so that a canister can
// spread the work over messages. Names with or without "transformer."; F32, F16 or BF16, each
// tensor for itself; with or without lm_head.weight; mask buffers are skipped. docs/model-import.md
// tells.
class SafetensorsLoader {
 public:
  static constexpr uint64_t kStepBytesMax = 8 << 20;  // of the file

  // Reads and checks the header; nothing is loaded yet. Err names the tensor, what was found and
  // what the hyperparameters ask for. `source` must outlive the loader.
  static base::Result<SafetensorsLoader> Open(const Hparams& hparams, ByteSource& source);
  // The same with tensors that were found already (OnnxModel::tensors, PlanTensors): one for each
  // of TensorSlots, and perhaps lm_head.weight.
  static base::Result<SafetensorsLoader> Open(const Hparams& hparams,
                                              std::vector<PlannedTensor> tensors,
                                              ByteSource& source);

  // Loads at most kStepBytesMax more; true when all is loaded.
  base::Result<bool> Step();

  uint64_t bytes_done() const { return bytes_done_; }    // of the file
  uint64_t bytes_total() const { return bytes_total_; }  // that are to be loaded

  // The weights. Requires that Step returned true.
  Weights Take();

 private:
  explicit SafetensorsLoader(ByteSource& source) : source_(&source) {}
  base::Status Start();

  ByteSource* source_;
  std::unique_ptr<Weights> weights_ = std::make_unique<Weights>();  // jobs point into it
  std::vector<PlannedTensor> jobs_;                                 // in the order of the file
  size_t job_ = 0;                                                  // the one at work
  uint64_t count_done_ = 0;                                         // of it
  uint64_t bytes_done_ = 0, bytes_total_ = 0;
  std::vector<uint8_t> buffer_;  // for numbers to be converted
};

}  // namespace gpt2

#endif  // GPT2IC_GPT2_IMPORT_LOADER_H_
