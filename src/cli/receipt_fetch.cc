// A receipt from a canister, with its proof.
#include "candid/typed.h"
#include "cli/receipt_file.h"

namespace cli {

using base::Err;
using base::Result;

namespace {

// The types of model.did.
struct Failure {
  std::string code, message;
};
CANDID_RECORD(Failure, code, message)
struct Ids {
  std::vector<uint32_t> input, output;
  std::vector<std::string> stop;
};
CANDID_RECORD(Ids, input, output, stop)
struct Reply {
  uint64_t id;
  base::Bytes receipt, witness, certificate;
  std::optional<Ids> answer;
};
CANDID_RECORD(Reply, id, receipt, witness, certificate, answer)

Result<Reply> AskFor(Agent& agent, const ic::Principal& canister, uint64_t id) {
  const base::Bytes bytes = TRY(agent.Query(canister, "receipt", candid::EncodeArgs(id)));
  using Answered = std::expected<Reply, Failure>;
  auto [reply] = TRY(candid::DecodeArgs<Answered>(bytes));
  if (!reply) return Err(reply.error().message);
  return *std::move(reply);
}

}  // namespace

Result<ReceiptFile> FetchReceipt(Agent& agent, const ic::Principal& canister, uint64_t id) {
  constexpr int kTries = 30;
  ReceiptFile file;
  for (int tries = 0; tries < kTries; ++tries) {
    Reply reply = TRY(AskFor(agent, canister, id));
    file = {canister,
            std::move(reply.receipt),
            std::move(reply.witness),
            std::move(reply.certificate),
            {},
            std::nullopt};
    if (reply.answer) {
      file.answer = {std::move(reply.answer->input), std::move(reply.answer->output),
                     std::move(reply.answer->stop)};
    }
    file.module_certificate =
        TRY(agent.ReadStateCertificate(canister, {ic::CanisterPath(canister, "module_hash")}));
    if (SameState(file)) break;
  }
  return file;
}

}  // namespace cli
