#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "gpt2/import/onnx/onnx_test_support.h"

// Files that are not valid, and graphs that are not GPT-2's.
namespace gpt2::onnx {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// What reading the tiny graph says after a change.
template <class Change>
std::string ErrorAfter(Change change) {
  EditGraph graph = TinyGraph();
  change(graph);
  return ErrorOfOnnx(graph.Encode());
}

TEST(OnnxRefuseTest, SaysWhichActivationFunctionItFound) {
  // x/2 * (1 + tanh(..)): the inner part is replaced.
  EXPECT_EQ(ErrorAfter([](EditGraph& g) {
              g.tensors.push_back({"root", Type::kFloat, {}, Floats32({0.70710678f}), "", false});
              g.Maker("mul_15").input = {"view_10", "root"};
              g.Maker("tanh").op_type = "Erf";
            }),
            "not a GPT-2: h.0.mlp: the activation function is gelu with erf, expected gelu_new "
            "(with tanh)");
  EXPECT_EQ(
      ErrorAfter([](EditGraph& g) { g.Maker("mul_33") = Node("Relu", {"view_21"}, {"mul_33"}); }),
      "not a GPT-2: h.1.mlp: the activation function is relu, expected gelu_new (with tanh)");
  EXPECT_THAT(ErrorAfter([](EditGraph& g) {
                g.Maker("mul_33") = Node("HardSwish", {"view_21"}, {"mul_33"});
              }),
              HasSubstr("node mul_33 (HardSwish) takes the output of a linear layer, which GPT-2 "
                        "does not"));
  EXPECT_EQ(
      ErrorAfter([](EditGraph& g) { g.Maker("mul_16") = Node("Gelu", {"view_10"}, {"mul_16"}); }),
      "not a GPT-2: h.0.mlp: the activation function is gelu with erf, expected gelu_new "
      "(with tanh)");
  EXPECT_EQ(ErrorAfter([](EditGraph& g) {
              g.Maker("mul_16") =
                  Node("Gelu", {"view_10"}, {"mul_16"}, {Attribute("approximate", {})});
              g.Maker("mul_16").attribute[0].s = "tanh";
            }),
            "read");
}

TEST(OnnxRefuseTest, ChecksHeadsAndTheirScale) {
  EXPECT_EQ(ErrorAfter([](EditGraph& g) { g.Tensor("val_195").bytes = Ints64({1, -1, 3, 21}); }),
            "not a GPT-2: h.0.attn has 3 heads of 21, expected n_head that divides n_embd 64");
  EXPECT_EQ(ErrorAfter([](EditGraph& g) { g.Tensor("val_79").bytes = Floats32({0.125f}); }),
            "not a GPT-2: h.0.attn does not divide its scores by the square root of head_dim 16");
  EXPECT_THAT(ErrorAfter([](EditGraph& g) {
                g.Maker("mul_17").op_type = "Add";
                g.Tensor("val_79").bytes = Floats32({0.f});
              }),
              StartsWith("not a GPT-2: h.0.attn does not divide its scores"));
}

TEST(OnnxRefuseTest, ChecksWhatFlowsWhere) {
  EXPECT_EQ(ErrorAfter([](EditGraph& g) { g.Maker("add_4").input[1] = "zeros"; }),
            "not a GPT-2: h.0.attn has no mask that hides later positions");
  EXPECT_EQ(ErrorAfter([](EditGraph& g) { g.Maker("layer_norm_1").input[0] = "add_1"; }),
            "not a GPT-2: h.0.ln_2 does not take the residual stream after attention");
  EXPECT_THAT(ErrorAfter([](EditGraph& g) { g.Maker("view_2").input[0] = "add_1"; }),
              HasSubstr("(Split) splits the output of a linear layer, expected queries"));
  EXPECT_THAT(ErrorAfter([](EditGraph& g) {
                std::swap(g.Maker("matmul").input[0], g.Maker("matmul").input[1]);
              }),
              HasSubstr("(MatMul) multiplies queries, keys or values by queries, keys or values"));
  EXPECT_THAT(ErrorAfter([](EditGraph& g) { g.Maker("matmul_1").input[1] = "transpose_3"; }),
              HasSubstr("(MatMul) multiplies attention probabilities by queries, keys or values"));
  EXPECT_THAT(ErrorAfter([](EditGraph& g) { g.Maker("add_5").input[1] = "embedding"; }),
              HasSubstr("(Add) takes the output of a linear layer and the token embedding"));
  EXPECT_THAT(ErrorAfter([](EditGraph& g) { g.Maker("view_24").input[0] = "add_13"; }),
              HasSubstr("no output is the next token or the logits after ln_f"));
  EXPECT_THAT(ErrorAfter([](EditGraph& g) { g.Maker("select").input[1] = "val_7"; }),
              HasSubstr("picks a part of the output of a linear layer that is not its last"));
  EXPECT_THAT(ErrorAfter([](EditGraph& g) { g.Maker("softmax").attribute[0].i = 1; }),
              HasSubstr("expected attention scores over the last axis"));
  EXPECT_THAT(ErrorAfter([](EditGraph& g) { g.Maker("arange").input[0] = "val_9"; }),
              HasSubstr("by numbers that are neither the token ids nor the positions"));
  EXPECT_THAT(ErrorAfter([](EditGraph& g) {
                auto& attributes = g.Maker("layer_norm_2").attribute;
                std::ranges::find(attributes, "epsilon", &AttributeProto::name)->f = 1e-6f;
              }),
              HasSubstr("h.1.ln_1 has another epsilon than ln_f"));
}

TEST(OnnxRefuseTest, ChecksShapesAndStorage) {
  const std::string c_fc = "m.transformer.h.0.mlp.c_fc.weight";
  EXPECT_THAT(ErrorAfter([&](EditGraph& g) { g.Tensor(c_fc).dims = {32, 256}; }),
              HasSubstr("multiplies rows of 64 by tensor m.transformer.h.0.mlp.c_fc.weight, which "
                        "takes 32"));
  EXPECT_EQ(ErrorAfter([](EditGraph& g) {
              EditTensor& wpe = g.Tensor("m.transformer.wpe.weight");
              wpe.dims = {256, 32};
            }),
            "not a GPT-2: tensor wpe.weight (in the file m.transformer.wpe.weight): shape is "
            "[256, 32], expected [256, 64]");
  EXPECT_EQ(ErrorAfter([&](EditGraph& g) { g.Tensor(c_fc).bytes.resize(8); }),
            "ONNX: tensor h.0.mlp.c_fc.weight (in the file m.transformer.h.0.mlp.c_fc.weight) has "
            "8 bytes, expected 65536");
  EXPECT_EQ(ErrorAfter([&](EditGraph& g) { g.Tensor(c_fc).external_file = "model.onnx.data"; }),
            "ONNX: tensor m.transformer.h.0.mlp.c_fc.weight is stored in another file, "
            "model.onnx.data; export the model into one file (external_data=False)");
  EXPECT_THAT(ErrorAfter([&](EditGraph& g) { g.Tensor(c_fc).type = Type::kDouble; }),
              HasSubstr("is float64, expected float32, float16 or bfloat16"));
  EXPECT_NE(ErrorAfter([&](EditGraph& g) { g.Tensor(c_fc).dims = {1ull << 40, 1ull << 40}; }),
            "read");
  EXPECT_NE(ErrorAfter([&](EditGraph& g) { g.Tensor(c_fc).dims = {1ull << 63}; }), "read");
  EXPECT_NE(ErrorAfter([&](EditGraph& g) { g.Tensor(c_fc).dims.assign(9, 1); }), "read");
}

TEST(OnnxRefuseTest, ChecksTheOrderAndTheNamesOfNodes) {
  // A cycle, or an order that runs against the arrows: ONNX allows neither.
  EXPECT_EQ(ErrorAfter([](EditGraph& g) { g.Maker("add_1").input[0] = "add_13"; }),
            "ONNX: node node_add_1 (Add) takes add_13, which nothing before it makes");
  EXPECT_THAT(ErrorAfter([](EditGraph& g) { g.nodes.push_back(g.nodes.back()); }),
              HasSubstr("two tensors or nodes are named next_token"));
  EXPECT_THAT(ErrorAfter([](EditGraph& g) { g.tensors.push_back(g.tensors[3]); }),
              HasSubstr("two tensors or nodes are named"));
  EXPECT_EQ(ErrorAfter([](EditGraph& g) { g.outputs = {Message().Bytes(1, "nothing").bytes}; }),
            "ONNX: output nothing is made by no node");
  EXPECT_EQ(ErrorAfter([](EditGraph& g) { g.outputs.clear(); }), "ONNX: the graph has no output");
}

TEST(OnnxRefuseTest, BoundsTheGraph) {
  Message graph;
  for (int i = 0; i < 1'000'000; ++i) graph.Bytes(1, "");
  EXPECT_EQ(ErrorOfOnnx(Message().Bytes(8, Message().Int(2, 17).bytes).Bytes(7, graph.bytes).bytes),
            "ONNX: the graph has more than 100000 nodes");
  EditGraph wide;
  for (int i = 0; i < 99'000; ++i) {
    const std::string name = base::StrCat("node", i);
    wide.nodes.push_back(Node("Range", {}, {name, name + "b", name + "c"}));
  }
  EXPECT_THAT(ErrorOfOnnx(wide.Encode()), HasSubstr("more than 200000 values"));
  Message fields;
  for (uint64_t i = 0; i <= WireReader::kFieldsMax; ++i) fields.bytes.append("\x08\x01", 2);
  EXPECT_EQ(ErrorOfOnnx(fields.bytes), "ONNX: the file has more than 16000000 fields");
}

TEST(OnnxRefuseTest, BrokenWireFormat) {
  EXPECT_EQ(ErrorOfOnnx(""), "ONNX: the file has no graph");
  EXPECT_EQ(ErrorOfOnnx("\x08"), "ONNX: a number at byte 1 is cut off");
  EXPECT_EQ(ErrorOfOnnx("\x08" + std::string(10, '\xff') + "\x01"),
            "ONNX: the number at byte 10 has more than 64 bits");
  EXPECT_EQ(ErrorOfOnnx("\x08" + std::string(9, '\xff') + "\x02"),
            "ONNX: the number at byte 10 has more than 64 bits");
  EXPECT_EQ(ErrorOfOnnx("\x0b"), "ONNX: wire type 3 at byte 0, expected 0, 1, 2 or 5");
  EXPECT_EQ(ErrorOfOnnx("\x0c"), "ONNX: wire type 4 at byte 0, expected 0, 1, 2 or 5");
  EXPECT_EQ(ErrorOfOnnx(std::string("\x00\x00", 2)),
            "ONNX: field number 0 at byte 0, expected 1 to 536870911");
  EXPECT_EQ(ErrorOfOnnx("\x3a\x05z"), "ONNX: field 7 at byte 0 claims 5 bytes, but only 1 follow");
  EXPECT_EQ(ErrorOfOnnx("\x09\x01\x02"), "ONNX: 2 bytes are left at byte 1, expected 8");
  EXPECT_EQ(ErrorOfOnnx("\x3a" + std::string(9, '\xff') + "\x01"),
            "ONNX: field 7 at byte 0 claims 18446744073709551615 bytes, but only 0 follow");
}

// A file without its last nodes is not a model, wherever it ends.
TEST(OnnxRefuseTest, EveryNodeIsNeeded) {
  EditGraph graph = TinyGraph();
  while (!graph.nodes.empty()) {
    graph.nodes.pop_back();
    ASSERT_NE(ErrorOfOnnx(graph.Encode()), "read") << graph.nodes.size();
  }
}

TEST(OnnxRefuseTest, TruncatedFilesAndLyingLengths) {
  const std::string file = ReadText("tests/corpus/onnx_fuzz/dynamo_nocache");
  ASSERT_EQ(ErrorOfOnnx(file), "read");
  for (size_t size = 0; size < file.size(); ++size) {
    ASSERT_NE(ErrorOfOnnx(file.substr(0, size)), "read") << size;
  }
  // Any single byte may be anything: what is still accepted lies in the file.
  for (size_t at = 0; at < file.size(); ++at) {
    std::string changed = file;
    changed[at] = static_cast<char>(changed[at] + 1 + at % 200);
    MemorySource source(changed);
    const auto model = ReadOnnx(source);
    if (!model) continue;
    for (const PlannedTensor& t : model->tensors) {
      ASSERT_LE(t.offset + t.count * t.bytes_each(), file.size()) << at;
    }
  }
}

}  // namespace
}  // namespace gpt2::onnx
