#ifndef GPT2IC_CLI_WEIGHT_ERROR_H_
#define GPT2IC_CLI_WEIGHT_ERROR_H_

#include <string>
#include <vector>

#include "gpt2/byte_source.h"
#include "gpt2/import/tensor_plan.h"
#include "gpt2/packed/format.h"

namespace cli {

// How far a packed matrix is from the float32 one.
struct WeightError {
  std::string tensor;
  double squares = 0, error_squares = 0;  // summed over its weights

  double relative() const;  // root of their ratio
};

// Reads both files, a matrix at a time. `tensors`: all of the model, in `source`.
base::Result<std::vector<WeightError>> WeightErrors(std::span<const gpt2::PlannedTensor> tensors,
                                                    gpt2::ByteSource& source,
                                                    gpt2::ByteSource& packed);

}  // namespace cli

#endif  // GPT2IC_CLI_WEIGHT_ERROR_H_
