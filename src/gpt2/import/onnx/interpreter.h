#ifndef GPT2IC_GPT2_IMPORT_ONNX_INTERPRETER_H_
#define GPT2IC_GPT2_IMPORT_ONNX_INTERPRETER_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gpt2/import/onnx/call.h"
#include "gpt2/import/onnx/value.h"

namespace gpt2::onnx {

// Runs a graph node by node with meanings in place of numbers (value.h). Nodes must come in an
// order in which each follows those it takes from, as ONNX demands, so a cycle cannot be met. Heap:
// about 300 bytes and the name for each value, at most kValuesMax of them.
class Interpreter {
 public:
  static constexpr size_t kValuesMax = 200'000;
  static constexpr uint64_t kNameBytesTotalMax = 16 << 20;
  static constexpr uint64_t kRunsMax = 400'000;       // nodes, with those of functions
  static constexpr uint64_t kFunctionRunsMax = 2000;  // of them by one node of the graph
  static constexpr size_t kFunctionsMax = 1000;
  static constexpr uint32_t kFunctionDepthMax = 16;

  // Both must come before the first node. `wire` must outlive the interpreter.
  base::Status AddTensor(WireReader& wire, TensorProto tensor);
  base::Status AddInput(const ValueInfoProto& input);
  base::Status AddFunction(FunctionProto function);
  void set_opset(int opset) { opset_ = opset; }

  // Err: the node is not valid where it stands. What is merely not GPT-2 is kAlien.
  base::Status Run(WireReader& wire, const NodeProto& node);

  // Null if nothing of this name was made.
  const Value* Find(std::string_view name) const;

  const std::vector<TensorProto>& tensors() const { return tensors_; }
  const Residual& residual(uint32_t i) const { return residuals_[i]; }
  const NormRecord& norm(uint32_t i) const { return norms_[i]; }
  const LinearRecord& linear(uint32_t i) const { return linears_[i]; }
  const Unary& unary(uint32_t i) const { return unaries_[i]; }
  const AttentionRecord& attention(uint32_t i) const { return attentions_[i]; }
  const std::string& alien(uint32_t i) const { return aliens_[i]; }
  const std::vector<Shape>& past_inputs() const { return past_inputs_; }

  // The layer whose attention or feed-forward part this linear begins.
  std::optional<uint32_t> LayerOf(uint32_t linear) const;

 private:
  base::Status Define(const std::string& name, Value value);
  base::Result<Value> ValueOf(WireReader& wire, TensorProto tensor);
  base::Result<Value> Constant(WireReader& wire, const NodeProto& node);
  const FunctionProto* FunctionOf(const NodeProto& node) const;
  base::Status CallFunction(WireReader& wire, const FunctionProto& function, Call& call);
  void Apply(Call& call);

  // Each sets call.out. host_ops.cc: nodes without activations.
  void Host(Call& call);
  void HostView(Call& call);
  bool HostGather(Call& call);
  void SliceOfTable(Call& call);
  void WeightView(Call& call);
  // layout_ops.cc: nodes that move an activation.
  bool View(Call& call);
  void ViewReshape(Call& call);
  void ViewTranspose(Call& call);
  void ViewGather(Call& call);
  void ViewSlice(Call& call);
  void ViewSplit(Call& call);
  void ViewConcat(Call& call);
  void SequenceAt(Call& call);
  Value Part(uint32_t linear, double which) const;
  // arithmetic_ops.cc: elementwise nodes and those of a layer norm.
  void Arithmetic(Call& call);
  std::optional<Value> AddPair(const Value& x, const Value& y);
  std::optional<Value> AddBias(const Value& x, const Value& y);
  std::optional<Value> Embed(const Value& x, const Value& y);
  std::optional<Value> MulPair(const Value& x, const Value& y);
  std::optional<Value> NormStep(const Call& call, const Value& x, const Value& y);
  std::optional<Value> NormStepOfOne(const Call& call, const Value& x);
  std::optional<Value> Scaled(const Value& x, const Value& y, bool divide);
  std::optional<Value> Elementwise(const Call& call);
  void ReduceMean(Call& call);
  void LayerNorm(Call& call);
  Value Normed(const Value& x, NormRecord record);
  std::optional<Samples> SamplesOf(const Value& value, std::optional<uint32_t>& linear) const;
  // linear_ops.cc: products, attention and what follows.
  void MatMul(Call& call);
  void Gemm(Call& call);
  void Softmax(Call& call);
  void Where(Call& call);
  void Attention(Call& call);
  void ArgMax(Call& call);
  std::optional<Value> Masked(const Value& scores, const Value& mask) const;
  std::optional<Value> AttentionScores(Call& call, const Value& q, const Value& k);
  std::optional<Value> AttentionContext(const Value& probs, const Value& v);

  void Linear(Call& call, const Value& x, WeightRef w, std::optional<WeightRef> b);

  // Makes all outputs kAlien, for the reason given.
  template <class... Parts>
  void Alien(Call& call, const Parts&... parts) {
    aliens_.push_back(base::StrCat(call.node.Text(), " ", parts...));
    for (Value& value : call.out) SetAlien(value, static_cast<uint32_t>(aliens_.size() - 1));
  }
  static void SetAlien(Value& value, uint32_t index);

  std::optional<WeightRef> Matrix(const Value& value) const;
  std::optional<WeightRef> Vector(const Value& value, uint64_t size) const;
  uint8_t TaintsOf(const Value& value) const;

  int opset_ = 0;
  std::map<std::string, Value, std::less<>> values_;
  std::vector<FunctionProto> functions_;
  uint32_t function_depth_ = 0;  // of the node at work
  uint64_t runs_ = 0, function_runs_ = 0;
  uint64_t name_bytes_ = 0;
  uint64_t table_numbers_left_ = 1 << 20;  // that may be read to see if a tensor counts positions
  std::vector<TensorProto> tensors_;
  std::vector<WeightRef> refs_;
  std::vector<Residual> residuals_;
  std::vector<NormRecord> norms_;
  std::vector<LinearRecord> linears_;
  std::vector<Unary> unaries_;
  std::vector<AttentionRecord> attentions_;
  std::vector<std::string> aliens_;
  std::vector<Shape> past_inputs_;
};

}  // namespace gpt2::onnx

#endif  // GPT2IC_GPT2_IMPORT_ONNX_INTERPRETER_H_
