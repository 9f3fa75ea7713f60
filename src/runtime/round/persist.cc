// What a network writes after every message, and how it comes back (docs/state.md).
//
//   n                   the network's counters
//   c + canister        a canister but for its memories, module and chunks
//   m + SHA-256         a module as it was sent
//   k + canister (its length first) + SHA-256   a chunk of the chunk store
//   q + number          a message in a queue
//   i + number          what became of an ingress message
#include <algorithm>

#include "base/check.h"
#include "runtime/round/network.h"
#include "runtime/state/codec.h"

namespace runtime {

template <class A>
void Fields(A& a, Reject& r) {
  a(r.code, r.error, r.message);
}
template <class A>
void Fields(A& a, Response& r) {
  a(r.reject, r.reply);
}
template <class A>
void Fields(A& a, Closure& c) {
  a(c.fun, c.env);
}
template <class A>
void Fields(A& a, Callback& c) {
  a(c.on_reply, c.on_reject, c.on_cleanup);
}
template <class A>
void Fields(A&, FromSystem&) {}
template <class A>
void Fields(A& a, FromIngress& f) {
  a(f.id);
}
template <class A>
void Fields(A& a, FromCanister& f) {
  a(f.canister, f.callback);
}
template <class A>
void Fields(A& a, Request& r) {
  a(r.origin, r.caller, r.method, r.argument, r.cycles, r.deadline_ns);
}
template <class A>
void Fields(A& a, Delivery& d) {
  a(d.callback, d.response, d.refund);
}
template <class A>
void Fields(A& a, CallContext& c) {
  a(c.origin, c.caller, c.available, c.deadline_ns, c.responded, c.deleted, c.outstanding,
    c.instructions);
}
template <class A>
void Fields(A& a, OpenCallback& c) {
  a(c.context, c.callee, c.callback, c.cycles_sent, c.prepaid, c.deadline_ns);
}
template <class A>
void Fields(A& a, IngressStatus& s) {
  a(s.state, s.response, s.request_id, s.sender, s.receiver, s.expiry_ns);
}
template <class A>
void Fields(A& a, GlobalValue& g) {
  a(g.type, g.bits);
}
template <class A>
void Fields(A& a, LogRecord& r) {
  a(r.index, r.timestamp_ns, r.content);
}
template <class A>
void Fields(A& a, Settings& s) {
  a(s.controllers, s.compute_allocation, s.memory_allocation, s.freezing_threshold_s,
    s.reserved_cycles_limit, s.wasm_memory_limit, s.wasm_memory_threshold, s.log_visibility,
    s.environment_variables);
}

namespace {

using base::Bytes;
using base::ByteSpan;

constexpr uint64_t kFormat = 2;

Bytes Key(char kind, ByteSpan name = {}) {
  Bytes key = {static_cast<uint8_t>(kind)};
  base::Append(key, name);
  return key;
}

Bytes NumberKey(char kind, uint64_t number) {
  Bytes key = {static_cast<uint8_t>(kind)};
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<uint8_t>(number >> shift));
  return key;
}

Bytes ChunkKey(const Principal& canister, const base::Sha256Digest* hash) {
  Bytes key = {'k', static_cast<uint8_t>(canister.size())};
  base::Append(key, canister);
  if (hash != nullptr) base::Append(key, ByteSpan(*hash));
  return key;
}

uint64_t NumberOf(ByteSpan key) {
  uint64_t number = 0;
  for (const uint8_t byte : key.subspan(1)) number = number << 8 | byte;
  return number;
}

struct RegionRecord {
  RegionId id = 0;
  uint64_t pages = 0;
};
template <class A>
void Fields(A& a, RegionRecord& r) {
  a(r.id, r.pages);
}

struct SlotRecord {
  base::Sha256Digest module{};
  std::optional<RegionRecord> heap, stable;
};

template <class A>
void SlotFields(A& a, Slot& s, SlotRecord& r) {
  Canister& c = s.state;
  a(c.settings, c.status, c.globals, c.certified_data, c.global_timer_ns, c.version, c.balance,
    c.log, c.log_next);
  a(s.contexts, s.callbacks, s.stop_requests, s.last_sender, s.turn, s.next_context,
    s.next_callback, s.charged_until_ns, s.low_memory);
  a(r.module, r.heap, r.stable);
}

struct MailRecord {
  Principal to;
  std::variant<Request, Delivery> content;
};
template <class A>
void Fields(A& a, MailRecord& r) {
  a(r.to, r.content);
}

std::optional<RegionRecord> RecordOf(const PagedRegion* region) {
  if (region == nullptr) return std::nullopt;
  return RegionRecord{region->stored_as(), region->pages()};
}

// The sender under whom mail waits: the caller of a call, the callee of an answer.
Principal SenderOf(const Slot& slot, const std::variant<Request, Delivery>& content) {
  if (const auto* request = std::get_if<Request>(&content)) return request->caller;
  const auto found = slot.callbacks.find(std::get<Delivery>(content).callback);
  return found == slot.callbacks.end() ? Principal() : found->second.callee;
}

}  // namespace

// ---- writing -----------------------------------------------------------------------------------

void Network::Persist() {
  Storage* storage = env_.storage();
  if (storage == nullptr) {
    changed_slots_.clear();
    changed_ingress_.clear();
    gone_mail_.clear();
    gone_slots_.clear();
    return;
  }
  const bool idle = changed_slots_.empty() && changed_ingress_.empty() && new_mail_.empty() &&
                    gone_mail_.empty() && gone_slots_.empty();
  if (idle) return;
  for (const Principal& id : changed_slots_) StoreSlot(id);
  DropGone();
  StoreMail();
  for (const MessageId id : changed_ingress_) {
    const auto found = ingress_.find(id);
    if (found == ingress_.end()) {
      storage->Delete(NumberKey('i', id));
    } else {
      storage->Put(NumberKey('i', id), Encode(found->second));
    }
  }
  Encoder counters;
  uint64_t format = kFormat;
  counters(format, next_message_, next_canister_, next_mail_, next_region_, last_turn_);
  storage->Put(Key('n'), counters.Take());
  storage->Commit();
  changed_slots_.clear();
  changed_ingress_.clear();
}

// A message that was sent and taken since the last time never reaches the disk.
void Network::StoreMail() {
  Storage& storage = *env_.storage();
  for (const uint64_t number : gone_mail_) storage.Delete(NumberKey('q', number));
  gone_mail_.clear();
  const auto store = [&](const Principal& to, Mail& mail) {
    if (!new_mail_.contains(mail.number)) return;
    MailRecord record{to, std::move(mail.content)};
    storage.Put(NumberKey('q', mail.number), Encode(record));
    mail.content = std::move(record.content);
  };
  std::set<Principal> receivers;
  for (const auto& [number, to] : new_mail_) receivers.insert(to);
  for (const Principal& to : receivers) {
    if (to.empty()) {
      for (Mail& mail : management_) store(to, mail);
      continue;
    }
    const auto slot = slots_.find(to);
    if (slot == slots_.end()) continue;
    for (Mail& mail : slot->second.ingress) store(to, mail);
    for (auto& [sender, queue] : slot->second.inbox) {
      for (Mail& mail : queue) store(to, mail);
    }
  }
  new_mail_.clear();
}

void Network::StoreRegion(PagedRegion* region) {
  if (region == nullptr) return;
  if (region->stored_as() == 0) region->SetStoredAs(next_region_++);
  Bytes content(kPageBytes);
  for (const uint64_t page : region->TakeUnstored()) {
    region->Read(page * kPageBytes, content);
    env_.storage()->PutPage(region->stored_as(), page, content.data());
  }
}

void Network::DropModule(const base::Sha256Digest& hash) {
  const bool used = std::ranges::any_of(
      slots_, [&](const auto& other) { return other.second.stored.module == hash; });
  if (!used && hash != base::Sha256Digest{}) env_.storage()->Delete(Key('m', hash));
}

// Written when it is new, deleted when no canister has it.
void Network::StoreModule(Slot& slot) {
  const base::Sha256Digest now = slot.state.module ? slot.state.module->hash : base::Sha256Digest{};
  const base::Sha256Digest before = std::exchange(slot.stored.module, now);
  if (now == before) return;
  if (slot.state.module) env_.storage()->Put(Key('m', now), slot.state.module->wasm);
  DropModule(before);
}

void Network::StoreChunks(Slot& slot) {
  Storage& storage = *env_.storage();
  std::set<base::Sha256Digest> chunks;
  for (const auto& [hash, chunk] : slot.state.chunk_store) {
    chunks.insert(hash);
    if (!slot.stored.chunks.contains(hash)) storage.Put(ChunkKey(slot.state.id, &hash), chunk);
  }
  for (const base::Sha256Digest& hash : slot.stored.chunks) {
    if (!chunks.contains(hash)) storage.Delete(ChunkKey(slot.state.id, &hash));
  }
  slot.stored.chunks = std::move(chunks);
}

void Network::DropGone() {
  for (const auto& [id, parts] : gone_slots_) {
    env_.storage()->Delete(Key('c', id));
    DropModule(parts.module);
    for (const RegionId region : parts.regions) env_.storage()->DropRegion(region);
    for (const base::Sha256Digest& hash : parts.chunks) {
      env_.storage()->Delete(ChunkKey(id, &hash));
    }
  }
  gone_slots_.clear();
}

void Network::StoreSlot(const Principal& id) {
  const auto found = slots_.find(id);
  if (found == slots_.end()) return;
  Slot& slot = found->second;
  StoreModule(slot);
  StoreChunks(slot);
  StoreRegion(slot.state.heap.get());
  StoreRegion(slot.state.stable.get());
  SlotRecord record{slot.stored.module, RecordOf(slot.state.heap.get()),
                    RecordOf(slot.state.stable.get())};
  std::vector<RegionId> regions;
  for (const auto& region : {record.heap, record.stable}) {
    if (region) regions.push_back(region->id);
  }
  for (const RegionId old : slot.stored.regions) {
    if (std::ranges::find(regions, old) == regions.end()) env_.storage()->DropRegion(old);
  }
  slot.stored.regions = std::move(regions);
  Encoder encoder;
  SlotFields(encoder, slot, record);
  env_.storage()->Put(Key('c', id), encoder.Take());
}

// ---- reading -----------------------------------------------------------------------------------

base::Status Network::Load() {
  Storage* storage = env_.storage();
  if (storage == nullptr) return {};
  const Bytes counters = storage->Get(Key('n'));
  if (counters.empty()) return {};  // a new folder
  Decoder decoder(counters);
  uint64_t format = 0;
  decoder(format, next_message_, next_canister_, next_mail_, next_region_, last_turn_);
  if (!decoder.done() || format != kFormat) {
    return base::Err("the state is of format ", format, ", expected ", kFormat);
  }
  base::Status status;
  const auto each = [&](char kind, auto load) {
    storage->ForEach(Key(kind), [&](ByteSpan key, ByteSpan value) {
      if (status) status = load(key, value);
    });
  };
  each('c', [this](ByteSpan key, ByteSpan value) { return LoadSlot(key, value); });
  each('q', [this](ByteSpan key, ByteSpan value) { return LoadMail(key, value); });
  each('i', [this](ByteSpan key, ByteSpan value) -> base::Status {
    IngressStatus& ingress = ingress_[NumberOf(key)];
    if (!Decode(value, ingress)) return base::Err("a damaged record of an ingress message");
    if (!ingress.request_id.empty()) by_request_id_[ingress.request_id] = NumberOf(key);
    return {};
  });
  return status;
}

base::Status Network::LoadSlot(ByteSpan key, ByteSpan value) {
  Storage& storage = *env_.storage();
  const Principal id(key.begin() + 1, key.end());
  Slot& slot = slots_[id];
  slot.state.id = id;
  SlotRecord record;
  Decoder decoder(value);
  SlotFields(decoder, slot, record);
  if (!decoder.done()) return base::Err("a damaged record of canister ", PrincipalText(id));
  slot.stored.module = record.module;
  if (record.module != base::Sha256Digest{}) {
    slot.state.module = TRY(loader_.Load(storage.Get(Key('m', record.module))));
  }
  const auto load = [&](const std::optional<RegionRecord>& region, uint64_t bytes_max,
                        uint64_t guard, std::unique_ptr<PagedRegion>* out) -> base::Status {
    if (!region) return {};
    if (region->pages > bytes_max / kPageBytes) return base::Err("a memory larger than its limit");
    *out = TRY(PagedRegion::Create(bytes_max, guard));
    (*out)->LoadFrom(storage, region->id, region->pages);
    slot.stored.regions.push_back(region->id);
    return {};
  };
  const bool wide = slot.state.module && slot.state.module->info.memory64;
  const Limits& limits = options_.limits;
  TRY_STATUS(load(record.heap, wide ? limits.heap64_bytes_max : limits.heap_bytes_max,
                  kHeapGuardBytes, &slot.state.heap));
  TRY_STATUS(load(record.stable, limits.stable_bytes_max, 0, &slot.state.stable));
  storage.ForEach(ChunkKey(id, nullptr), [&](ByteSpan name, ByteSpan chunk) {
    base::Sha256Digest hash;
    if (name.size() != id.size() + 2 + hash.size()) return;
    std::ranges::copy(name.last(hash.size()), hash.begin());
    slot.state.chunk_store[hash] = Bytes(chunk.begin(), chunk.end());
    slot.stored.chunks.insert(hash);
  });
  return {};
}

base::Status Network::LoadMail(ByteSpan key, ByteSpan value) {
  MailRecord record;
  if (!Decode(value, record)) return base::Err("a damaged record of a message");
  const auto* request = std::get_if<Request>(&record.content);
  Mail mail{NumberOf(key), std::move(record.content)};
  if (record.to.empty()) {
    if (request == nullptr) return base::Err("an answer to the management canister");
    management_.push_back(std::move(mail));
    return {};
  }
  const auto slot = slots_.find(record.to);
  if (slot == slots_.end()) return base::Err("a message to a canister that does not exist");
  const bool ingress = std::holds_alternative<Request>(mail.content) &&
                       std::holds_alternative<FromIngress>(std::get<Request>(mail.content).origin);
  if (ingress) {
    slot->second.ingress.push_back(std::move(mail));
  } else {
    const Principal sender = SenderOf(slot->second, mail.content);
    slot->second.inbox[sender].push_back(std::move(mail));
  }
  return {};
}

}  // namespace runtime
