#include <algorithm>

#include "base/hex.h"
#include "candid/utf8.h"
#include "ic/read_state.h"

namespace ic {
namespace {

using Verdict = OrRefusal<void>;

class Checker {
 public:
  Checker(ReadStateEndpoint endpoint, const Principal& effective_id, const Principal& root_subnet,
          const Authenticated& reader, const ReadStateView& view)
      : endpoint_(endpoint),
        effective_id_(effective_id),
        root_subnet_(root_subnet),
        reader_(reader),
        view_(view) {}

  Verdict Check(const Path& path) {
    if (path.empty()) return InvalidPath();
    const std::string_view first = Label(path, 0);
    if (first == "time" && path.size() == 1) return {};
    if (first == "subnet") return Subnet(path);
    if (first == "api_boundary_nodes") return BoundaryNode(path);
    if (first == "canister_ranges" && endpoint_ == ReadStateEndpoint::kSubnet) {
      // The shards of one subnet; which one may be asked for is a matter of the second label.
      return path.size() == 2 || path.size() == 3 ? Verdict() : InvalidPath();
    }
    if (endpoint_ == ReadStateEndpoint::kSubnet) return InvalidPath();
    if (first == "canister") return Canister(path);
    if (first == "request_status") return RequestStatus(path);
    return InvalidPath();
  }

 private:
  static std::string_view Label(const Path& path, size_t i) { return base::AsText(path[i]); }
  static Verdict InvalidPath() { return Refuse(404, "Invalid path requested."); }

  static OrRefusal<Principal> ParseId(const base::Bytes& label) {
    if (auto id = Principal::FromBytes(label)) return *id;
    return Refuse(400, "Could not parse principal ID: it has ", label.size(), " bytes.");
  }

  Verdict Subnet(const Path& path) {
    if (path.size() <= 2) return {};
    const std::string_view field = Label(path, 2);
    if (path.size() == 3) {
      if (field == "public_key" || field == "node" || field == "type") return {};
      if (field == "metrics" && endpoint_ == ReadStateEndpoint::kSubnet) {
        return OwnSubnet(path);
      }
      if (field == "canister_ranges") {
        const Principal id = TRY(ParseId(path[1]));
        const bool v3 = endpoint_ == ReadStateEndpoint::kCanisterV3;
        return v3 && id != root_subnet_ ? InvalidPath() : Verdict();
      }
      return InvalidPath();
    }
    if (field != "node" || path.size() > 5) return InvalidPath();
    return path.size() == 4 || Label(path, 4) == "public_key" ? Verdict() : InvalidPath();
  }

  Verdict OwnSubnet(const Path& path) {
    const Principal id = TRY(ParseId(path[1]));
    return Effective(id);
  }

  Verdict Effective(const Principal& id) {
    if (id == effective_id_) return {};
    return Refuse(400, "Effective principal id in URL ", effective_id_.ToText(),
                  " does not match requested principal id: ", id.ToText(), ".");
  }

  Verdict BoundaryNode(const Path& path) {
    if (path.size() <= 2) return {};
    const std::string_view field = Label(path, 2);
    const bool known = field == "domain" || field == "ipv4_address" || field == "ipv6_address";
    return path.size() == 3 && known ? Verdict() : InvalidPath();
  }

  Verdict Canister(const Path& path) {
    if (path.size() < 3) return InvalidPath();
    const std::string_view field = Label(path, 2);
    const bool whole = path.size() == 3 && (field == "controllers" || field == "module_hash" ||
                                            field == "canister_creation_timestamp" ||
                                            field == "last_install_timestamp");
    const bool metadata = path.size() == 4 && field == "metadata";
    if (!whole && !metadata) return InvalidPath();
    if (metadata && !candid::IsUtf8(path[3])) {
      return Refuse(400, "Could not parse the custom section name: it is not UTF-8.");
    }
    const Principal id = TRY(ParseId(path[1]));
    TRY_STATUS(Effective(id));
    if (metadata && view_.IsPrivateSection(id, Label(path, 3), reader_.sender)) {
      return Refuse(403, "Custom section ", Label(path, 3).substr(0, 100),
                    " can only be requested by the controllers of the canister.");
    }
    return {};
  }

  Verdict RequestStatus(const Path& path) {
    static constexpr std::string_view kFields[] = {"status", "reply", "reject_code",
                                                   "reject_message", "error_code"};
    if (path.size() < 2 || path.size() > 3) return InvalidPath();
    if (path.size() == 3 && std::ranges::find(kFields, Label(path, 2)) == std::end(kFields))
      return InvalidPath();
    RequestId id;
    if (path[1].size() != id.size()) {
      return Refuse(400,
                    "Invalid request id in paths. Maybe the request ID is not of 32 bytes in "
                    "length?!");
    }
    std::ranges::copy(path[1], id.begin());
    if (request_id_ && *request_id_ != id) {
      return Refuse(400, "More than one non-unique request ID exists in request_status paths: 0x",
                    base::ToHex(*request_id_), " and 0x", base::ToHex(id), ".");
    }
    request_id_ = id;
    const auto ingress = view_.FindIngress(id);
    if (!ingress) return {};
    if (ingress->sender != reader_.sender) {
      return Refuse(403, "The user tries to access Request ID not signed by the caller.");
    }
    if (!reader_.targets.Contains(ingress->receiver)) {
      return Refuse(403,
                    "The user tries to access request IDs for canisters not belonging to sender "
                    "delegation targets.");
    }
    return {};
  }

  const ReadStateEndpoint endpoint_;
  const Principal& effective_id_;
  const Principal& root_subnet_;
  const Authenticated& reader_;
  const ReadStateView& view_;
  std::optional<RequestId> request_id_;  // the one that a request may ask for
};

}  // namespace

OrRefusal<void> CheckReadStatePaths(std::span<const Path> paths, ReadStateEndpoint endpoint,
                                    const Principal& effective_id, const Principal& root_subnet_id,
                                    const Authenticated& reader, const ReadStateView& view) {
  Checker checker(endpoint, effective_id, root_subnet_id, reader, view);
  for (const Path& path : paths) TRY_STATUS(checker.Check(path));
  return {};
}

}  // namespace ic
