#include "base/check.h"
#include "candid/decode.h"
#include "candid/did.h"
#include "candid/encode.h"
#include "candid/text.h"
#include "candid/text_probe.h"

namespace candid {
namespace {

void ProbeValues(std::string_view text) {
  const auto values = ParseArgs(text);
  if (!values) return;
  TypeTable table;
  std::vector<TypeRef> types;
  for (const Value& value : *values) types.push_back(InferType(table, value));
  const auto coerced = CoerceArgs(table, types, *values);
  if (!coerced) return;  // a vec of different kinds
  const auto printed = PrintArgs(*coerced, {});
  const auto encoded = Encode(table, types, *coerced);
  CHECK(encoded);
  const auto decoded = Decode(*encoded, table, types, {.work = 1u << 30});
  CHECK(decoded && *decoded == *coerced);
  if (printed.find("inf") != std::string::npos) return;  // has no text form
  const auto again = ParseArgsAt(printed, table, types);
  CHECK(again && *again == *coerced);
}

void ProbeDid(std::string_view text) {
  const auto file = ParseDid(text);
  if (!file) return;
  const std::string printed = PrintDid(*file);
  const auto again = ParseDid(printed);
  CHECK(again);
  CHECK(PrintDid(*again) == printed);
  const auto same = IsServiceUpgrade(*again, *file);
  CHECK(!same || *same);
}

}  // namespace

void TextProbe(std::string_view text) {
  ProbeValues(text);
  ProbeDid(text);
}

}  // namespace candid
