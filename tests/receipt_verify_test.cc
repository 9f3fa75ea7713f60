// gpt2ic verify: whatever is changed in a receipt's file, the check that must see it sees it; and
// whatever a canister certifies, replay finds what the model did not give.
#include <gmock/gmock.h>

#include <functional>

#include "cli/verify.h"
#include "gpt2/chat_template.h"
#include "gpt2/packed/packed_session.h"
#include "gpt2/text_stream.h"
#include "ic/certificate_verify.h"
#include "receipt/ledger.h"

namespace {

using cli::Check;
using cli::ReceiptFile;
using receipt::Finish;
using receipt::Receipt;
using ::testing::HasSubstr;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kAnswered = 1'800'000'000 * kSecond, kInstalled = kAnswered - 100 * kSecond;

const ic::BlsKey& RootKey() {
  static const ic::BlsKey key = *ic::BlsKey::FromSeed(base::Bytes(32, 1));
  return key;
}
const ic::Principal& Canister() {
  static const ic::Principal id = *ic::Principal::FromText("3mlaz-od777-77777-qaaaa-cai");
  return id;
}
const base::Sha256Digest& ModuleHash() {
  static const base::Sha256Digest hash = base::Sha256Of(base::AsBytes("module"));
  return hash;
}
const cli::LoadedModel& Demo() {
  static const cli::LoadedModel model = cli::LoadModel("models/demo", {}).value();
  return model;
}
cli::Trusted Believed() {
  return {RootKey().public_key_der(), ModuleHash(), kAnswered + 9 * kSecond};
}

// An answer as a canister has it before it is a receipt.
struct Given {
  Receipt receipt;
  receipt::Answer answer;
};

// What a canister of this code would give.
Given Give(Receipt r, const std::vector<gpt2::TokenId>& input,
           const std::vector<std::string>& stop = {}) {
  const cli::LoadedModel& demo = Demo();
  Given given{r, {input, {}, stop}};
  std::vector<gpt2::TokenId>& output = given.answer.output;
  gpt2::PackedSession session(demo.model);
  EXPECT_TRUE(session.Append(input));
  std::string text;
  base::Bytes pending;
  given.receipt.finish = Finish::kLength;
  while (output.size() < r.max_tokens) {
    while (!session.Prefilled()) session.Step();
    const auto token = gpt2::Choose(session.Logits(), r.sampling, r.penalties, input, output);
    const bool end = token == r.end_token;
    if (end) given.receipt.finish = Finish::kEndToken;
    if (!end || r.end_token_in_output) output.push_back(token);
    if (end) break;
    gpt2::AppendText(text, pending, demo.tokenizer->TokenBytes(token));
    if (gpt2::FindStop(text, stop) != std::string::npos) {
      given.receipt.finish = Finish::kStopText;
      break;
    }
    if (output.size() == r.max_tokens) break;
    if (session.size() == session.capacity()) {
      given.receipt.finish = Finish::kContext;
      break;
    }
    EXPECT_TRUE(session.Append({&token, 1}));
  }
  return given;
}

ic::HashTree StateTree(const base::Sha256Digest& certified, uint64_t time_ns) {
  ic::TreeBuilder builder;
  builder.Set(ic::TextPath({"time"}), ic::EncodeLeb(time_ns));
  builder.Set(ic::CanisterPath(Canister(), "certified_data"), certified);
  builder.Set(ic::CanisterPath(Canister(), "module_hash"), ModuleHash());
  return builder.Build();
}
base::Bytes Signed(const ic::HashTree& state, std::string_view field) {
  const ic::Path paths[] = {ic::TextPath({"time"}), ic::CanisterPath(Canister(), field)};
  ic::Certificate certificate = ic::SignCertificate(RootKey(), state);
  certificate.tree = state.Witness(paths);
  return ic::EncodeCertificate(certificate);
}

// The file of an answer that the subnet certifies, whatever it says. `hashes`: with the hashes of
// the answer as it is; else those that the receipt has.
enum class Hashes { kOfAnswer, kAsTheyAre };
ReceiptFile Certify(Given given, Hashes hashes = Hashes::kOfAnswer) {
  Receipt& r = given.receipt;
  if (hashes == Hashes::kOfAnswer) {
    r.input_tokens = static_cast<uint32_t>(given.answer.input.size());
    r.output_tokens = static_cast<uint32_t>(given.answer.output.size());
    r.input = receipt::HashOfIds(given.answer.input, r.id_bytes);
    r.output = receipt::HashOfIds(given.answer.output, r.id_bytes);
    r.stop = receipt::HashOfTexts(given.answer.stop);
  }
  ReceiptFile file;
  file.canister = Canister();
  file.receipt = receipt::Encode(r);
  file.answer = given.answer;
  ic::TreeBuilder builder;
  builder.Set(ic::TextPath({"installed_ns"}), ic::EncodeLeb(kInstalled));
  builder.Set(ic::TextPath({"http_expr", "<*>"}), base::Bytes());
  for (const uint64_t id : {r.id - 1, r.id, r.id + 1}) {
    ic::Path path = ic::TextPath({"receipts"});
    path.push_back(receipt::LabelOf(id));
    builder.Set(path, base::Sha256Of(file.receipt));
  }
  const ic::HashTree tree = builder.Build();
  ic::Path path = ic::TextPath({"receipts"});
  path.push_back(receipt::LabelOf(r.id));
  const ic::Path paths[] = {path, ic::TextPath({"installed_ns"})};
  file.witness = tree.Witness(paths).Encode();
  const ic::HashTree state = StateTree(tree.hash(), kAnswered + kSecond);
  file.certificate = Signed(state, "certified_data");
  file.module_certificate = Signed(state, "module_hash");
  return file;
}

std::vector<Check> Checks(const ReceiptFile& file, const cli::Trusted& trusted = Believed(),
                          const cli::LoadedModel& model = Demo()) {
  std::vector<Check> checks = cli::CheckCertified(file, trusted);
  if (checks.size() == 1) return checks;
  for (Check& check : cli::CheckComputed(file, model)) checks.push_back(std::move(check));
  return checks;
}
// "name: sentence" of the first check that fails, or "".
std::string Failure(const std::vector<Check>& checks) {
  for (const Check& check : checks) {
    if (!check.ok) return base::StrCat(check.name, ": ", check.text);
  }
  return "";
}
// How many checks fail, when only one should.
int Failures(const std::vector<Check>& checks) {
  return static_cast<int>(std::ranges::count(checks, false, &Check::ok));
}

Receipt Base(uint32_t max_tokens) {
  Receipt r;
  r.id = 7;
  r.finished_ns = kAnswered;
  r.instructions = 123;
  r.canister_version = 4;
  r.installed_ns = kInstalled;
  r.model = Demo().hash;
  r.has_text = true;
  r.end_token = gpt2::MakeChatTemplate(*Demo().tokenizer).end_token;
  r.max_tokens = max_tokens;
  return r;
}
const std::vector<gpt2::TokenId>& Prompt() {
  static const std::vector<gpt2::TokenId> ids =
      gpt2::RenderPrompt(gpt2::MakeChatTemplate(*Demo().tokenizer), *Demo().tokenizer,
                         "What is the capital of France?");
  return ids;
}
// Random tokens under all parameters at once; ends by length.
Given Sampled() {
  Receipt r = Base(40);
  r.end_token.reset();  // what follows it is as good as anything
  r.sampling = {1.4, 99, 60, 0.97};
  r.penalties = {1.3, 0.4, 0.2};
  const Given given = Give(r, Prompt(), {"never to be found", "\x01"});
  EXPECT_EQ(given.receipt.finish, Finish::kLength);
  return given;
}

TEST(Verify, WhatIsTrueHolds) {
  Receipt kept = Base(40);
  kept.end_token_in_output = true;
  Receipt none = Base(0);
  Receipt wide = Base(20);
  wide.id_bytes = 4;
  std::vector<gpt2::TokenId> full(250, 17);
  Receipt hot = Base(100);
  hot.sampling.temperature = 50;
  hot.end_token.reset();
  const std::vector<std::pair<Given, Finish>> all = {
      {Sampled(), Finish::kLength},
      {Give(Base(40), Prompt()), Finish::kEndToken},
      {Give(kept, Prompt()), Finish::kEndToken},
      {Give(none, Prompt()), Finish::kLength},
      {Give(wide, Prompt()), Finish::kEndToken},
      {Give(Base(40), Prompt(), {"Fra"}), Finish::kStopText},
      {Give(hot, full), Finish::kContext}};
  for (const auto& [given, finish] : all) {
    EXPECT_EQ(given.receipt.finish, finish);
    EXPECT_EQ(Failure(Checks(Certify(given))), "") << static_cast<int>(finish);
  }
  // A cancelled answer is any beginning of one.
  Given cancelled = Sampled();
  cancelled.answer.output.resize(11);
  cancelled.receipt.finish = Finish::kCancelled;
  EXPECT_EQ(Failure(Checks(Certify(cancelled))), "");
}

// ---- what is changed in the file ----------------------------------------------------------------

TEST(Verify, EveryByteOfTheReceiptIsCertified) {
  const ReceiptFile file = Certify(Sampled());
  for (size_t i = 0; i < file.receipt.size(); ++i) {
    ReceiptFile changed = file;
    changed.receipt[i] ^= 1;
    const std::string failure = Failure(cli::CheckCertified(changed, Believed()));
    const auto read = receipt::Decode(changed.receipt);
    if (!read) {
      EXPECT_EQ(failure, "receipt: " + read.error().message) << i;
    } else if (read->id != 7) {
      EXPECT_EQ(failure, base::StrCat("witness: the witness does not have receipt ", read->id));
    } else if (read->finished_ns > kAnswered + kSecond) {
      EXPECT_THAT(failure, HasSubstr("time: the certificate is of")) << i;
    } else {
      EXPECT_THAT(failure, HasSubstr("witness: the receipt's SHA-256 is ")) << i;
    }
  }
}

// Any bit of the file's other parts.
TEST(Verify, EveryByteOfWitnessAndCertificatesCounts) {
  const ReceiptFile file = Certify(Sampled());
  const auto expect_seen = [&](base::Bytes ReceiptFile::* part, const char* check,
                               std::initializer_list<const char*> others) {
    for (size_t i = 3; i < (file.*part).size(); ++i) {  // behind the optional CBOR tag
      ReceiptFile changed = file;
      (changed.*part)[i] ^= static_cast<uint8_t>(1 << i % 8);
      const auto checks = cli::CheckCertified(changed, Believed());
      EXPECT_FALSE(cli::AllHold(checks)) << check << " byte " << i;
      bool named = false;
      for (const Check& one : checks) {
        const bool other = std::ranges::find(others, one.name) != others.end();
        if (!one.ok && one.name == check) named = true;
        if (!one.ok) EXPECT_TRUE(one.name == check || other) << one.name << " " << one.text;
      }
      EXPECT_TRUE(named) << check << " byte " << i;
    }
  };
  expect_seen(&ReceiptFile::witness, "witness", {"module"});
  expect_seen(&ReceiptFile::certificate, "certificate", {"time", "witness", "module"});
  expect_seen(&ReceiptFile::module_certificate, "module", {});
}

struct Change {
  const char* what;
  std::function<void(ReceiptFile&, cli::Trusted&)> change;
  const char* failure;
};

base::Bytes WithoutReceipt(const ReceiptFile& file) {
  const ic::Path paths[] = {ic::TextPath({"installed_ns"})};
  return ic::HashTree::Decode(file.witness)->Witness(paths).Encode();
}

TEST(Verify, EachChangeOfTheFileIsNamed) {
  const ReceiptFile file = Certify(Sampled());
  const std::vector<Change> changes = {
      {"another root key",
       [](auto&, auto& t) {
         t.root_key = ic::BlsKey::FromSeed(base::Bytes(32, 2))->public_key_der();
       },
       "certificate: not signed for canister 3mlaz-od777-77777-qaaaa-cai under the root key"},
      {"another canister",
       [](auto& f, auto&) { f.canister = *ic::Principal::FromText("2vxsx-fae"); },
       "witness: the certificate does not tell the certified data of canister 2vxsx-fae"},
      {"not the canister that is meant",
       [](auto&, auto& t) { t.canister = *ic::Principal::FromText("2vxsx-fae"); },
       "certificate: the file is of canister 3mlaz-od777-77777-qaaaa-cai, expected 2vxsx-fae"},
      {"no certificate", [](auto& f, auto&) { f.certificate.clear(); }, "certificate: "},
      {"the module's certificate in its place",
       [](auto& f, auto&) { f.certificate = f.module_certificate; },
       "witness: the certificate does not tell the certified data"},
      {"a clock that is behind", [](auto&, auto& t) { t.now_ns = kAnswered - 400 * kSecond; },
       "time: the certificate is of 2027-01-15 08:00:01 UTC, which has not come yet"},
      {"a witness of nothing", [](auto& f, auto&) { f.witness = WithoutReceipt(f); },
       "witness: the witness does not have receipt 7"},
      {"the witness of another tree",
       [](auto& f, auto&) { f.witness = ic::HashTree::Empty().Encode(); },
       "witness: the witness has the root "},
      {"no witness", [](auto& f, auto&) { f.witness.clear(); }, "witness: "},
      {"another wasm", [](auto&, auto& t) { t.module_hash->back() ^= 1; },
       "module: the canister's module is "},
      {"no module certificate", [](auto& f, auto&) { f.module_certificate.clear(); },
       "module: the file does not tell the module's hash; get it with gpt2ic receipt fetch"},
      {"the other certificate as the module's",
       [](auto& f, auto&) { f.module_certificate = f.certificate; },
       "module: the module's certificate does not tell the module of canister"},
      {"a module certificate of another time",
       [](auto& f, auto&) {
         f.module_certificate = Signed(StateTree({}, kAnswered + 2 * kSecond), "module_hash");
       },
       "module: the module's certificate is of 2027-01-15 08:00:02 UTC, another state than"},
      {"no ids", [](auto& f, auto&) { f.answer.reset(); },
       "input: the file has no ids: only the answer's caller can fetch them"},
      {"another input", [](auto& f, auto&) { f.answer->input[3] ^= 1; },
       "input: the SHA-256 of the input ids is "},
      {"a longer input", [](auto& f, auto&) { f.answer->input.push_back(1); },
       "input: the file has 13 input ids, the receipt says 12"},
      {"an input id too wide", [](auto& f, auto&) { f.answer->input[0] += 65'536; },
       "input: one of the input ids is above 65535"},
      {"another stop text", [](auto& f, auto&) { f.answer->stop[0] += "!"; },
       "input: the SHA-256 of the stop texts is "},
      {"no stop texts", [](auto& f, auto&) { f.answer->stop.clear(); },
       "input: the SHA-256 of the stop texts is "},
      {"another answer", [](auto& f, auto&) { f.answer->output[20] ^= 1; },
       "output: the SHA-256 of the output ids is "},
      {"a shorter answer", [](auto& f, auto&) { f.answer->output.pop_back(); },
       "output: the file has 39 output ids, the receipt says 40"},
  };
  for (const Change& one : changes) {
    ReceiptFile changed = file;
    cli::Trusted trusted = Believed();
    one.change(changed, trusted);
    EXPECT_THAT(Failure(Checks(changed, trusted)), HasSubstr(one.failure)) << one.what;
  }
}

TEST(Verify, AnotherModelIsNamed) {
  const ReceiptFile file = Certify(Sampled());
  const auto tiny = cli::LoadModel("tests/data/gpt2-tiny", {}).value();
  const auto checks = Checks(file, Believed(), tiny);
  EXPECT_THAT(Failure(checks), HasSubstr("model: the given model's SHA-256 is "));
  EXPECT_EQ(checks.back().text, "not run: another model");
  EXPECT_FALSE(checks.back().ok);
}

// Without --wasm the module is not compared, and nothing is asked of its certificate but that it
// is one.
TEST(Verify, TheModuleIsComparedOnlyWhenAskedFor) {
  ReceiptFile file = Certify(Sampled());
  cli::Trusted trusted = Believed();
  trusted.module_hash.reset();
  EXPECT_EQ(Failure(Checks(file, trusted)), "");
  file.module_certificate.clear();
  EXPECT_EQ(Failure(Checks(file, trusted)), "");
}

// As on the Internet Computer: the root key vouches for the subnet's, the subnet signs.
TEST(Verify, ASubnetMaySignWhenTheRootVouchesForIt) {
  const ic::BlsKey subnet_key = *ic::BlsKey::FromSeed(base::Bytes(32, 3));
  const ic::Principal subnet = ic::SelfAuthenticating(subnet_key.public_key_der());
  const auto delegated = [&](base::ByteSpan certificate, const ic::Principal& from) {
    ic::TreeBuilder builder;
    const ic::CanisterRange ranges[] = {{from, Canister()}};
    builder.Set(ic::TextPath({"time"}), ic::EncodeLeb(kInstalled));
    builder.Set(ic::SubnetPath(subnet, "public_key"), subnet_key.public_key_der());
    builder.Set(ic::SubnetPath(subnet, "canister_ranges"), ic::EncodeCanisterRanges(ranges));
    ic::Certificate signed_by = ic::ParseCertificate(certificate).value();
    signed_by.signature = ic::SignCertificate(subnet_key, signed_by.tree).signature;
    signed_by.delegation = {subnet,
                            ic::EncodeCertificate(ic::SignCertificate(RootKey(), builder.Build()))};
    return ic::EncodeCertificate(signed_by);
  };
  const ReceiptFile direct = Certify(Sampled());
  ReceiptFile file = direct;
  file.certificate = delegated(direct.certificate, Canister());
  file.module_certificate = delegated(direct.module_certificate, Canister());
  const auto checks = Checks(file);
  EXPECT_EQ(Failure(checks), "");
  EXPECT_THAT(checks[1].text, HasSubstr("by its subnet"));
  base::Bytes above(Canister().bytes().begin(), Canister().bytes().end());
  above.back() = 0xff;
  file.certificate = delegated(direct.certificate, *ic::Principal::FromBytes(above));
  EXPECT_THAT(Failure(Checks(file)), HasSubstr("is not in the ranges of subnet"));
}

// ---- what a canister that lies would certify ----------------------------------------------------

struct Lie {
  const char* what;
  std::function<void(Given&)> change;
  const char* failure;
};

void ExpectFound(const Given& truth, const std::vector<Lie>& lies) {
  ASSERT_EQ(Failure(Checks(Certify(truth))), "");
  for (const Lie& lie : lies) {
    Given given = truth;
    lie.change(given);
    const auto checks = Checks(Certify(given));
    EXPECT_THAT(Failure(checks), HasSubstr(lie.failure)) << lie.what;
    EXPECT_EQ(Failures(checks), Failure(checks).starts_with("model") ? 2 : 1) << lie.what;
  }
}

TEST(Verify, ReplayFindsALieInEveryParameter) {
  const char* const drawn = "replay: token ";
  ExpectFound(
      Sampled(),
      {{"seed", [](Given& g) { ++g.receipt.sampling.seed; }, drawn},
       {"temperature", [](Given& g) { g.receipt.sampling.temperature = 0.7; }, drawn},
       {"greedy", [](Given& g) { g.receipt.sampling.temperature = 0; }, drawn},
       {"top_k", [](Given& g) { g.receipt.sampling.top_k = 2; }, drawn},
       {"top_p", [](Given& g) { g.receipt.sampling.top_p = 0.3; }, drawn},
       {"repetition_penalty", [](Given& g) { g.receipt.penalties.repetition = 1; }, drawn},
       {"frequency_penalty", [](Given& g) { g.receipt.penalties.frequency = -2; }, drawn},
       {"presence_penalty", [](Given& g) { g.receipt.penalties.presence = -2; }, drawn},
       {"max_tokens", [](Given& g) { g.receipt.max_tokens = 41; },
        "replay: the answer ends by \"length\" with 40 tokens, expected max_tokens 41"},
       {"a smaller max_tokens", [](Given& g) { g.receipt.max_tokens = 39; },
        "replay: the answer has 40 tokens, but must end at 39"},
       {"an end token among them", [](Given& g) { g.receipt.end_token = g.answer.output[10]; },
        "of the answer is the end token, but the answer goes on"},
       {"a token", [](Given& g) { g.answer.output[17] ^= 1; },
        "replay: token 17 of the answer is "},
       {"the last token", [](Given& g) { g.answer.output[39] ^= 1; },
        "replay: token 39 of the answer is "},
       {"a token of no vocabulary", [](Given& g) { g.answer.output[1] = 65'000; },
        "replay: token 1 of the answer is 65000, the model has ids below "},
       {"the input", [](Given& g) { g.answer.input[5] ^= 1; }, drawn},
       {"an input of no vocabulary", [](Given& g) { g.answer.input[0] = 65'000; },
        "replay: token 0 of the input is 65000"},
       {"no input", [](Given& g) { g.answer.input.clear(); },
        "replay: the input has 0 tokens, the model takes 1 to 256"},
       {"a token less", [](Given& g) { g.answer.output.pop_back(); },
        "replay: the answer ends by \"length\" with 39 tokens"},
       {"an end by the end token",
        [](Given& g) {
          g.receipt.finish = Finish::kEndToken;
          g.receipt.end_token = 1;
        },
        "replay: the answer has 40 tokens, which does not fit its end by \"stop\""},
       {"an end by a stop text", [](Given& g) { g.receipt.finish = Finish::kStopText; },
        "replay: the answer ends by a stop text, but its text has none"},
       {"an end by the context", [](Given& g) { g.receipt.finish = Finish::kContext; },
        "replay: the answer ends by \"context\" with 12 + 40 tokens in a context of 256"},
       {"an end from outside", [](Given& g) { g.receipt.finish = Finish::kCancelled; },
        "replay: the answer has 40 tokens, which does not fit its end by \"cancelled\""},
       {"a stop text that came",
        [](Given& g) {
          g.answer.stop = {Demo().tokenizer->Decode({{g.answer.output[3]}}).value()};
        },
        "of the answer completes a stop text, but the answer goes on"},
       {"time", [](Given& g) { g.receipt.finished_ns += 2 * kSecond; },
        "time: the certificate is of 2027-01-15 08:00:01 UTC, before the answer was finished"},
       {"installation", [](Given& g) { g.receipt.installed_ns += kSecond; },
        "module: the module was installed 2027-01-15 07:58:20 UTC, the answer is of the one "},
       {"model", [](Given& g) { g.receipt.model[0] ^= 1; },
        "model: the given model's SHA-256 is "}});
}

TEST(Verify, ReplayFindsALieInEveryEnd) {
  ExpectFound(Give(Base(40), Prompt()),
              {{"no end token", [](Given& g) { g.receipt.end_token.reset(); },
                "replay: the answer ends by an end token, but there is none"},
               {"another end token", [](Given& g) { g.receipt.end_token = 1; },
                "replay: the model does not end the answer behind token 7 but draws "},
               {"an end too early", [](Given& g) { g.answer.output.pop_back(); },
                "replay: the model does not end the answer behind token 6 but draws "},
               {"an end token that is said to be kept",
                [](Given& g) { g.receipt.end_token_in_output = true; },
                "replay: the answer ends by the end token, but its last token is "}});
  ExpectFound(Give(Base(40), Prompt(), {"Fra"}),
              {{"another stop text", [](Given& g) { g.answer.stop = {"xyz"}; },
                "replay: the answer ends by a stop text, but its text has none"},
               {"a stop text that came earlier", [](Given& g) { g.answer.stop.push_back("cap"); },
                "of the answer completes a stop text, but the answer goes on"},
               {"no tokenizer", [](Given& g) { g.receipt.has_text = false; },
                "replay: the answer ends by a stop text, but none was looked for"},
               {"nothing", [](Given& g) { g.answer.output.clear(); },
                "replay: the answer has 0 tokens, which does not fit its end by \"stop\""}});
  Receipt kept = Base(40);
  kept.end_token_in_output = true;
  ExpectFound(Give(kept, Prompt()), {{"an end token that is said not to be kept",
                                      [](Given& g) { g.receipt.end_token_in_output = false; },
                                      "of the answer is the end token, but the answer goes on"}});
}

// Replay cannot know these; that they are what the canister said rests on the certificate alone
// (docs/receipt.md).
TEST(Verify, SomeNumbersOnlyTheCertificateVouchesFor) {
  for (const auto& change : std::vector<std::function<void(Receipt&)>>{
           [](Receipt& r) { ++r.instructions; }, [](Receipt& r) { ++r.canister_version; },
           [](Receipt& r) { r.revision[0] ^= 1; }}) {
    Given given = Sampled();
    change(given.receipt);
    EXPECT_EQ(Failure(Checks(Certify(given))), "");
  }
}

// Hashes that are certified but not those of the ids.
TEST(Verify, CertifiedHashesMustBeThoseOfTheIds) {
  const ReceiptFile whole = Certify(Sampled());
  const Receipt r = receipt::Decode(whole.receipt).value();
  const auto failure = [&](const std::function<void(Receipt&)>& change) {
    Given given{r, *whole.answer};
    change(given.receipt);
    return Failure(Checks(Certify(given, Hashes::kAsTheyAre)));
  };
  EXPECT_EQ(failure([](Receipt&) {}), "");
  EXPECT_THAT(failure([](Receipt& x) { x.input[0] ^= 1; }),
              HasSubstr("input: the SHA-256 of the input"));
  EXPECT_THAT(failure([](Receipt& x) { x.output[0] ^= 1; }),
              HasSubstr("output: the SHA-256 of the output"));
  EXPECT_THAT(failure([](Receipt& x) { x.stop[0] ^= 1; }),
              HasSubstr("input: the SHA-256 of the stop"));
  EXPECT_THAT(failure([](Receipt& x) { ++x.input_tokens; }),
              HasSubstr("input: the file has 12 input ids"));
  EXPECT_THAT(failure([](Receipt& x) { --x.output_tokens; }),
              HasSubstr("output: the file has 40 output"));
  EXPECT_THAT(failure([](Receipt& x) { x.id_bytes = 4; }),
              HasSubstr("input: the SHA-256 of the input"));
}

// ---- the file -----------------------------------------------------------------------------------

TEST(Verify, TheFileIsReadAsItWasWritten) {
  const ReceiptFile file = Certify(Sampled());
  const std::string text = cli::WriteReceiptFile(file);
  const auto again = cli::ReadReceiptFile(text);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(cli::WriteReceiptFile(*again), text);
  EXPECT_EQ(Failure(Checks(*again)), "");
  ReceiptFile bare = file;
  bare.answer.reset();
  EXPECT_FALSE(cli::ReadReceiptFile(cli::WriteReceiptFile(bare))->answer);
}

TEST(Verify, WhatIsNoFileIsRefusedWithASentence) {
  const auto refusal = [](std::string_view text) {
    const auto file = cli::ReadReceiptFile(text);
    return file ? std::string() : file.error().message;
  };
  EXPECT_EQ(refusal(""), "receipt file is no JSON object");
  EXPECT_EQ(refusal("[]"), "receipt file is no JSON object");
  EXPECT_EQ(refusal("{}"), "receipt file has no field \"gpt2ic_receipt\"");
  EXPECT_EQ(refusal(R"({"gpt2ic_receipt":2})"), "receipt file has version 2, expected 1");
  EXPECT_EQ(refusal(R"({"gpt2ic_receipt":1,"canister":5})"),
            "receipt file's \"canister\" is no text");
  EXPECT_THAT(refusal(R"({"gpt2ic_receipt":1,"canister":"xx"})"), HasSubstr("xx"));
  const std::string head = R"({"gpt2ic_receipt":1,"canister":"aaaaa-aa","receipt":)";
  EXPECT_EQ(refusal(head + "1}"), "receipt file's \"receipt\" is no text");
  EXPECT_THAT(refusal(head + "\"0\"}"), HasSubstr("receipt file's \"receipt\": "));
  const std::string parts = head + R"("","witness":"","certificate":"")";
  EXPECT_EQ(refusal(parts + "}"), "");
  EXPECT_EQ(refusal(parts + R"(,"answer":[]})"), "receipt file's \"answer\" is no object");
  EXPECT_EQ(refusal(parts + R"(,"answer":{"input":[-1]}})"),
            "receipt file's \"input\" has something other than token ids");
  EXPECT_EQ(refusal(parts + R"(,"answer":{"input":[4294967296]}})"),
            "receipt file's \"input\" has something other than token ids");
  EXPECT_EQ(refusal(parts + R"(,"answer":{"input":[],"output":[],"stop":[1]}})"),
            "receipt file's \"stop\" has something other than texts");
}

}  // namespace
