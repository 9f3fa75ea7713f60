#ifndef GPT2IC_RUNTIME_ROUND_MANAGEMENT_H_
#define GPT2IC_RUNTIME_ROUND_MANAGEMENT_H_

#include "runtime/round/network.h"

namespace runtime {

base::Bytes EmptyCandid();  // the message "()"

// The management canister: executes calls to aaaaa-aa.
class Management {
 public:
  explicit Management(Network& network) : network_(network) {}
  void Execute(Request request);

 private:
  Network& network_;
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_ROUND_MANAGEMENT_H_
