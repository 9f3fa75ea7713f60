#ifndef GPT2IC_CANISTER_FRONTEND_ENVIRONMENT_H_
#define GPT2IC_CANISTER_FRONTEND_ENVIRONMENT_H_

#include <string>
#include <string_view>

#include "base/bytes.h"

// What the page must know of the network it is on, told as the official asset canister tells it: in
// a cookie `ic_env` with the network's root key and the canister's public environment variables,
// such as PUBLIC_CANISTER_ID:model. So one build works on every network.
namespace frontend {

// The canister's environment variables whose names begin with PUBLIC_, as "NAME=value" joined by
// "&", by ascending name. What would make the cookie longer than browsers keep is left out.
std::string PublicVariables();

// The network's root key (DER). Not in queries.
base::Bytes RootKey();

// The Set-Cookie header.
std::string EnvironmentCookie(base::ByteSpan root_key, std::string_view variables);

}  // namespace frontend

#endif  // GPT2IC_CANISTER_FRONTEND_ENVIRONMENT_H_
