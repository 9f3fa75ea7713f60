// The canister `probe`: each probe as an update method on raw bytes.
#include "canister/sdk/canister.h"
#include "probes.h"

namespace {

CANISTER_INIT() { __wasm_call_ctors(); }

#define PROBE(name, function) \
  CANISTER_UPDATE(name) { sdk::ReplyBytes(function(sdk::ArgumentBytes())); }

PROBE(logits, probes::Logits)
PROBE(safetensors, probes::Safetensors)
PROBE(tokenizer_json, probes::TokenizerJson)
PROBE(config_json, probes::ConfigJson)
PROBE(candid, probes::Candid)
PROBE(receipt, probes::Receipt)
PROBE(sha256, probes::Sha256)
PROBE(simd, probes::Simd)
PROBE(packed_logits, probes::PackedLogits)
PROBE(packed_file, probes::PackedFile)

}  // namespace
