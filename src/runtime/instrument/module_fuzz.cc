#include <cstdint>

#include "base/check.h"
#include "runtime/instrument/rewrite.h"
#include "runtime/instrument/validate.h"
#include "runtime/system_api/table.h"

// Any bytes as a module: refused with a reason, or metered into a module that is valid again but
// for what the metering itself adds (imports from "__", a second memory).
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto imports32 = runtime::ImportSignatures(false);
  static const auto imports64 = runtime::ImportSignatures(true);
  const auto binary = runtime::UnpackModule({data, size});
  if (!binary) return 0;
  runtime::Module module;
  const auto info = runtime::ValidateModule(*binary, {imports32, imports64, 98304}, &module);
  if (!info) {
    CHECK(!info.error().message.empty());
    return 0;
  }
  const auto metered = runtime::Rewrite(module);
  CHECK(metered.has_value());
  const auto again = runtime::ReadModule(metered->wasm);
  CHECK(again.has_value());
  CHECK(again->bodies.size() == module.bodies.size() + 3);
  return 0;
}
