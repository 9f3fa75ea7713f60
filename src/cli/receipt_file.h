#ifndef GPT2IC_CLI_RECEIPT_FILE_H_
#define GPT2IC_CLI_RECEIPT_FILE_H_

#include <optional>
#include <string>

#include "cli/agent.h"
#include "receipt/replay.h"

namespace cli {

// All that is needed to check an answer but the model, in one file: JSON (docs/receipt.md).
struct ReceiptFile {
  ic::Principal canister;
  base::Bytes receipt, witness;
  base::Bytes certificate;                // of the canister's certified data
  base::Bytes module_certificate;         // of its module's hash, in the same state; or empty
  std::optional<receipt::Answer> answer;  // of its caller's file only
};

// An Error says what is missing or of another kind. At most 64 MiB.
base::Result<ReceiptFile> ReadReceiptFile(std::string_view json);
std::string WriteReceiptFile(const ReceiptFile& file);

// Whether the two certificates are of one state.
bool SameState(const ReceiptFile& file);

// Asks the canister for a receipt and the network for the module's hash, until both certificates
// are of the same state, so that what is certified was certified by that module. When the network
// is too fast for that, gives the last two: all is proved then but the module.
base::Result<ReceiptFile> FetchReceipt(Agent& agent, const ic::Principal& canister, uint64_t id);

}  // namespace cli

#endif  // GPT2IC_CLI_RECEIPT_FILE_H_
