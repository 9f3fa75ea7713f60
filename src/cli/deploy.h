#ifndef GPT2IC_CLI_DEPLOY_H_
#define GPT2IC_CLI_DEPLOY_H_

#include <string>

#include "cli/target.h"

namespace cli {

enum class DeployMode { kAuto, kInstall, kReinstall, kUpgrade };

struct Deployed {
  ic::Principal id;
  bool created = false;   // else it was there
  bool upgraded = false;  // else installed anew
  base::Bytes module_hash;
};

// Makes `name` a canister that runs `wasm`: creates it when there is none (local networks only),
// installs it when it is empty, else upgrades it. Modules that do not fit one message go through
// the chunk store. `frontend` gets the ids of all canisters known here as environment variables.
base::Result<Deployed> Deploy(Target& target, const std::string& name, base::Bytes wasm,
                              base::Bytes argument, DeployMode mode);

struct UploadOptions {
  std::string canister, method, file, kind;
  uint32_t parallel = 4;
  bool restart = false;  // do not go on with an upload that was broken off
};

// Sends a file through a method: `upload_chunk` as in model.did, in parallel and resumed; any other
// method as the seeds' uploaders do, by chunks of 2,000,000 bytes one after another.
base::Status UploadFile(Target& target, const UploadOptions& options);

// The canister `model` as it is built, and models/demo on it when it is new; and `frontend`, the
// chat page.
base::Status SetUpDemo(Target& target);

}  // namespace cli

#endif  // GPT2IC_CLI_DEPLOY_H_
