#ifndef GPT2IC_CLI_VERIFY_H_
#define GPT2IC_CLI_VERIFY_H_

#include <optional>
#include <string>
#include <vector>

#include "cli/model_source.h"
#include "cli/receipt_file.h"

namespace cli {

// One thing that must hold, and what was found.
struct Check {
  std::string name;
  bool ok;
  std::string text;
};

// What the checker believes, all else is checked against it.
struct Trusted {
  base::Bytes root_key;                           // DER
  std::optional<base::Sha256Digest> module_hash;  // of the given wasm; none: not compared
  uint64_t now_ns = 0;
  std::optional<ic::Principal> canister;  // that must have answered; none: the one of the file
};

// The checks that need no model, in this order: receipt, certificate, time, witness, module, input,
// output. Fewer when the receipt cannot be read.
std::vector<Check> CheckCertified(const ReceiptFile& file, const Trusted& trusted);
// The other two: model, replay. Requires that the receipt can be read.
std::vector<Check> CheckComputed(const ReceiptFile& file, const LoadedModel& model);

bool AllHold(const std::vector<Check>& checks);

}  // namespace cli

#endif  // GPT2IC_CLI_VERIFY_H_
