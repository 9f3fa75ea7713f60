#ifndef GPT2IC_RUNTIME_DEPS_H_
#define GPT2IC_RUNTIME_DEPS_H_

// The functions of our own that deps/src/lib.rs exports.

#include <cstddef>
#include <cstdint>

extern "C" {

struct gpt2ic_bytes {
  uint8_t* data;
  size_t len;
};

void gpt2ic_bytes_free(gpt2ic_bytes bytes);
gpt2ic_bytes gpt2ic_wasm_validate(const uint8_t* wasm, size_t len);
gpt2ic_bytes gpt2ic_wat_parse(const uint8_t* text, size_t len, bool* ok);

// For tests: a specification script as JSON commands; a random valid module from a fuzzer's bytes.
gpt2ic_bytes gpt2ic_wast_parse(const uint8_t* text, size_t len);
gpt2ic_bytes gpt2ic_wasm_smith(const uint8_t* data, size_t len, uint32_t fuel);

}  // extern "C"

#endif  // GPT2IC_RUNTIME_DEPS_H_
