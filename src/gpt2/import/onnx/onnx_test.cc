#include "gpt2/import/onnx/onnx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "gpt2/import/json_scanner.h"
#include "gpt2/import/onnx/onnx_test_support.h"
#include "gpt2/packed/packed_test_support.h"
#include "gpt2/sampler/sampler.h"
#include "gpt2/session.h"

namespace gpt2::onnx {
namespace {

using testing::HasSubstr;

OnnxModel ModelOf(const std::string& file) {
  MemorySource source(file);
  auto model = ReadOnnx(source);
  EXPECT_TRUE(model) << (model ? "" : model.error().message);
  return model ? *std::move(model) : OnnxModel{};
}

Weights WeightsOf(const std::string& file) {
  MemorySource source(file);
  return LoadPlan(ModelOf(file), source);
}

bool SameBits(const Tensor& a, const Tensor& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// Name of the first tensor that differs.
std::string Difference(Weights a, Weights b) {
  const auto left = TensorSlots(TinyHparams(), a), right = TensorSlots(TinyHparams(), b);
  for (size_t i = 0; i < left.size(); ++i) {
    if (!SameBits(*left[i].place, *right[i].place)) return left[i].name;
  }
  return a.lm_head.has_value() == b.lm_head.has_value() ? "" : "lm_head.weight";
}

Weights TinyWeights() {
  return LoadWeights(TinyHparams(), ReadText(base::StrCat(kTinyDir, "model.safetensors"))).value();
}

void ExpectTiny(const std::string& file) {
  const Hparams found = ModelOf(file).hparams, expected = TinyHparams();
  EXPECT_EQ(found.n_vocab, expected.n_vocab);
  EXPECT_EQ(found.n_ctx, expected.n_ctx);
  EXPECT_EQ(found.n_embd, expected.n_embd);
  EXPECT_EQ(found.n_head, expected.n_head);
  EXPECT_EQ(found.n_layer, expected.n_layer);
  EXPECT_EQ(found.layer_norm_epsilon, expected.layer_norm_epsilon);
  ASSERT_EQ(found.n_layer, expected.n_layer);
  EXPECT_EQ(Difference(WeightsOf(file), TinyWeights()), "");
}

std::string PackOnnx(const std::string& file, PackedMode mode) {
  MemorySource source(file);
  const OnnxModel model = ModelOf(file);
  MemorySink sink;
  auto packer = Packer::Open(model.hparams, mode, model.tensors, source, sink).value();
  while (!packer.Step().value()) {
  }
  return sink.bytes();
}

std::vector<TokenId> GreedyReference() {
  const std::string json = ReadText(base::StrCat(kTinyDir, "logits.json"));
  JsonScanner scanner(json);
  std::vector<TokenId> ids;
  bool here = false;
  for (auto kind = scanner.Next().value(); kind != JsonScanner::Kind::kEnd;
       kind = scanner.Next().value()) {
    if (kind == JsonScanner::Kind::kKey) here = scanner.text() == "greedy_from_5_6_7";
    if (kind == JsonScanner::Kind::kNumber && here) {
      ids.push_back(static_cast<TokenId>(JsonDouble(scanner.text())));
    }
  }
  return ids;
}

TEST(OnnxTest, EveryExportHasTheWeightsOfSafetensors) {
  for (const char* name : kTinyFiles) {
    SCOPED_TRACE(name);
    const std::string file = TinyOnnx(name);
    ExpectTiny(file);
    const bool kv = std::string_view(name).contains("_kv_");
    EXPECT_EQ(ModelOf(file).graph, kv ? OnnxGraph::kKvCache : OnnxGraph::kNoCache);
    MemorySource source(file);
    EXPECT_TRUE(LooksLikeOnnx(source));
  }
}

TEST(OnnxTest, EveryExportGivesTheGreedyTextOfPyTorch) {
  const auto expected = GreedyReference();
  ASSERT_EQ(expected.size(), 3u + 16u);
  for (const char* name : kTinyFiles) {
    const Model model(TinyHparams(), WeightsOf(TinyOnnx(name)));
    Session session(model);
    std::vector<TokenId> ids = {expected.begin(), expected.begin() + 3};
    ASSERT_TRUE(session.Append(ids));
    while (ids.size() < expected.size()) {
      while (!session.Prefilled()) session.Step();
      ids.push_back(Argmax(session.Logits()));
      ASSERT_TRUE(session.Append({{ids.back()}}));
    }
    EXPECT_EQ(ids, expected) << name;
  }
}

TEST(OnnxTest, PacksToTheSameBytesAsSafetensors) {
  for (const PackedMode mode : {PackedMode::kInt8, PackedMode::kExact}) {
    const std::string expected =
        Pack(ReadText(base::StrCat(kTinyDir, "model.safetensors")), TinyHparams(), mode).value();
    EXPECT_EQ(
        Pack(ReadText(base::StrCat(kTinyDir, "model.noprefix.safetensors")), TinyHparams(), mode)
            .value(),
        expected);
    for (const char* name : kTinyFiles) {
      EXPECT_TRUE(PackOnnx(TinyOnnx(name), mode) == expected) << name;
    }
  }
}

TEST(OnnxTest, TellsOnnxFromOtherFiles) {
  for (const char* name : {"model.safetensors", "config.json"}) {
    MemorySource source(ReadText(base::StrCat(kTinyDir, name)));
    EXPECT_FALSE(LooksLikeOnnx(source)) << name;
  }
  // A safetensors header of 0x1208 bytes begins with the same byte as ONNX.
  MemorySource source(SafetensorsOf("{" + std::string(0x1207, ' '), ""));
  EXPECT_FALSE(LooksLikeOnnx(source));
}

// What is behind the structure is not read: for the real model that is 500 MB.
TEST(OnnxTest, ReadsTheStructureOnly) {
  MemorySource source(TinyOnnx("gpt2_nocache_op14.onnx"));
  OnnxReader reader(source);
  while (!reader.Step().value()) {
  }
  // Two passes over 90 KB of nodes and one window for each of 30 tensors.
  EXPECT_LT(reader.structure_bytes_read(), 300'000u);
}

TEST(OnnxTest, NamesDoNotMatter) {
  EditGraph graph = TinyGraph();
  std::map<std::string, std::string> names;
  const auto rename = [&](std::string& name) {
    if (name.empty()) return;
    const auto [at, added] = names.try_emplace(name, base::StrCat("v", names.size()));
    name = at->second;
  };
  for (NodeProto& node : graph.nodes) {
    node.name = "";
    std::ranges::for_each(node.input, rename);
    std::ranges::for_each(node.output, rename);
  }
  for (EditTensor& tensor : graph.tensors) rename(tensor.name);
  for (std::string& input : graph.inputs) {
    input = Message()
                .Bytes(1, names.at(input.contains("input_ids") ? "input_ids" : "attention_mask"))
                .Bytes(2, Message().Bytes(1, Message().Int(1, 7).bytes).bytes)
                .bytes;
  }
  graph.outputs = {Message().Bytes(1, names.at("next_token")).bytes};
  ExpectTiny(graph.Encode());
}

std::string Transposed(const std::string& bytes, size_t rows, size_t cols) {
  std::string out(bytes.size(), '\0');
  for (size_t i = 0; i < rows * cols; ++i) {
    const size_t at = i % cols * rows + i / cols;
    std::memcpy(out.data() + 4 * at, bytes.data() + 4 * i, 4);
  }
  return out;
}

void Transpose(EditTensor& tensor) {
  tensor.bytes = Transposed(tensor.bytes, tensor.dims[0], tensor.dims[1]);
  std::swap(tensor.dims[0], tensor.dims[1]);
}

TEST(OnnxTest, OrientationDoesNotMatter) {
  EditGraph graph = TinyGraph();
  for (NodeProto& node : graph.nodes) {
    if (node.op_type != "Gemm") continue;
    Transpose(graph.Tensor(node.input[1]));
    std::ranges::find(node.attribute, "transB", &AttributeProto::name)->i = 1;
  }
  ExpectTiny(graph.Encode());
}

// Gemm as MatMul and Add, with the bias first, a transposed copy of the weight, Identity and Cast
// between.
TEST(OnnxTest, LinearLayersInOtherWords) {
  EditGraph graph = TinyGraph();
  std::vector<NodeProto> nodes;
  for (NodeProto& node : graph.nodes) {
    if (node.op_type != "Gemm") {
      nodes.push_back(node);
      continue;
    }
    Transpose(graph.Tensor(node.input[1]));
    const std::string out = node.output[0];
    nodes.push_back(Node("Transpose", {node.input[1]}, {out + "_w"}, {Attribute("perm", {1, 0})}));
    nodes.push_back(Node("Identity", {out + "_w"}, {out + "_i"}));
    nodes.push_back(Node("MatMul", {node.input[0], out + "_i"}, {out + "_p"}));
    nodes.push_back(Node("Cast", {out + "_p"}, {out + "_c"}, {Attribute("to", {})}));
    nodes.back().attribute[0].i = 1;
    nodes.push_back(Node("Add", {node.input[2], out + "_c"}, {out}));
  }
  graph.nodes = nodes;
  ExpectTiny(graph.Encode());
}

TEST(OnnxTest, ReadsFloatDataAndSixteenBits) {
  EditGraph graph = TinyGraph();
  for (EditTensor& tensor : graph.tensors) {
    if (tensor.type == Type::kFloat) tensor.as_float_data = true;
  }
  ExpectTiny(graph.Encode());

  graph = TinyGraph();
  EditTensor& wpe = graph.Tensor("m.transformer.wpe.weight");
  std::string upper;
  for (size_t i = 0; i < wpe.bytes.size(); i += 4) upper += wpe.bytes.substr(i + 2, 2);
  wpe.bytes = upper;
  wpe.type = Type::kBfloat16;
  const Weights weights = WeightsOf(graph.Encode());
  const Weights tiny = TinyWeights();
  for (size_t i = 0; i < weights.wpe.size(); ++i) {
    ASSERT_EQ(std::bit_cast<uint32_t>(weights.wpe.data()[i]),
              std::bit_cast<uint32_t>(tiny.wpe.data()[i]) & 0xffff0000u);
  }
}

// A head that is stored apart is wte only if every number is the same.
TEST(OnnxTest, HeadOfItsOwn) {
  EditGraph graph = Taken(TinyOnnx("gpt2_nocache_op17.onnx"));
  const auto head = std::ranges::find_if(
      graph.tensors, [](const EditTensor& t) { return t.name.starts_with("onnx::MatMul"); });
  ASSERT_NE(head, graph.tensors.end());
  ExpectTiny(graph.Encode());
  head->bytes.back() ^= 1;
  const std::string file = graph.Encode();
  EXPECT_EQ(ModelOf(file).tensors.size(), 29u);
  const Weights weights = WeightsOf(file), tiny = TinyWeights();
  ASSERT_TRUE(weights.lm_head.has_value());
  size_t different = 0;
  for (size_t i = 0; i < tiny.wte.size(); ++i) {
    different += weights.lm_head->data()[i] != tiny.wte.data()[i];
  }
  EXPECT_EQ(different, 1u);
  EXPECT_NE(weights.lm_head->values().back(), tiny.wte.values().back());
}

TEST(OnnxTest, BiasThatWasDroppedIsZero) {
  EditGraph graph = TinyGraph();
  for (NodeProto& node : graph.nodes) {
    if (node.op_type == "Gemm") node.input.resize(2);
  }
  const Weights weights = WeightsOf(graph.Encode());
  EXPECT_THAT(weights.h[1].mlp.c_fc.b.values(), testing::Each(0.0f));
  EXPECT_TRUE(SameBits(weights.h[1].mlp.c_fc.w, TinyWeights().h[1].mlp.c_fc.w));
}

TEST(OnnxTest, FunctionsAreFollowed) {
  // Every Tanh is a call of a function that calls another.
  EditGraph graph = TinyGraph();
  for (NodeProto& node : graph.nodes) {
    if (node.op_type != "Tanh") continue;
    node.op_type = "Outer";
    node.domain = "own";
  }
  const auto function = [&](const std::string& name, const std::string& calls,
                            const std::string& domain) {
    NodeProto body = Node(calls, {"x"}, {"y"});
    body.domain = domain;
    return Message()
        .Bytes(1, name)
        .Bytes(4, "x")
        .Bytes(5, "y")
        .Bytes(7, graph.EncodeNode(body))
        .Bytes(10, "own")
        .bytes;
  };
  const std::string file = graph.Encode();
  ExpectTiny(file + Message().Bytes(25, function("Outer", "Inner", "own")).bytes +
             Message().Bytes(25, function("Inner", "Tanh", "")).bytes);
  EXPECT_THAT(ErrorOfOnnx(file),
              HasSubstr("(Outer) is of the domain own, which is not known here"));
  EXPECT_THAT(ErrorOfOnnx(file + Message().Bytes(25, function("Outer", "Outer", "own")).bytes),
              HasSubstr("functions call each other more than 16 deep"));
}

}  // namespace
}  // namespace gpt2::onnx
