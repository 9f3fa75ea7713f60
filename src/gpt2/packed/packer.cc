#include "gpt2/packed/packer.h"

#include <algorithm>

#include "gpt2/import/tensor_names.h"

namespace gpt2 {
namespace {

base::ByteSpan BytesOf(std::span<const float> floats) {
  return {reinterpret_cast<const uint8_t*>(floats.data()), floats.size_bytes()};
}

}  // namespace

base::Result<Packer> Packer::Open(const Hparams& hparams, PackedMode mode, ByteSource& source,
                                  ByteSink& sink) {
  TRY_STATUS(CheckPackedHparams(hparams));
  Weights unused;
  return Open(hparams, mode, TRY(PlanTensors(hparams, source, unused)), source, sink);
}

base::Result<Packer> Packer::Open(const Hparams& hparams, PackedMode mode,
                                  std::vector<PlannedTensor> tensors, ByteSource& source,
                                  ByteSink& sink) {
  TRY_STATUS(CheckPackedHparams(hparams));
  std::ranges::sort(tensors, {}, &PlannedTensor::name);
  const bool separate_head =
      std::ranges::binary_search(tensors, kHeadName, {}, &PlannedTensor::name);
  Packer packer({hparams, mode, separate_head}, source, sink);
  packer.tensors_ = std::move(tensors);
  if (separate_head) {
    packer.head_.emplace();
  } else {
    packer.PlanJobs();
  }
  return packer;
}

base::Status Packer::CompareHead() {
  const auto same = TRY(head_->Step(*source_, Find("wte.weight"), Find(std::string(kHeadName)),
                                    header_.hparams.n_embd, kStepFloats));
  if (!same) return {};
  header_.separate_head = !*same;
  layout_ = PackedLayout(header_);
  head_.reset();
  PlanJobs();
  return {};
}

void Packer::PlanJobs() {
  const uint64_t n = header_.hparams.n_embd;
  const auto norm = [&](const std::string& name) {
    for (const char* part : {".weight", ".bias"}) {
      jobs_.push_back({Job::Kind::kFloats, name + part, {.n_in = n, .n_out = 1}});
    }
  };
  jobs_.push_back({Job::Kind::kRows, "wpe.weight", {.n_in = n, .n_out = header_.hparams.n_ctx}});
  for (uint32_t layer = 0; layer < header_.hparams.n_layer; ++layer) {
    const PackedBlockPlace& place = layout_.h[layer];
    const std::string h = base::StrCat("h.", layer);
    norm(h + ".ln_1");
    jobs_.push_back({Job::Kind::kLinear, h + ".attn.c_attn", place.c_attn});
    jobs_.push_back({Job::Kind::kLinear, h + ".attn.c_proj", place.attn_c_proj});
    norm(h + ".ln_2");
    jobs_.push_back({Job::Kind::kLinear, h + ".mlp.c_fc", place.c_fc});
    jobs_.push_back({Job::Kind::kLinear, h + ".mlp.c_proj", place.mlp_c_proj});
  }
  norm("ln_f");
  jobs_.push_back({Job::Kind::kEmbedding, "wte.weight", layout_.wte});
  if (layout_.lm_head) {
    jobs_.push_back({Job::Kind::kEmbedding, std::string(kHeadName), *layout_.lm_head});
  }
}

base::Result<bool> Packer::Step() {
  if (head_) {
    TRY_STATUS(CompareHead());
    return false;
  }
  if (written_ == 0) TRY_STATUS(Write(EncodePackedHeader(header_)));
  if (job_ == jobs_.size()) return true;
  const Job& job = jobs_[job_];
  bool done = false;
  switch (job.kind) {
    case Job::Kind::kFloats:
    case Job::Kind::kRows:
      done = TRY(FloatsStep(job));
      break;
    case Job::Kind::kLinear:
      done = TRY(LinearStep(job));
      break;
    case Job::Kind::kEmbedding:
      done = TRY(EmbeddingStep(job));
      break;
  }
  if (!done) return false;
  taken_ = put_ = 0;
  if (++job_ < jobs_.size()) return false;
  CHECK(written_ == layout_.file_bytes);
  values_ = {};
  out_ = convert_ = {};
  return true;
}

const PlannedTensor& Packer::Find(const std::string& name) const {
  const auto found = std::ranges::lower_bound(tensors_, name, {}, &PlannedTensor::name);
  CHECK(found != tensors_.end() && found->name == name);  // PlanTensors found all
  return *found;
}

base::Status Packer::Read(const std::string& name, uint64_t first, std::span<float> out) {
  return ReadTensor(*source_, Find(name), first, out, convert_);
}

base::Status Packer::Write(base::ByteSpan bytes) {
  written_ += bytes.size();
  return sink_->Write(bytes);
}

base::Status Packer::WriteZeros(uint64_t count) {
  static constexpr uint8_t kZeros[kPackedAlignment] = {};
  CHECK(count <= sizeof(kZeros));
  return Write({kZeros, static_cast<size_t>(count)});
}

base::Status Packer::Align() { return WriteZeros(RoundUp(written_, kPackedAlignment) - written_); }

base::Status Packer::CheckMagnitudes(std::span<const Magnitude> max,
                                     const std::string& name) const {
  if (max.empty() || *std::ranges::max_element(max) <= kMagnitudeMax) return {};
  return base::Err("tensor ", name, " holds a weight that is NaN or above ",
                   static_cast<uint32_t>(kWeightMax), " in magnitude");
}

// Rows of floats as they are, each padded with zeros to a multiple of 4.
base::Result<bool> Packer::FloatsStep(const Job& job) {
  const uint64_t n = job.matrix.n_in, rows = job.matrix.n_out;
  const uint64_t take = std::clamp<uint64_t>(kStepFloats / n, 1, rows - taken_);
  values_.resize(static_cast<size_t>(take * n));
  TRY_STATUS(Read(job.tensor, taken_ * n, values_));
  max_.resize(static_cast<size_t>(take));
  RowMagnitudes(values_.data(), n, max_);
  TRY_STATUS(CheckMagnitudes(max_, job.tensor));
  if (n % 4 == 0) {
    TRY_STATUS(Write(BytesOf(values_)));
  } else {
    for (uint64_t row = 0; row < take; ++row) {
      TRY_STATUS(Write(BytesOf(
          std::span(values_).subspan(static_cast<size_t>(row * n), static_cast<size_t>(n)))));
      TRY_STATUS(WriteZeros((RoundUp(n, 4) - n) * sizeof(float)));
    }
  }
  taken_ += take;
  if (taken_ < rows) return false;
  TRY_STATUS(Align());
  return true;
}

// [n_in, n_out]: a row's scale needs every input, so all of the tensor is taken in first.
base::Result<bool> Packer::LinearStep(const Job& job) {
  const uint64_t n_in = job.matrix.n_in, n_out = job.matrix.n_out;
  const std::string weight = job.tensor + ".weight";
  if (taken_ == 0) {
    values_.resize(static_cast<size_t>(n_in * n_out));
    max_.assign(static_cast<size_t>(n_out), 0);
  }
  if (taken_ < n_in) {
    const uint64_t take = std::clamp<uint64_t>(kStepFloats / n_out, 1, n_in - taken_);
    const auto rows = std::span(values_).subspan(static_cast<size_t>(taken_ * n_out),
                                                 static_cast<size_t>(take * n_out));
    TRY_STATUS(Read(weight, taken_ * n_out, rows));
    ColumnMagnitudes(rows.data(), take, max_);
    taken_ += take;
    if (taken_ < n_in) return false;
    TRY_STATUS(CheckMagnitudes(max_, weight));
    return false;
  }
  const uint64_t blocks = job.matrix.n_out_padded() / kBlockRows;
  const uint64_t count = std::clamp<uint64_t>(kStepFloats / (n_in * kBlockRows), 1, blocks - put_);
  const MatrixPiece piece{values_.data(), MatrixOrder::kInputsFirst, n_in, n_out};
  TRY_STATUS(WriteBlocks(piece, max_, put_, count));
  put_ += count;
  if (put_ < blocks) return false;
  TRY_STATUS(WriteScales(job));
  std::vector<float> bias(static_cast<size_t>(job.matrix.n_out_padded()));
  const auto real = std::span(bias).first(static_cast<size_t>(n_out));
  TRY_STATUS(Read(job.tensor + ".bias", 0, real));
  Magnitude bias_max = 0;
  RowMagnitudes(bias.data(), n_out, {&bias_max, 1});
  TRY_STATUS(CheckMagnitudes({&bias_max, 1}, job.tensor + ".bias"));
  TRY_STATUS(Write(BytesOf(bias)));
  TRY_STATUS(Align());
  return true;
}

// [n_out, n_in]: rows come whole, so pieces of them are enough.
base::Result<bool> Packer::EmbeddingStep(const Job& job) {
  const uint64_t n_in = job.matrix.n_in, n_out = job.matrix.n_out;
  if (taken_ == 0) max_.assign(static_cast<size_t>(n_out), 0);
  const uint64_t rows_max = std::max(kStepFloats / n_in / kBlockRows, uint64_t{1}) * kBlockRows;
  const uint64_t take = std::min(rows_max, n_out - taken_);
  values_.resize(static_cast<size_t>(take * n_in));
  TRY_STATUS(Read(job.tensor, taken_ * n_in, values_));
  const auto max = std::span(max_).subspan(static_cast<size_t>(taken_), static_cast<size_t>(take));
  RowMagnitudes(values_.data(), n_in, max);
  TRY_STATUS(CheckMagnitudes(max, job.tensor));
  const MatrixPiece piece{values_.data(), MatrixOrder::kOutputsFirst, n_in, take};
  TRY_STATUS(WriteBlocks(piece, max, 0, RoundUp(take, kBlockRows) / kBlockRows));
  taken_ += take;
  if (taken_ < n_out) return false;
  TRY_STATUS(WriteScales(job));
  return true;
}

base::Status Packer::WriteBlocks(const MatrixPiece& piece, std::span<const Magnitude> max,
                                 uint64_t first_block, uint64_t block_count) {
  const uint64_t block_bytes =
      RoundUp(piece.n_in, kInputPadding) * kBlockRows * WeightBytes(header_.mode);
  out_.resize(static_cast<size_t>(block_count * block_bytes));
  QuantizeBlocks(piece, header_.mode, max, first_block, block_count, out_.data());
  return Write(out_);
}

base::Status Packer::WriteScales(const Job& job) {
  TRY_STATUS(Align());
  std::vector<float> scale(static_cast<size_t>(job.matrix.n_out_padded()));
  RowScales(max_, header_.mode, scale);
  TRY_STATUS(Write(BytesOf(scale)));
  return Align();
}

}  // namespace gpt2
