#include "gpt2/import/loader.h"

#include <algorithm>

#include "gpt2/import/tensor_names.h"

namespace gpt2 {
namespace {

// Finds slots by the names of a file and notes which were found.
class SlotTable {
 public:
  explicit SlotTable(std::vector<TensorSlot> slots) : slots_(std::move(slots)) {
    std::ranges::sort(slots_, {}, &TensorSlot::name);
    found_.resize(slots_.size());
  }

  // Null if there is no slot of this name.
  base::Result<const TensorSlot*> Take(std::string_view name) {
    const auto slot = std::ranges::lower_bound(slots_, name, {}, &TensorSlot::name);
    if (slot == slots_.end() || slot->name != name) return nullptr;
    const auto index = static_cast<size_t>(slot - slots_.begin());
    if (found_[index]) {
      return base::Err("tensor ", name, " is there twice, with and without \"", kPrefix, "\"");
    }
    found_[index] = true;
    return &*slot;
  }

  base::Status CheckAllFound() const {
    const auto missing = std::ranges::find(found_, false);
    if (missing == found_.end()) return {};
    return base::Err("tensor ", slots_[static_cast<size_t>(missing - found_.begin())].name,
                     " is missing, expected ", slots_.size(), " tensors of these hyperparameters");
  }

 private:
  std::vector<TensorSlot> slots_;
  std::vector<bool> found_;
};

std::string_view WithoutPrefix(std::string_view name) {
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

uint64_t BytesEach(Dtype dtype) { return dtype == Dtype::kF32 ? 4 : 2; }

base::Result<Dtype> CheckEntry(const TensorEntry& entry, const TensorSlot& slot) {
  const auto dtype = FloatDtype(entry.dtype);
  if (!dtype) {
    return base::Err("tensor ", entry.name, ": dtype is ", base::Printable(entry.dtype),
                     ", expected F32, F16 or BF16");
  }
  if (entry.shape != slot.shape) {
    return base::Err("tensor ", entry.name, ": shape is ", ShapeText(entry.shape), ", expected ",
                     ShapeText(slot.shape));
  }
  return *dtype;
}

}  // namespace

base::Result<SafetensorsLoader> SafetensorsLoader::Open(const Hparams& hparams,
                                                        ByteSource& source) {
  TRY_STATUS(CheckHparams(hparams));
  const auto entries = TRY(ReadSafetensorsHeader(source));
  SafetensorsLoader loader(source);
  TRY_STATUS(loader.Plan(hparams, entries));
  return loader;
}

base::Status SafetensorsLoader::Plan(const Hparams& hparams,
                                     const std::vector<TensorEntry>& entries) {
  SlotTable slots(TensorSlots(hparams, *weights_));
  const TensorSlot head{std::string(kHeadName), {hparams.n_vocab, hparams.n_embd}, nullptr};
  uint64_t floats = 0;
  for (const TensorEntry& entry : entries) {
    const std::string_view name = WithoutPrefix(entry.name);
    if (IsMaskBuffer(name)) continue;
    const bool is_head = entry.name == kHeadName;
    const TensorSlot* slot = is_head ? &head : TRY(slots.Take(name));
    if (slot == nullptr) {
      return base::Err("tensor ", base::Printable(entry.name, 100),
                       " is not one of a GPT-2 with n_layer ", hparams.n_layer);
    }
    const Dtype dtype = TRY(CheckEntry(entry, *slot));
    Tensor* place = is_head ? &weights_->lm_head.emplace() : slot->place;
    jobs_.push_back({entry.begin, slot->count(), dtype, place});
    bytes_total_ += entry.bytes();
    floats += slot->count();
  }
  TRY_STATUS(slots.CheckAllFound());
  if (floats > SIZE_MAX / sizeof(float)) {
    return base::Err("the weights need ", floats * sizeof(float),
                     " bytes of memory, expected at most ", SIZE_MAX);
  }
  return {};
}

base::Result<bool> SafetensorsLoader::Step() {
  uint64_t bytes_left = kStepBytesMax;
  while (job_ < jobs_.size() && bytes_left >= 4) {
    const Job& job = jobs_[job_];
    if (count_done_ == 0) *job.place = Tensor(job.count);
    const uint64_t bytes = TRY(Piece(job, bytes_left));
    bytes_left -= bytes;
    bytes_done_ += bytes;
    count_done_ += bytes / BytesEach(job.dtype);
    if (count_done_ < job.count) continue;
    ++job_;
    count_done_ = 0;
  }
  if (job_ < jobs_.size()) return false;
  buffer_ = {};
  return true;
}

base::Result<uint64_t> SafetensorsLoader::Piece(const Job& job, uint64_t bytes_max) {
  const uint64_t each = BytesEach(job.dtype);
  const uint64_t count = std::min(job.count - count_done_, bytes_max / each);
  const std::span<float> out =
      job.place->values().subspan(static_cast<size_t>(count_done_), static_cast<size_t>(count));
  const uint64_t offset = job.offset + count_done_ * each;
  if (job.dtype == Dtype::kF32) {  // as it lies in memory
    TRY_STATUS(source_->Read(offset, {reinterpret_cast<uint8_t*>(out.data()), out.size_bytes()}));
    return count * each;
  }
  buffer_.resize(static_cast<size_t>(count * each));
  TRY_STATUS(source_->Read(offset, buffer_));
  DecodeFloats(buffer_, job.dtype, out);
  return count * each;
}

Weights SafetensorsLoader::Take() {
  CHECK(job_ == jobs_.size());
  return std::move(*weights_);
}

}  // namespace gpt2
