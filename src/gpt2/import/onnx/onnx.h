#ifndef GPT2IC_GPT2_IMPORT_ONNX_ONNX_H_
#define GPT2IC_GPT2_IMPORT_ONNX_ONNX_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "gpt2/byte_source.h"
#include "gpt2/hparams.h"
#include "gpt2/import/tensor_plan.h"

namespace gpt2 {

// Whether the graph takes the keys and values of earlier positions.
enum class OnnxGraph : uint8_t { kNoCache, kKvCache };

// A GPT-2 found in an ONNX file. The weights stay where they are.
struct OnnxModel {
  Hparams hparams;
  OnnxGraph graph = OnnxGraph::kNoCache;
  // One for each of TensorSlots, in its order; lm_head.weight is behind them if it is not a copy of
  // wte.weight.
  std::vector<PlannedTensor> tensors;
};

// Finds the GPT-2 in an ONNX file by following its graph from the inputs (docs/model-import.md).
// Works in steps, so that a canister can spread them over messages; the structure of GPT-2 124M
// needs one or two. Only the structure is read, never the weights; except that a head that is
// stored apart is compared with wte.
class OnnxReader {
 public:
  static constexpr uint64_t kStepFieldsMax = 4096;    // of the file's top level
  static constexpr uint64_t kStepNodesMax = 2048;     // of the graph
  static constexpr uint64_t kStepBytesMax = 8 << 20;  // of the head that is compared

  // `source` must outlive the reader. Reads nothing.
  explicit OnnxReader(ByteSource& source);
  OnnxReader(OnnxReader&&);
  OnnxReader& operator=(OnnxReader&&);
  ~OnnxReader();

  // Goes on; true when the model is found. Err, in one sentence: where the file is not valid, which
  // other file its tensors are in, or where it differs from GPT-2.
  base::Result<bool> Step();

  // Of the file, without the head that is compared.
  uint64_t structure_bytes_read() const;

  // The model. Requires that Step returned true.
  OnnxModel Take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// All steps at once.
base::Result<OnnxModel> ReadOnnx(ByteSource& source);

// True if the file may be ONNX: it begins with the field ir_version, as exporters write it. A
// safetensors file does not: it begins with the size of its header.
bool LooksLikeOnnx(ByteSource& source);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_IMPORT_ONNX_ONNX_H_
