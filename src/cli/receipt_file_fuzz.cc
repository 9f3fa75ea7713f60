// Any bytes as a receipt's file: refused with a sentence, or read, checked as far as that goes
// without a model, and written again as it was.
#include "base/check.h"
#include "cli/verify.h"
#include "ic/signature.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = cli::ReadReceiptFile(base::AsText({data, size}));
  if (!file) {
    CHECK(!file.error().message.empty());
    return 0;
  }
  static const base::Bytes root = ic::BlsKey::FromSeed(base::Bytes(32, 1))->public_key_der();
  const auto checks = cli::CheckCertified(*file, {root, base::Sha256Digest(), uint64_t{1} << 60});
  CHECK(!checks.empty() && !cli::AllHold(checks));  // nobody has this key
  for (const cli::Check& check : checks) CHECK(!check.text.empty());
  const std::string written = cli::WriteReceiptFile(*file);
  const auto again = cli::ReadReceiptFile(written);
  CHECK(again && cli::WriteReceiptFile(*again) == written);
  return 0;
}
