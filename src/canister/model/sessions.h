#ifndef GPT2IC_CANISTER_MODEL_SESSIONS_H_
#define GPT2IC_CANISTER_MODEL_SESSIONS_H_

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "candid/principal.h"
#include "canister/model/api.h"
#include "canister/model/engine.h"

namespace model {

// One chat: its tokens, and while they fit the heap its keys and values. A record without these,
// so that an upgrade keeps it and computes them again.
struct ChatSession {
  uint64_t id = 0;
  candid::Principal owner;
  std::vector<gpt2::TokenId> tokens;  // between jobs; while a job runs the engine has more
  std::vector<uint32_t> turns;        // where each turn begins in tokens
  uint64_t last_used_ns = 0;
  uint64_t job = 0;                        // that is at work on it; 0: none
  bool for_one_answer = false;             // of a call of the seed's kind: gone with its answer
  std::optional<bool> privileged = false;  // as its last job: gives way after all others

  // Who gives way first: lower is earlier.
  std::pair<bool, uint64_t> worth() const { return {is_privileged(), last_used_ns}; }
  bool is_privileged() const { return privileged.value_or(false); }
};
CANDID_RECORD(ChatSession, id, owner, tokens, turns, last_used_ns, job, for_one_answer, privileged)

// All sessions. Bounded: per caller and in all the one used longest ago makes room, one of the
// authorized or of who pays only when there is no other. Keys and values are bounded by
// kCacheBytesMax: those of jobs that have begun count as a whole context (MayRun); of chats without
// a job the least recently used are dropped, of others only for a job of the privileged, who do not
// wait for the room of others. So at most twice kCacheBytesMax, and a context when one is larger.
class Sessions {
 public:
  static constexpr size_t kPerCallerMax = 16;
  static constexpr size_t kMax = 1'000;
  static constexpr uint64_t kCacheBytesMax = uint64_t{512} << 20;

  // A new one for this owner. Err "busy" when none can make room.
  Answer<ChatSession*> Open(const candid::Principal& owner, uint64_t now_ns);
  ChatSession* Find(uint64_t id);
  // Whether there is this session of theirs: whose others are is nobody's business.
  bool IsOf(uint64_t id, const candid::Principal& owner) const;
  void Remove(uint64_t id);

  // The session's engine, made and filled with its tokens if it has none. `model` must outlive it.
  EngineSession& Engine(ChatSession& session, const EngineModel& model, uint64_t context_bytes);
  // Whether there is room for the keys and values of this session's job, or it has begun already;
  // always for a single one.
  // `context_bytes`: keys and values of a whole context.
  bool MayRun(const ChatSession& session, uint64_t context_bytes) const;
  // Null if it has none.
  EngineSession* FindEngine(uint64_t id);
  void DropEngine(uint64_t id);
  // Drops keys and values until all are within bounds.
  void Trim() { TrimAround(nullptr); }
  // The model is another one: nothing of the old is of use.
  void Clear() {
    engines_.clear();
    sessions_.clear();
    spare_.reset();
  }

  const std::map<uint64_t, ChatSession>& all() const { return sessions_; }
  size_t size() const { return sessions_.size(); }

  uint64_t next_id() const { return next_id_; }
  void Restore(std::vector<ChatSession> sessions, uint64_t next_id);

 private:
  struct Slot {
    std::unique_ptr<EngineSession> engine;
    uint64_t job = 0;  // that has begun on it
  };

  bool MakeRoom(const candid::Principal* owner, size_t most);
  static bool HasBegun(const ChatSession& session, const Slot& slot) {
    return session.job != 0 && session.job == slot.job;
  }
  uint64_t BytesOf(const ChatSession& session, const Slot& slot) const;
  void TrimAround(const ChatSession* kept);

  std::map<uint64_t, ChatSession> sessions_;
  std::map<uint64_t, Slot> engines_;
  std::unique_ptr<EngineSession> spare_;  // of a session that is gone, for the next; or null
  uint64_t context_bytes_ = 0;            // of the model that the engines have
  uint64_t next_id_ = 1;
};

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_SESSIONS_H_
