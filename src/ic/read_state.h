#ifndef GPT2IC_IC_READ_STATE_H_
#define GPT2IC_IC_READ_STATE_H_

#include <optional>

#include "ic/authenticate.h"
#include "ic/envelope.h"
#include "ic/refusal.h"

namespace ic {

// The addresses that take a read_state: .../v2/canister/<id>, .../v3/canister/<id>, and
// .../v{2,3}/subnet/<id>.
enum class ReadStateEndpoint { kCanisterV2, kCanisterV3, kSubnet };

// What the rules need to know of the network's state.
class ReadStateView {
 public:
  struct Ingress {
    Principal sender;
    Principal receiver;
  };

  virtual ~ReadStateView() = default;
  // Sender and receiver of a request that the network knows.
  virtual std::optional<Ingress> FindIngress(const RequestId& id) const = 0;
  // Whether the canister has a section icp:private <name> and `user` is not its controller.
  virtual bool IsPrivateSection(const Principal& canister_id, std::string_view name,
                                const Principal& user) const = 0;
};

// Whether `reader` may read all of `paths` at the endpoint of `effective_id` (a canister's or a
// subnet's id): the rules of dfinity/ic, rs/http_endpoints/public/src/read_state, with their
// statuses (400, 403, 404) and texts. A path that is allowed may still lead to nothing.
OrRefusal<void> CheckReadStatePaths(std::span<const Path> paths, ReadStateEndpoint endpoint,
                                    const Principal& effective_id, const Principal& root_subnet_id,
                                    const Authenticated& reader, const ReadStateView& view);

}  // namespace ic

#endif  // GPT2IC_IC_READ_STATE_H_
