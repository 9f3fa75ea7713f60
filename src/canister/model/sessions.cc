#include "canister/model/sessions.h"

#include <algorithm>

#include "base/check.h"

namespace model {

// Removes the session used longest ago, of this owner or of all, if there are `most` or more.
bool Sessions::MakeRoom(const candid::Principal* owner, size_t most) {
  size_t count = 0;
  const ChatSession* oldest = nullptr;
  for (const auto& [id, session] : sessions_) {
    if (owner != nullptr && session.owner != *owner) continue;
    ++count;
    if (session.job != 0) continue;
    if (oldest == nullptr || session.worth() < oldest->worth()) oldest = &session;
  }
  if (count < most) return true;
  if (oldest == nullptr) return false;
  Remove(oldest->id);
  return true;
}

Answer<ChatSession*> Sessions::Open(const candid::Principal& owner, uint64_t now_ns) {
  if (!MakeRoom(&owner, kPerCallerMax) || !MakeRoom(nullptr, kMax)) {
    return Fail("busy", "every session is at work, expected at most ", kPerCallerMax,
                " a caller and ", kMax, " in all");
  }
  ChatSession session;
  session.id = next_id_++;
  session.owner = owner;
  session.last_used_ns = now_ns;
  return &sessions_.emplace(session.id, std::move(session)).first->second;
}

ChatSession* Sessions::Find(uint64_t id) {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : &found->second;
}

bool Sessions::IsOf(uint64_t id, const candid::Principal& owner) const {
  const auto found = sessions_.find(id);
  return found != sessions_.end() && found->second.owner == owner;
}

void Sessions::Remove(uint64_t id) {
  DropEngine(id);
  sessions_.erase(id);
}

void Sessions::DropEngine(uint64_t id) {
  const auto engine = engines_.extract(id);
  if (!engine) return;
  spare_ = std::move(engine.mapped().engine);
  spare_->Restart();
}

EngineSession& Sessions::Engine(ChatSession& session, const EngineModel& model,
                                uint64_t context_bytes) {
  Slot& slot = engines_[session.id];
  if (slot.engine && slot.job == session.job) return *slot.engine;
  slot.job = session.job;
  if (!slot.engine) {
    slot.engine = spare_ ? std::move(spare_) : std::make_unique<EngineSession>(model);
    CHECK(slot.engine->Append(session.tokens).has_value());
  }
  context_bytes_ = context_bytes;
  TrimAround(&session);
  return *slot.engine;
}

uint64_t Sessions::BytesOf(const ChatSession& session, const Slot& slot) const {
  return HasBegun(session, slot) ? context_bytes_ : slot.engine->cache_bytes();
}

bool Sessions::MayRun(const ChatSession& session, uint64_t context_bytes) const {
  const auto own = engines_.find(session.id);
  if (own != engines_.end() && HasBegun(session, own->second)) return true;
  uint64_t begun = 0, bytes = context_bytes;
  for (const auto& [id, slot] : engines_) {
    const ChatSession& other = sessions_.at(id);
    const bool gives_way = session.is_privileged() && !other.is_privileged();
    if (other.job == 0 || id == session.id || gives_way) continue;
    begun += HasBegun(other, slot);
    bytes += BytesOf(other, slot);
  }
  return begun == 0 || bytes <= kCacheBytesMax;
}

EngineSession* Sessions::FindEngine(uint64_t id) {
  const auto found = engines_.find(id);
  return found == engines_.end() ? nullptr : found->second.engine.get();
}

// A job whose keys and values were dropped computes them again, as after an upgrade.
void Sessions::TrimAround(const ChatSession* kept) {
  uint64_t bytes = 0;
  bool for_privileged = false;
  for (const auto& [id, slot] : engines_) {
    const ChatSession& session = sessions_.at(id);
    bytes += BytesOf(session, slot);
    for_privileged |= session.is_privileged() && HasBegun(session, slot);
  }
  std::vector<const ChatSession*> droppable;
  for (const auto& [id, slot] : engines_) {
    const ChatSession& session = sessions_.at(id);
    const bool gives_way = session.job == 0 || (for_privileged && !session.is_privileged());
    if (gives_way && &session != kept) droppable.push_back(&session);
  }
  std::ranges::sort(droppable, {}, [](const ChatSession* session) {
    return std::pair(session->job != 0, session->worth());
  });
  for (const ChatSession* session : droppable) {
    if (bytes <= kCacheBytesMax) return;
    bytes -= BytesOf(*session, engines_.at(session->id));
    engines_.erase(session->id);
  }
}

void Sessions::Restore(std::vector<ChatSession> sessions, uint64_t next_id) {
  next_id_ = next_id;
  for (ChatSession& session : sessions) sessions_.emplace(session.id, std::move(session));
}

}  // namespace model
