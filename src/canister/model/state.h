#ifndef GPT2IC_CANISTER_MODEL_STATE_H_
#define GPT2IC_CANISTER_MODEL_STATE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "candid/principal.h"
#include "canister/model/engine.h"
#include "canister/model/gate.h"
#include "canister/model/installer.h"
#include "canister/model/jobs.h"
#include "canister/model/log.h"
#include "canister/model/sessions.h"
#include "canister/model/uploads.h"
#include "canister/store/store.h"
#include "gpt2/byte_source.h"
#include "gpt2/chat_template.h"
#include "gpt2/import/config.h"
#include "gpt2/tokenizer/tokenizer.h"
#include "ic/hash_tree.h"
#include "receipt/ledger.h"

namespace model {

// The three files that a user of the seed's calls uploads. Each lies in the store as KIND.buffer
// (being appended to) and KIND.stored (put aside by store_..._to_stable). What is in use since its
// set-up: tokenizer.active, config.active, packed.active (docs/stable-memory.md).
enum class Kind : uint8_t { kConfig, kSafetensors, kTokenizer };
std::string FileName(Kind kind, const char* place);
inline constexpr char kConfigFile[] = "config.active";
inline constexpr char kTokenizerFile[] = "tokenizer.active";
inline constexpr char kModelHashFile[] = "packed.sha256";
inline constexpr char kSourceHashFile[] = "source.sha256";  // of what the model was made from

// A model ready to answer.
struct Ready {
  gpt2::Config config;
  std::unique_ptr<EngineModel> model;
  base::Sha256Digest hash;  // of the packed file: the model's identity
  Rates rates;
};

// Since the last install or upgrade.
struct Totals {
  uint64_t answers = 0, prompt_tokens = 0, output_tokens = 0, instructions = 0;
  uint64_t receipt_instructions = 0;  // for receipts, page charges included
};

// What the canister holds in its heap. Tokenizer, model, keys and values are made again from the
// store after an upgrade; the rest is carried over (SaveState).
struct State {
  explicit State(store::Store s) : store(std::move(s)) {}

  store::Store store;
  std::vector<candid::Principal> authorized;
  std::optional<gpt2::Tokenizer> tokenizer;
  gpt2::ChatTemplate chat;
  std::optional<Ready> ready;
  std::unique_ptr<Installer> installer;       // at work on the next model
  uint64_t setups = 0;                        // begun so far; the last one's number
  std::optional<base::Status> setup_outcome;  // of the last one, when it is over
  bool loading = false;  // there is a model in the store that is not in the heap yet
  Gate gate;
  Jobs jobs;
  Sessions sessions;  // their engines point into ready->model
  Uploads uploads;
  LogRing log;
  base::Bytes entropy;  // from raw_rand; empty until it has come
  uint64_t seeds_drawn = 0;
  Totals totals;
  uint64_t low_cycles_ns = 0;  // when the log was told last; 0: not yet
  receipt::Ledger receipts;
  uint64_t installed_ns = 0;  // the code that runs now
  ic::HashTree certified;     // what the certified data is the root of (certified.h)

  bool IsAuthorized(const candid::Principal& principal) const;
  base::Status Authorize(const candid::Principal& principal);
  base::Status Deauthorize(const candid::Principal& principal);
  Role RoleOf(const candid::Principal& principal) const;

  // Makes a tokenizer of this file, and on success moves the file to tokenizer.active.
  base::Status SetUpTokenizer(const std::string& file);
  // A new model into use, in several messages: `installer` does it.
  // `sha256` is what the file's hash must be; empty: anything.
  base::Status BeginModel(const std::string& config_file, const std::string& weights_file,
                          const base::Bytes& sha256);
  // Whether setup_model would find config and weights that fit; loads nothing.
  base::Status CheckModelFiles() const;
  // Err when this file is read by the set-up that is under way: then it must stay as it is.
  base::Status CheckFree(const std::string& file) const;
  // Takes what the installer has made into use. Requires that it is done.
  void AdoptModel();
  // Loads what the store has as KIND.active and the heap has not.
  void Load();

  uint64_t NewSeed();

 private:
  void ReadEndToken();
};

State& TheState();
// Called first thing in canister_init and canister_post_upgrade.
void OpenState();
// What an upgrade keeps: written to the store by canister_pre_upgrade, read by RestoreState.
void SaveState();
void RestoreState();

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_STATE_H_
