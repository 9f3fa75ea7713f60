#include "gpt2/tokenizer/vocabulary.h"

#include <bit>

#include "base/check.h"
#include "gpt2/tokenizer/unicode.h"

namespace gpt2 {
namespace {

constexpr uint32_t kShiftedFirst = 0x100;

constexpr bool Printable(uint32_t byte) {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

// The code point that stands for each byte.
constexpr auto kCodePoints = [] {
  std::array<uint16_t, 256> table{};
  uint32_t shifted = kShiftedFirst;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    table[byte] = static_cast<uint16_t>(Printable(byte) ? byte : shifted++);
  }
  return table;
}();

// And back: code points up to 0x143; -1 stands for nothing.
constexpr auto kBytes = [] {
  std::array<int16_t, kShiftedFirst + 68> table{};
  table.fill(-1);
  for (uint32_t byte = 0; byte < 256; ++byte) {
    table[kCodePoints[byte]] = static_cast<int16_t>(byte);
  }
  return table;
}();

uint32_t HashOf(std::string_view bytes) {  // FNV-1a
  uint32_t hash = 0x811c9dc5;
  for (const char c : bytes) hash = (hash ^ static_cast<uint8_t>(c)) * 0x01000193;
  return hash ^ (hash >> 15);
}

}  // namespace

std::string ToByteLevel(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (const char c : bytes) AppendUtf8(out, kCodePoints[static_cast<uint8_t>(c)]);
  return out;
}

std::optional<std::string> FromByteLevel(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = DecodeUtf8(text, at);
    if (!step.valid || step.code_point >= kBytes.size() || kBytes[step.code_point] < 0) {
      return std::nullopt;
    }
    out.push_back(static_cast<char>(kBytes[step.code_point]));
    at += step.size;
  }
  return out;
}

void Vocabulary::Reserve(size_t tokens) {
  arena_.reserve(tokens * 7);
  spans_.reserve(tokens);
  slots_.assign(std::bit_ceil(tokens * 2 + 16), kNone);
}

std::string_view Vocabulary::BytesOf(TokenId id) const {
  CHECK(Has(id));
  return std::string_view(arena_).substr(spans_[id].start, spans_[id].size);
}

base::Status Vocabulary::Add(std::string_view bytes, TokenId id) {
  if (id >= kIdsMax) return base::Err("token id ", id, ", expected less than ", kIdsMax);
  if (Has(id)) {
    if (BytesOf(id) == bytes) return {};
    return base::Err("token id ", id, " is given to '", base::Printable(BytesOf(id)), "' and to '",
                     base::Printable(bytes), "'");
  }
  if (Find(bytes) != kNone) {
    return base::Err("token '", base::Printable(bytes), "' has the ids ", Find(bytes), " and ", id);
  }
  if (id >= spans_.size()) spans_.resize(id + 1);
  spans_[id] = {static_cast<uint32_t>(arena_.size()), static_cast<uint32_t>(bytes.size())};
  arena_.append(bytes);
  if (++count_ * 2 > slots_.size()) Grow();
  Insert(id);
  return {};
}

void Vocabulary::Insert(TokenId id) {
  const size_t mask = slots_.size() - 1;
  size_t slot = HashOf(BytesOf(id)) & mask;
  while (slots_[slot] != kNone) slot = (slot + 1) & mask;
  slots_[slot] = id;
}

void Vocabulary::Grow() {
  const std::vector<TokenId> old = std::move(slots_);
  slots_.assign(std::bit_ceil(old.size() * 2 + 16), kNone);
  for (const TokenId id : old) {
    if (id != kNone) Insert(id);
  }
}

TokenId Vocabulary::Find(std::string_view bytes) const {
  if (slots_.empty()) return kNone;
  const size_t mask = slots_.size() - 1;
  for (size_t slot = HashOf(bytes) & mask; slots_[slot] != kNone; slot = (slot + 1) & mask) {
    const Span span = spans_[slots_[slot]];
    if (span.size == bytes.size() &&
        std::string_view(arena_).substr(span.start, span.size) == bytes) {
      return slots_[slot];
    }
  }
  return kNone;
}

MergeTable::MergeTable(size_t merges)
    : entries_(std::bit_ceil(merges * 2 + 2), Entry{~uint64_t{0}, {kNoRank, 0}}),
      mask_(entries_.size() - 1) {}

void MergeTable::Add(TokenId left, TokenId right, Merge merge) {
  const uint64_t pair = uint64_t{left} << 32 | right;
  uint64_t slot = Hash(pair) & mask_;
  while (entries_[slot].pair != ~uint64_t{0} && entries_[slot].pair != pair)
    slot = (slot + 1) & mask_;
  if (entries_[slot].pair != pair) entries_[slot] = {pair, merge};
}

Merge MergeTable::Find(TokenId left, TokenId right) const {
  const uint64_t pair = uint64_t{left} << 32 | right;
  for (uint64_t slot = Hash(pair) & mask_;; slot = (slot + 1) & mask_) {
    const Entry& entry = entries_[slot];
    if (entry.pair == pair) return entry.merge;
    if (entry.pair == ~uint64_t{0}) return {kNoRank, 0};
  }
}

}  // namespace gpt2
