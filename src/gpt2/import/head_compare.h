#ifndef GPT2IC_GPT2_IMPORT_HEAD_COMPARE_H_
#define GPT2IC_GPT2_IMPORT_HEAD_COMPARE_H_

#include <optional>
#include <vector>

#include "gpt2/import/tensor_plan.h"

namespace gpt2 {

// Whether a head that a file stores apart is wte once more, number by number: then it is dropped,
// so that a model is the same whether its file ties the head, copies it or transposes it.
class HeadCompare {
 public:
  // Reads some rows of both, at most `floats_max` numbers of each or one row; the answer when it is
  // known. Both have `n_embd` columns. Cost: 6 instructions a number.
  base::Result<std::optional<bool>> Step(ByteSource& source, const PlannedTensor& wte,
                                         const PlannedTensor& head, uint64_t n_embd,
                                         uint64_t floats_max);

 private:
  uint64_t done_ = 0;  // numbers before it are equal in both
  std::vector<uint8_t> scratch_;
};

}  // namespace gpt2

#endif  // GPT2IC_GPT2_IMPORT_HEAD_COMPARE_H_
