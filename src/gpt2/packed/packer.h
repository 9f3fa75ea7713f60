#ifndef GPT2IC_GPT2_PACKED_PACKER_H_
#define GPT2IC_GPT2_PACKED_PACKER_H_

#include <optional>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "gpt2/byte_source.h"
#include "gpt2/import/head_compare.h"
#include "gpt2/import/tensor_plan.h"
#include "gpt2/packed/format.h"
#include "gpt2/quantize/quantize.h"

namespace gpt2 {

// Makes a packed model from a safetensors or ONNX file, front to back and step by step, so that a
// canister can spread the work over messages. Holds one tensor at a time, or a piece of an
// embedding: 9.4 MB and 2.4 MB for the 124M shape. The bytes are a function of the weights alone:
// not of the source's dtype (if it held them exactly), names or order, nor of the machine.
class Packer {
 public:
  static constexpr uint64_t kStepFloats = 1 << 20;  // of the source

  // Reads and checks the header of the source; nothing is written yet. Both must outlive the
  // packer. Err as PlanTensors, or n_ctx above kPackedCtxMax.
  static base::Result<Packer> Open(const Hparams& hparams, PackedMode mode, ByteSource& source,
                                   ByteSink& sink);
  // The same from a plan of tensors that were found in `source` otherwise (import/onnx): one for
  // each of TensorSlots, and perhaps lm_head.weight, which is dropped when it is wte once more.
  static base::Result<Packer> Open(const Hparams& hparams, PackedMode mode,
                                   std::vector<PlannedTensor> tensors, ByteSource& source,
                                   ByteSink& sink);

  // Takes in or puts out about kStepFloats weights; true when all is written. Err: what source or
  // sink say, or a weight that is NaN or above kWeightMax in magnitude, with the tensor's name.
  // Cost: 10 instructions a float32 weight, at most 25 M a step.
  base::Result<bool> Step();

  const PackedHeader& header() const { return header_; }
  // Of the packed model; more, before the first is written, when the head turns out to be wte.
  uint64_t file_bytes() const { return layout_.file_bytes; }
  uint64_t bytes_done() const { return written_; }

 private:
  // One thing after the other in the packed file.
  struct Job {
    enum class Kind : uint8_t { kFloats, kRows, kLinear, kEmbedding } kind;
    std::string tensor;        // its ".weight" or ".bias" appended for kLinear
    PackedMatrixPlace matrix;  // kLinear, kEmbedding; kFloats, kRows: n_in floats, n_out times
  };

  Packer(const PackedHeader& header, ByteSource& source, ByteSink& sink)
      : header_(header), layout_(header), source_(&source), sink_(&sink) {}

  base::Status CompareHead();
  void PlanJobs();
  const PlannedTensor& Find(const std::string& name) const;
  base::Status Read(const std::string& name, uint64_t first, std::span<float> out);
  base::Status Write(base::ByteSpan bytes);
  base::Status WriteZeros(uint64_t count);
  base::Status Align();
  base::Status CheckMagnitudes(std::span<const Magnitude> max, const std::string& name) const;
  base::Result<bool> FloatsStep(const Job& job);
  base::Result<bool> LinearStep(const Job& job);
  base::Result<bool> EmbeddingStep(const Job& job);
  base::Status WriteBlocks(const MatrixPiece& piece, std::span<const Magnitude> max,
                           uint64_t first_block, uint64_t block_count);
  base::Status WriteScales(const Job& job);

  PackedHeader header_;
  PackedLayout layout_;
  ByteSource* source_;
  ByteSink* sink_;
  std::vector<PlannedTensor> tensors_;  // sorted by name
  std::vector<Job> jobs_;
  std::optional<HeadCompare> head_;  // a head that may be dropped
  size_t job_ = 0;                   // the one at work
  uint64_t taken_ = 0;               // rows of its tensor that were read
  uint64_t put_ = 0;                 // blocks of it that were written
  uint64_t written_ = 0;             // bytes
  std::vector<float> values_;
  std::vector<Magnitude> max_;  // of each row (output) of the matrix at work
  std::vector<uint8_t> out_, convert_;
};

}  // namespace gpt2

#endif  // GPT2IC_GPT2_PACKED_PACKER_H_
