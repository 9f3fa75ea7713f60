#include "gpt2/import/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "gpt2/test_support.h"

namespace gpt2 {
namespace {

using std::string_literals::operator""s;
using testing::HasSubstr;

std::string ErrorOf(const std::string& file) {
  const auto weights = LoadWeights(TinyHparams(), file);
  return weights ? "loaded" : weights.error().message;
}

// The tiny model's file with one tensor changed.
template <class Change>
std::string Changed(std::string_view name, Change change) {
  auto tensors = TinyTensors();
  change(*std::ranges::find(tensors, name, &FileTensor::name));
  return SafetensorsOf(tensors);
}

constexpr std::string_view kSome = "transformer.h.0.attn.c_attn.bias";  // F32 [192], the first
constexpr std::string_view kOther = "transformer.ln_f.weight";

std::vector<float> AllFloats(const Weights& weights) {
  std::vector<float> all;
  const auto add = [&](const Tensor& t) {
    all.insert(all.end(), t.values().begin(), t.values().end());
  };
  add(weights.wte), add(weights.wpe), add(weights.ln_f.w), add(weights.ln_f.b);
  for (const Block& b : weights.h) {
    for (const Norm* n : {&b.ln_1, &b.ln_2}) add(n->w), add(n->b);
    for (const Linear* l : {&b.attn.c_attn, &b.attn.c_proj, &b.mlp.c_fc, &b.mlp.c_proj}) {
      add(l->w), add(l->b);
    }
  }
  return all;
}

float FloatAt(const std::string& bytes, size_t i) {
  float value;
  std::memcpy(&value, bytes.data() + 4 * i, 4);
  return value;
}

// Every F32 tensor as its upper halves (BF16, rounding down), or as F16 by `half`.
template <class ToHalf>
std::string Halved(const std::string& dtype, ToHalf half) {
  auto tensors = TinyTensors();
  for (FileTensor& t : tensors) {
    std::string halves;
    for (size_t i = 0; i < t.bytes.size() / 4; ++i) {
      const uint16_t value = half(FloatAt(t.bytes, i));
      halves.append(reinterpret_cast<const char*>(&value), 2);
    }
    t.dtype = dtype;
    t.bytes = halves;
  }
  return SafetensorsOf(tensors);
}

uint16_t ToHalf(float value) { return std::bit_cast<uint16_t>(static_cast<_Float16>(value)); }
uint16_t ToBf16(float value) { return static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16); }

TEST(LoaderTest, BothFormsOfNamesAreTheSame) {
  const std::string dir = kTinyDir;
  const auto with = LoadWeights(TinyHparams(), ReadText(dir + "model.safetensors"));
  const auto without = LoadWeights(TinyHparams(), ReadText(dir + "model.noprefix.safetensors"));
  EXPECT_EQ(AllFloats(*with), AllFloats(*without));
  EXPECT_FALSE(with->lm_head);
}

TEST(LoaderTest, EveryHalfIsConvertedExactly) {
  std::vector<uint16_t> halves(65536);
  for (uint32_t i = 0; i < 65536; ++i) halves[i] = static_cast<uint16_t>(i);
  const base::ByteSpan bytes{reinterpret_cast<const uint8_t*>(halves.data()), 2 * halves.size()};
  std::vector<float> out(65536);
  DecodeFloats(bytes, Dtype::kF16, out);
  for (uint32_t i = 0; i < 65536; ++i) {
    const auto expected = static_cast<float>(std::bit_cast<_Float16>(halves[i]));
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(out[i])) << i;
    } else {
      EXPECT_EQ(std::bit_cast<uint32_t>(out[i]), std::bit_cast<uint32_t>(expected)) << i;
    }
  }
  DecodeFloats(bytes, Dtype::kBf16, out);
  for (uint32_t i = 0; i < 65536; ++i) EXPECT_EQ(std::bit_cast<uint32_t>(out[i]), i << 16);
}

TEST(LoaderTest, HalfPrecisionFilesLoad) {
  const auto full = AllFloats(*LoadWeights(TinyHparams(), SafetensorsOf(TinyTensors())));
  const auto f16 = LoadWeights(TinyHparams(), Halved("F16", ToHalf));
  const auto bf16 = LoadWeights(TinyHparams(), Halved("BF16", ToBf16));
  ASSERT_TRUE(f16 && bf16);
  const auto f16_all = AllFloats(*f16), bf16_all = AllFloats(*bf16);
  for (size_t i = 0; i < full.size(); ++i) {
    ASSERT_EQ(f16_all[i], static_cast<float>(static_cast<_Float16>(full[i])));
    ASSERT_EQ(std::bit_cast<uint32_t>(bf16_all[i]), std::bit_cast<uint32_t>(full[i]) & 0xffff0000);
  }
}

TEST(LoaderTest, MaskBuffersOfAnyDtypeAreSkipped) {
  auto tensors = TinyTensors();
  const auto plain = AllFloats(*LoadWeights(TinyHparams(), SafetensorsOf(tensors)));
  const std::string mask(128 * 128, '\1');
  tensors.insert(tensors.begin(), {"transformer.h.0.attn.bias", "BOOL", {1, 1, 128, 128}, mask});
  tensors.push_back({"h.1.attn.bias", "U8", {1, 1, 128, 128}, mask});
  tensors.push_back({"transformer.h.0.attn.masked_bias", "F32", {}, "\0\0\0\xff"s});
  tensors.push_back({"h.1.attn.masked_bias", "X9", {}, "abc"});
  const auto weights = LoadWeights(TinyHparams(), SafetensorsOf(tensors));
  ASSERT_TRUE(weights) << weights.error().message;
  EXPECT_EQ(AllFloats(*weights), plain);
}

TEST(LoaderTest, LooksAtNothingButTheHeaderWhenOpened) {
  MemorySource source(SafetensorsOf(TinyTensors()));
  auto loader = SafetensorsLoader::Open(TinyHparams(), source);
  ASSERT_TRUE(loader);
  EXPECT_EQ(loader->bytes_done(), 0u);
  uint8_t size[8];
  ASSERT_TRUE(source.Read(0, size));
  EXPECT_EQ(loader->bytes_total(), source.size() - 8 - (size[0] | size[1] << 8));
}

// One tensor larger than a step, of 2 bytes a number, with an odd count of them.
TEST(LoaderTest, AStepIsBounded) {
  const Hparams hparams{.n_vocab = 9000001, .n_ctx = 1, .n_embd = 1, .n_head = 1, .n_layer = 1};
  Weights weights;
  std::vector<FileTensor> tensors;
  for (const TensorSlot& slot : TensorSlots(hparams, weights)) {
    std::string bytes(slot.count() * 2, '\0');
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i % 251 % 120);
    tensors.push_back({slot.name, "BF16", slot.shape, bytes});
  }
  MemorySource source(SafetensorsOf(tensors));
  auto loader = SafetensorsLoader::Open(hparams, source);
  ASSERT_TRUE(loader);
  int steps = 0;
  for (bool done = false; !done; ++steps) {
    const uint64_t before = loader->bytes_done();
    done = loader->Step().value();
    EXPECT_LE(loader->bytes_done() - before, SafetensorsLoader::kStepBytesMax);
    EXPECT_GT(loader->bytes_done(), before);
  }
  EXPECT_EQ(steps, 3);
  const Weights loaded = loader->Take();
  for (size_t i = 0; i < loaded.wte.size(); i += 101) {
    uint16_t raw;
    std::memcpy(&raw, tensors[0].bytes.data() + 2 * i, 2);
    ASSERT_EQ(std::bit_cast<uint32_t>(loaded.wte.data()[i]), uint32_t{raw} << 16);
  }
}

TEST(LoaderTest, RefusesTruncatedFiles) {
  const std::string file = SafetensorsOf(TinyTensors());
  for (const size_t size : {0, 1, 7, 8, 9, 1000, 2575, 2576, 3000, 500000}) {
    EXPECT_NE(ErrorOf(file.substr(0, size)), "loaded") << size;
  }
  EXPECT_NE(ErrorOf(file.substr(0, file.size() - 1)), "loaded");
  EXPECT_EQ(ErrorOf(""), "file has 0 bytes, expected at least the 8 of a header size");
  EXPECT_EQ(ErrorOf(std::string(8, '\0') + "{}"), "header: JSON ends at byte 0, expected a value");
  EXPECT_EQ(ErrorOf("\x05\0\0\0\0\0\0\0{}"s), "header size is 5, but only 2 bytes follow");
  EXPECT_EQ(ErrorOf(std::string(8, '\xff')),
            "header size is 18446744073709551615, expected at most 16777216");
}

TEST(LoaderTest, RefusesWrongDtypeAndShape) {
  EXPECT_EQ(ErrorOf(Changed(kSome, [](FileTensor& t) { t.dtype = "I32"; })),
            "tensor transformer.h.0.attn.c_attn.bias: dtype is I32, expected F32, F16 or BF16");
  EXPECT_EQ(ErrorOf(Changed(kSome, [](FileTensor& t) { t.dtype = "F8\n"; })),
            "header: JSON has '\\0a' at byte 48, expected no control character in a string");
  EXPECT_EQ(ErrorOf(Changed(kSome, [](FileTensor& t) { t.shape = {2, 96}; })),
            "tensor transformer.h.0.attn.c_attn.bias: shape is [2, 96], expected [192]");
  EXPECT_EQ(ErrorOf(Changed(kSome, [](FileTensor& t) { t.dtype = "F16"; })),
            "tensor transformer.h.0.attn.c_attn.bias: data_offsets hold 768 bytes, expected 384 "
            "for F16 [192]");
}

TEST(LoaderTest, RefusesMissingDoubledAndUnknownTensors) {
  auto tensors = TinyTensors();
  tensors.erase(std::ranges::find(tensors, kOther, &FileTensor::name));
  EXPECT_EQ(ErrorOf(SafetensorsOf(tensors)),
            "tensor ln_f.weight is missing, expected 28 tensors of these hyperparameters");
  tensors = TinyTensors();
  tensors.push_back(tensors[3]);
  EXPECT_EQ(ErrorOf(SafetensorsOf(tensors)), "tensor " + tensors[3].name + " is there twice");
  tensors.back().name = tensors[3].name.substr(12);
  EXPECT_EQ(ErrorOf(SafetensorsOf(tensors)), "tensor " + tensors.back().name +
                                                 " is there twice, with and without "
                                                 "\"transformer.\"");
  tensors.back().name = "transformer.h.2.ln_1.bias";
  EXPECT_EQ(ErrorOf(SafetensorsOf(tensors)),
            "tensor transformer.h.2.ln_1.bias is not one of a GPT-2 with n_layer 2");
  for (const char* name :
       {"transformer.lm_head.weight", "score.weight", "h..attn.bias", "h.0.attn.biased"}) {
    tensors.back().name = name;
    EXPECT_THAT(ErrorOf(SafetensorsOf(tensors)), HasSubstr("is not one of a GPT-2")) << name;
  }
}

// A header with one tensor and 64 bytes of data.
std::string OneTensor(const std::string& fields) {
  return ErrorOf(SafetensorsOf("{\"t\":{" + fields + "}}", std::string(64, '\0')));
}

TEST(LoaderTest, RefusesLyingOffsets) {
  EXPECT_EQ(OneTensor(R"("dtype":"F32","shape":[16],"data_offsets":[4,68])"),
            "tensor t: data_offsets are [4, 68], expected a range within the 64 bytes of data");
  EXPECT_EQ(OneTensor(R"("dtype":"F32","shape":[16],"data_offsets":[64,0])"),
            "tensor t: data_offsets are [64, 0], expected a range within the 64 bytes of data");
  EXPECT_EQ(
      OneTensor(
          R"("dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,18446744073709551615])"),
      "tensor t: data_offsets are [18446744073709551612, 18446744073709551615], expected a "
      "range within the 64 bytes of data");
  EXPECT_EQ(
      OneTensor(R"("dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551616])"),
      "header: tensor t: data_offsets is 18446744073709551616, expected an integer below 2^64");
  EXPECT_EQ(OneTensor(R"("dtype":"F32","shape":[1],"data_offsets":[-4,0])"),
            "header: tensor t: data_offsets is -4, expected an integer below 2^64");
  EXPECT_EQ(OneTensor(R"("dtype":"F32","shape":[1],"data_offsets":[0])"),
            "header: tensor t: data_offsets has 1 numbers, expected 2");
  EXPECT_EQ(ErrorOf(SafetensorsOf(R"({"a":{"dtype":"U8","shape":[40],"data_offsets":[0,40]},)"
                                  R"("b":{"dtype":"U8","shape":[25],"data_offsets":[39,64]}})",
                                  std::string(64, '\0'))),
            "tensor b at byte 157 overlaps tensor a, which ends at byte 158");
}

TEST(LoaderTest, RefusesShapesThatOverflow) {
  // 2^30 numbers of 4 bytes are 2^32, 2^62 of them 2^64: neither may wrap to the 0 bytes it claims.
  EXPECT_EQ(OneTensor(R"("dtype":"F32","shape":[1073741824],"data_offsets":[0,0])"),
            "tensor t: data_offsets hold 0 bytes, expected 4294967296 for F32 [1073741824]");
  EXPECT_EQ(OneTensor(R"("dtype":"F32","shape":[65536,65536],"data_offsets":[0,0])"),
            "tensor t: data_offsets hold 0 bytes, expected 17179869184 for F32 [65536, 65536]");
  EXPECT_EQ(OneTensor(R"("dtype":"F32","shape":[4294967296,1073741824],"data_offsets":[0,0])"),
            "tensor t: shape [4294967296, 1073741824] overflows 64 bits");
  EXPECT_THAT(
      OneTensor(
          R"("dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,4])"),
      HasSubstr("shape has more than 16 numbers"));
}

TEST(LoaderTest, RefusesHeadersOfAnotherForm) {
  EXPECT_EQ(ErrorOf(SafetensorsOf("[]", "")), "header: header is not an object");
  EXPECT_EQ(ErrorOf(SafetensorsOf("{} {}", "")),
            "header: JSON has '{' at byte 3, expected the end");
  EXPECT_EQ(ErrorOf(SafetensorsOf(R"({"t":1})", "")), "header: tensor t is not an object");
  EXPECT_EQ(OneTensor(R"("shape":[1],"data_offsets":[0,4])"), "header: tensor t: dtype is missing");
  EXPECT_EQ(OneTensor(R"("dtype":"F32","data_offsets":[0,4])"),
            "header: tensor t: shape is missing");
  EXPECT_EQ(OneTensor(R"("dtype":"F32","shape":[1])"), "header: tensor t: data_offsets is missing");
  EXPECT_EQ(OneTensor(R"("dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4])"),
            "header: tensor t: dtype is there twice");
  EXPECT_THAT(OneTensor(R"("dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1)"),
              HasSubstr("unknown key more"));
  EXPECT_THAT(ErrorOf(SafetensorsOf(R"({"__metadata__":)" + std::string(1000000, '['), "")),
              HasSubstr("nests deeper than 63"));
}

TEST(LoaderTest, RefusesHyperparametersThatDoNotFitTheFile) {
  const std::string file = SafetensorsOf(TinyTensors());
  Hparams hparams = TinyHparams();
  hparams.n_layer = 3;
  EXPECT_EQ(LoadWeights(hparams, file).error().message,
            "tensor h.2.attn.c_attn.bias is missing, expected 40 tensors of these hyperparameters");
  hparams.n_layer = 1;
  EXPECT_THAT(LoadWeights(hparams, file).error().message, HasSubstr("n_layer 1"));
  hparams = TinyHparams();
  hparams.n_vocab = 511;
  EXPECT_EQ(LoadWeights(hparams, file).error().message,
            "tensor transformer.wte.weight: shape is [512, 64], expected [511, 64]");
  hparams.n_head = 3;
  EXPECT_EQ(LoadWeights(hparams, file).error().message,
            "n_head is 3, expected a divisor of n_embd 64");
}

}  // namespace
}  // namespace gpt2
