#include "candid/decode.h"

// Any bytes as a message, at its own types and at the probe's, dynamic and typed; they must agree.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  candid::DecodeProbe({data, size});
  return 0;
}
