#ifndef GPT2IC_CANISTER_MODEL_WAITING_H_
#define GPT2IC_CANISTER_MODEL_WAITING_H_

#include "canister/model/scheduler.h"

namespace model {

// One call, the whole answer, over as many messages as it takes.
//
// The IC rejects a call whose message ends without an answer and without an open call of its own.
// So a waiting call calls its own canister, and works in the callback: on whatever is next in the
// queue, so that no message spins for nothing.

// Begins a job of this kind for the caller; the call is answered in this message or a later one.
void StartWaiting(JobKind kind, const GenerateArgs& args);
// The next message of the call that waits under this ticket. One that nobody knows any more is left
// to the IC to reject.
void ContinueWaiting(uint32_t ticket);

// Why a finished job has no answer.
base::Status FailureOf(const Job& job);

// Defined by each canister: the reply in the form of the method that was called.
void ReplyTo(const Job& job);
void ReplyError(JobKind kind, const std::string& sentence);

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_WAITING_H_
