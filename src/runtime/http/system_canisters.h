#ifndef GPT2IC_RUNTIME_HTTP_SYSTEM_CANISTERS_H_
#define GPT2IC_RUNTIME_HTTP_SYSTEM_CANISTERS_H_

#include "ic/principal.h"
#include "runtime/round/network.h"

namespace runtime {

// What `icp` asks of the real network's system canisters when it deploys, answered as far as a
// network without money can: the cycles minting canister names the one subnet, and the cycles
// ledger creates canisters and tops them up for nothing (create_canister, withdraw,
// icrc1_balance_of). A canister that is really there goes first.
class SystemCanisters {
 public:
  SystemCanisters(Network& network, const ic::Principal& subnet)
      : network_(network), subnet_(subnet) {}

  // Whether the id is one of theirs, and no canister of the network has it.
  bool Has(const ic::Principal& canister) const;
  Response Query(const ic::Principal& canister, const std::string& method);
  Response Update(const ic::Principal& sender, const ic::Principal& canister,
                  const std::string& method, base::ByteSpan argument);

 private:
  base::Result<base::Bytes> CreateCanister(const ic::Principal& sender, base::ByteSpan argument);
  base::Result<base::Bytes> Withdraw(base::ByteSpan argument);

  Network& network_;
  const ic::Principal subnet_;
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_HTTP_SYSTEM_CANISTERS_H_
