#include "gpt2/import/loader.h"

#include <algorithm>

#include "gpt2/import/tensor_names.h"

namespace gpt2 {

base::Result<SafetensorsLoader> SafetensorsLoader::Open(const Hparams& hparams,
                                                        ByteSource& source) {
  SafetensorsLoader loader(source);
  loader.jobs_ = TRY(PlanTensors(hparams, source, *loader.weights_));
  TRY_STATUS(loader.Start());
  return loader;
}

base::Result<SafetensorsLoader> SafetensorsLoader::Open(const Hparams& hparams,
                                                        std::vector<PlannedTensor> tensors,
                                                        ByteSource& source) {
  SafetensorsLoader loader(source);
  const std::vector<TensorSlot> slots = TensorSlots(hparams, *loader.weights_);
  for (PlannedTensor& tensor : tensors) {
    if (tensor.name == kHeadName) {
      tensor.place = &loader.weights_->lm_head.emplace();
      continue;
    }
    const auto slot = std::ranges::find(slots, tensor.name, &TensorSlot::name);
    CHECK(slot != slots.end() && slot->count() == tensor.count);
    tensor.place = slot->place;
  }
  loader.jobs_ = std::move(tensors);
  TRY_STATUS(loader.Start());
  return loader;
}

base::Status SafetensorsLoader::Start() {
  uint64_t floats = 0;
  for (const PlannedTensor& job : jobs_) {
    bytes_total_ += job.count * job.bytes_each();
    floats += job.count;
  }
  if (floats > SIZE_MAX / sizeof(float)) {
    return base::Err("the weights need ", floats * sizeof(float),
                     " bytes of memory, expected at most ", SIZE_MAX);
  }
  return {};
}

base::Result<bool> SafetensorsLoader::Step() {
  uint64_t bytes_left = kStepBytesMax;
  while (job_ < jobs_.size() && bytes_left >= 4) {
    const PlannedTensor& job = jobs_[job_];
    if (count_done_ == 0) *job.place = Tensor(job.count);
    uint64_t count = std::min(job.count - count_done_, bytes_left / job.bytes_each());
    if (job.order == Order::kTransposed) {  // whole rows, one at least
      count = std::max(count / job.cols, uint64_t{1}) * job.cols;
    }
    const std::span<float> out =
        job.place->values().subspan(static_cast<size_t>(count_done_), static_cast<size_t>(count));
    TRY_STATUS(ReadTensor(*source_, job, count_done_, out, buffer_));
    bytes_left -= std::min(bytes_left, count * job.bytes_each());
    bytes_done_ += count * job.bytes_each();
    count_done_ += count;
    if (count_done_ < job.count) continue;
    ++job_;
    count_done_ = 0;
  }
  if (job_ < jobs_.size()) return false;
  buffer_ = {};
  return true;
}

Weights SafetensorsLoader::Take() {
  CHECK(job_ == jobs_.size());
  return std::move(*weights_);
}

}  // namespace gpt2
