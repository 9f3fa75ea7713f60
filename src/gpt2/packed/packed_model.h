#ifndef GPT2IC_GPT2_PACKED_PACKED_MODEL_H_
#define GPT2IC_GPT2_PACKED_PACKED_MODEL_H_

#include <vector>

#include "base/aligned_buffer.h"
#include "gpt2/byte_source.h"
#include "gpt2/kernels/fused.h"
#include "gpt2/kernels/int_matmul.h"
#include "gpt2/packed/format.h"
#include "gpt2/token_id.h"

namespace gpt2 {

// A packed model in memory: the file as it is, and where its arrays lie in it. Never changes once
// made; many sessions may share one. It does not move in memory when it is moved.
class PackedModel {
 public:
  struct Block {
    NormView ln_1;
    IntMatrix c_attn, attn_c_proj;
    NormView ln_2;
    IntMatrix c_fc, mlp_c_proj;
  };

  // Reads the whole file in pieces of at most 128 MiB, straight to where it stays, and checks it.
  // Beyond this point every float is finite and bounded: no NaN can come of it.
  // Cost: 1 instruction a byte for reading from stable memory, 2 for each of the few floats.
  static base::Result<PackedModel> Load(ByteSource& file);

  const PackedHeader& header() const { return header_; }
  const Hparams& hparams() const { return header_.hparams; }
  uint64_t file_bytes() const { return file_.size(); }

  const std::vector<Block>& h() const { return h_; }
  const NormView& ln_f() const { return ln_f_; }
  const IntMatrix& head() const { return head_; }

  // x [n_embd, padded to 4] = wte[token] + wpe[pos].
  void Embed(TokenId token, uint32_t pos, float* x) const;

 private:
  PackedModel(const PackedHeader& header, base::AlignedBuffer file);

  const float* FloatsAt(uint64_t offset) const {
    return reinterpret_cast<const float*>(file_.data() + offset);
  }
  IntMatrix MatrixAt(const PackedMatrixPlace& place) const;
  NormView NormAt(const PackedNormPlace& place) const {
    return {FloatsAt(place.w.offset), FloatsAt(place.b.offset)};
  }
  base::Status CheckFloats(const PackedLayout& layout) const;

  PackedHeader header_;
  base::AlignedBuffer file_;
  std::vector<Block> h_;
  NormView ln_f_;
  IntMatrix wte_, head_;
  const float* wpe_;
};

}  // namespace gpt2

#endif  // GPT2IC_GPT2_PACKED_PACKED_MODEL_H_
