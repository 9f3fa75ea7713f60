#include "canister/model/state.h"

#include <algorithm>

#include "base/check.h"
#include "canister/sdk/canister.h"
#include "gpt2/import/loader.h"

namespace model {
namespace {

using base::Err;
using base::Result;
using base::Status;

constexpr char kAuthorizedFile[] = "authorized";
constexpr uint64_t kConfigBytesMax = 1 << 20;
constexpr uint64_t kTokenizerBytesMax = 64 << 20;

State* g_state = nullptr;

Result<std::string> ReadWhole(const store::Store& store, const std::string& name,
                              uint64_t bytes_max) {
  const uint64_t size = store.Size(name);
  if (size == 0) return Err("no ", name, " bytes were uploaded");
  if (size > bytes_max)
    return Err(name, " has ", size, " bytes, at most ", bytes_max, " are taken");
  std::string text(static_cast<size_t>(size), '\0');
  TRY_STATUS(store.Read(name, 0, {reinterpret_cast<uint8_t*>(text.data()), text.size()}));
  return text;
}

Result<gpt2::Tokenizer> MakeTokenizer(const store::Store& store, const std::string& name) {
  return gpt2::Tokenizer::FromJson(TRY(ReadWhole(store, name, kTokenizerBytesMax)));
}

Result<Ready> MakeModel(const store::Store& store, const char* place) {
  const std::string json = TRY(ReadWhole(store, FileName(Kind::kConfig, place), kConfigBytesMax));
  Ready ready{TRY(gpt2::ParseConfig(json)), nullptr};
  const std::string weights = FileName(Kind::kSafetensors, place);
  if (store.Size(weights) == 0) return Err("no ", weights, " bytes were uploaded");
  StoreSource source(store, weights);
  auto loader = TRY(gpt2::SafetensorsLoader::Open(ready.config.hparams, source));
  while (!TRY(loader.Step())) {
  }
  ready.model = std::make_unique<gpt2::Model>(ready.config.hparams, loader.Take());
  return ready;
}

Status Activate(store::Store& store, Kind kind) {
  return store.Move(FileName(kind, "buffer"), FileName(kind, "active"));
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
  Status read = g_state->store.Read(kAuthorizedFile, 0, bytes);
  auto principals = DecodePrincipals(bytes);
  if (!read || !principals) sdk::TrapWith("the list of authorized principals is damaged");
  g_state->authorized = *std::move(principals);
}

bool State::IsAuthorized(const candid::Principal& principal) const {
  return std::ranges::find(authorized, principal) != authorized.end();
}

Status State::Authorize(const candid::Principal& principal) {
  constexpr size_t kPrincipalsMax = 1000;
  if (IsAuthorized(principal)) return {};
  if (authorized.size() >= kPrincipalsMax) {
    return Err(authorized.size(), " principals are authorized, at most ", kPrincipalsMax,
               " can be");
  }
  authorized.push_back(principal);
  return store.Put(kAuthorizedFile, EncodePrincipals(authorized));
}

Status State::SetUpTokenizer() {
  gpt2::Tokenizer made = TRY(MakeTokenizer(store, FileName(Kind::kTokenizer, "buffer")));
  TRY_STATUS(Activate(store, Kind::kTokenizer));
  tokenizer = std::move(made);
  chat = gpt2::MakeChatTemplate(*tokenizer);
  return {};
}

Status State::SetUpModel() {
  Ready made = TRY(MakeModel(store, "buffer"));
  TRY_STATUS(Activate(store, Kind::kConfig));
  TRY_STATUS(Activate(store, Kind::kSafetensors));
  ready = std::move(made);
  return {};
}

Status State::Reload() {
  if (store.Exists(FileName(Kind::kTokenizer, "active"))) {
    tokenizer = TRY(MakeTokenizer(store, FileName(Kind::kTokenizer, "active")));
    chat = gpt2::MakeChatTemplate(*tokenizer);
  }
  if (store.Exists(FileName(Kind::kSafetensors, "active"))) {
    ready = TRY(MakeModel(store, "active"));
  }
  return {};
}

}  // namespace model
