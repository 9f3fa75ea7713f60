#ifndef GPT2IC_GPT2_MAKE_MODEL_H_
#define GPT2IC_GPT2_MAKE_MODEL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "gpt2/byte_source.h"
#include "gpt2/hparams.h"

namespace gpt2 {

struct MakeModelArgs {
  Hparams hparams;
  uint64_t seed = 0;
  bool outliers = false;  // weights that behave like trained ones; see make_model.cc
};

// Writes a GPT-2 with random weights as a safetensors file: F32, names with "transformer.", the
// head tied. The bytes are a function of the arguments alone. Err: hyperparameters out of range, or
// what the sink says.
base::Status WriteRandomModel(const MakeModelArgs& args, ByteSink& safetensors);

// A config.json for these hyperparameters, which ParseConfig reads back as they are (epsilon:
// 1e-5).
std::string ConfigJson(const Hparams& hparams);

// "tiny" (that of tests/data/gpt2-tiny), "gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl".
std::optional<Hparams> ShapeByName(std::string_view name);

}  // namespace gpt2

#endif  // GPT2IC_GPT2_MAKE_MODEL_H_
