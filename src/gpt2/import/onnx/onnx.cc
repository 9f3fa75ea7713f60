#include "gpt2/import/onnx/onnx.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "gpt2/import/head_compare.h"
#include "gpt2/import/onnx/extract.h"
#include "gpt2/import/onnx/interpreter.h"
#include "gpt2/import/onnx/proto.h"
#include "gpt2/import/onnx/wire.h"

// Two passes over the graph: the first finds the stored tensors, which stand behind the nodes in
// the file, the second runs the nodes. Nothing of the nodes is kept but the meaning of their
// outputs.
namespace gpt2 {
namespace {

constexpr uint64_t kNodesMax = 100'000;  // GPT-2 XL has 12,000
constexpr size_t kPortsMax = 1024;       // inputs or outputs of the graph

enum class Phase : uint8_t { kModel, kGraph, kNodes, kHead, kDone };

}  // namespace

struct OnnxReader::State {
  explicit State(ByteSource& source) : source(&source), wire(source), at{0, source.size()} {}

  base::Result<bool> TakeModelFields();
  base::Result<bool> TakeGraphFields();
  base::Status TakeGraphField(const onnx::Field& field);
  base::Status TakeOpset(onnx::Range message);
  base::Result<bool> RunNodes();
  base::Result<bool> CompareHead();
  base::Status Advance();

  ByteSource* source;
  onnx::WireReader wire;
  onnx::Interpreter interpreter;
  Phase phase = Phase::kModel;
  onnx::Range at;  // what is left of the message at work
  std::optional<onnx::Range> graph;
  bool has_opset = false;
  std::vector<onnx::ValueInfoProto> inputs;
  std::vector<std::string> outputs;
  uint64_t nodes_left = 0;
  onnx::Extracted found;
  HeadCompare head;
};

base::Status OnnxReader::State::TakeOpset(onnx::Range message) {
  std::string domain;
  uint64_t version = 0;
  onnx::Field field;
  while (TRY(wire.Next(message, field))) {
    if (field.number == 1) domain = TRY(wire.Text(field.bytes, onnx::kNameBytesMax, "a domain"));
    if (field.number == 2) version = field.value;
  }
  if (domain.empty() || domain == "ai.onnx") {
    has_opset = true;
    interpreter.set_opset(static_cast<int>(std::min<uint64_t>(version, 1000)));
  }
  return {};
}

// True at the end of the message.
base::Result<bool> OnnxReader::State::TakeModelFields() {
  onnx::Field field;
  for (uint64_t i = 0; i < kStepFieldsMax; ++i) {
    if (!TRY(wire.Next(at, field))) return true;
    if (field.type != onnx::WireType::kBytes) continue;
    if (field.number == 8) TRY_STATUS(TakeOpset(field.bytes));
    if (field.number == 25) {
      TRY_STATUS(interpreter.AddFunction(TRY(onnx::ReadFunction(wire, field.bytes))));
    }
    if (field.number != 7) continue;
    if (graph) return base::Err("ONNX: the file has two graphs");
    graph = field.bytes;
  }
  return false;
}

base::Status OnnxReader::State::TakeGraphField(const onnx::Field& field) {
  if (field.type != onnx::WireType::kBytes) return {};
  switch (field.number) {
    case 1:
      if (++nodes_left > kNodesMax) {
        return base::Err("ONNX: the graph has more than ", kNodesMax, " nodes");
      }
      return {};
    case 5:
      return interpreter.AddTensor(wire, TRY(onnx::ReadTensor(wire, field.bytes)));
    case 11:
      inputs.push_back(TRY(onnx::ReadValueInfo(wire, field.bytes)));
      break;
    case 12:
      outputs.push_back(TRY(onnx::ReadValueInfo(wire, field.bytes)).name);
      break;
    case 15:
      return base::Err("ONNX: the file has sparse tensors, expected dense ones");
    default:
      return {};
  }
  if (inputs.size() > 100 * kPortsMax || outputs.size() > kPortsMax) {
    return base::Err("ONNX: the graph has more than ", kPortsMax, " outputs or ", 100 * kPortsMax,
                     " inputs");
  }
  return {};
}

base::Result<bool> OnnxReader::State::TakeGraphFields() {
  onnx::Field field;
  for (uint64_t i = 0; i < kStepFieldsMax; ++i) {
    if (!TRY(wire.Next(at, field))) return true;
    TRY_STATUS(TakeGraphField(field));
  }
  return false;
}

// True when there is none left.
base::Result<bool> OnnxReader::State::RunNodes() {
  onnx::Field field;
  for (uint64_t i = 0; i < kStepNodesMax; ++i) {
    if (nodes_left == 0 || !TRY(wire.Next(at, field))) return true;
    if (field.type != onnx::WireType::kBytes || field.number != 1) continue;
    TRY_STATUS(interpreter.Run(wire, TRY(onnx::ReadNode(wire, field.bytes))));
    --nodes_left;
  }
  return false;
}

// Whether the head is wte once more is asked of the numbers. True when that is known.
base::Result<bool> OnnxReader::State::CompareHead() {
  std::vector<PlannedTensor>& tensors = found.model.tensors;
  const auto same = TRY(head.Step(*source, tensors.front(), *found.head, found.model.hparams.n_embd,
                                  kStepBytesMax / 8));
  if (!same) return false;
  if (!*same) tensors.push_back(*std::move(found.head));
  return true;
}

// Goes to the next phase.
base::Status OnnxReader::State::Advance() {
  switch (phase) {
    case Phase::kModel:
      if (!graph) return base::Err("ONNX: the file has no graph");
      if (!has_opset) return base::Err("ONNX: the file does not say which opset it uses");
      at = *graph;
      phase = Phase::kGraph;
      return {};
    case Phase::kGraph:
      for (const onnx::ValueInfoProto& input : inputs) {
        TRY_STATUS(interpreter.AddInput(input));
      }
      at = *graph;
      phase = Phase::kNodes;
      return {};
    case Phase::kNodes:
      found = TRY(onnx::Extract(interpreter, outputs));
      interpreter = {};
      phase = found.head ? Phase::kHead : Phase::kDone;
      return {};
    case Phase::kHead:
    case Phase::kDone:
      phase = Phase::kDone;
      return {};
  }
  return {};
}

OnnxReader::OnnxReader(ByteSource& source) : state_(std::make_unique<State>(source)) {}
OnnxReader::OnnxReader(OnnxReader&&) = default;
OnnxReader& OnnxReader::operator=(OnnxReader&&) = default;
OnnxReader::~OnnxReader() = default;

base::Result<bool> OnnxReader::Step() {
  State& state = *state_;
  bool at_end = false;
  switch (state.phase) {
    case Phase::kModel:
      at_end = TRY(state.TakeModelFields());
      break;
    case Phase::kGraph:
      at_end = TRY(state.TakeGraphFields());
      break;
    case Phase::kNodes:
      at_end = TRY(state.RunNodes());
      break;
    case Phase::kHead:
      at_end = TRY(state.CompareHead());
      break;
    case Phase::kDone:
      return true;
  }
  if (at_end) TRY_STATUS(state.Advance());
  return state.phase == Phase::kDone;
}

uint64_t OnnxReader::structure_bytes_read() const { return state_->wire.bytes_read(); }

OnnxModel OnnxReader::Take() {
  CHECK(state_->phase == Phase::kDone);
  return std::move(state_->found.model);
}

base::Result<OnnxModel> ReadOnnx(ByteSource& source) {
  OnnxReader reader(source);
  while (!TRY(reader.Step())) {
  }
  return reader.Take();
}

bool LooksLikeOnnx(ByteSource& source) {
  uint8_t start[9];
  if (source.size() < sizeof(start) || !source.Read(0, start)) return false;
  uint64_t header_size;
  std::memcpy(&header_size, start, 8);
  const bool safetensors = start[8] == '{' && header_size <= source.size() - 8;
  return start[0] == 0x08 && start[1] < 0x80 && start[2] != 0 && !safetensors;
}

}  // namespace gpt2
