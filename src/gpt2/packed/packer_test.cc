#include "gpt2/packed/packer.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "base/hex.h"
#include "base/sha256.h"
#include "gpt2/packed/packed_session.h"
#include "gpt2/packed/packed_test_support.h"

namespace gpt2 {
namespace {

constexpr Hparams kOdd{.n_vocab = 53, .n_ctx = 40, .n_embd = 21, .n_head = 3, .n_layer = 2};

std::string Tiny() { return ReadText(std::string(kTinyDir) + "model.safetensors"); }

// The quantised weight as a number, by the rules of docs/packed-model.md alone.
double WeightAt(const std::string& packed, const PackedMatrixPlace& place, PackedMode mode,
                uint64_t row, uint64_t in) {
  const uint64_t at = row / 4 * 4 * place.n_in_padded() + in / 2 * 8 + row % 4 * 2 + in % 2;
  float scale;
  std::memcpy(&scale, packed.data() + place.scale + 4 * row, 4);
  if (mode == PackedMode::kInt8) return static_cast<int8_t>(packed[place.weights + at]) * scale;
  int16_t steps;
  std::memcpy(&steps, packed.data() + place.weights + 2 * at, 2);
  return steps * scale;
}

void ExpectNear(const std::string& packed, const PackedMatrixPlace& place, PackedMode mode,
                const Tensor& tensor, MatrixOrder order) {
  for (uint64_t row = 0; row < place.n_out; ++row) {
    double largest = 0;
    const auto value = [&](uint64_t in) {
      return tensor.data()[order == MatrixOrder::kInputsFirst ? in * place.n_out + row
                                                              : row * place.n_in + in];
    };
    for (uint64_t in = 0; in < place.n_in; ++in) {
      largest = std::max(largest, std::abs(double{value(in)}));
    }
    for (uint64_t in = 0; in < place.n_in; ++in) {
      ASSERT_NEAR(WeightAt(packed, place, mode, row, in), value(in),
                  largest / WeightSteps(mode) * 0.501);
    }
  }
}

TEST(PackerTest, EveryWeightIsWithinHalfAStep) {
  for (const Hparams& hparams : {kOdd, TinyHparams()}) {
    const std::string file = RandomSafetensors({hparams, 3, true});
    const Weights weights = LoadWeights(hparams, file).value();
    for (const PackedMode mode : {PackedMode::kInt8, PackedMode::kExact}) {
      const std::string packed = Pack(file, hparams, mode).value();
      const PackedLayout layout({hparams, mode, false});
      ASSERT_EQ(packed.size(), layout.file_bytes);
      ExpectNear(packed, layout.wte, mode, weights.wte, MatrixOrder::kOutputsFirst);
      for (size_t i = 0; i < layout.h.size(); ++i) {
        const Block& block = weights.h[i];
        const auto order = MatrixOrder::kInputsFirst;
        ExpectNear(packed, layout.h[i].c_attn, mode, block.attn.c_attn.w, order);
        ExpectNear(packed, layout.h[i].mlp_c_proj, mode, block.mlp.c_proj.w, order);
      }
    }
  }
}

// The format itself: whoever changes these bytes changes the identity of every model.
TEST(PackerTest, BytesArePinned) {
  const auto digest = [](const Hparams& hparams, PackedMode mode) {
    const std::string packed = Pack(RandomSafetensors({hparams, 1, false}), hparams, mode).value();
    return base::ToHex(base::Sha256Of(base::AsBytes(packed))).substr(0, 16);
  };
  EXPECT_EQ(digest(kOdd, PackedMode::kInt8), "24faaaab668b05e4");
  EXPECT_EQ(digest(kOdd, PackedMode::kExact), "0aaa9ff0bbbf715d");
  EXPECT_EQ(digest(TinyHparams(), PackedMode::kInt8), "e999f5da47feba4e");
}

TEST(PackerTest, TheSameWeightsGiveTheSameBytes) {
  const std::string packed = Pack(Tiny(), TinyHparams(), PackedMode::kInt8).value();
  const std::string bare = ReadText(std::string(kTinyDir) + "model.noprefix.safetensors");
  EXPECT_EQ(Pack(bare, TinyHparams(), PackedMode::kInt8).value(), packed);
  auto tensors = TinyTensors();
  std::ranges::reverse(tensors);
  EXPECT_EQ(Pack(SafetensorsOf(tensors), TinyHparams(), PackedMode::kInt8).value(), packed);
}

TEST(PackerTest, SeparateHeadIsKept) {
  auto tensors = TinyTensors();
  FileTensor head = *std::ranges::find(tensors, "transformer.wte.weight", &FileTensor::name);
  head.name = "lm_head.weight";
  std::ranges::fill(head.bytes, '\0');
  tensors.push_back(head);
  const PackedModel model = PackedOf(SafetensorsOf(tensors), TinyHparams(), PackedMode::kInt8);
  EXPECT_TRUE(model.header().separate_head);
  PackedSession session(model);
  ASSERT_TRUE(session.Append({{5, 6, 7}}));
  while (!session.Prefilled()) session.Step();
  for (const float logit : session.Logits()) EXPECT_EQ(logit, 0.0f);
}

TEST(PackerTest, AHeadThatIsWteOnceMoreIsDropped) {
  const std::string packed = Pack(Tiny(), TinyHparams(), PackedMode::kInt8).value();
  auto tensors = TinyTensors();
  FileTensor head = *std::ranges::find(tensors, "transformer.wte.weight", &FileTensor::name);
  head.name = "lm_head.weight";
  tensors.push_back(head);
  EXPECT_EQ(Pack(SafetensorsOf(tensors), TinyHparams(), PackedMode::kInt8).value(), packed);
  // One bit of the last number makes it another one.
  tensors.back().bytes.end()[-2] ^= 1;
  EXPECT_NE(Pack(SafetensorsOf(tensors), TinyHparams(), PackedMode::kInt8)->size(), packed.size());
}

TEST(PackerTest, RefusesWeightsThatAreNoNumbersByName) {
  for (const float bad : {NAN, INFINITY, -2e4f}) {
    for (const char* name : {"transformer.wte.weight", "transformer.h.1.mlp.c_fc.weight",
                             "transformer.h.0.ln_2.bias", "transformer.h.0.attn.c_attn.bias"}) {
      auto tensors = TinyTensors();
      FileTensor& tensor = *std::ranges::find(tensors, name, &FileTensor::name);
      std::memcpy(tensor.bytes.data() + tensor.bytes.size() - 4, &bad, 4);
      const auto packed = Pack(SafetensorsOf(tensors), TinyHparams(), PackedMode::kInt8);
      ASSERT_FALSE(packed) << name;
      EXPECT_EQ(packed.error().message,
                base::StrCat("tensor ", std::string_view(name).substr(kPrefix.size()),
                             " holds a weight that is NaN or above 10000 in magnitude"));
    }
  }
}

TEST(PackedModelTest, RefusesWhatIsNoPackedModel) {
  const std::string good = Pack(Tiny(), TinyHparams(), PackedMode::kInt8).value();
  ASSERT_TRUE(LoadPacked(good));
  const auto message = [](std::string bytes) {
    const auto model = LoadPacked(bytes);
    return model ? "accepted" : model.error().message;
  };
  const auto with = [&](size_t at, uint32_t value) {
    std::string bytes = good;
    std::memcpy(bytes.data() + at, &value, 4);
    return bytes;
  };
  EXPECT_EQ(message(""),
            "not a packed model: it does not begin with \"gpt2pack\" and a header of "
            "64 bytes");
  EXPECT_EQ(message(with(8, 2)), "packed model of version 2, expected 1");
  EXPECT_EQ(message(with(12, 7)), "packed model of mode 7, expected 0 or 1");
  EXPECT_EQ(message(with(32, 0)), "n_layer is 0, expected 1 to 1024");
  EXPECT_EQ(message(with(20, 1 << 17)),
            "n_ctx is 131072, expected at most 65536 in a packed model");
  const std::string unfit = "the header of the packed model does not fit its own hyperparameters";
  EXPECT_EQ(message(with(32, 3)), unfit);
  EXPECT_EQ(message(with(60, 1)), unfit);
  EXPECT_EQ(message(good + "x"), base::StrCat("the packed model has ", good.size() + 1,
                                              " bytes, expected ", good.size()));
  const std::string no_number =
      "the packed model holds a float that is NaN or above 10000 in magnitude";
  EXPECT_EQ(message(with(64, 0x7fc00000)), no_number);
  const PackedLayout layout({TinyHparams(), PackedMode::kInt8, false});
  EXPECT_EQ(message(with(layout.wte.scale, 0xff800000)), no_number);
}

}  // namespace
}  // namespace gpt2
