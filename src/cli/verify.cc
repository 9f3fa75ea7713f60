#include "cli/verify.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>

#include "base/hex.h"
#include "ic/certificate_verify.h"
#include "receipt/ledger.h"

namespace cli {
namespace {

using base::Err;
using base::Result;
using receipt::Receipt;

// A check's outcome: what it found, or the sentence of what does not hold.
using Finding = Result<std::string>;

constexpr uint64_t kSecond = 1'000'000'000;

std::string TimeText(uint64_t ns) {
  const auto seconds = static_cast<time_t>(ns / kSecond);
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(seconds));
}

// What the file says, read once.
struct Evidence {
  const ReceiptFile& file;
  const Trusted& trusted;
  Receipt receipt;
  Result<ic::Certificate> certificate;
  Result<ic::HashTree> witness;
};

base::Status CheckSigned(const ic::Certificate& certificate, const Evidence& e) {
  const auto signed_by = ic::VerifyCertificate(certificate, e.trusted.root_key, e.file.canister);
  if (signed_by) return {};
  return Err("not signed for canister ", e.file.canister.ToText(),
             " under the root key: ", signed_by.error().message);
}

Finding CheckCertificate(const Evidence& e) {
  const auto& wanted = e.trusted.canister;
  if (wanted && *wanted != e.file.canister) {
    return Err("the file is of canister ", e.file.canister.ToText(), ", expected ",
               wanted->ToText());
  }
  const ic::Certificate certificate = TRY(e.certificate);
  TRY_STATUS(CheckSigned(certificate, e));
  return base::StrCat("signed for canister ", e.file.canister.ToText(), " under the root key",
                      certificate.delegation ? ", by its subnet" : "");
}

Finding CheckTime(const Evidence& e) {
  const uint64_t time = TRY(ic::TimeOf(TRY(e.certificate).tree));
  if (time > e.trusted.now_ns + 300 * kSecond) {
    return Err("the certificate is of ", TimeText(time), ", which has not come yet");
  }
  if (time < e.receipt.finished_ns) {
    return Err("the certificate is of ", TimeText(time), ", before the answer was finished at ",
               TimeText(e.receipt.finished_ns));
  }
  return base::StrCat("answered ", TimeText(e.receipt.finished_ns), ", certified ", TimeText(time));
}

Finding CheckWitness(const Evidence& e) {
  const ic::HashTree tree = TRY(e.certificate).tree;
  const auto certified = tree.Value(ic::CanisterPath(e.file.canister, "certified_data"));
  if (!certified) {
    return Err("the certificate does not tell the certified data of canister ",
               e.file.canister.ToText());
  }
  const ic::HashTree witness = TRY(e.witness);
  if (!std::ranges::equal(*certified, witness.hash())) {
    return Err("the witness has the root ", base::ToHex(witness.hash()),
               ", the canister's certified data is ", base::ToHex(*certified));
  }
  ic::Path path = ic::TextPath({"receipts"});
  path.push_back(receipt::LabelOf(e.receipt.id));
  const auto leaf = witness.Value(path);
  if (!leaf) return Err("the witness does not have receipt ", e.receipt.id);
  const auto hash = base::Sha256Of(e.file.receipt);
  if (!std::ranges::equal(*leaf, hash)) {
    return Err("the receipt's SHA-256 is ", base::ToHex(hash), ", the witness has ",
               base::ToHex(*leaf), " for receipt ", e.receipt.id);
  }
  return base::StrCat("receipt ", e.receipt.id, " is in the canister's certified data");
}

// The module's hash and the certified data must be of the same state: the root that both
// certificates are signed over is one. Else another module could have stood there in between.
Finding CheckModule(const Evidence& e) {
  const auto& wanted = e.trusted.module_hash;
  if (e.file.module_certificate.empty()) {
    if (!wanted) return "not told, not compared: no --wasm";
    return Err("the file does not tell the module's hash; get it with gpt2ic receipt fetch");
  }
  const ic::Certificate certificate = TRY(ic::ParseCertificate(e.file.module_certificate));
  TRY_STATUS(CheckSigned(certificate, e));
  const auto hash = certificate.tree.Value(ic::CanisterPath(e.file.canister, "module_hash"));
  if (!hash) {
    return Err("the module's certificate does not tell the module of canister ",
               e.file.canister.ToText());
  }
  if (!wanted) return base::StrCat(base::ToHex(*hash), ", not compared: no --wasm");
  if (!std::ranges::equal(*hash, *wanted)) {
    return Err("the canister's module is ", base::ToHex(*hash), ", the given wasm ",
               base::ToHex(*wanted));
  }
  if (certificate.tree.hash() != TRY(e.certificate).tree.hash()) {
    return Err("the module's certificate is of ", TimeText(TRY(ic::TimeOf(certificate.tree))),
               ", another state than the receipt's; fetch it again");
  }
  const auto leaf = TRY(e.witness).Value(ic::TextPath({"installed_ns"}));
  if (!leaf) return Err("the witness does not tell when the module was installed");
  const uint64_t installed = TRY(ic::ParseLeb(*leaf, "installed_ns"));
  if (installed != e.receipt.installed_ns) {
    return Err("the module was installed ", TimeText(installed),
               ", the answer is of the one installed ", TimeText(e.receipt.installed_ns));
  }
  return base::StrCat("the given wasm, installed ", TimeText(installed));
}

Finding CheckIds(const char* what, const std::vector<gpt2::TokenId>& ids, uint32_t count,
                 const base::Sha256Digest& hash, uint8_t id_bytes) {
  if (ids.size() != count) {
    return Err("the file has ", ids.size(), " ", what, " ids, the receipt says ", count);
  }
  const uint32_t most = id_bytes == 2 ? UINT16_MAX : UINT32_MAX;
  if (std::ranges::any_of(ids, [&](gpt2::TokenId id) { return id > most; })) {
    return Err("one of the ", what, " ids is above ", most);
  }
  const auto found = receipt::HashOfIds(ids, id_bytes);
  if (found != hash) {
    return Err("the SHA-256 of the ", what, " ids is ", base::ToHex(found), ", the receipt has ",
               base::ToHex(hash));
  }
  return base::StrCat(count, count == 1 ? " token" : " tokens");
}

Finding CheckInput(const Evidence& e) {
  const auto& answer = e.file.answer;
  if (!answer) return Err("the file has no ids: only the answer's caller can fetch them");
  const auto stop = receipt::HashOfTexts(answer->stop);
  if (stop != e.receipt.stop) {
    return Err("the SHA-256 of the stop texts is ", base::ToHex(stop), ", the receipt has ",
               base::ToHex(e.receipt.stop));
  }
  const Receipt& r = e.receipt;
  return CheckIds("input", answer->input, r.input_tokens, r.input, r.id_bytes);
}

Finding CheckOutput(const Evidence& e) {
  const auto& answer = e.file.answer;
  if (!answer) return Err("the file has no ids: only the answer's caller can fetch them");
  const Receipt& r = e.receipt;
  return CheckIds("output", answer->output, r.output_tokens, r.output, r.id_bytes);
}

Check CheckOf(const char* name, const Finding& finding) {
  return {name, finding.has_value(), finding ? *finding : finding.error().message};
}

Finding Replayed(const Receipt& r, const ReceiptFile& file, const LoadedModel& model) {
  if (!file.answer) return Err("not run: the file has no ids");
  const gpt2::Tokenizer* tokenizer = model.tokenizer ? &*model.tokenizer : nullptr;
  TRY_STATUS(receipt::Replay(model.model, tokenizer, r, *file.answer));
  return base::StrCat(r.output_tokens, r.output_tokens == 1 ? " token is" : " tokens are",
                      " what the model gives, and the end by \"", receipt::FinishReason(r.finish),
                      "\"");
}

}  // namespace

std::vector<Check> CheckCertified(const ReceiptFile& file, const Trusted& trusted) {
  const auto read = receipt::Decode(file.receipt);
  if (!read) return {{"receipt", false, read.error().message}};
  const Evidence e{file, trusted, *read, ic::ParseCertificate(file.certificate),
                   ic::HashTree::Decode(file.witness)};
  return {{"receipt", true, base::StrCat("number ", e.receipt.id)},
          CheckOf("certificate", CheckCertificate(e)),
          CheckOf("time", CheckTime(e)),
          CheckOf("witness", CheckWitness(e)),
          CheckOf("module", CheckModule(e)),
          CheckOf("input", CheckInput(e)),
          CheckOf("output", CheckOutput(e))};
}

std::vector<Check> CheckComputed(const ReceiptFile& file, const LoadedModel& model) {
  const Receipt r = receipt::Decode(file.receipt).value();
  if (model.hash != r.model) {
    return {{"model", false,
             base::StrCat("the given model's SHA-256 is ", base::ToHex(model.hash),
                          ", the receipt has ", base::ToHex(r.model))},
            {"replay", false, "not run: another model"}};
  }
  return {{"model", true, base::ToHex(model.hash)}, CheckOf("replay", Replayed(r, file, model))};
}

bool AllHold(const std::vector<Check>& checks) { return std::ranges::all_of(checks, &Check::ok); }

}  // namespace cli
