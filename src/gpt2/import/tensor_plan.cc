#include "gpt2/import/tensor_plan.h"

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

base::Result<std::vector<PlannedTensor>> PlanTensors(const Hparams& hparams, ByteSource& source,
                                                     Weights& weights) {
  TRY_STATUS(CheckHparams(hparams));
  SlotTable slots(TensorSlots(hparams, weights));
  const TensorSlot head{std::string(kHeadName), {hparams.n_vocab, hparams.n_embd}, nullptr};
  std::vector<PlannedTensor> plan;
  for (const TensorEntry& entry : TRY(ReadSafetensorsHeader(source))) {
    const std::string_view name = WithoutPrefix(entry.name);
    if (IsMaskBuffer(name)) continue;
    const bool is_head = entry.name == kHeadName;
    const TensorSlot* slot = is_head ? &head : TRY(slots.Take(name));
    if (slot == nullptr) {
      return base::Err("tensor ", base::Printable(entry.name, 100),
                       " is not one of a GPT-2 with n_layer ", hparams.n_layer);
    }
    const Dtype dtype = TRY(CheckEntry(entry, *slot));
    Tensor* place = is_head ? &weights.lm_head.emplace() : slot->place;
    plan.push_back({slot->name, entry.begin, slot->count(), dtype, place});
  }
  TRY_STATUS(slots.CheckAllFound());
  return plan;
}

namespace {

// `out.size()` numbers that lie one after the other.
base::Status ReadRun(ByteSource& source, const PlannedTensor& tensor, uint64_t first,
                     std::span<float> out, std::vector<uint8_t>& buffer) {
  const uint64_t offset = tensor.offset + first * tensor.bytes_each();
  if (tensor.dtype == Dtype::kF32) {  // as it lies in memory
    return source.Read(offset, {reinterpret_cast<uint8_t*>(out.data()), out.size_bytes()});
  }
  buffer.resize(out.size() * static_cast<size_t>(tensor.bytes_each()));
  TRY_STATUS(source.Read(offset, buffer));
  DecodeFloats(buffer, tensor.dtype, out);
  return {};
}

}  // namespace

base::Status ReadTensor(ByteSource& source, const PlannedTensor& tensor, uint64_t first,
                        std::span<float> out, std::vector<uint8_t>& buffer) {
  CHECK(first <= tensor.count && out.size() <= tensor.count - first);
  if (tensor.order == Order::kZeros) {
    std::ranges::fill(out, 0.0f);
    return {};
  }
  if (tensor.order == Order::kRowMajor) return ReadRun(source, tensor, first, out, buffer);
  const uint64_t cols = tensor.cols, rows = tensor.count / cols;
  CHECK(first % cols == 0 && out.size() % cols == 0);
  std::vector<float> column(out.size() / static_cast<size_t>(cols));
  for (size_t i = 0; i < cols; ++i) {
    TRY_STATUS(ReadRun(source, tensor, i * rows + first / cols, column, buffer));
    for (size_t row = 0; row < column.size(); ++row) {
      out[row * static_cast<size_t>(cols) + i] = column[row];
    }
  }
  return {};
}

}  // namespace gpt2
