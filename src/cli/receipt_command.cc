// gpt2ic receipt: fetch one, list them. gpt2ic verify: check an answer (docs/receipt.md).
#include <fmt/core.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/hex.h"
#include "candid/typed.h"
#include "cli/command.h"
#include "cli/target.h"
#include "cli/verify.h"

namespace cli {
namespace {

using Json = nlohmann::json;
using base::Result;

struct FetchOptions {
  TargetOptions target;
  std::string canister, out;
  uint64_t id = 0;
};

base::Status Fetch(const FetchOptions& options) {
  const auto target = TRY(Target::Open(options.target));
  const ic::Principal canister = TRY(target->Canister(options.canister));
  const ReceiptFile file = TRY(FetchReceipt(target->agent(), canister, options.id));
  const std::string text = WriteReceiptFile(file);
  if (options.out.empty() || options.out == "-") {
    fmt::print("{}", text);
    return {};
  }
  FileSink sink(options.out);
  TRY_STATUS(sink.Write(base::AsBytes(text)));
  TRY_STATUS(sink.Close());
  fmt::print("{}: receipt {} of {}{}\n", options.out, options.id, canister.ToText(),
             file.answer ? "" : ", without its ids: they are for the answer's caller");
  if (!SameState(file)) {
    fmt::print(
        "the module's certificate is of another state, so --wasm would not hold; try again\n");
  }
  return {};
}

struct ListOptions {
  TargetOptions target;
  std::string canister;
};
// The types of model.did.
struct Summary {
  uint64_t id, finished_ns;
  uint32_t output_tokens;
  bool yours;
};
CANDID_RECORD(Summary, id, finished_ns, output_tokens, yours)
struct Listed {
  std::vector<Summary> receipts;
  uint64_t next;
};
CANDID_RECORD(Listed, receipts, next)

base::Status List(const ListOptions& options) {
  const auto target = TRY(Target::Open(options.target));
  const ic::Principal canister = TRY(target->Canister(options.canister));
  for (uint64_t from = 0;;) {
    const base::Bytes reply =
        TRY(target->agent().Query(canister, "receipt_list", candid::EncodeArgs(from)));
    const auto [list] = TRY(candid::DecodeArgs<Listed>(reply));
    for (const Summary& row : list.receipts) {
      fmt::print("{:>8}  {:>5} tokens  {}\n", row.id, row.output_tokens, row.yours ? "yours" : "");
    }
    if (list.next <= from) return {};
    from = list.next;
  }
}

struct VerifyOptions {
  std::string file, model, wasm, root_key, canister;
  bool json = false;
};

// Hexadecimal, or a file of it or of the DER bytes.
Result<base::Bytes> RootKey(const std::string& text) {
  if (text.empty()) return MainnetRootKey();
  if (const auto bytes = base::FromHex(text); bytes && !bytes->empty()) return *bytes;
  std::string content = TRY(ReadFile(text));
  std::string_view digits = content;
  while (!digits.empty() && std::isspace(static_cast<unsigned char>(digits.back())) != 0) {
    digits.remove_suffix(1);
  }
  if (const auto bytes = base::FromHex(digits)) return *bytes;
  return base::Bytes(content.begin(), content.end());
}

struct Verified {
  std::vector<Check> checks;
  Json about;  // of the answer
};

Json AboutOf(const receipt::Receipt& r, const ReceiptFile& file, const LoadedModel& model) {
  Json about = {{"id", r.id},
                {"seed", r.sampling.seed},
                {"temperature", r.sampling.temperature},
                {"max_tokens", r.max_tokens},
                {"finish_reason", receipt::FinishReason(r.finish)},
                {"instructions", r.instructions}};
  if (!file.answer || !model.tokenizer) return about;
  if (const auto text = model.tokenizer->Decode(file.answer->input)) about["input"] = *text;
  if (const auto text = model.tokenizer->Decode(file.answer->output)) about["output"] = *text;
  return about;
}

Result<Verified> Verify(const VerifyOptions& options) {
  const auto file = ReadReceiptFile(TRY(ReadFile(options.file)));
  if (!file) return Verified{{{"file", false, file.error().message}}, Json::object()};
  Trusted trusted;
  trusted.root_key = TRY(RootKey(options.root_key));
  if (!options.canister.empty()) {
    trusted.canister = TRY(ic::Principal::FromText(options.canister));
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  trusted.now_ns =
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
  if (!options.wasm.empty()) {
    trusted.module_hash = base::Sha256Of(base::AsBytes(TRY(ReadFile(options.wasm))));
  }
  Verified out{CheckCertified(*file, trusted), Json::object()};
  const auto receipt = receipt::Decode(file->receipt);
  if (!receipt) return out;
  const LoadedModel model = TRY(LoadModel(options.model, receipt->model));
  for (Check& check : CheckComputed(*file, model)) out.checks.push_back(std::move(check));
  out.about = AboutOf(*receipt, *file, model);
  return out;
}

// Whether a terminal could take something in `utf8` for more than text: controls (C1, DEL; JSON
// escapes the others by itself) and marks that turn the direction of writing.
bool HasHiddenCharacters(std::string_view utf8) {
  for (size_t i = 0; i + 1 < utf8.size(); ++i) {
    const std::string_view rest = utf8.substr(i);
    if (rest[0] == '\xc2' && static_cast<uint8_t>(rest[1]) < 0xa0) return true;
    const bool turns = rest.starts_with("\u200e") || rest.starts_with("\u200f") ||
                       (rest >= "\u202a" && rest < "\u202f") ||
                       (rest >= "\u2066" && rest < "\u206a");
    if (turns) return true;
  }
  return utf8.contains('\x7f');
}

void Print(const Verified& verified) {
  for (const Check& check : verified.checks) {
    fmt::print("{:<12} {:<7} {}\n", check.name, check.ok ? "ok" : "FAILED", check.text);
  }
  for (const char* text : {"input", "output"}) {
    if (!verified.about.contains(text)) continue;
    const Json& value = verified.about[text];
    const bool ascii = HasHiddenCharacters(value.get_ref<const std::string&>());
    fmt::print("{:<12} {}\n", text == std::string_view("input") ? "asked" : "answered",
               value.dump(-1, ' ', ascii, Json::error_handler_t::replace));
  }
  fmt::print("{}\n", AllHold(verified.checks) ? "the answer is what this model gives"
                                              : "the answer is NOT verified");
}

int RunVerify(const VerifyOptions& options) {
  const auto verified = Verify(options);
  if (!verified) return Complain(verified.error().message, kExitUsage);
  const bool ok = AllHold(verified->checks);
  if (options.json) {
    Json checks = Json::array();
    for (const Check& check : verified->checks) {
      checks.push_back({{"name", check.name}, {"ok", check.ok}, {"text", check.text}});
    }
    const Json out = {{"ok", ok}, {"checks", checks}, {"answer", verified->about}};
    fmt::print("{}\n", out.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    Print(*verified);
  }
  return ok ? 0 : kExitFailed;
}

}  // namespace

void AddReceipt(CLI::App& app, int* exit_code) {
  CLI::App* command = app.add_subcommand("receipt", "receipts of a canister's answers");
  command->require_subcommand(1);
  const auto done = [exit_code](const base::Status& status) {
    if (!status) *exit_code = Complain(status.error().message, kExitFailed);
  };

  auto fetch_options = std::make_shared<FetchOptions>();
  CLI::App* fetch = command->add_subcommand("fetch", "one receipt with its proof, as a file");
  AddTarget(fetch, &fetch_options->target);
  fetch->add_option("canister", fetch_options->canister, "id, or the name it was deployed as")
      ->required();
  fetch->add_option("id", fetch_options->id, "the receipt's number")->required();
  fetch->add_option("-o,--out", fetch_options->out, "the file (default: standard output)");
  fetch->callback([fetch_options, done] { done(Fetch(*fetch_options)); });

  auto list_options = std::make_shared<ListOptions>();
  CLI::App* list = command->add_subcommand("list", "the receipts that are kept");
  AddTarget(list, &list_options->target);
  list->add_option("canister", list_options->canister, "id, or the name it was deployed as")
      ->required();
  list->callback([list_options, done] { done(List(*list_options)); });
}

void AddVerify(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* command = app.add_subcommand("verify", "check an answer by its receipt");
  command->add_option("file", options->file, "of gpt2ic receipt fetch")->required();
  command
      ->add_option("--model", options->model,
                   "Hugging Face folder, safetensors, ONNX or packed file")
      ->required();
  command->add_option("--wasm", options->wasm, "the module that must have given the answer");
  command->add_option("--canister", options->canister,
                      "id of the canister that must have given the answer (default: any)");
  command->add_option("--root-key", options->root_key,
                      "hexadecimal, or a file (default: the Internet Computer's)");
  command->add_flag("--json", options->json, "one JSON object");
  command->callback([options, exit_code] { *exit_code = RunVerify(*options); });
}

}  // namespace cli
