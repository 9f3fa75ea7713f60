#ifndef GPT2IC_GPT2_IMPORT_TENSOR_PLAN_H_
#define GPT2IC_GPT2_IMPORT_TENSOR_PLAN_H_

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "gpt2/byte_source.h"
#include "gpt2/hparams.h"
#include "gpt2/import/safetensors.h"
#include "gpt2/weights.h"

namespace gpt2 {

// How the numbers of a tensor lie in the file, seen from its shape.
enum class Order : uint8_t {
  kRowMajor,
  kTransposed,  // [n, m] stored as [m, n] row-major
  kZeros,       // not at all: every number is 0
};

// One tensor of the model, found in a file.
struct PlannedTensor {
  std::string name;  // without "transformer."
  uint64_t offset;   // in the file
  uint64_t count;    // numbers
  Dtype dtype;
  Tensor* place;  // in the weights the plan was made for; null in a plan from ONNX
  Order order = Order::kRowMajor;
  uint64_t cols = 0;  // kTransposed: the second of its two dimensions

  uint64_t bytes_each() const { return dtype == Dtype::kF32 ? 4 : 2; }
};

// Reads the header of a safetensors file and finds every tensor that a model of these
// hyperparameters has, in the order of the file; lm_head.weight if the file has it. Err names the
// tensor that is missing, unknown or of another shape or dtype. `weights` gets its structure, but
// no tensor is allocated.
base::Result<std::vector<PlannedTensor>> PlanTensors(const Hparams& hparams, ByteSource& source,
                                                     Weights& weights);

// Numbers first .. first + out.size() of a tensor, exactly, row-major whatever its order in the
// file. `buffer` is space for conversion. A transposed tensor is taken in whole rows, `cols` reads
// a call: ask for many rows at once.
base::Status ReadTensor(ByteSource& source, const PlannedTensor& tensor, uint64_t first,
                        std::span<float> out, std::vector<uint8_t>& buffer);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_IMPORT_TENSOR_PLAN_H_
