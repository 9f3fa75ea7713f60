#ifndef GPT2IC_RUNTIME_ROUND_MESSAGE_H_
#define GPT2IC_RUNTIME_ROUND_MESSAGE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "runtime/types.h"

namespace runtime {

using MessageId = uint64_t;  // of an ingress message
using ContextId = uint64_t;
using CallbackId = uint64_t;

// Who waits for the answer of a call.
struct FromIngress {
  MessageId id;
};
struct FromCanister {
  Principal canister;
  CallbackId callback;
};
struct FromSystem {};  // heartbeat, timer: nobody
using Origin = std::variant<FromSystem, FromIngress, FromCanister>;

struct Request {
  Origin origin;
  Principal caller;
  std::string method;
  base::Bytes argument;
  Cycles cycles = 0;
  uint64_t deadline_ns = 0;  // best-effort; 0: guaranteed
};

// An answer on its way to a canister's callback.
struct Delivery {
  CallbackId callback;
  Response response;
  Cycles refund = 0;
};

// What waits in a canister's queues.
struct Mail {
  uint64_t number = 0;  // in the order of sending; also its name on disk
  std::variant<Request, Delivery> content;
};

// A call that a canister has taken up and not finished.
struct CallContext {
  Origin origin;
  Principal caller;
  Cycles available = 0;  // cycles of the call not yet accepted
  uint64_t deadline_ns = 0;
  bool responded = false;
  bool deleted = false;       // the canister was uninstalled meanwhile: no callback runs any more
  uint32_t outstanding = 0;   // calls of its own that are not answered
  uint64_t instructions = 0;  // of all executions so far
};

// A call that a canister made and that is not answered.
struct OpenCallback {
  ContextId context;
  Principal callee;
  Callback callback;
  Cycles cycles_sent = 0;
  Cycles prepaid = 0;
  uint64_t deadline_ns = 0;
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_ROUND_MESSAGE_H_
