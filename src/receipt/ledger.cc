#include "receipt/ledger.h"

#include "base/check.h"

namespace receipt {
namespace {

using base::Bytes;
using base::ByteSpan;
using base::Err;
using base::Result;
using base::Status;

// The file: magic, version u32, next id u64, number of entries u32, entries. An entry: the receipt,
// 1 for the privileged and else 0 (not in version 1), the caller (a length byte in front), input
// ids, output ids (as many as the receipt says, 4 bytes each), number of stop texts u8, each with
// its length u16 in front.
constexpr char kMagic[8] = {'g', 'p', 't', '2', 'r', 'c', 'p', 's'};
constexpr uint32_t kFileVersion = 2;

void AppendIds(Bytes& out, const std::vector<TokenId>& ids) {
  for (const TokenId id : ids) base::AppendFixed(out, id);
}

Result<std::vector<TokenId>> ReadIds(base::ByteReader& in, uint32_t count) {
  const ByteSpan bytes = TRY(in.Take(uint64_t{4} * count));
  std::vector<TokenId> ids(count);
  if (count > 0) std::memcpy(ids.data(), bytes.data(), bytes.size());
  return ids;
}

Result<Entry> ReadEntry(base::ByteReader& in, uint32_t version) {
  Entry entry;
  entry.receipt = TRY(Decode(TRY(in.Take(kReceiptBytes))));
  const uint8_t privileged = version == 1 ? 0 : TRY(in.U8());
  if (privileged > 1) return Err("the file of receipts has a rank of ", privileged);
  entry.privileged = privileged == 1;
  const uint8_t size = TRY(in.U8());
  entry.caller = TRY(candid::Principal::FromBytes(TRY(in.Take(size))));
  entry.input = TRY(ReadIds(in, entry.receipt.input_tokens));
  entry.output = TRY(ReadIds(in, entry.receipt.output_tokens));
  for (uint8_t left = TRY(in.U8()); left > 0; --left) {
    const auto bytes = TRY(in.Fixed<uint16_t>());
    entry.stop.emplace_back(base::AsText(TRY(in.Take(bytes))));
  }
  return entry;
}

}  // namespace

Bytes LabelOf(uint64_t id) {
  Bytes label(8);
  for (int i = 0; i < 8; ++i) label[i] = static_cast<uint8_t>(id >> (56 - 8 * i));
  return label;
}

void Ledger::Keep(Entry entry) {
  const uint64_t id = entry.receipt.id;
  level_.Set(LabelOf(id), ic::HashTree::Leaf(base::Sha256Of(Encode(entry.receipt))));
  by_caller_[entry.caller].insert(id);
  if (!entry.privileged) common_.insert(id);
  ids_bytes_ += entry.ids_bytes();
  entries_.emplace(id, std::move(entry));
}

void Ledger::Drop(uint64_t id) {
  const auto found = entries_.find(id);
  const auto owner = by_caller_.find(found->second.caller);
  owner->second.erase(id);
  if (owner->second.empty()) by_caller_.erase(owner);
  common_.erase(id);
  ids_bytes_ -= found->second.ids_bytes();
  entries_.erase(found);
  level_.Erase(LabelOf(id));
}

uint64_t Ledger::FirstToGo() const {
  return common_.empty() ? entries_.begin()->first : *common_.begin();
}

// One at a time, so that no answer pays for many; only ids of contexts far beyond GPT-2's can take
// more bytes than there may be.
void Ledger::MakeRoom(const Entry& entry) {
  if (entries_.empty()) return;
  const auto& [oldest_id, oldest] = *entries_.begin();
  const auto own = by_caller_.find(entry.caller);
  if (own != by_caller_.end() && own->second.size() >= kPerCallerMax) {
    Drop(*own->second.begin());
  } else if (entry.receipt.finished_ns > oldest.receipt.finished_ns + kKeptNs) {
    Drop(oldest_id);
  } else if (entries_.size() >= kMax) {
    Drop(FirstToGo());
  }
  while (!entries_.empty() && ids_bytes_ + entry.ids_bytes() > kIdsBytesMax) {
    Drop(FirstToGo());
  }
}

uint64_t Ledger::Add(Entry entry) {
  CHECK(entry.stop.size() <= kStopTextsMax);
  MakeRoom(entry);
  Receipt& receipt = entry.receipt;
  receipt.id = next_id_++;
  receipt.input_tokens = static_cast<uint32_t>(entry.input.size());
  receipt.output_tokens = static_cast<uint32_t>(entry.output.size());
  receipt.input = HashOfIds(entry.input, receipt.id_bytes);
  receipt.output = HashOfIds(entry.output, receipt.id_bytes);
  receipt.stop = HashOfTexts(entry.stop);
  const uint64_t id = receipt.id;
  Keep(std::move(entry));
  return id;
}

const Entry* Ledger::Find(uint64_t id, uint64_t now_ns) const {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return nullptr;
  const bool old = now_ns > found->second.receipt.finished_ns + kKeptNs;
  return old ? nullptr : &found->second;
}

Bytes Ledger::Save() const {
  Bytes out(kMagic, kMagic + sizeof(kMagic));
  base::AppendFixed(out, kFileVersion);
  base::AppendFixed(out, next_id_);
  base::AppendFixed(out, static_cast<uint32_t>(entries_.size()));
  for (const auto& [id, entry] : entries_) {
    base::Append(out, Encode(entry.receipt));
    out.push_back(entry.privileged ? 1 : 0);
    out.push_back(static_cast<uint8_t>(entry.caller.bytes().size()));
    base::Append(out, entry.caller.bytes());
    AppendIds(out, entry.input);
    AppendIds(out, entry.output);
    out.push_back(static_cast<uint8_t>(entry.stop.size()));
    for (const std::string& text : entry.stop) {
      CHECK(text.size() <= kStopBytesMax);
      base::AppendFixed(out, static_cast<uint16_t>(text.size()));
      base::Append(out, text);
    }
  }
  return out;
}

Result<Ledger> Ledger::Restore(ByteSpan file, uint64_t now_ns) {
  base::ByteReader in(file);
  const ByteSpan magic = TRY(in.Take(sizeof(kMagic)));
  if (std::memcmp(magic.data(), kMagic, sizeof(kMagic)) != 0) {
    return Err("the file of receipts does not begin with \"gpt2rcps\"");
  }
  const auto version = TRY(in.Fixed<uint32_t>());
  if (version < 1 || version > kFileVersion) {
    return Err("the file of receipts has version ", version, ", this canister knows ",
               kFileVersion);
  }
  Ledger out;
  out.next_id_ = TRY(in.Fixed<uint64_t>());
  for (uint32_t left = TRY(in.Fixed<uint32_t>()); left > 0; --left) {
    Entry entry = TRY(ReadEntry(in, version));
    const uint64_t id = entry.receipt.id;
    const bool ascends = out.entries_.empty() || out.entries_.rbegin()->first < id;
    if (!ascends || id >= out.next_id_) {
      return Err("the file of receipts has id ", id, " out of order or beyond ", out.next_id_);
    }
    const bool before = entry.receipt.installed_ns < now_ns && entry.receipt.finished_ns <= now_ns;
    if (before && now_ns - entry.receipt.finished_ns <= kKeptNs) out.Keep(std::move(entry));
  }
  if (!in.empty()) return Err("the file of receipts has ", in.remaining(), " bytes behind its end");
  return out;
}

}  // namespace receipt
