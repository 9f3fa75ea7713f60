#include "canister/frontend/environment.h"

#include <map>

#include "base/hex.h"
#include "base/str_cat.h"
#include "canister/sdk/ic0.h"

namespace frontend {
namespace {

constexpr std::string_view kPublic = "PUBLIC_";
// Browsers keep cookies of 4,096 bytes; the root key, the name and the attributes take the rest.
constexpr size_t kVariablesBytesMax = 3'600;

// As JavaScript's decodeURIComponent reads it.
std::string UrlEncoded(std::string_view text) {
  constexpr std::string_view kPlain = "-_.~";
  std::string out;
  for (const char c : text) {
    const bool alphanumeric =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (alphanumeric || kPlain.find(c) != kPlain.npos) {
      out += c;
    } else {
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      const auto byte = static_cast<uint8_t>(c);
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

std::string VariableName(uint32_t index) {
  std::string name(ic0::env_var_name_size(index), '\0');
  ic0::env_var_name_copy(index, name.data(), 0, static_cast<uint32_t>(name.size()));
  return name;
}

std::string VariableValue(const std::string& name) {
  const auto size = static_cast<uint32_t>(name.size());
  std::string value(ic0::env_var_value_size(name.data(), size), '\0');
  ic0::env_var_value_copy(name.data(), size, value.data(), 0, static_cast<uint32_t>(value.size()));
  return value;
}

}  // namespace

std::string PublicVariables() {
  std::map<std::string, std::string> variables;
  const uint32_t count = ic0::env_var_count();
  for (uint32_t i = 0; i < count; ++i) {
    const std::string name = VariableName(i);
    if (name.starts_with(kPublic)) variables.emplace(name, VariableValue(name));
  }
  std::string joined;
  for (const auto& [name, value] : variables) {
    const std::string one = base::StrCat(joined.empty() ? "" : "&", name, "=", value);
    if (UrlEncoded(joined).size() + UrlEncoded(one).size() <= kVariablesBytesMax) joined += one;
  }
  return joined;
}

base::Bytes RootKey() {
  base::Bytes key(ic0::root_key_size());
  ic0::root_key_copy(key.data(), 0, static_cast<uint32_t>(key.size()));
  return key;
}

std::string EnvironmentCookie(base::ByteSpan root_key, std::string_view variables) {
  const std::string content =
      base::StrCat("ic_root_key=", base::ToHex(root_key), variables.empty() ? "" : "&", variables);
  return base::StrCat("ic_env=", UrlEncoded(content), "; Path=/; SameSite=Lax");
}

}  // namespace frontend
