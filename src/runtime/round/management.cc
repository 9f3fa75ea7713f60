#include "runtime/round/management.h"

#include <algorithm>

namespace runtime {
namespace {

using base::Bytes;
using base::Err;
using base::Result;

constexpr size_t kChunkBytesMax = 1 << 20;
constexpr size_t kChunkStoreBytesMax = 100 << 20;

Principal Raw(const candid::Principal& principal) {
  return {principal.bytes().begin(), principal.bytes().end()};
}

std::optional<Cycles> ToCycles(const candid::Nat& amount) { return amount.ToU128(); }

}  // namespace

Bytes EmptyCandid() { return {'D', 'I', 'D', 'L', 0, 0}; }

std::span<const Management::Method> Management::Methods() {
  static constexpr Method kMethods[] = {
      {"create_canister", &Management::CreateCanister},
      {"provisional_create_canister_with_cycles", &Management::ProvisionalCreate},
      {"provisional_top_up_canister", &Management::ProvisionalTopUp},
      {"update_settings", &Management::UpdateSettings},
      {"install_code", &Management::InstallCode},
      {"install_chunked_code", &Management::InstallChunkedCode},
      {"upload_chunk", &Management::UploadChunk},
      {"clear_chunk_store", &Management::ClearChunkStore},
      {"stored_chunks", &Management::StoredChunks},
      {"uninstall_code", &Management::UninstallCode},
      {"start_canister", &Management::StartCanister},
      {"stop_canister", &Management::StopCanister},
      {"delete_canister", &Management::DeleteCanister},
      {"canister_status", &Management::CanisterStatus},
      {"deposit_cycles", &Management::DepositCycles},
      {"raw_rand", &Management::RawRand},
  };
  return kMethods;
}

void Management::Execute(Request request) {
  request_ = std::move(request);
  const auto method = std::ranges::find(Methods(), request_.method, &Method::name);
  Result<Bytes> result = method == Methods().end()
                             ? Err("Management canister has no method '",
                                   base::Printable(request_.method), "' on this network")
                             : (this->*method->run)();
  if (method == Methods().end()) error_ = ErrorCode::kCanisterMethodNotFound;
  if (result && answered_later_) return;
  Response response;
  if (result) {
    response.reply = std::move(*result);
  } else {
    response.reject = Reject{RejectCodeOf(error_), error_, result.error().message};
  }
  // request_.cycles is what the method has not taken.
  network_.Respond(request_.origin, {}, std::move(response), request_.cycles);
}

Result<Slot*> Management::Existing(const candid::Principal& id) {
  Slot* slot = network_.Find(Raw(id));
  if (slot == nullptr) {
    error_ = ErrorCode::kCanisterNotFound;
    return Err("Canister ", id.ToText(), " not found");
  }
  return slot;
}

Result<Slot*> Management::Controlled(const candid::Principal& id) {
  Slot* slot = TRY(Existing(id));
  if (!slot->state.IsController(request_.caller)) {
    error_ = ErrorCode::kCanisterInvalidController;
    return Err("Only controllers of canister ", id.ToText(), " can call ic00 method ",
               request_.method, "; the caller is ", PrincipalText(request_.caller));
  }
  return slot;
}

Result<Bytes> Management::Create(const std::optional<ic_did::CanisterSettings>& settings,
                                 Cycles cycles) {
  Settings checked;
  checked.controllers = {request_.caller};
  if (settings) TRY_STATUS(ApplySettings(*settings, checked));
  const Principal id = TRY(network_.CreateCanister(request_.caller, cycles));
  network_.Find(id)->state.settings = std::move(checked);
  return candid::EncodeArgs(ic_did::CanisterId{*candid::Principal::FromBytes(id)});
}

Result<Bytes> Management::CreateCanister() {
  const auto args = TRY(Argument<ic_did::CreateArgs>());
  if (!std::holds_alternative<FromCanister>(request_.origin)) {
    error_ = ErrorCode::kCanisterRejected;
    return Err(
        "create_canister cannot be called by a user; "
        "use provisional_create_canister_with_cycles");
  }
  const Cycles fee = network_.options().fees.canister_creation;
  if (request_.cycles < fee) {
    error_ = ErrorCode::kInsufficientCyclesInCreate;
    return Err("Creating a canister requires a fee of ", network_.options().fees.canister_creation,
               " cycles, fewer were sent");
  }
  Bytes reply = TRY(Create(args.settings, request_.cycles - fee));
  request_.cycles = 0;
  return reply;
}

Result<Bytes> Management::ProvisionalCreate() {
  const auto args = TRY(Argument<ic_did::CreateArgs>());
  if (args.specified_id) return Err("specified_id is not available on this network");
  constexpr Cycles kDefault = 100'000'000'000'000;
  const auto cycles = args.amount ? ToCycles(*args.amount) : kDefault;
  if (!cycles) return Err("amount does not fit 128 bits");
  return Create(args.settings, *cycles);
}

Result<Bytes> Management::ProvisionalTopUp() {
  const auto args = TRY(Argument<ic_did::TopUpArgs>());
  Slot* slot = TRY(Existing(args.canister_id));
  const auto cycles = ToCycles(args.amount);
  if (!cycles || *cycles > ~Cycles{0} - slot->state.balance)
    return Err("amount does not fit 128 bits");
  slot->state.balance += *cycles;
  return EmptyCandid();
}

Result<Bytes> Management::UpdateSettings() {
  const auto args = TRY(Argument<ic_did::UpdateSettingsArgs>());
  Slot* slot = TRY(Controlled(args.canister_id));
  TRY_STATUS(ApplySettings(args.settings, slot->state.settings));
  ++slot->state.version;
  return EmptyCandid();
}

Result<Bytes> Management::Install(const ic_did::Mode& mode, const candid::Principal& canister,
                                  Bytes wasm, Bytes argument) {
  TRY(Controlled(canister));
  const ic_did::UpgradeFlags flags = mode.upgrade.value_or(ic_did::UpgradeFlags{});
  UpgradeOptions options{flags.skip_pre_upgrade.value_or(false), HeapPersistence::kUnset};
  if (flags.wasm_memory_persistence) {
    const bool keep = flags.wasm_memory_persistence->which == ic_did::PersistenceTag::kKeep;
    options.heap = keep ? HeapPersistence::kKeep : HeapPersistence::kReplace;
  }
  const auto error =
      network_.InstallCode(Raw(canister), static_cast<InstallMode>(mode.which), std::move(wasm),
                           std::move(argument), request_.caller, options);
  if (!error) return EmptyCandid();
  error_ = error->code;
  return Err("Error from Canister ", canister.ToText(), ": ", error->message);
}

Result<Bytes> Management::InstallCode() {
  auto args = TRY(Argument<ic_did::InstallCodeArgs>());
  return Install(args.mode, args.canister_id, std::move(args.wasm_module), std::move(args.arg));
}

Result<Bytes> Management::InstallChunkedCode() {
  auto args = TRY(Argument<ic_did::InstallChunkedArgs>());
  TRY(Controlled(args.target_canister));
  Slot* store = TRY(Controlled(args.store_canister.value_or(args.target_canister)));
  Bytes wasm;
  for (const ic_did::ChunkHash& chunk : args.chunk_hashes_list) {
    base::Sha256Digest key{};
    if (chunk.hash.size() != key.size())
      return Err("a chunk hash has ", chunk.hash.size(), " bytes, expected 32");
    std::ranges::copy(chunk.hash, key.begin());
    const auto found = store->state.chunk_store.find(key);
    if (found == store->state.chunk_store.end())
      return Err("a chunk of the list is not in the chunk store");
    if (wasm.size() + found->second.size() > kChunkStoreBytesMax)
      return Err("the chunks make more than 100 MiB");
    base::Append(wasm, found->second);
  }
  const base::Sha256Digest hash = base::Sha256Of(wasm);
  if (!std::ranges::equal(hash, args.wasm_module_hash)) {
    return Err("the chunks' SHA-256 is not wasm_module_hash");
  }
  return Install(args.mode, args.target_canister, std::move(wasm), std::move(args.arg));
}

Result<Bytes> Management::UploadChunk() {
  auto args = TRY(Argument<ic_did::UploadChunkArgs>());
  Slot* slot = TRY(Controlled(args.canister_id));
  if (args.chunk.size() > kChunkBytesMax) {
    return Err("a chunk of ", args.chunk.size(), " bytes, at most ", kChunkBytesMax,
               " are allowed");
  }
  // Every chunk occupies 1 MiB of the store, whatever its size.
  auto& store = slot->state.chunk_store;
  const base::Sha256Digest hash = base::Sha256Of(args.chunk);
  if (!store.contains(hash) && (store.size() + 1) * kChunkBytesMax > kChunkStoreBytesMax) {
    return Err("the chunk store is full: ", store.size(), " chunks");
  }
  store[hash] = std::move(args.chunk);
  return candid::EncodeArgs(ic_did::ChunkHash{Bytes(hash.begin(), hash.end())});
}

Result<Bytes> Management::ClearChunkStore() {
  Slot* slot = TRY(Controlled(TRY(Argument<ic_did::CanisterId>()).canister_id));
  slot->state.chunk_store.clear();
  return EmptyCandid();
}

Result<Bytes> Management::StoredChunks() {
  Slot* slot = TRY(Controlled(TRY(Argument<ic_did::CanisterId>()).canister_id));
  std::vector<ic_did::ChunkHash> hashes;
  for (const auto& [hash, chunk] : slot->state.chunk_store) {
    hashes.push_back({Bytes(hash.begin(), hash.end())});
  }
  return candid::EncodeArgs(hashes);
}

Result<Bytes> Management::UninstallCode() {
  Slot* slot = TRY(Controlled(TRY(Argument<ic_did::CanisterId>()).canister_id));
  network_.Uninstall(*slot);
  return EmptyCandid();
}

Result<Bytes> Management::StartCanister() {
  Slot* slot = TRY(Controlled(TRY(Argument<ic_did::CanisterId>()).canister_id));
  network_.Start(*slot);
  return EmptyCandid();
}

Result<Bytes> Management::StopCanister() {
  Slot* slot = TRY(Controlled(TRY(Argument<ic_did::CanisterId>()).canister_id));
  if (slot->state.status == runtime::CanisterStatus::kStopped) return EmptyCandid();
  slot->state.status = runtime::CanisterStatus::kStopping;
  slot->stop_requests.push_back(std::move(request_));
  answered_later_ = true;
  network_.FinishStopping(*slot);
  return EmptyCandid();
}

Result<Bytes> Management::DeleteCanister() {
  const auto id = TRY(Argument<ic_did::CanisterId>()).canister_id;
  Slot* slot = TRY(Controlled(id));
  if (slot->state.status != runtime::CanisterStatus::kStopped) {
    error_ = ErrorCode::kCanisterNotStopped;
    return Err("Canister ", id.ToText(), " must be stopped before it is deleted.");
  }
  network_.Delete(Raw(id));
  return EmptyCandid();
}

Result<Bytes> Management::CanisterStatus() {
  const auto id = TRY(Argument<ic_did::CanisterId>()).canister_id;
  // A canister may ask about itself.
  Slot* slot = Raw(id) == request_.caller ? TRY(Existing(id)) : TRY(Controlled(id));
  return candid::EncodeArgs(StatusOf(*slot, network_.options().fees));
}

Result<Bytes> Management::DepositCycles() {
  Slot* slot = TRY(Existing(TRY(Argument<ic_did::CanisterId>()).canister_id));
  slot->state.balance += request_.cycles;
  request_.cycles = 0;
  return EmptyCandid();
}

Result<Bytes> Management::RawRand() {
  TRY(candid::DecodeArgs<>(request_.argument));
  return candid::EncodeArgs(RandomBytes(network_.env(), 32));
}

Response Management::Query(const Principal& sender, const std::string& method,
                           const Bytes& argument) {
  request_.caller = sender;
  request_.method = method;
  request_.argument = argument;
  const auto run = [&]() -> Result<Bytes> {
    if (method != "fetch_canister_logs") {
      error_ = ErrorCode::kCanisterMethodNotFound;
      return Err("Management canister has no query method '", base::Printable(method),
                 "' on this network");
    }
    const auto id = TRY(Argument<ic_did::CanisterId>()).canister_id;
    Slot* slot = TRY(Existing(id));
    if (slot->state.settings.log_visibility == 0) TRY(Controlled(id));
    ic_did::LogsResult logs;
    for (const LogRecord& record : slot->state.log) {
      logs.canister_log_records.push_back(
          {record.index, record.timestamp_ns, Bytes(record.content.begin(), record.content.end())});
    }
    return candid::EncodeArgs(logs);
  };
  Result<Bytes> result = run();
  if (result) return {std::nullopt, std::move(*result)};
  return {Reject{RejectCodeOf(error_), error_, result.error().message}, {}};
}

}  // namespace runtime
