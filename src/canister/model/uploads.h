#ifndef GPT2IC_CANISTER_MODEL_UPLOADS_H_
#define GPT2IC_CANISTER_MODEL_UPLOADS_H_

#include <map>
#include <vector>

#include "base/sha256.h"
#include "canister/model/api.h"
#include "canister/store/store.h"

namespace model {

inline constexpr char kUploadReceiving[] = "receiving", kUploadHashing[] = "hashing",
                      kUploadCommitted[] = "committed";

// One upload: what is to come, and which chunks have come. A record, so that an upgrade keeps it;
// its bytes are the file upload.ID of the store.
struct UploadRecord {
  uint64_t id = 0;
  UploadArgs args;
  base::Bytes received;  // a bit for each chunk
  uint32_t received_count = 0;
  std::string state = kUploadReceiving;
  std::optional<base::Bytes> sha256;  // once hashed

  uint32_t chunks() const {
    return static_cast<uint32_t>((args.bytes + args.chunk_bytes - 1) / args.chunk_bytes);
  }
  bool Has(uint32_t chunk) const { return (received[chunk / 8] >> chunk % 8 & 1) != 0; }
};
CANDID_RECORD(UploadRecord, id, args, received, received_count, state, sha256)

std::string UploadFile(uint64_t id);

// Uploads in the making and the last that were committed. Chunks come in any order, again or at the
// same time; an upload goes on after any pause. At most kMax are kept.
class Uploads {
 public:
  static constexpr size_t kMax = 16;
  static constexpr uint32_t kChunkBytesMax = 1'900'000;
  static constexpr uint64_t kBytesMax = uint64_t{64} << 30;

  Answer<UploadBegun> Begin(store::Store& store, UploadArgs args);
  // Writes the chunk to its place; the same chunk again changes nothing. Err: another length than
  // the place has, an index beyond the end, a committed upload.
  Done Put(store::Store& store, uint64_t id, uint32_t index, base::ByteSpan bytes);
  Answer<UploadStatus> Status(uint64_t id) const;
  Done Abort(store::Store& store, uint64_t id);
  // The upload if every chunk is there and it is not committed yet.
  Answer<UploadRecord*> Complete(uint64_t id);
  UploadRecord* Find(uint64_t id);
  // The set-up from this file of the store is over, if an upload made it: committed with this hash,
  // or as before.
  void EndHashing(const std::string& file, const std::optional<base::Sha256Digest>& hash);

  const std::map<uint64_t, UploadRecord>& all() const { return uploads_; }
  uint64_t next_id() const { return next_id_; }
  void Restore(std::vector<UploadRecord> uploads, uint64_t next_id);

 private:
  std::map<uint64_t, UploadRecord> uploads_;
  uint64_t next_id_ = 1;
};

}  // namespace model

#endif  // GPT2IC_CANISTER_MODEL_UPLOADS_H_
