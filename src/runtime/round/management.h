#ifndef GPT2IC_RUNTIME_ROUND_MANAGEMENT_H_
#define GPT2IC_RUNTIME_ROUND_MANAGEMENT_H_

#include "runtime/round/management_types.h"
#include "runtime/round/network.h"

namespace runtime {

base::Bytes EmptyCandid();  // the message "()"

// The management canister: executes calls to aaaaa-aa. Methods and settings that this network does
// not have are rejected with a sentence that names them (docs/management.md).
class Management {
 public:
  explicit Management(Network& network) : network_(network) {}

  void Execute(Request request);
  // fetch_canister_logs, the one query.
  Response Query(const Principal& sender, const std::string& method, const base::Bytes& argument);

 private:
  using Handler = base::Result<base::Bytes> (Management::*)();
  struct Method {
    std::string_view name;
    Handler run;
  };
  static std::span<const Method> Methods();

  base::Result<base::Bytes> CreateCanister();
  base::Result<base::Bytes> ProvisionalCreate();
  base::Result<base::Bytes> ProvisionalTopUp();
  base::Result<base::Bytes> UpdateSettings();
  base::Result<base::Bytes> InstallCode();
  base::Result<base::Bytes> InstallChunkedCode();
  base::Result<base::Bytes> UploadChunk();
  base::Result<base::Bytes> ClearChunkStore();
  base::Result<base::Bytes> StoredChunks();
  base::Result<base::Bytes> UninstallCode();
  base::Result<base::Bytes> StartCanister();
  base::Result<base::Bytes> StopCanister();
  base::Result<base::Bytes> DeleteCanister();
  base::Result<base::Bytes> CanisterStatus();
  base::Result<base::Bytes> DepositCycles();
  base::Result<base::Bytes> RawRand();

  template <class T>
  base::Result<T> Argument() {
    auto [value] = TRY(candid::DecodeArgs<T>(request_.argument));
    return std::move(value);
  }
  base::Result<Slot*> Existing(const candid::Principal& id);
  base::Result<Slot*> Controlled(const candid::Principal& id);
  base::Result<base::Bytes> Create(const std::optional<ic_did::CanisterSettings>& settings,
                                   Cycles cycles);
  base::Result<base::Bytes> Install(const ic_did::Mode& mode, const candid::Principal& canister,
                                    base::Bytes wasm, base::Bytes argument);

  Network& network_;
  Request request_;
  ErrorCode error_ = ErrorCode::kInvalidManagementPayload;  // of the next failure
  bool answered_later_ = false;                             // stop_canister
};

// Checks and applies settings; on an Error nothing is changed.
base::Status ApplySettings(const ic_did::CanisterSettings& from, Settings& to);
ic_did::StatusResult StatusOf(const Slot& slot, const Fees& fees);

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_ROUND_MANAGEMENT_H_
