#ifndef GPT2IC_RECEIPT_LEDGER_H_
#define GPT2IC_RECEIPT_LEDGER_H_

#include <map>
#include <set>
#include <vector>

#include "candid/principal.h"
#include "ic/labeled_level.h"
#include "receipt/receipt.h"

namespace receipt {

// A receipt with what it has only the hashes of.
struct Entry {
  Receipt receipt;
  candid::Principal caller;
  std::vector<TokenId> input, output;
  std::vector<std::string> stop;
  bool privileged = false;  // gives way last; no part of the receipt

  uint64_t ids_bytes() const { return 4 * (uint64_t{input.size()} + output.size()); }
};

// The receipts that a canister keeps, and the hash tree over them that it certifies. Bounded in
// number, per caller and in all, in time, and in bytes of ids; the oldest make room for the next,
// those of the privileged (the authorized, who pays) after all others.
class Ledger {
 public:
  static constexpr size_t kMax = 1'000, kPerCallerMax = 100;
  static constexpr uint64_t kKeptNs = uint64_t{30} * 86'400'000'000'000;  // 30 days
  static constexpr uint64_t kIdsBytesMax = 32 << 20;
  static constexpr size_t kStopTextsMax = 255, kStopBytesMax = 65'535;  // each, in Save's form

  // Fills in id, counts and hashes of the entry's receipt, all else of it being there, and keeps
  // it. Gives its id. Cost in a canister: about 72 instructions for each byte that is hashed: the
  // ids, the receipt, and some 90 for each of the 10 forks above it (twice when an older one goes);
  // pinned by tests/receipt_canister_test.cc.
  uint64_t Add(Entry entry);

  // Null if there is none of this id, or it is older than kKeptNs.
  const Entry* Find(uint64_t id, uint64_t now_ns) const;
  const std::map<uint64_t, Entry>& all() const { return entries_; }
  // Leaves of SHA-256(receipt) below the ids, 8 bytes, big-endian.
  ic::HashTree tree() { return level_.tree(); }

  // Everything, as the file that an upgrade keeps (docs/receipt.md).
  base::Bytes Save() const;
  // Without the expired ones and those that claim to be of the code that is being installed at
  // `now_ns` or of a later time: another module may have written the file, in this very message.
  // An Error says what is wrong with the file, or that a newer version wrote it.
  static base::Result<Ledger> Restore(base::ByteSpan file, uint64_t now_ns);

 private:
  void Keep(Entry entry);
  void Drop(uint64_t id);
  void MakeRoom(const Entry& entry);
  uint64_t FirstToGo() const;

  std::map<uint64_t, Entry> entries_;
  std::map<candid::Principal, std::set<uint64_t>> by_caller_;
  std::set<uint64_t> common_;  // ids of all but the privileged's
  uint64_t ids_bytes_ = 0;
  uint64_t next_id_ = 1;
  ic::LabeledLevel level_;
};

// The label of a receipt.
base::Bytes LabelOf(uint64_t id);

}  // namespace receipt

#endif  // GPT2IC_RECEIPT_LEDGER_H_
