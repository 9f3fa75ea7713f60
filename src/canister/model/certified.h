#ifndef GPT2IC_CANISTER_MODEL_CERTIFIED_H_
#define GPT2IC_CANISTER_MODEL_CERTIFIED_H_

#include "canister/model/state.h"

namespace model {

// What the subnet certifies of this canister: the root of one hash tree (docs/receipt.md).
//
//   http_expr     the entry that lets /metrics and /health go uncertified
//   installed_ns  since when this code is installed
//   receipts      a leaf for each receipt that is kept

// Makes state.certified anew from its parts and certifies it. In every message that changes one;
// the IC takes it back with everything else when the message traps. Cost: three hashes beyond those
// of the receipts' own tree.
void Certify(State& state);

// A finished answer's receipt: kept, certified, and named in the job. The session still has the
// answer's tokens. None for an answer that failed, or that was cancelled before its first token or
// before the model was loaded.
void IssueReceipt(State& state, Job& job, const ChatSession& session);

// "default_certification(...)" and the path of the one entry below http_expr.
std::string SkipExpression();

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_CERTIFIED_H_
