// Queries on the tokenizer.
#include "canister/model/state.h"
#include "canister/sdk/canister.h"

namespace model {
namespace {

using base::Err;
using base::Result;

struct Tokens {
  std::vector<uint32_t> token_ids;
  std::vector<std::string> tokens;
};
CANDID_RECORD(Tokens, token_ids, tokens)

Result<const gpt2::Tokenizer*> TheTokenizer() {
  if (!TheState().tokenizer) return Err("the tokenizer is not set up: call setup_tokenizer first");
  return &*TheState().tokenizer;
}

Result<Tokens> Tokenize(std::string_view text) {
  const gpt2::Tokenizer& tokenizer = *TRY(TheTokenizer());
  Tokens out{tokenizer.Encode(text), {}};
  out.tokens.reserve(out.token_ids.size());
  for (const uint32_t id : out.token_ids) out.tokens.push_back(TRY(tokenizer.Token(id)));
  return out;
}

// Each id alone.
Result<std::vector<std::string>> Decode(std::span<const uint32_t> ids) {
  const gpt2::Tokenizer& tokenizer = *TRY(TheTokenizer());
  std::vector<std::string> out;
  out.reserve(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) out.push_back(TRY(tokenizer.Decode(ids.subspan(i, 1))));
  return out;
}

Result<std::string> DecodeBatch(std::span<const uint32_t> ids) {
  return TRY(TheTokenizer())->Decode(ids);
}

CANISTER_QUERY(tokenize) { sdk::Reply(Tokenize(sdk::Argument<std::string_view>())); }
CANISTER_QUERY(decode) { sdk::Reply(Decode(sdk::Argument<std::vector<uint32_t>>())); }
CANISTER_QUERY(decode_batch) { sdk::Reply(DecodeBatch(sdk::Argument<std::vector<uint32_t>>())); }

}  // namespace
}  // namespace model
