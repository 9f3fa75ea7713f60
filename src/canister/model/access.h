#ifndef GPT2IC_CANISTER_MODEL_ACCESS_H_
#define GPT2IC_CANISTER_MODEL_ACCESS_H_

#include "base/result.h"

namespace model {

// Ends the message with a sentence unless the caller is authorized or a controller.
void RequireAuthorized();

// For methods that answer nothing: an Error ends the message with its sentence.
void OrTrap(const base::Status& status);

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_ACCESS_H_
