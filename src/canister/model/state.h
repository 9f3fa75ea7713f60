#ifndef GPT2IC_CANISTER_MODEL_STATE_H_
#define GPT2IC_CANISTER_MODEL_STATE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "candid/principal.h"
#include "canister/model/engine.h"
#include "canister/model/gate.h"
#include "canister/model/jobs.h"
#include "canister/model/log.h"
#include "canister/model/sessions.h"
#include "canister/store/store.h"
#include "gpt2/byte_source.h"
#include "gpt2/chat_template.h"
#include "gpt2/import/config.h"
#include "gpt2/tokenizer/tokenizer.h"

namespace model {

// The three files that a user uploads. Each lies in the store as KIND.buffer (being appended to),
// KIND.stored (put aside by store_..._to_stable) and KIND.active (in use since its set-up).
enum class Kind : uint8_t { kConfig, kSafetensors, kTokenizer };
std::string FileName(Kind kind, const char* place);

// A file of the store as the importers want it.
class StoreSource : public gpt2::ByteSource {
 public:
  StoreSource(const store::Store& store, std::string name)
      : store_(store), name_(std::move(name)), size_(store.Size(name_)) {}
  uint64_t size() const override { return size_; }
  base::Status Read(uint64_t offset, std::span<uint8_t> out) override {
    return store_.Read(name_, offset, out);
  }

 private:
  const store::Store& store_;
  std::string name_;
  uint64_t size_;
};

// A model ready to answer.
struct Ready {
  gpt2::Config config;
  std::unique_ptr<EngineModel> model;
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
  bool loading = false;  // there is a model in the store that is not in the heap yet
  Gate gate;
  Jobs jobs;
  Sessions sessions;  // their engines point into ready->model
  LogRing log;
  base::Bytes entropy;  // from raw_rand; empty until it has come
  uint64_t seeds_drawn = 0;

  bool IsAuthorized(const candid::Principal& principal) const;
  base::Status Authorize(const candid::Principal& principal);
  base::Status Deauthorize(const candid::Principal& principal);
  Role RoleOf(const candid::Principal& principal) const;

  // Read KIND.buffer, make the thing, and on success move the files to KIND.active.
  base::Status SetUpTokenizer();
  base::Status SetUpModel();
  // Whether SetUpModel would find config and weights that fit; loads nothing.
  base::Status CheckModelFiles() const;
  // Loads what the store has as KIND.active and the heap has not.
  void Load();

  uint64_t NewSeed();
};

State& TheState();
// Called first thing in canister_init and canister_post_upgrade.
void OpenState();
// What an upgrade keeps: written to the store by canister_pre_upgrade, read by RestoreState.
void SaveState();
void RestoreState();

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_STATE_H_
