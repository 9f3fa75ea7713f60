#include "runtime/state/simulated_storage.h"

#include <algorithm>

#include "base/check.h"

namespace runtime {
namespace {

constexpr size_t kPageBytes = 65536;

template <class Changes, class Target>
void Apply(Changes& changes, Target& target) {
  for (auto& [key, value] : changes) {
    if (value) {
      target[key] = std::move(*value);
    } else {
      target.erase(key);
    }
  }
  changes.clear();
}

}  // namespace

bool SimulatedStorage::Alive() {
  if (crashed_) return false;
  ++writes_;
  if (writes_left_-- != 0) return true;
  crashed_ = true;
  records_.clear();
  pages_.clear();
  return false;
}

void SimulatedStorage::Restart() {
  crashed_ = false;
  writes_left_ = ~uint64_t{0};
  records_.clear();
  pages_.clear();
}

void SimulatedStorage::Put(base::ByteSpan key, base::ByteSpan value) {
  if (Alive()) records_[{key.begin(), key.end()}] = base::Bytes(value.begin(), value.end());
}

void SimulatedStorage::Delete(base::ByteSpan key) {
  if (Alive()) records_[{key.begin(), key.end()}] = std::nullopt;
}

void SimulatedStorage::PutPage(RegionId region, uint64_t page, const uint8_t* content) {
  if (Alive()) pages_[{region, page}] = base::Bytes(content, content + kPageBytes);
}

void SimulatedStorage::DropRegion(RegionId region) {
  if (!Alive()) return;
  for (const auto& [key, content] : committed_.pages) {
    if (key.first == region) pages_[key] = std::nullopt;
  }
}

void SimulatedStorage::Commit() {
  if (!Alive()) return;
  Apply(records_, committed_.records);
  Apply(pages_, committed_.pages);
}

void SimulatedStorage::ForEach(base::ByteSpan prefix, const Visit& visit) {
  const base::Bytes first(prefix.begin(), prefix.end());
  for (auto it = committed_.records.lower_bound(first); it != committed_.records.end(); ++it) {
    const auto& [key, value] = *it;
    if (key.size() < first.size() || !std::equal(first.begin(), first.end(), key.begin())) break;
    visit(key, value);
  }
}

base::Bytes SimulatedStorage::Get(base::ByteSpan key) {
  const auto found = committed_.records.find({key.begin(), key.end()});
  return found == committed_.records.end() ? base::Bytes() : found->second;
}

std::vector<uint64_t> SimulatedStorage::Pages(RegionId region) {
  std::vector<uint64_t> pages;
  for (const auto& [key, content] : committed_.pages) {
    if (key.first == region) pages.push_back(key.second);
  }
  return pages;
}

void SimulatedStorage::ReadPage(RegionId region, uint64_t page, uint8_t* content) {
  const auto found = committed_.pages.find({region, page});
  CHECK(found != committed_.pages.end());
  std::ranges::copy(found->second, content);
}

}  // namespace runtime
