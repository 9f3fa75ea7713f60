#include "cli/receipt_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/hex.h"

namespace cli {

using Json = nlohmann::json;
using base::Err;
using base::Result;

namespace {

constexpr int kFileVersion = 1;
constexpr size_t kFileBytesMax = 64 << 20;

Result<const Json*> Field(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return Err("receipt file has no field \"", name, "\"");
  return &*found;
}

Result<base::Bytes> HexField(const Json& object, const char* name) {
  const Json& value = *TRY(Field(object, name));
  if (!value.is_string()) return Err("receipt file's \"", name, "\" is no text");
  const auto bytes = base::FromHex(value.get_ref<const std::string&>());
  if (!bytes) return Err("receipt file's \"", name, "\": ", bytes.error().message);
  return *bytes;
}

Result<std::vector<uint32_t>> IdsField(const Json& object, const char* name) {
  const Json& value = *TRY(Field(object, name));
  std::vector<uint32_t> ids;
  if (!value.is_array()) return Err("receipt file's \"", name, "\" is no list");
  for (const Json& id : value) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() > UINT32_MAX) {
      return Err("receipt file's \"", name, "\" has something other than token ids");
    }
    ids.push_back(id.get<uint32_t>());
  }
  return ids;
}

Result<receipt::Answer> AnswerField(const Json& object) {
  if (!object.is_object()) return Err("receipt file's \"answer\" is no object");
  receipt::Answer answer{TRY(IdsField(object, "input")), TRY(IdsField(object, "output")), {}};
  const Json& stop = *TRY(Field(object, "stop"));
  if (!stop.is_array()) return Err("receipt file's \"stop\" is no list");
  for (const Json& text : stop) {
    if (!text.is_string()) return Err("receipt file's \"stop\" has something other than texts");
    answer.stop.push_back(text.get<std::string>());
  }
  return answer;
}

}  // namespace

Result<ReceiptFile> ReadReceiptFile(std::string_view text) {
  if (text.size() > kFileBytesMax) {
    return Err("receipt file has ", text.size(), " bytes, expected at most ", kFileBytesMax);
  }
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return Err("receipt file is no JSON object");
  const Json& version = *TRY(Field(json, "gpt2ic_receipt"));
  if (version != kFileVersion) {
    return Err("receipt file has version ", base::Printable(version.dump(-1, ' ', true)),
               ", expected ", kFileVersion);
  }
  ReceiptFile file;
  const Json& canister = *TRY(Field(json, "canister"));
  if (!canister.is_string()) return Err("receipt file's \"canister\" is no text");
  file.canister = TRY(ic::Principal::FromText(canister.get<std::string>()));
  file.receipt = TRY(HexField(json, "receipt"));
  file.witness = TRY(HexField(json, "witness"));
  file.certificate = TRY(HexField(json, "certificate"));
  if (json.contains("module_certificate")) {
    file.module_certificate = TRY(HexField(json, "module_certificate"));
  }
  const auto answer = json.find("answer");
  if (answer != json.end() && !answer->is_null()) file.answer = TRY(AnswerField(*answer));
  return file;
}

std::string WriteReceiptFile(const ReceiptFile& file) {
  Json json = {{"gpt2ic_receipt", kFileVersion},
               {"canister", file.canister.ToText()},
               {"receipt", base::ToHex(file.receipt)},
               {"witness", base::ToHex(file.witness)},
               {"certificate", base::ToHex(file.certificate)},
               {"module_certificate", base::ToHex(file.module_certificate)},
               {"answer", nullptr}};
  if (file.answer) {
    json["answer"] = {{"input", file.answer->input},
                      {"output", file.answer->output},
                      {"stop", file.answer->stop}};
  }
  return json.dump(1) + "\n";
}

bool SameState(const ReceiptFile& file) {
  const auto data = ic::ParseCertificate(file.certificate);
  const auto module = ic::ParseCertificate(file.module_certificate);
  return data && module && data->tree.hash() == module->tree.hash();
}

}  // namespace cli
