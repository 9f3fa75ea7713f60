#include "runtime/http/system_canisters.h"

#include "runtime/round/management.h"

namespace runtime {
namespace {

using candid::Nat;

const ic::Principal& CyclesMinting() {
  static const ic::Principal id = *ic::Principal::FromText("rkp4c-7iaaa-aaaaa-aaaca-cai");
  return id;
}
const ic::Principal& CyclesLedger() {
  static const ic::Principal id = *ic::Principal::FromText("um5iw-rqaaa-aaaaq-qaaba-cai");
  return id;
}

constexpr Cycles kBalance = 1'000'000'000'000'000;  // of everybody, always

// The cycles ledger's interface, as far as it is used here.
struct CreationArgs {
  std::optional<ic_did::CanisterSettings> settings;
};
CANDID_RECORD(CreationArgs, settings)
struct CreateArgs {
  Nat amount;
  std::optional<CreationArgs> creation_args;
};
CANDID_RECORD(CreateArgs, amount, creation_args)
struct Created {
  Nat block_id;
  candid::Principal canister_id;
};
CANDID_RECORD(Created, block_id, canister_id)
struct WithdrawArgs {
  candid::Principal to;
  Nat amount;
};
CANDID_RECORD(WithdrawArgs, to, amount)
struct Failure {
  std::string message;
  Nat error_code;
};
CANDID_RECORD(Failure, message, error_code)
struct LedgerError {
  uint8_t which = 0;
  Failure GenericError;
};
CANDID_VARIANT(LedgerError, which, GenericError)

Principal Raw(const candid::Principal& principal) {
  return {principal.bytes().begin(), principal.bytes().end()};
}

template <class T>
base::Bytes Failed(const std::string& message) {
  std::expected<T, LedgerError> answer =
      std::unexpected(LedgerError{0, {message, Nat(uint64_t{0})}});
  return candid::EncodeArgs(answer);
}

Response ToResponse(base::Result<base::Bytes> result) {
  if (result) return {std::nullopt, std::move(*result)};
  return {
      Reject{RejectCode::kCanisterError, ErrorCode::kCanisterCalledTrap, result.error().message},
      {}};
}

Response NoMethod(const std::string& method) {
  return {Reject{RejectCode::kCanisterError, ErrorCode::kCanisterMethodNotFound,
                 base::StrCat("This network's stand-in for a system canister has no method '",
                              base::Printable(method), "'")},
          {}};
}

}  // namespace

bool SystemCanisters::Has(const ic::Principal& canister) const {
  return (canister == CyclesMinting() || canister == CyclesLedger()) &&
         !network_.Slots().contains(Raw(canister));
}

Response SystemCanisters::Query(const ic::Principal& canister, const std::string& method) {
  if (canister == CyclesMinting() && method == "get_default_subnets") {
    return {std::nullopt, candid::EncodeArgs(std::vector<candid::Principal>{subnet_})};
  }
  if (canister == CyclesLedger() && method == "icrc1_balance_of") {
    return {std::nullopt, candid::EncodeArgs(Nat::FromU128(kBalance))};
  }
  return NoMethod(method);
}

Response SystemCanisters::Update(const ic::Principal& sender, const ic::Principal& canister,
                                 const std::string& method, base::ByteSpan argument) {
  if (canister != CyclesLedger()) return Query(canister, method);
  if (method == "create_canister") return ToResponse(CreateCanister(sender, argument));
  if (method == "withdraw") return ToResponse(Withdraw(argument));
  return Query(canister, method);
}

base::Result<base::Bytes> SystemCanisters::CreateCanister(const ic::Principal& sender,
                                                          base::ByteSpan argument) {
  const auto [args] = TRY(candid::DecodeArgs<CreateArgs>(argument));
  const std::optional<Cycles> amount = args.amount.ToU128();
  const Cycles fee = network_.options().fees.canister_creation;
  if (!amount || *amount < fee) {
    return Failed<Created>(
        base::StrCat("a canister costs ", static_cast<uint64_t>(fee), " cycles, fewer were given"));
  }
  Settings settings;
  settings.controllers = {Raw(sender)};
  if (args.creation_args && args.creation_args->settings) {
    const auto applied = ApplySettings(*args.creation_args->settings, settings);
    if (!applied) return Failed<Created>(applied.error().message);
  }
  const Principal id = TRY(network_.CreateCanister(Raw(sender), *amount - fee));
  network_.Find(id)->state.settings = std::move(settings);
  network_.Persist();
  const std::expected<Created, LedgerError> answer =
      Created{Nat(uint64_t{0}), *candid::Principal::FromBytes(id)};
  return candid::EncodeArgs(answer);
}

base::Result<base::Bytes> SystemCanisters::Withdraw(base::ByteSpan argument) {
  const auto [args] = TRY(candid::DecodeArgs<WithdrawArgs>(argument));
  Slot* slot = network_.Find(Raw(args.to));
  const std::optional<Cycles> amount = args.amount.ToU128();
  if (slot == nullptr) return Failed<Nat>(base::StrCat("there is no canister ", args.to.ToText()));
  if (!amount || *amount > ~Cycles{0} - slot->state.balance) {
    return Failed<Nat>("the amount does not fit 128 bits");
  }
  slot->state.balance += *amount;
  network_.Persist();
  const std::expected<Nat, LedgerError> answer = Nat(uint64_t{0});
  return candid::EncodeArgs(answer);
}

}  // namespace runtime
