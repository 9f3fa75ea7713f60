// The canister that `gpt2ic bench` measures: each step of a model's life as an update of its own,
// so that the meter tells what it cost. Arguments and replies are raw numbers, little-endian.
#include <memory>
#include <optional>

#include "base/sha256.h"
#include "canister/sdk/canister.h"
#include "canister/sdk/ic0.h"
#include "gpt2/packed/packed_session.h"
#include "gpt2/packed/packer.h"
#include "gpt2/sampler/sampler.h"
#include "kernels.h"
#include "storage.h"

namespace bench {
namespace {

using gpt2::PackedModel;
using gpt2::PackedSession;
using gpt2::Phase;

constexpr uint64_t kMessageMax = 40'000'000'000;
constexpr uint64_t kReserve = 100'000'000;  // for the end of a message

uint64_t Spent() { return ic0::performance_counter(0); }
uint64_t Left() { return kMessageMax - kReserve - std::min(kMessageMax - kReserve, Spent()); }

template <class T>
T Must(base::Result<T> result) {
  if (!result) sdk::TrapWith(result.error().message);
  return *std::move(result);
}
void Must(const base::Status& status) {
  if (!status) sdk::TrapWith(status.error().message);
}

// The argument's numbers, in order.
class Argument {
 public:
  Argument() : bytes_(sdk::ArgumentBytes()), in_(bytes_) {}
  uint32_t U32() { return Must(in_.Fixed<uint32_t>()); }

 private:
  base::Bytes bytes_;
  base::ByteReader in_;
};

template <class... Ts>
void ReplyNumbers(Ts... numbers) {
  base::Bytes out;
  (base::AppendFixed(out, numbers), ...);
  sdk::ReplyBytes(out);
}

struct Work {
  StableFile safetensors{File::kSafetensors}, packed{File::kPacked};
  std::optional<gpt2::Packer> packer;
  base::Sha256 hash;
  uint64_t hashed = 0;
  std::unique_ptr<PackedModel> model;
  std::unique_ptr<PackedSession> session;
  uint32_t generated = 0;
};
Work* g_work = nullptr;

CANISTER_INIT() {
  __wasm_call_ctors();
  g_work = new Work;
}
CANISTER_POST_UPGRADE() {
  __wasm_call_ctors();
  g_work = new Work;
}

void AppendFile(File file) {
  const base::Bytes bytes = sdk::ArgumentBytes();
  Must(StableFile(file).Write(bytes));
  ReplyNumbers();
}
CANISTER_UPDATE(append_safetensors) { AppendFile(File::kSafetensors); }
CANISTER_UPDATE(append_packed) { AppendFile(File::kPacked); }

// mode, n_vocab, n_ctx, n_embd, n_head, n_layer -> 1 when done
CANISTER_UPDATE(pack) {
  Argument in;
  const auto mode = static_cast<gpt2::PackedMode>(in.U32());
  gpt2::Hparams hparams;
  for (uint32_t* field :
       {&hparams.n_vocab, &hparams.n_ctx, &hparams.n_embd, &hparams.n_head, &hparams.n_layer}) {
    *field = in.U32();
  }
  if (!g_work->packer) {
    g_work->packed.Clear();
    g_work->packer.emplace(
        Must(gpt2::Packer::Open(hparams, mode, g_work->safetensors, g_work->packed)));
  }
  bool done = false;
  while (!done && Left() > 500'000'000) done = Must(g_work->packer->Step());
  if (done) g_work->packer.reset();
  ReplyNumbers(static_cast<uint8_t>(done));
}

// -> 1 and the digest when done
CANISTER_UPDATE(hash) {
  constexpr size_t kPiece = 1 << 20;
  static uint8_t piece[kPiece];
  StableFile& file = g_work->packed;
  const uint64_t size = file.size();
  while (g_work->hashed < size && Left() > 200'000'000) {
    const auto count = static_cast<size_t>(std::min<uint64_t>(kPiece, size - g_work->hashed));
    Must(file.Read(g_work->hashed, {piece, count}));
    g_work->hash.Update({piece, count});
    g_work->hashed += count;
  }
  if (g_work->hashed < size) return ReplyNumbers(uint8_t{0});
  base::Bytes out = {1};
  base::Append(out, g_work->hash.Finish());
  sdk::ReplyBytes(out);
}

CANISTER_UPDATE(load) {
  g_work->session.reset();
  g_work->model.reset();
  g_work->model = std::make_unique<PackedModel>(Must(PackedModel::Load(g_work->packed)));
  ReplyNumbers();
}

// -> bytes of the heap
CANISTER_UPDATE(heap) { ReplyNumbers(uint64_t{__builtin_wasm_memory_size(0)} * 65536); }

void StartSession() {
  g_work->session = std::make_unique<PackedSession>(*g_work->model);
  g_work->generated = 0;
}

// Any tokens: what they are does not change what they cost.
void AppendTokens(uint32_t count) {
  std::vector<gpt2::TokenId> ids(count);
  for (uint32_t i = 0; i < count; ++i) {
    ids[i] = (g_work->session->size() + i) * 7919 % g_work->model->hparams().n_vocab;
  }
  Must(g_work->session->Append(ids));
}

// Runs what fits into this message.
bool Prefill() {
  PackedSession& session = *g_work->session;
  const uint64_t pages = session.PageCharges();
  while (!session.Prefilled() && session.StepCost() + pages <= Left()) {
    session.Step(Left() - pages);
  }
  return session.Prefilled();
}

CANISTER_UPDATE(session) {
  StartSession();
  ReplyNumbers();
}

// count -> 1 if they are run
CANISTER_UPDATE(prefill) {
  AppendTokens(Argument().U32());
  ReplyNumbers(static_cast<uint8_t>(Prefill()));
}
CANISTER_UPDATE(prefill_on) { ReplyNumbers(static_cast<uint8_t>(Prefill())); }

// One token: through the blocks, the head and the greedy choice.
gpt2::TokenId Decode() {
  AppendTokens(1);
  g_work->session->Step();
  return gpt2::Argmax(g_work->session->Logits());
}
CANISTER_UPDATE(decode) { ReplyNumbers(Decode()); }

// -> what the session says the next token and its logits cost at most, and the pages
CANISTER_UPDATE(estimate) {
  const PackedSession& session = *g_work->session;
  ReplyNumbers(session.StepCost() + session.LogitsCost(), session.PageCharges(1));
}

// Instructions by phase, of one token after another (which met the page charges).
class Profile : public gpt2::PhaseObserver {
 public:
  void Enter(Phase phase) override {
    const uint64_t now = Spent();
    spent[static_cast<size_t>(phase_)] += now - since_;
    phase_ = phase;
    since_ = Spent();
  }
  uint64_t spent[4] = {};

 private:
  Phase phase_ = Phase::kRest;
  uint64_t since_ = Spent();
};

void ReplyProfile(const Profile& profile, uint64_t sampling) {
  ReplyNumbers(profile.spent[0], profile.spent[1], profile.spent[2], profile.spent[3], sampling);
}

CANISTER_UPDATE(profile_decode) {
  Decode();
  AppendTokens(1);
  Profile profile;
  g_work->session->set_observer(&profile);
  g_work->session->Step();
  g_work->session->Logits();
  profile.Enter(Phase::kRest);
  const uint64_t before = Spent();
  gpt2::Argmax(g_work->session->Logits());
  ReplyProfile(profile, Spent() - before);
}

// count: that many tokens are run, then as many measured
CANISTER_UPDATE(profile_prefill) {
  const uint32_t count = Argument().U32();
  AppendTokens(count);
  Prefill();
  AppendTokens(count);
  Profile profile;
  g_work->session->set_observer(&profile);
  Prefill();
  profile.Enter(Phase::kRest);
  ReplyProfile(profile, 0);
}

// On the logits that are there.
CANISTER_UPDATE(sample) {
  const gpt2::SamplingParams params{.temperature = 0.8, .seed = 1, .top_k = 40, .top_p = 0.95};
  ReplyNumbers(gpt2::Sample(g_work->session->Logits(), params, 0));
}

// prompt tokens (0: go on with the last), tokens to generate -> tokens generated so far
CANISTER_UPDATE(generate) {
  Argument in;
  const uint32_t prompt = in.U32(), count = in.U32();
  if (prompt > 0) {
    StartSession();
    AppendTokens(prompt);
  }
  PackedSession& session = *g_work->session;
  uint64_t pages = session.PageCharges();  // until the first logits all are met
  while (g_work->generated < count) {
    while (!session.Prefilled() && session.StepCost() + pages <= Left()) {
      session.Step(Left() - pages);
    }
    if (!session.Prefilled() || session.LogitsCost() + pages > Left()) break;
    const gpt2::TokenId next = gpt2::Argmax(session.Logits());
    pages = 0;
    ++g_work->generated;
    if (session.size() == session.capacity()) break;
    if (g_work->generated < count) Must(session.Append({&next, 1}));
  }
  ReplyNumbers(g_work->generated);
}

// tokens at once, or 0 for the head -> instructions of the second of two runs
CANISTER_UPDATE(kernels) {
  const uint32_t tokens = Argument().U32();
  RunKernels(tokens);
  const uint64_t before = Spent();
  RunKernels(tokens);
  ReplyNumbers(Spent() - before);
}

}  // namespace
}  // namespace bench
