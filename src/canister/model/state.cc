#include "canister/model/state.h"

#include <algorithm>

#include "base/check.h"
#include "base/sha256.h"
#include "canister/sdk/canister.h"
#include "gpt2/import/loader.h"

namespace model {
namespace {

using base::Err;
using base::Result;

constexpr char kAuthorizedFile[] = "authorized";
constexpr char kStateFile[] = "state";
constexpr char kReceiptsFile[] = "receipts";
constexpr uint64_t kStateBytesMax = 1 << 30;
constexpr uint64_t kConfigBytesMax = 1 << 20;
constexpr uint64_t kTokenizerBytesMax = 64 << 20;

State* g_state = nullptr;

Result<gpt2::Tokenizer> MakeTokenizer(const store::Store& store, const std::string& name) {
  return gpt2::Tokenizer::FromJson(TRY(ReadWhole(store, name, kTokenizerBytesMax)));
}

// One length byte and the principal's bytes, one after the other.
base::Bytes EncodePrincipals(const std::vector<candid::Principal>& principals) {
  base::Bytes out;
  for (const candid::Principal& principal : principals) {
    out.push_back(static_cast<uint8_t>(principal.bytes().size()));
    base::Append(out, principal.bytes());
  }
  return out;
}

Result<std::vector<candid::Principal>> DecodePrincipals(base::ByteSpan bytes) {
  base::ByteReader in(bytes);
  std::vector<candid::Principal> out;
  while (!in.empty()) {
    const uint8_t size = TRY(in.U8());
    out.push_back(TRY(candid::Principal::FromBytes(TRY(in.Take(size)))));
  }
  return out;
}

}  // namespace

std::string FileName(Kind kind, const char* place) {
  static constexpr const char* kNames[] = {"config", "safetensors", "tokenizer"};
  return base::StrCat(kNames[static_cast<size_t>(kind)], ".", place);
}

State& TheState() {
  CHECK(g_state != nullptr);
  return *g_state;
}

void OpenState() {
  auto store = store::Store::Open();
  if (!store) sdk::TrapWith(store.error().message);
  g_state = new State(*std::move(store));
  base::Bytes bytes(static_cast<size_t>(g_state->store.Size(kAuthorizedFile)));
  base::Status read = g_state->store.Read(kAuthorizedFile, 0, bytes);
  auto principals = DecodePrincipals(bytes);
  if (!read || !principals) sdk::TrapWith("the list of authorized principals is damaged");
  g_state->authorized = *std::move(principals);
}

bool State::IsAuthorized(const candid::Principal& principal) const {
  return std::ranges::find(authorized, principal) != authorized.end();
}

base::Status State::Authorize(const candid::Principal& principal) {
  constexpr size_t kPrincipalsMax = 1000;
  if (IsAuthorized(principal)) return {};
  if (authorized.size() >= kPrincipalsMax) {
    return Err(authorized.size(), " principals are authorized, at most ", kPrincipalsMax,
               " can be");
  }
  authorized.push_back(principal);
  return store.Put(kAuthorizedFile, EncodePrincipals(authorized));
}

base::Status State::Deauthorize(const candid::Principal& principal) {
  if (std::erase(authorized, principal) == 0) {
    return Err("principal ", principal.ToText(), " is not authorized");
  }
  return store.Put(kAuthorizedFile, EncodePrincipals(authorized));
}

Role State::RoleOf(const candid::Principal& principal) const {
  static const candid::Principal kAnonymous = *candid::Principal::FromText("2vxsx-fae");
  if (sdk::IsController(principal)) return Role::kController;
  if (IsAuthorized(principal)) return Role::kAuthorized;
  return principal == kAnonymous ? Role::kAnonymous : Role::kAuthenticated;
}

base::Status State::SetUpTokenizer(const std::string& file) {
  gpt2::Tokenizer made = TRY(MakeTokenizer(store, file));
  TRY_STATUS(store.Move(file, kTokenizerFile));
  tokenizer = std::move(made);
  chat = gpt2::MakeChatTemplate(*tokenizer);
  return {};
}

base::Status State::BeginModel(const std::string& config_file, const std::string& weights_file,
                               const base::Bytes& sha256) {
  if (installer) return Err("another model is being set up, ", installer->percent(), " percent");
  installer = TRY(Installer::Begin(store, config_file, weights_file, sha256));
  setup_outcome.reset();
  ++setups;
  return {};
}

base::Status State::CheckFree(const std::string& file) const {
  if (!installer || (installer->config_file() != file && installer->weights_file() != file)) {
    return {};
  }
  return Err(file, " is being set up, ", installer->percent(), " percent");
}

base::Status State::CheckModelFiles() const {
  const std::string json =
      TRY(ReadWhole(store, FileName(Kind::kConfig, "buffer"), kConfigBytesMax));
  const gpt2::Config config = TRY(gpt2::ParseConfig(json));
  const std::string weights = FileName(Kind::kSafetensors, "buffer");
  if (store.Size(weights) == 0) return Err("no ", weights, " bytes were uploaded");
  StoreSource source(store, weights);
  gpt2::Weights structure;
  TRY(gpt2::PlanTensors(config.hparams, source, structure));
  return {};
}

void State::AdoptModel() {
  Ready made;
  made.model = installer->TakeModel();
  made.config.hparams = made.model->hparams();
  made.hash = installer->hash();
  made.rates = installer->rates();
  installer.reset();
  ready = std::move(made);
  ReadEndToken();
}

// What the config says besides the hyperparameters. An ONNX or packed file may come without one:
// then it is GPT-2's own end of text, where the vocabulary has it.
void State::ReadEndToken() {
  constexpr gpt2::TokenId kEndOfText = 50256;
  if (ready->config.hparams.n_vocab > kEndOfText) ready->config.eos_token_id = kEndOfText;
  const auto json = ReadWhole(store, kConfigFile, gpt2::kConfigBytesMax);
  if (!json) return;
  if (const auto config = gpt2::ParseConfig(*json)) {
    ready->config.eos_token_id = config->eos_token_id;
  }
}

void State::Load() {
  loading = false;  // one try: what fails now would fail again
  const auto failed = [&](const char* what, const base::Error& error) {
    log.Add(sdk::NowNs(), base::StrCat("loading the ", what, " failed: ", error.message));
  };
  if (store.Exists(kTokenizerFile)) {
    auto made = MakeTokenizer(store, kTokenizerFile);
    if (!made) return failed("tokenizer", made.error());
    tokenizer = *std::move(made);
    chat = gpt2::MakeChatTemplate(*tokenizer);
  }
  if (store.Exists(kModelFile)) {
    StoreSource source(store, kModelFile);
    auto model = EngineModel::Load(source);
    if (!model) return failed("model", model.error());
    ready.emplace();
    ready->model = std::make_unique<EngineModel>(*std::move(model));
    ready->config.hparams = ready->model->hparams();
    ready->rates = MeasureRates(*ready->model);
    if (auto read = store.Read(kModelHashFile, 0, ready->hash); !read) {
      return failed("model's hash", read.error());
    }
    ReadEndToken();
  }
  log.Add(sdk::NowNs(), "the model is loaded");
}

uint64_t State::NewSeed() {
  base::Bytes bytes = entropy;
  base::AppendFixed(bytes, sdk::NowNs());
  base::AppendFixed(bytes, seeds_drawn++);
  base::Append(bytes, sdk::Caller().bytes());
  const base::Sha256Digest digest = base::Sha256Of(bytes);
  uint64_t seed;
  std::memcpy(&seed, digest.data(), sizeof(seed));
  return seed;
}

// ---- over an upgrade ---------------------------------------------------------------------------

namespace {

// A set-up that was under way: begun again from its files, under its number.
struct KeptSetup {
  std::string config_file, weights_file;
  base::Bytes sha256;
};
CANDID_RECORD(KeptSetup, config_file, weights_file, sha256)

// Fields may be added as opt; none may change its meaning.
struct Kept {
  GateRecord gate;
  std::vector<Job> jobs;
  uint64_t next_job;
  std::vector<ChatSession> sessions;
  uint64_t next_session;
  base::Bytes entropy;
  uint64_t seeds_drawn;
  std::optional<KeptSetup> setup = std::nullopt;
  std::vector<UploadRecord> uploads = {};
  uint64_t next_upload = 1;
  std::optional<uint64_t> setups = std::nullopt;
  // Of the last set-up, for the call that may wait for it still.
  std::optional<base::Status> setup_outcome = std::nullopt;
};
CANDID_RECORD(Kept, gate, jobs, next_job, sessions, next_session, entropy, seeds_drawn, setup,
              uploads, next_upload, setups, setup_outcome)

}  // namespace

void SaveState() {
  State& state = TheState();
  Kept kept{
      state.gate.Save(), {}, state.jobs.next_id(), {}, state.sessions.next_id(), state.entropy,
      state.seeds_drawn};
  for (const auto& [id, upload] : state.uploads.all()) kept.uploads.push_back(upload);
  kept.next_upload = state.uploads.next_id();
  kept.setups = state.setups;
  kept.setup_outcome = state.setup_outcome;
  if (const Installer* installer = state.installer.get()) {
    kept.setup = {installer->config_file(), installer->weights_file(), installer->sha256()};
  }
  for (const auto& [id, job] : state.jobs.all()) kept.jobs.push_back(job);
  for (const auto& [id, session] : state.sessions.all()) kept.sessions.push_back(session);
  auto saved = state.store.Put(kStateFile, candid::EncodeArgs(kept));
  if (saved) saved = state.store.Put(kReceiptsFile, state.receipts.Save());
  if (!saved) sdk::TrapWith(saved.error().message);
}

namespace {

void RestoreReceipts(State& state) {
  if (!state.store.Exists(kReceiptsFile)) return;  // of a version that gave none
  const auto file = ReadWhole(state.store, kReceiptsFile, kStateBytesMax);
  if (!file) sdk::TrapWith(file.error().message);
  auto receipts = receipt::Ledger::Restore(base::AsBytes(*file), sdk::NowNs());
  if (!receipts) sdk::TrapWith(receipts.error().message);
  state.receipts = *std::move(receipts);
}

}  // namespace

void RestoreState() {
  State& state = TheState();
  RestoreReceipts(state);
  if (!state.store.Exists(kStateFile)) return;  // the first upgrade of one that kept nothing
  const auto file = ReadWhole(state.store, kStateFile, kStateBytesMax);
  if (!file) sdk::TrapWith(file.error().message);
  auto kept = candid::DecodeArgs<Kept>(base::AsBytes(*file));
  if (!kept) sdk::TrapWith(base::StrCat("the state in the store: ", kept.error().message));
  auto& [values] = *kept;
  state.gate.Restore(values.gate);
  state.jobs.Restore(std::move(values.jobs), values.next_job);
  state.sessions.Restore(std::move(values.sessions), values.next_session);
  state.uploads.Restore(std::move(values.uploads), values.next_upload);
  state.entropy = std::move(values.entropy);
  state.seeds_drawn = values.seeds_drawn;
  state.setups = values.setups.value_or(0);
  state.setup_outcome = std::move(values.setup_outcome);
  if (!values.setup) return;
  const std::string& weights = values.setup->weights_file;
  --state.setups;  // the same one, begun again
  const auto begun = state.BeginModel(values.setup->config_file, weights, values.setup->sha256);
  if (begun) return;
  ++state.setups;
  state.setup_outcome = begun;
  state.uploads.EndHashing(weights, std::nullopt);
}

}  // namespace model
