// For tests only.
#ifndef GPT2IC_GPT2_PACKED_PACKED_TEST_SUPPORT_H_
#define GPT2IC_GPT2_PACKED_PACKED_TEST_SUPPORT_H_

#include <string>

#include "gpt2/make_model.h"
#include "gpt2/packed/packed_model.h"
#include "gpt2/packed/packer.h"
#include "gpt2/test_support.h"

namespace gpt2 {

inline std::string RandomSafetensors(const MakeModelArgs& args) {
  MemorySink sink;
  CHECK(WriteRandomModel(args, sink).has_value());
  return sink.bytes();
}

inline base::Result<std::string> Pack(const std::string& safetensors, const Hparams& hparams,
                                      PackedMode mode) {
  MemorySource source(safetensors);
  MemorySink sink;
  auto packer = TRY(Packer::Open(hparams, mode, source, sink));
  while (!TRY(packer.Step())) {
  }
  return sink.bytes();
}

inline base::Result<PackedModel> LoadPacked(const std::string& packed) {
  MemorySource source(packed);
  return PackedModel::Load(source);
}

inline PackedModel PackedOf(const std::string& safetensors, const Hparams& hparams,
                            PackedMode mode) {
  return LoadPacked(Pack(safetensors, hparams, mode).value()).value();
}

}  // namespace gpt2

#endif  // GPT2IC_GPT2_PACKED_PACKED_TEST_SUPPORT_H_
