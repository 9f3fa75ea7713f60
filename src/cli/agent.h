#ifndef GPT2IC_CLI_AGENT_H_
#define GPT2IC_CLI_AGENT_H_

#include <mutex>
#include <optional>

#include "cli/transport.h"
#include "ic/query_verify.h"
#include "ic/reply.h"
#include "ic/signing_key.h"

namespace cli {

// The root key of the Internet Computer (DER).
const base::Bytes& MainnetRootKey();

// A client of a network: signs requests, sends them again when the network is busy or does not
// answer, and believes nothing that is not certified by the root key or signed by a node of the
// subnet. Threads may share one.
class Agent {
 public:
  // Without a root key, asks the network for it (only for networks that one trusts: local ones).
  static base::Result<std::unique_ptr<Agent>> Connect(Transport& transport, ic::Identity identity,
                                                      base::Bytes root_key);

  // The reply of an update call; an Error is the reject's sentence, or why there is none. The
  // effective id is the callee's, except for calls to the management canister.
  base::Result<base::Bytes> Update(const ic::Principal& canister, std::string method,
                                   base::Bytes argument,
                                   std::optional<ic::Principal> effective_id = std::nullopt);
  base::Result<base::Bytes> Query(const ic::Principal& canister, std::string method,
                                  base::Bytes argument,
                                  std::optional<ic::Principal> effective_id = std::nullopt);
  // The verified tree with what `paths` lead to.
  base::Result<ic::HashTree> ReadState(const ic::Principal& effective_id,
                                       std::vector<ic::Path> paths);
  // The same as the network sent it (CBOR), for who wants to keep it. Verified too.
  base::Result<base::Bytes> ReadStateCertificate(const ic::Principal& effective_id,
                                                 std::vector<ic::Path> paths);
  // A canister's public section, such as "candid:service"; nullopt when it has none.
  base::Result<std::optional<std::string>> Metadata(const ic::Principal& canister,
                                                    std::string_view name);

  const ic::Identity& identity() const { return identity_; }
  const base::Bytes& root_key() const { return root_key_; }

 private:
  struct Nodes {
    ic::NodeKeys keys;
    uint64_t until_ns = 0;
  };

  Agent(Transport& transport, ic::Identity identity)
      : transport_(transport), identity_(std::move(identity)) {}
  base::Result<ic::HttpResponse> Post(const ic::Principal& effective_id, std::string_view version,
                                      std::string_view what, const ic::Envelope& envelope);
  base::Result<ic::HttpResponse> SendRepeatedly(const ic::HttpRequest& request);
  base::Result<ic::HashTree> Verified(base::ByteSpan certificate, const ic::Principal& effective_id,
                                      ic::Principal* subnet = nullptr) const;
  base::Result<base::Bytes> Poll(const ic::RequestId& id, const ic::Principal& effective_id);
  base::Result<ic::NodeKeys> NodesOf(const ic::Principal& effective_id);

  Transport& transport_;
  const ic::Identity identity_;
  base::Bytes root_key_;
  std::mutex mutex_;
  std::map<ic::Principal, Nodes> nodes_;
};

}  // namespace cli

#endif  // GPT2IC_CLI_AGENT_H_
