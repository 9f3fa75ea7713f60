#include "gpt2/import/config.h"

#include <string>

#include "gpt2/import/json_scanner.h"

namespace gpt2 {
namespace {

using Kind = JsonScanner::Kind;

// One key of the object with a value that is not a container.
struct Entry {
  std::string key;
  Kind kind;
  std::string text;  // of a string or number

  std::string Shown() const {
    switch (kind) {
      case Kind::kString:
        return base::StrCat("\"", base::Printable(text), "\"");
      case Kind::kNumber:
        return base::Printable(text);
      case Kind::kTrue:
        return "true";
      case Kind::kFalse:
        return "false";
      case Kind::kNull:
        return "null";
      case Kind::kBeginObject:
        return "an object";
      default:
        return "a list";
    }
  }
};

// The keys as found; checked when all are known.
struct Found {
  std::optional<uint32_t> vocab_size, n_positions, n_ctx, n_embd, n_layer, n_head, n_inner;
  std::optional<uint32_t> bos_token_id, eos_token_id;
  std::optional<float> layer_norm_epsilon;
};

base::Result<uint32_t> Uint32(const Entry& entry) {
  if (entry.kind == Kind::kNumber) {
    const auto value = JsonUint(entry.text, entry.key);
    if (value && *value <= UINT32_MAX) return static_cast<uint32_t>(*value);
  }
  return base::Err("config.json: ", entry.key, " is ", entry.Shown(),
                   ", expected an integer below 2^32");
}

base::Status ExpectWord(const Entry& entry, Kind kind, std::string_view text) {
  if (entry.kind == kind && (kind != Kind::kString || entry.text == text)) return {};
  return base::Err("config.json: ", entry.key, " is ", entry.Shown(), ", expected ", text);
}

base::Status TakeNumber(const Entry& entry, Found& found) {
  struct Field {
    std::string_view key;
    std::optional<uint32_t> Found::* value;
  };
  constexpr Field kFields[] = {
      {"vocab_size", &Found::vocab_size},
      {"n_positions", &Found::n_positions},
      {"n_ctx", &Found::n_ctx},
      {"n_embd", &Found::n_embd},
      {"n_layer", &Found::n_layer},
      {"n_head", &Found::n_head},
      {"n_inner", &Found::n_inner},
      {"bos_token_id", &Found::bos_token_id},
      {"eos_token_id", &Found::eos_token_id},
  };
  for (const Field& field : kFields) {
    if (entry.key != field.key) continue;
    if (found.*field.value) return base::Err("config.json: ", entry.key, " is there twice");
    const bool optional = entry.key == "n_inner" || entry.key.ends_with("_token_id");
    if (optional && entry.kind == Kind::kNull) return {};
    found.*field.value = TRY(Uint32(entry));
  }
  return {};
}

base::Status Take(const Entry& entry, Found& found) {
  if (entry.key == "activation_function") return ExpectWord(entry, Kind::kString, "gelu_new");
  if (entry.key == "model_type") return ExpectWord(entry, Kind::kString, "gpt2");
  if (entry.key == "scale_attn_weights") return ExpectWord(entry, Kind::kTrue, "true");
  if (entry.key == "scale_attn_by_inverse_layer_idx" || entry.key == "add_cross_attention") {
    return ExpectWord(entry, Kind::kFalse, "false");
  }
  if (entry.key == "layer_norm_epsilon") {
    const double value = entry.kind == Kind::kNumber ? JsonDouble(entry.text) : 0;
    if (!(value >= 1e-30 && value < 1)) {
      return base::Err("config.json: layer_norm_epsilon is ", entry.Shown(),
                       ", expected a number between 1e-30 and 1");
    }
    found.layer_norm_epsilon = static_cast<float>(value);
    return {};
  }
  return TakeNumber(entry, found);
}

base::Result<uint32_t> Need(const std::optional<uint32_t>& value, std::string_view key) {
  if (value) return *value;
  return base::Err("config.json: ", key, " is missing");
}

base::Result<uint32_t> Context(const Found& found) {
  if (found.n_positions && found.n_ctx && *found.n_positions != *found.n_ctx) {
    return base::Err("config.json: n_ctx is ", *found.n_ctx, ", expected n_positions ",
                     *found.n_positions);
  }
  return Need(found.n_positions ? found.n_positions : found.n_ctx, "n_positions");
}

// An id beyond the vocabulary never occurs: Hugging Face writes its default 50256 into the config
// of every small model that does not set one.
std::optional<TokenId> InVocabulary(const std::optional<uint32_t>& id, uint32_t n_vocab) {
  return id && *id < n_vocab ? id : std::nullopt;
}

base::Result<Config> Finish(const Found& found) {
  Config config;
  Hparams& hparams = config.hparams;
  hparams.n_vocab = TRY(Need(found.vocab_size, "vocab_size"));
  hparams.n_ctx = TRY(Context(found));
  hparams.n_embd = TRY(Need(found.n_embd, "n_embd"));
  hparams.n_head = TRY(Need(found.n_head, "n_head"));
  hparams.n_layer = TRY(Need(found.n_layer, "n_layer"));
  hparams.layer_norm_epsilon = found.layer_norm_epsilon.value_or(1e-5f);
  if (const auto checked = CheckHparams(hparams); !checked) {
    return base::Err("config.json: ", checked.error().message);
  }
  if (found.n_inner && *found.n_inner != 4 * hparams.n_embd) {
    return base::Err("config.json: n_inner is ", *found.n_inner,
                     ", expected 4*n_embd = ", 4 * hparams.n_embd);
  }
  config.bos_token_id = InVocabulary(found.bos_token_id, hparams.n_vocab);
  config.eos_token_id = InVocabulary(found.eos_token_id, hparams.n_vocab);
  return config;
}

base::Result<Found> Scan(JsonScanner& scanner) {
  Found found;
  if (TRY(scanner.Next()) != Kind::kBeginObject) return base::Err("JSON is not an object");
  while (TRY(scanner.Next()) == Kind::kKey) {
    Entry entry{.key = scanner.text(), .kind = Kind::kNull, .text = {}};
    entry.kind = TRY(scanner.Next());
    entry.text = scanner.text();
    TRY_STATUS(scanner.SkipValue(entry.kind));
    TRY_STATUS(Take(entry, found));
  }
  TRY(scanner.Next());  // nothing may follow
  return found;
}

}  // namespace

base::Result<Config> ParseConfig(std::string_view json) {
  if (json.size() > kConfigBytesMax) {
    return base::Err("config.json has ", json.size(), " bytes, expected at most ", kConfigBytesMax);
  }
  JsonScanner scanner(json);
  const auto found = Scan(scanner);
  if (found) return Finish(*found);
  const std::string& message = found.error().message;
  if (message.starts_with("config.json")) return std::unexpected(found.error());
  return base::Err("config.json: ", message);
}

}  // namespace gpt2
