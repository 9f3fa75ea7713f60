#ifndef GPT2IC_CLI_VECTORS_H_
#define GPT2IC_CLI_VECTORS_H_

#include <string>

#include "base/result.h"

namespace cli {

struct ReplayResult {
  int passed = 0, failed = 0, skipped = 0;
};

// Replays a file of metering vectors (tests/data/metering-vectors/README.md): every case is one
// canister from CASE/module.wat beside the file. Page charges are off. Appends a line for each
// difference, and for each row that a newer rule of the IC makes obsolete, to *report.
base::Result<ReplayResult> ReplayVectors(const std::string& path, std::string* report);

}  // namespace cli

#endif  // GPT2IC_CLI_VECTORS_H_
