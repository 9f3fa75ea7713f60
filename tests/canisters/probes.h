#ifndef GPT2IC_TESTS_CANISTERS_PROBES_H_
#define GPT2IC_TESTS_CANISTERS_PROBES_H_

#include "base/bytes.h"

// The same work natively and in the canister `probe`, so that a test can compare the bits.
namespace probes {

// Message: u32 size of config.json, config.json, u32 count, that many u32 ids, a safetensors file.
// Gives the logits after every id, as f32; an Error's sentence if the model is refused.
base::Bytes Logits(base::ByteSpan message);

// Message: u32 mode, n_vocab, n_ctx, n_embd, n_head, n_layer, outliers, tokens, piece, seed. Makes
// a random model, packs and loads it, runs that many tokens, appended `piece` at a time. Gives the
// SHA-256 of the packed file and the logits at the end of each piece.
base::Bytes PackedLogits(base::ByteSpan message);

// A parser fed with any bytes: its outcome, a sentence or a checksum of what it made.
base::Bytes Safetensors(base::ByteSpan file);
base::Bytes TokenizerJson(base::ByteSpan file);
base::Bytes ConfigJson(base::ByteSpan file);
base::Bytes PackedFile(base::ByteSpan file);
base::Bytes Candid(base::ByteSpan message);
base::Bytes Receipt(base::ByteSpan file);  // and the file of receipts
base::Bytes Sha256(base::ByteSpan message);
// Every vector operation on each 64 bytes of the message.
base::Bytes Simd(base::ByteSpan message);

struct Probe {
  const char* name;
  base::Bytes (*run)(base::ByteSpan);
};
inline constexpr Probe kProbes[] = {{"logits", Logits},
                                    {"safetensors", Safetensors},
                                    {"tokenizer_json", TokenizerJson},
                                    {"config_json", ConfigJson},
                                    {"candid", Candid},
                                    {"receipt", Receipt},
                                    {"sha256", Sha256},
                                    {"simd", Simd},
                                    {"packed_logits", PackedLogits},
                                    {"packed_file", PackedFile}};

}  // namespace probes

#endif  // GPT2IC_TESTS_CANISTERS_PROBES_H_
