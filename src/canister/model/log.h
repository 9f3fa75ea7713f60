#ifndef GPT2IC_CANISTER_MODEL_LOG_H_
#define GPT2IC_CANISTER_MODEL_LOG_H_

#include <deque>
#include <string>

#include "canister/model/api.h"

namespace model {

// The last lines of what happened, each with a number. Bounded.
class LogRing {
 public:
  static constexpr size_t kLinesMax = 500, kLineBytesMax = 300;

  void Add(uint64_t now_ns, std::string_view text);
  LogLines From(uint64_t first) const;

 private:
  std::deque<std::string> lines_;
  uint64_t next_ = 0;
};

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_LOG_H_
