#include "candid/text_probe.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  candid::TextProbe({reinterpret_cast<const char*>(data), size});
  return 0;
}
