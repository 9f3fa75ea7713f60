// receipt, receipt_list: docs/receipt.md.
#include "canister/model/certified.h"
#include "canister/sdk/canister.h"

namespace model {
namespace {

constexpr size_t kListMax = 500;  // of one reply

Answer<ReceiptReply> ReceiptFor(uint64_t id, const candid::Principal& caller) {
  const State& state = TheState();
  const receipt::Entry* entry = state.receipts.Find(id, sdk::NowNs());
  if (entry == nullptr) {
    return Fail("not_found", "there is no receipt ", id,
                "; receipts are kept for 30 days, at most ", receipt::Ledger::kPerCallerMax,
                " of a caller and ", receipt::Ledger::kMax, " in all");
  }
  const ic::Path paths[] = {
      {base::Bytes{'r', 'e', 'c', 'e', 'i', 'p', 't', 's'}, receipt::LabelOf(id)},
      ic::TextPath({"installed_ns"})};
  ReceiptReply reply{id, receipt::Encode(entry->receipt), state.certified.Witness(paths).Encode(),
                     sdk::DataCertificate(), std::nullopt};
  if (entry->caller == caller) reply.answer = {entry->input, entry->output, entry->stop};
  return reply;
}

CANISTER_QUERY(receipt) { sdk::Reply(ReceiptFor(sdk::Argument<uint64_t>(), sdk::Caller())); }

CANISTER_QUERY(receipt_list) {
  const auto from = sdk::Argument<uint64_t>();
  const State& state = TheState();
  const candid::Principal caller = sdk::Caller();
  ReceiptList list{{}, from};
  const auto& all = state.receipts.all();
  for (auto it = all.lower_bound(from); it != all.end(); ++it) {
    if (list.receipts.size() == kListMax) break;
    list.next = it->first + 1;
    const receipt::Entry* entry = state.receipts.Find(it->first, sdk::NowNs());
    if (entry == nullptr) continue;
    list.receipts.push_back({it->first, entry->receipt.finished_ns, entry->receipt.output_tokens,
                             entry->caller == caller});
  }
  sdk::Reply(list);
}

}  // namespace
}  // namespace model
