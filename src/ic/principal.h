#ifndef GPT2IC_IC_PRINCIPAL_H_
#define GPT2IC_IC_PRINCIPAL_H_

#include "base/bytes.h"
#include "candid/principal.h"

namespace ic {

using candid::Principal;

// The principal of a key: SHA-224 of its DER form, and 02.
Principal SelfAuthenticating(base::ByteSpan public_key_der);
Principal Anonymous();  // 04

// Order as byte strings, in which canister ranges are given. (Principal's own order compares the
// length first.)
bool BytesLess(const Principal& a, const Principal& b);

// A principal's bytes as they stand in a field called `what`.
base::Result<Principal> PrincipalOf(base::ByteSpan bytes, std::string_view what);

}  // namespace ic

#endif  // GPT2IC_IC_PRINCIPAL_H_
