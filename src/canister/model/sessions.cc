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
  engines_.erase(id);
  sessions_.erase(id);
}

EngineSession& Sessions::Engine(ChatSession& session, const EngineModel& model,
                                uint64_t context_bytes) {
  std::unique_ptr<EngineSession>& engine = engines_[session.id];
  if (!engine) {
    engine = std::make_unique<EngineSession>(model);
    CHECK(engine->Append(session.tokens).has_value());
    context_bytes_ = context_bytes;
    Trim();
  }
  return *engine;
}

uint64_t Sessions::working() const {
  uint64_t count = 0;
  for (const auto& [id, engine] : engines_) count += sessions_.at(id).job != 0;
  return count;
}

bool Sessions::MayRun(const ChatSession& session, uint64_t context_bytes) const {
  if (engines_.contains(session.id)) return true;
  const uint64_t others = working();
  return others == 0 || (others + 1) * context_bytes <= kCacheBytesMax;
}

EngineSession* Sessions::FindEngine(uint64_t id) {
  const auto found = engines_.find(id);
  return found == engines_.end() ? nullptr : found->second.get();
}

void Sessions::Trim() {
  uint64_t bytes = 0;
  std::vector<const ChatSession*> idle;
  for (const auto& [id, engine] : engines_) {
    const ChatSession& session = sessions_.at(id);
    bytes += session.job == 0 ? engine->cache_bytes() : context_bytes_;
    if (session.job == 0) idle.push_back(&session);
  }
  std::ranges::sort(idle, {}, &ChatSession::worth);
  for (const ChatSession* session : idle) {
    if (bytes <= kCacheBytesMax) return;
    bytes -= engines_.at(session->id)->cache_bytes();
    engines_.erase(session->id);
  }
}

void Sessions::Restore(std::vector<ChatSession> sessions, uint64_t next_id) {
  next_id_ = next_id;
  for (ChatSession& session : sessions) sessions_.emplace(session.id, std::move(session));
}

}  // namespace model
