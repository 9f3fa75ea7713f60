#ifndef GPT2IC_GPT2_IMPORT_ONNX_EXTRACT_H_
#define GPT2IC_GPT2_IMPORT_ONNX_EXTRACT_H_

#include <optional>
#include <string>
#include <vector>

#include "gpt2/import/onnx/interpreter.h"
#include "gpt2/import/onnx/onnx.h"

namespace gpt2::onnx {

struct Extracted {
  OnnxModel model;
  std::optional<PlannedTensor> head;  // stored apart from wte, perhaps a copy of it
};

// Walks back from the outputs of the graph that was run to the embeddings, checks that the way is
// GPT-2's and names what lies on it. Err says where it differs.
base::Result<Extracted> Extract(const Interpreter& run, const std::vector<std::string>& outputs);

}  // namespace gpt2::onnx

#endif  // GPT2IC_GPT2_IMPORT_ONNX_EXTRACT_H_
