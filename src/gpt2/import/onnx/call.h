#ifndef GPT2IC_GPT2_IMPORT_ONNX_CALL_H_
#define GPT2IC_GPT2_IMPORT_ONNX_CALL_H_

#include <optional>
#include <vector>

#include "gpt2/import/onnx/value.h"

namespace gpt2::onnx {

// One node at work: its inputs by value, its outputs to be filled.
struct Call {
  const NodeProto& node;
  int opset;
  std::vector<const Value*> in = {};
  std::vector<Value> out = {};                   // at least one
  Value absent = {};                             // what inputs beyond the end are
  std::optional<std::vector<double>> fill = {};  // the value of a ConstantOfShape

  std::string_view op() const { return node.op_type; }
  const Value& In(size_t i) const;  // kAbsent beyond the end
  // The numbers of input i or, where older opsets have it, of the attribute; nullopt: not known.
  std::optional<std::vector<double>> Numbers(size_t i, std::string_view attribute) const;
};

// The shapes of a node's outputs, as far as they follow from its inputs.
void InferShapes(Call& call);

// One axis of a Slice. start, end: NaN if not known.
struct AxisSlice {
  int axis = 0;  // may be negative
  double start = 0, end = 0, step = 1;

  bool full(int64_t size) const;  // leaves everything, size -1: not known
};
// nullopt: not even the axes are known.
std::optional<std::vector<AxisSlice>> SlicesOf(const Call& call);

// For a node without activations: out[0].numbers, if they follow from the inputs' numbers.
void FoldNumbers(Call& call);

// op(x, y) for Add, Sub, Mul, Div, Pow, Min and Max; NaN for others.
double Binary(std::string_view op, double x, double y);
// op(x) for Sqrt, Tanh, Erf, ...; nullopt for others.
std::optional<double> UnaryOp(std::string_view op, double x);

double GeluTanh(double x);  // gelu_new of the paper's code
double GeluErf(double x);   // the exact GELU
// "gelu_new", or what the function is instead: "gelu with erf", "relu", "a function that gives
// ...".
std::string NameOfActivation(const Samples& samples);
bool IsGeluNew(const Samples& samples);

}  // namespace gpt2::onnx

#endif  // GPT2IC_GPT2_IMPORT_ONNX_CALL_H_
