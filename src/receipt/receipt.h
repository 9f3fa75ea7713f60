#ifndef GPT2IC_RECEIPT_RECEIPT_H_
#define GPT2IC_RECEIPT_RECEIPT_H_

#include <array>
#include <optional>
#include <span>
#include <string>

#include "base/sha256.h"
#include "gpt2/sampler/choose.h"
#include "gpt2/token_id.h"

// What a canister says of one of its answers, as bytes that have one form only: docs/receipt.md.
// Its hash stands in the canister's certified data; everything in it but times, counts of
// instructions and versions can be computed again from the model and the ids.
namespace receipt {

using base::Sha256Digest;
using gpt2::TokenId;

inline constexpr uint32_t kVersion = 1;
inline constexpr size_t kReceiptBytes = 280;

enum class Finish : uint8_t {
  kEndToken = 1,  // finish_reason "stop": the model drew the end token
  kStopText = 2,  // "stop": the text contains one of the request's stop texts
  kLength = 3,    // "length"
  kContext = 4,   // "context"
  kCancelled = 5  // "cancelled": what there was when it was ended from outside
};
std::string_view FinishReason(Finish finish);

struct Receipt {
  uint64_t id = 0;
  uint64_t finished_ns = 0;               // since 1970, the subnet's time
  uint64_t instructions = 0;              // of the canister, for this answer
  uint64_t canister_version = 0;          // ic0.canister_version when it was finished
  uint64_t installed_ns = 0;              // when the code that finished it was installed
  std::array<uint8_t, 20> revision = {};  // git, of that code; zeros: unknown
  Sha256Digest model = {};                // of the packed model file

  uint8_t id_bytes = 2;  // of an id where ids are hashed: 2 when n_vocab is at most 65,536, else 4
  uint32_t input_tokens = 0, output_tokens = 0;
  Sha256Digest input = {}, output = {};  // HashOfIds
  Sha256Digest stop = {};                // HashOfTexts of the request's stop texts

  Finish finish = Finish::kLength;
  std::optional<TokenId> end_token;  // that ends an answer
  bool end_token_in_output = false;  // kept when it ends this one (the seed's `inference`)
  bool has_text = false;             // there was a tokenizer, so stop texts were looked for

  uint32_t max_tokens = 0;
  gpt2::SamplingParams sampling;
  gpt2::Penalties penalties;
};

base::Bytes Encode(const Receipt& receipt);
// Refuses every byte string that Encode does not give for some receipt of an answer that a canister
// may give: other sizes and versions, reserved bits, parameters out of range.
base::Result<Receipt> Decode(base::ByteSpan bytes);

constexpr uint8_t IdBytes(uint32_t n_vocab) { return n_vocab <= 65'536 ? 2 : 4; }
// SHA-256 of the ids, one after the other, little-endian in `id_bytes` each. Requires that they
// fit.
Sha256Digest HashOfIds(std::span<const TokenId> ids, uint8_t id_bytes);
// SHA-256 of the texts, one after the other, each with its length in front (4 bytes,
// little-endian).
Sha256Digest HashOfTexts(std::span<const std::string> texts);

}  // namespace receipt

#endif  // GPT2IC_RECEIPT_RECEIPT_H_
