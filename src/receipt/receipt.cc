#include "receipt/receipt.h"

#include <algorithm>

#include "base/check.h"

namespace receipt {
namespace {

using base::Bytes;
using base::ByteSpan;
using base::Err;
using base::Result;
using base::Status;

constexpr char kMagic[8] = {'g', 'p', 't', '2', 'r', 'c', 'p', 't'};
constexpr uint8_t kHasEndToken = 1, kEndTokenInOutput = 2, kHasText = 4, kFlags = 7;

uint8_t FlagsOf(const Receipt& r) {
  return static_cast<uint8_t>((r.end_token ? kHasEndToken : 0) |
                              (r.end_token_in_output ? kEndTokenInOutput : 0) |
                              (r.has_text ? kHasText : 0));
}

// low <= value <= high; NaN is neither.
Status CheckRange(const char* name, double value, double low, double high) {
  if (value >= low && value <= high) return {};
  return Err("receipt has a ", name, " out of range");
}

Status CheckParameters(const Receipt& r) {
  TRY_STATUS(CheckRange("temperature", r.sampling.temperature, 0, 100));
  TRY_STATUS(CheckRange("top_p", r.sampling.top_p, 1e-6, 1));
  TRY_STATUS(CheckRange("repetition_penalty", r.penalties.repetition, 0.01, 100));
  TRY_STATUS(CheckRange("frequency_penalty", r.penalties.frequency, -2, 2));
  return CheckRange("presence_penalty", r.penalties.presence, -2, 2);
}

// The bytes from 12 on that are neither numbers nor hashes.
Status ReadKinds(base::ByteReader& in, Receipt& r, uint8_t& flags) {
  const uint8_t finish = TRY(in.U8());
  if (finish < 1 || finish > static_cast<uint8_t>(Finish::kCancelled)) {
    return Err("receipt has finish ", finish, ", expected 1 to 5");
  }
  r.finish = static_cast<Finish>(finish);
  flags = TRY(in.U8());
  if ((flags & ~kFlags) != 0) return Err("receipt has flags ", flags, ", expected at most 7");
  r.end_token_in_output = (flags & kEndTokenInOutput) != 0;
  r.has_text = (flags & kHasText) != 0;
  r.id_bytes = TRY(in.U8());
  if (r.id_bytes != 2 && r.id_bytes != 4) {
    return Err("receipt has ids of ", r.id_bytes, " bytes, expected 2 or 4");
  }
  if (const uint8_t reserved = TRY(in.U8()); reserved != 0) {
    return Err("receipt has ", reserved, " at byte 15, expected 0");
  }
  return {};
}

template <size_t n>
Status ReadArray(base::ByteReader& in, std::array<uint8_t, n>& out) {
  const ByteSpan bytes = TRY(in.Take(n));
  std::ranges::copy(bytes, out.begin());
  return {};
}

Status ReadHead(base::ByteReader& in) {
  const ByteSpan magic = TRY(in.Take(sizeof(kMagic)));
  if (std::memcmp(magic.data(), kMagic, sizeof(kMagic)) != 0) {
    return Err("receipt does not begin with \"gpt2rcpt\"");
  }
  const auto version = TRY(in.Fixed<uint32_t>());
  if (version == kVersion) return {};
  return Err("receipt has version ", version, ", expected ", kVersion);
}

}  // namespace

std::string_view FinishReason(Finish finish) {
  static constexpr std::string_view kReasons[] = {"stop", "stop", "length", "context", "cancelled"};
  return kReasons[static_cast<size_t>(finish) - 1];
}

Bytes Encode(const Receipt& r) {
  Bytes out(kReceiptBytes);
  uint8_t* at = out.data();
  const auto put = [&at](const auto& value) {
    std::memcpy(at, &value, sizeof(value));
    at += sizeof(value);
  };
  put(kMagic);
  put(kVersion);
  for (const uint8_t kind : {static_cast<uint8_t>(r.finish), FlagsOf(r), r.id_bytes, uint8_t{0}}) {
    put(kind);
  }
  for (const uint64_t number :
       {r.id, r.finished_ns, r.instructions, r.canister_version, r.installed_ns, r.sampling.seed}) {
    put(number);
  }
  for (const uint32_t number : {r.max_tokens, r.sampling.top_k, r.input_tokens, r.output_tokens,
                                r.end_token.value_or(0), uint32_t{0}}) {
    put(number);
  }
  for (const double number : {r.sampling.temperature, r.sampling.top_p, r.penalties.repetition,
                              r.penalties.frequency, r.penalties.presence}) {
    put(number);
  }
  for (const Sha256Digest* hash : {&r.model, &r.input, &r.output, &r.stop}) put(*hash);
  put(r.revision);
  put(uint32_t{0});
  CHECK(at == out.data() + kReceiptBytes);
  return out;
}

Result<Receipt> Decode(ByteSpan bytes) {
  if (bytes.size() != kReceiptBytes) {
    return Err("receipt has ", bytes.size(), " bytes, expected ", kReceiptBytes);
  }
  base::ByteReader in(bytes);
  TRY_STATUS(ReadHead(in));
  Receipt r;
  uint8_t flags = 0;
  TRY_STATUS(ReadKinds(in, r, flags));
  for (uint64_t* number : {&r.id, &r.finished_ns, &r.instructions, &r.canister_version,
                           &r.installed_ns, &r.sampling.seed}) {
    *number = TRY(in.Fixed<uint64_t>());
  }
  uint32_t end_token = 0, reserved = 0;
  for (uint32_t* number : {&r.max_tokens, &r.sampling.top_k, &r.input_tokens, &r.output_tokens,
                           &end_token, &reserved}) {
    *number = TRY(in.Fixed<uint32_t>());
  }
  if ((flags & kHasEndToken) != 0) r.end_token = end_token;
  if (end_token != r.end_token.value_or(0)) return Err("receipt has an end token without its flag");
  for (double* number : {&r.sampling.temperature, &r.sampling.top_p, &r.penalties.repetition,
                         &r.penalties.frequency, &r.penalties.presence}) {
    *number = TRY(in.Fixed<double>());
  }
  TRY_STATUS(CheckParameters(r));
  for (Sha256Digest* hash : {&r.model, &r.input, &r.output, &r.stop}) {
    TRY_STATUS(ReadArray(in, *hash));
  }
  TRY_STATUS(ReadArray(in, r.revision));
  if (reserved != 0 || TRY(in.Fixed<uint32_t>()) != 0) {
    return Err("receipt has other bytes than 0 in its reserved places");
  }
  return r;
}

Sha256Digest HashOfIds(std::span<const TokenId> ids, uint8_t id_bytes) {
  CHECK(id_bytes == 2 || id_bytes == 4);
  const ByteSpan wide(reinterpret_cast<const uint8_t*>(ids.data()), ids.size_bytes());
  if (id_bytes == 4) return base::Sha256Of(wide);
  std::vector<uint16_t> narrow(ids.size());
  uint32_t all = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    all |= ids[i];
    narrow[i] = static_cast<uint16_t>(ids[i]);
  }
  CHECK(all <= UINT16_MAX);
  return base::Sha256Of({reinterpret_cast<const uint8_t*>(narrow.data()), 2 * narrow.size()});
}

Sha256Digest HashOfTexts(std::span<const std::string> texts) {
  // Most answers have none, and a hash costs a canister some 5,000 instructions.
  static const Sha256Digest none = base::Sha256Of({});
  if (texts.empty()) return none;
  Bytes bytes;
  for (const std::string& text : texts) {
    base::AppendFixed(bytes, static_cast<uint32_t>(text.size()));
    base::Append(bytes, text);
  }
  return base::Sha256Of(bytes);
}

}  // namespace receipt
