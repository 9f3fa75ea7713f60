// For tests only: ONNX files taken apart, changed and put together, and their weights loaded.
#ifndef GPT2IC_GPT2_IMPORT_ONNX_ONNX_TEST_SUPPORT_H_
#define GPT2IC_GPT2_IMPORT_ONNX_ONNX_TEST_SUPPORT_H_

#include <algorithm>
#include <bit>
#include <string>
#include <string_view>
#include <vector>

#include "gpt2/import/onnx/onnx.h"
#include "gpt2/import/onnx/proto.h"
#include "gpt2/test_support.h"

namespace gpt2::onnx {

inline constexpr const char* kTinyFiles[] = {
    "gpt2_nocache_op11.onnx",
    "gpt2_nocache_op14.onnx",
    "gpt2_nocache_op17.onnx",
    "gpt2_kv_op11.onnx",
    "gpt2_kv_op14.onnx",
    "gpt2_kv_op17.onnx",
    "gpt2_nocache_dynamo_op18.onnx",
};

inline std::string TinyOnnx(std::string_view name) {
  return ReadText(base::StrCat(kTinyDir, name));
}

// A protobuf message in the making.
struct Message {
  std::string bytes;

  Message& Raw(uint64_t varint) {
    for (; varint >= 0x80; varint >>= 7) bytes += static_cast<char>(varint | 0x80);
    bytes += static_cast<char>(varint);
    return *this;
  }
  Message& Int(uint64_t field, int64_t value) {
    return Raw(field << 3).Raw(static_cast<uint64_t>(value));
  }
  Message& Float(uint64_t field, float value) {
    Raw(field << 3 | 5);
    bytes.append(reinterpret_cast<const char*>(&value), 4);
    return *this;
  }
  Message& Bytes(uint64_t field, std::string_view value) {
    Raw(field << 3 | 2).Raw(value.size());
    bytes += value;
    return *this;
  }
};

struct EditTensor {
  std::string name;
  Type type = Type::kFloat;
  std::vector<uint64_t> dims;
  std::string bytes;  // raw_data
  std::string external_file;
  bool as_float_data = false;

  std::string Encode() const {
    Message m;
    for (const uint64_t size : dims) m.Int(1, static_cast<int64_t>(size));
    m.Int(2, static_cast<int64_t>(type)).Bytes(8, name);
    if (!external_file.empty()) {
      m.Bytes(13, Message().Bytes(1, "location").Bytes(2, external_file).bytes).Int(14, 1);
    } else {
      m.Bytes(as_float_data ? 4 : 9, bytes);
    }
    return m.bytes;
  }
};

inline std::string Ints64(const std::vector<int64_t>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * 8};
}
inline std::string Floats32(const std::vector<float>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * 4};
}

inline NodeProto Node(const std::string& op_type, std::vector<std::string> input,
                      std::vector<std::string> output, std::vector<AttributeProto> attribute = {}) {
  NodeProto node;
  node.op_type = op_type;
  node.input = std::move(input);
  node.output = std::move(output);
  node.attribute = std::move(attribute);
  return node;
}
inline AttributeProto Attribute(const std::string& name, std::vector<int64_t> ints) {
  AttributeProto attribute;
  attribute.name = name;
  attribute.ints = std::move(ints);
  return attribute;
}

// A graph whose nodes and stored tensors can be changed.
struct EditGraph {
  std::vector<NodeProto> nodes;
  std::vector<EditTensor> tensors;
  std::vector<std::string> inputs, outputs;  // ValueInfoProto
  int64_t opset = 18;

  EditTensor& Tensor(std::string_view name) {
    const auto found = std::ranges::find(tensors, name, &EditTensor::name);
    CHECK(found != tensors.end());
    return *found;
  }
  // The node that makes `output`.
  NodeProto& Maker(std::string_view output) {
    const auto found = std::ranges::find_if(nodes, [&](const NodeProto& n) {
      return std::ranges::find(n.output, output) != n.output.end();
    });
    CHECK(found != nodes.end());
    return *found;
  }

  std::string source;  // the file that it was taken from: constants of nodes lie in it

  std::string EncodeNode(const NodeProto& node) const {
    Message m;
    for (const std::string& name : node.input) m.Bytes(1, name);
    for (const std::string& name : node.output) m.Bytes(2, name);
    m.Bytes(3, node.name).Bytes(4, node.op_type);
    for (const AttributeProto& a : node.attribute) {
      Message attribute;
      attribute.Bytes(1, a.name);
      if (a.f) attribute.Float(2, *a.f);
      if (a.i) attribute.Int(3, *a.i);
      if (!a.s.empty()) attribute.Bytes(4, a.s);
      for (const double f : a.floats) attribute.Float(7, static_cast<float>(f));
      for (const int64_t i : a.ints) attribute.Int(8, i);
      if (a.t) {
        const Range data = a.t->data;
        const std::string bytes = source.substr(data.begin, data.size());
        attribute.Bytes(5, EditTensor{a.t->name, a.t->type, a.t->dims, bytes, "", false}.Encode());
      }
      m.Bytes(5, attribute.bytes);
    }
    if (!node.domain.empty()) m.Bytes(7, node.domain);
    return m.bytes;
  }

  std::string Encode() const {
    Message graph;
    for (const NodeProto& node : nodes) graph.Bytes(1, EncodeNode(node));
    for (const EditTensor& tensor : tensors) graph.Bytes(5, tensor.Encode());
    for (const std::string& input : inputs) graph.Bytes(11, input);
    for (const std::string& output : outputs) graph.Bytes(12, output);
    return Message()
        .Int(1, 8)
        .Bytes(2, "test")
        .Bytes(7, graph.bytes)
        .Bytes(8, Message().Int(2, opset).bytes)
        .bytes;
  }
};

inline EditGraph Taken(const std::string& file) {
  EditGraph edit;
  edit.source = file;
  MemorySource source(file);
  WireReader wire(source);
  Range model{0, file.size()};
  Field field;
  while (wire.Next(model, field).value()) {
    if (field.number == 8) {
      Range opset = field.bytes;
      Field part;
      while (wire.Next(opset, part).value()) {
        if (part.number == 2) edit.opset = static_cast<int64_t>(part.value);
      }
    }
    Range graph = field.bytes;
    Field part;
    while (field.number == 7 && wire.Next(graph, part).value()) {
      const std::string bytes = file.substr(part.bytes.begin, part.bytes.size());
      if (part.number == 1) edit.nodes.push_back(ReadNode(wire, part.bytes).value());
      if (part.number == 11) edit.inputs.push_back(bytes);
      if (part.number == 12) edit.outputs.push_back(bytes);
      if (part.number != 5) continue;
      const TensorProto t = ReadTensor(wire, part.bytes).value();
      edit.tensors.push_back(
          {t.name, t.type, t.dims, file.substr(t.data.begin, t.data.size()), "", false});
    }
  }
  return edit;
}

inline EditGraph TinyGraph() { return Taken(TinyOnnx("gpt2_nocache_dynamo_op18.onnx")); }

// "read", or why not.
inline std::string ErrorOfOnnx(const std::string& file) {
  MemorySource source(file);
  const auto model = ReadOnnx(source);
  return model ? "read" : model.error().message;
}

inline Weights LoadPlan(const OnnxModel& model, ByteSource& source) {
  auto loader = SafetensorsLoader::Open(model.hparams, model.tensors, source).value();
  while (!loader.Step().value()) {
  }
  return loader.Take();
}

}  // namespace gpt2::onnx

#endif  // GPT2IC_GPT2_IMPORT_ONNX_ONNX_TEST_SUPPORT_H_
