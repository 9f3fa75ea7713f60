#include "canister/model/log.h"

#include <algorithm>

namespace model {

void LogRing::Add(uint64_t now_ns, std::string_view text) {
  lines_.push_back(base::StrCat(now_ns / 1'000'000'000, " ", text.substr(0, kLineBytesMax)));
  ++next_;
  if (lines_.size() > kLinesMax) lines_.pop_front();
}

LogLines LogRing::From(uint64_t first) const {
  LogLines out{{}, next_};
  const uint64_t oldest = next_ - lines_.size();
  for (uint64_t i = std::max(first, oldest); i < next_; ++i) {
    out.lines.emplace_back(i, lines_[static_cast<size_t>(i - oldest)]);
  }
  return out;
}

}  // namespace model
