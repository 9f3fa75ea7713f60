#include "base/check.h"
#include "ic/envelope.h"

// Any bytes as a request of each type. What is read is written and read back as the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using ic::RequestType;
  for (const RequestType type :
       {RequestType::kCall, RequestType::kQuery, RequestType::kReadState}) {
    const auto envelope = ic::ParseEnvelope({data, size}, type);
    if (!envelope) continue;
    const base::Bytes written = ic::EncodeEnvelope(*envelope);
    const auto again = ic::ParseEnvelope(written, type);
    CHECK(again);
    CHECK(ic::RequestIdOf(again->content) == ic::RequestIdOf(envelope->content));
    CHECK(ic::EncodeEnvelope(*again) == written);
  }
  return 0;
}
