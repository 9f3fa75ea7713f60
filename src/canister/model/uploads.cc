#include "canister/model/uploads.h"

#include <algorithm>

namespace model {
namespace {

constexpr const char* kKinds[] = {"safetensors", "onnx", "packed", "tokenizer", "config"};

Done CheckArgs(const UploadArgs& args) {
  if (std::ranges::find(kKinds, args.kind) == std::end(kKinds)) {
    return Fail("bad_input", "kind is \"", base::Printable(args.kind),
                "\", expected safetensors, onnx, packed, tokenizer or config");
  }
  if (args.bytes == 0 || args.bytes > Uploads::kBytesMax) {
    return Fail("bad_input", "bytes is ", args.bytes, ", expected 1 to ", Uploads::kBytesMax);
  }
  if (args.chunk_bytes == 0 || args.chunk_bytes > Uploads::kChunkBytesMax) {
    return Fail("bad_input", "chunk_bytes is ", args.chunk_bytes, ", expected 1 to ",
                Uploads::kChunkBytesMax);
  }
  constexpr uint64_t kChunksMax = 1'000'000;
  if (args.bytes / args.chunk_bytes > kChunksMax) {
    return Fail("bad_input", args.bytes, " bytes in chunks of ", args.chunk_bytes,
                " are more than ", kChunksMax, " chunks");
  }
  if (args.sha256 && args.sha256->size() != 32) {
    return Fail("bad_input", "sha256 has ", args.sha256->size(), " bytes, expected 32");
  }
  return {};
}

}  // namespace

std::string UploadFile(uint64_t id) { return base::StrCat("upload.", id); }

Answer<UploadBegun> Uploads::Begin(store::Store& store, UploadArgs args) {
  TRY_STATUS(CheckArgs(args));
  if (uploads_.size() >= kMax) {
    const auto done = std::ranges::find(uploads_, kUploadCommitted,
                                        [](const auto& row) { return row.second.state; });
    if (done == uploads_.end()) {
      return Fail("busy", uploads_.size(), " uploads are open, at most ", kMax,
                  " can be; abort one");
    }
    uploads_.erase(done);
  }
  UploadRecord record;
  record.id = next_id_++;
  record.args = std::move(args);
  record.received.resize((record.chunks() + 7) / 8);
  TRY_STATUS(As<void>("too_large", store.Create(UploadFile(record.id), record.args.bytes)));
  const UploadBegun begun{record.id, record.chunks()};
  uploads_.emplace(record.id, std::move(record));
  return begun;
}

UploadRecord* Uploads::Find(uint64_t id) {
  const auto found = uploads_.find(id);
  return found == uploads_.end() ? nullptr : &found->second;
}

void Uploads::EndHashing(const std::string& file, const std::optional<base::Sha256Digest>& hash) {
  for (auto& [id, upload] : uploads_) {
    if (UploadFile(id) != file) continue;
    upload.state = hash ? kUploadCommitted : kUploadReceiving;
    if (hash) upload.sha256 = base::Bytes(hash->begin(), hash->end());
  }
}

namespace {

std::unexpected<Error> NoUpload(uint64_t id) {
  return Fail("not_found", "there is no upload ", id);
}

}  // namespace

Done Uploads::Put(store::Store& store, uint64_t id, uint32_t index, base::ByteSpan bytes) {
  UploadRecord* upload = Find(id);
  if (upload == nullptr) return NoUpload(id);
  if (upload->state != kUploadReceiving) {
    return Fail("conflict", "upload ", id, " is ", upload->state, " and takes no more chunks");
  }
  if (index >= upload->chunks()) {
    return Fail("bad_input", "chunk ", index, " of upload ", id, ", expected less than ",
                upload->chunks());
  }
  const uint64_t offset = uint64_t{index} * upload->args.chunk_bytes;
  const uint64_t size = std::min<uint64_t>(upload->args.chunk_bytes, upload->args.bytes - offset);
  if (bytes.size() != size) {
    return Fail("bad_input", "chunk ", index, " of upload ", id, " has ", bytes.size(),
                " bytes, expected ", size);
  }
  TRY_STATUS(As<void>("internal", store.WriteAt(UploadFile(id), offset, bytes)));
  if (!upload->Has(index)) {
    upload->received[index / 8] |= static_cast<uint8_t>(1 << index % 8);
    ++upload->received_count;
  }
  return {};
}

Answer<UploadStatus> Uploads::Status(uint64_t id) const {
  const auto found = uploads_.find(id);
  if (found == uploads_.end()) return NoUpload(id);
  const UploadRecord& upload = found->second;
  UploadStatus status{upload.args.kind, upload.args.bytes,     upload.args.chunk_bytes,
                      upload.chunks(),  upload.received_count, {},
                      upload.state,     upload.sha256};
  for (uint32_t chunk = 0; chunk < status.chunks; ++chunk) {
    if (upload.Has(chunk)) continue;
    std::vector<ChunkRange>& missing = status.missing;
    if (missing.empty() || missing.back().first + missing.back().count != chunk) {
      constexpr size_t kRangesMax = 10'000;  // of a reply; the rest is told when these have come
      if (missing.size() == kRangesMax) break;
      missing.push_back({chunk, 0});
    }
    ++missing.back().count;
  }
  return status;
}

Done Uploads::Abort(store::Store& store, uint64_t id) {
  const UploadRecord* upload = Find(id);
  if (upload == nullptr) return NoUpload(id);
  if (upload->state == kUploadHashing) {
    return Fail("conflict", "upload ", id, " is being committed");
  }
  TRY_STATUS(As<void>("internal", store.Remove(UploadFile(id))));
  uploads_.erase(id);
  return {};
}

Answer<UploadRecord*> Uploads::Complete(uint64_t id) {
  UploadRecord* upload = Find(id);
  if (upload == nullptr) return NoUpload(id);
  if (upload->state != kUploadReceiving) {
    return Fail("conflict", "upload ", id, " is ", upload->state, " already");
  }
  if (upload->received_count < upload->chunks()) {
    return Fail("conflict", "upload ", id, " has ", upload->received_count, " of its ",
                upload->chunks(), " chunks");
  }
  return upload;
}

void Uploads::Restore(std::vector<UploadRecord> uploads, uint64_t next_id) {
  next_id_ = next_id;
  for (UploadRecord& upload : uploads) uploads_.emplace(upload.id, std::move(upload));
}

}  // namespace model
