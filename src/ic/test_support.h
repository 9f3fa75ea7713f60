#ifndef GPT2IC_IC_TEST_SUPPORT_H_
#define GPT2IC_IC_TEST_SUPPORT_H_

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "base/hex.h"
#include "ic/signing_key.h"

// For the tests of this library. They run in the root of the repository.
namespace ic {

using Json = nlohmann::json;

inline std::string ReadTestFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

inline const Json& Vectors() {
  static const Json vectors = Json::parse(ReadTestFile("tests/data/ic-http-vectors.json"));
  return vectors;
}

inline base::Bytes Hex(std::string_view digits) {
  auto bytes = base::FromHex(digits);
  EXPECT_TRUE(bytes) << digits;
  return bytes ? *bytes : base::Bytes();
}
inline base::Bytes JsonHex(const Json& value) { return Hex(value.get<std::string>()); }

inline base::Bytes Text(std::string_view text) {
  const auto bytes = base::AsBytes(text);
  return {bytes.begin(), bytes.end()};
}

inline Principal PrincipalFromHex(std::string_view digits) {
  return *Principal::FromBytes(Hex(digits));
}

template <class T>
std::string ErrorOf(const base::Result<T>& result) {
  return result ? "" : result.error().message;
}

// A key of which every byte of the secret is `byte`.
inline SigningKey TestKey(KeyScheme scheme, uint8_t byte) {
  return *SigningKey::FromSecret(scheme, base::Bytes(32, byte));
}

}  // namespace ic

#endif  // GPT2IC_IC_TEST_SUPPORT_H_
