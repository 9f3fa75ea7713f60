#include "runtime/state/disk_storage.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/check.h"

namespace runtime {
namespace {

constexpr uint64_t kPageBytes = 65536;
constexpr uint64_t kMapBytes = uint64_t{1} << 40;  // of addresses, for the index
// Keys of the index: records are prefixed "r", slots "p" + region + page, both big-endian.
constexpr uint8_t kRecord = 'r', kSlot = 'p';

void AppendBigEndian(base::Bytes& out, uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<uint8_t>(number >> shift));
}

uint64_t BigEndian(const uint8_t* from) {
  uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | from[i];
  return number;
}

base::Bytes RecordKey(base::ByteSpan key) {
  base::Bytes out = {kRecord};
  base::Append(out, key);
  return out;
}

base::Bytes SlotKey(RegionId region, uint64_t page) {
  base::Bytes out = {kSlot};
  AppendBigEndian(out, region);
  AppendBigEndian(out, page);
  return out;
}

MDB_val ToVal(base::ByteSpan bytes) { return {bytes.size(), const_cast<uint8_t*>(bytes.data())}; }
base::ByteSpan FromVal(const MDB_val& val) {
  return {static_cast<const uint8_t*>(val.mv_data), val.mv_size};
}

// A failing disk, or a full one: nothing that was acknowledged is lost by stopping here.
void Require(int code, const char* what) {
  if (code == 0) return;
  std::fprintf(stderr, "state folder: %s: %s\n", what, mdb_strerror(code));
  CHECK(code == 0);
}

}  // namespace

base::Result<std::unique_ptr<DiskStorage>> DiskStorage::Open(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return base::Err("cannot make the folder ", folder, ": ", error.message());
  const int lock = open((folder + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) return base::Err("cannot write in ", folder, ": ", std::strerror(errno));
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    close(lock);
    return base::Err(folder, " is used by another process");
  }
  std::unique_ptr<DiskStorage> out(new DiskStorage(lock));
  TRY_STATUS(out->OpenFiles(folder));
  TRY_STATUS(out->LoadSlots());
  return out;
}

base::Status DiskStorage::OpenFiles(const std::string& folder) {
  const std::string pages = folder + "/pages.dat", index = folder + "/index.mdb";
  // Made aside and renamed: LMDB cannot open a file whose first write was cut off.
  if (!std::filesystem::exists(index)) {
    const std::string part = index + ".part";
    std::filesystem::remove(part);
    TRY_STATUS(OpenIndex(part));
    mdb_env_close(std::exchange(env_, nullptr));
    std::filesystem::rename(part, index);
  }
  pages_ = open(pages.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (pages_ < 0) return base::Err("cannot open ", pages, ": ", std::strerror(errno));
  return OpenIndex(index);
}

base::Status DiskStorage::OpenIndex(const std::string& index) {
  // The folder's lock replaces LMDB's; no page of the index is read ahead of its use.
  constexpr unsigned kFlags = MDB_NOSUBDIR | MDB_NOSYNC | MDB_NOLOCK | MDB_NORDAHEAD;
  int code = mdb_env_create(&env_);
  if (code == 0) code = mdb_env_set_mapsize(env_, kMapBytes);
  if (code == 0) code = mdb_env_open(env_, index.c_str(), kFlags, 0644);
  MDB_txn* txn = nullptr;
  if (code == 0) code = mdb_txn_begin(env_, nullptr, 0, &txn);
  if (code == 0) code = mdb_dbi_open(txn, nullptr, 0, &dbi_);
  if (code == 0) code = mdb_txn_commit(txn);
  if (code != 0) return base::Err("cannot open ", index, ": ", mdb_strerror(code));
  return {};
}

// Which slots are in use is what the index says; all others are free.
base::Status DiskStorage::LoadSlots() {
  struct stat file;
  CHECK(fstat(pages_, &file) == 0);
  const auto whole = static_cast<uint64_t>(file.st_size) / kPageBytes;
  std::vector<bool> used(whole);
  MDB_txn* txn;
  MDB_cursor* cursor;
  Require(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn), "reading");
  Require(mdb_cursor_open(txn, dbi_, &cursor), "reading");
  const base::Bytes prefix = {kSlot};
  MDB_val key = ToVal(prefix), value;
  bool sound = true;
  for (int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE); code == 0;
       code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
    const base::ByteSpan name = FromVal(key);
    if (name.empty() || name[0] != kSlot) break;
    uint32_t slot = 0;
    sound = name.size() == 17 && value.mv_size == sizeof(slot);
    if (sound) std::memcpy(&slot, value.mv_data, sizeof(slot));
    sound = sound && slot < whole && !used[slot];
    if (!sound) break;
    used[slot] = true;
    slots_[BigEndian(&name[1])][BigEndian(&name[9])] = slot;
  }
  mdb_cursor_close(cursor);
  mdb_txn_abort(txn);
  if (!sound) return base::Err("the index of the state folder names pages that pages.dat has not");
  slot_count_ = static_cast<uint32_t>(whole);
  for (uint32_t slot = slot_count_; slot > 0; --slot) {
    if (!used[slot - 1]) free_.push_back(slot - 1);
  }
  return {};
}

DiskStorage::~DiskStorage() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
  if (env_ != nullptr) mdb_env_close(env_);
  if (pages_ >= 0) close(pages_);
  if (lock_ >= 0) close(lock_);
}

void DiskStorage::Begin() {
  if (txn_ == nullptr) Require(mdb_txn_begin(env_, nullptr, 0, &txn_), "beginning");
}

void DiskStorage::Put(base::ByteSpan key, base::ByteSpan value) {
  Begin();
  const base::Bytes name = RecordKey(key);
  MDB_val k = ToVal(name), v = ToVal(value);
  Require(mdb_put(txn_, dbi_, &k, &v, 0), "writing");
}

void DiskStorage::Delete(base::ByteSpan key) {
  Begin();
  const base::Bytes name = RecordKey(key);
  MDB_val k = ToVal(name);
  const int code = mdb_del(txn_, dbi_, &k, nullptr);
  if (code != MDB_NOTFOUND) Require(code, "deleting");
}

uint32_t DiskStorage::NewSlot() {
  if (free_.empty()) return slot_count_++;
  const uint32_t slot = free_.back();
  free_.pop_back();
  return slot;
}

void DiskStorage::PutPage(RegionId region, uint64_t page, const uint8_t* content) {
  Begin();
  uint32_t slot = NewSlot();
  for (uint64_t done = 0; done < kPageBytes;) {
    const ssize_t wrote = pwrite(pages_, content + done, kPageBytes - done,
                                 static_cast<off_t>(uint64_t{slot} * kPageBytes + done));
    if (wrote < 0 && errno == EINTR) continue;
    Require(wrote > 0 ? 0 : errno, "writing a page");
    done += static_cast<uint64_t>(wrote);
  }
  Slots& slots = slots_[region];
  const auto [known, added] = slots.try_emplace(page, slot);
  if (!added) {
    freed_.push_back(known->second);
    known->second = slot;
  }
  const base::Bytes name = SlotKey(region, page);
  MDB_val k = ToVal(name), v = {sizeof(slot), &slot};
  Require(mdb_put(txn_, dbi_, &k, &v, 0), "writing");
}

void DiskStorage::DropRegion(RegionId region) {
  const auto found = slots_.find(region);
  if (found == slots_.end()) return;
  Begin();
  for (const auto& [page, slot] : found->second) {
    const base::Bytes name = SlotKey(region, page);
    MDB_val k = ToVal(name);
    Require(mdb_del(txn_, dbi_, &k, nullptr), "deleting");
    freed_.push_back(slot);
  }
  slots_.erase(found);
}

void DiskStorage::Commit() {
  if (txn_ == nullptr) return;
  Require(mdb_txn_commit(txn_), "committing");
  txn_ = nullptr;
  free_.insert(free_.end(), freed_.begin(), freed_.end());
  freed_.clear();
}

void DiskStorage::ForEach(base::ByteSpan prefix, const Visit& visit) {
  MDB_txn* txn;
  MDB_cursor* cursor;
  Require(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn), "reading");
  Require(mdb_cursor_open(txn, dbi_, &cursor), "reading");
  const base::Bytes first = RecordKey(prefix);
  MDB_val key = ToVal(first), value;
  for (int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE); code == 0;
       code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
    const base::ByteSpan name = FromVal(key);
    if (name.size() < first.size() || std::memcmp(name.data(), first.data(), first.size()) != 0) {
      break;
    }
    visit(name.subspan(1), FromVal(value));
  }
  mdb_cursor_close(cursor);
  mdb_txn_abort(txn);
}

base::Bytes DiskStorage::Get(base::ByteSpan key) {
  MDB_txn* txn;
  Require(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn), "reading");
  const base::Bytes name = RecordKey(key);
  MDB_val k = ToVal(name), v;
  base::Bytes out;
  if (mdb_get(txn, dbi_, &k, &v) == 0) {
    const base::ByteSpan value = FromVal(v);
    out.assign(value.begin(), value.end());
  }
  mdb_txn_abort(txn);
  return out;
}

std::vector<uint64_t> DiskStorage::Pages(RegionId region) {
  std::vector<uint64_t> pages;
  const auto found = slots_.find(region);
  if (found == slots_.end()) return pages;
  for (const auto& [page, slot] : found->second) pages.push_back(page);
  return pages;
}

void DiskStorage::ReadPage(RegionId region, uint64_t page, uint8_t* content) {
  const auto slots = slots_.find(region);
  CHECK(slots != slots_.end());
  const auto slot = slots->second.find(page);
  CHECK(slot != slots->second.end());
  for (uint64_t done = 0; done < kPageBytes;) {
    const ssize_t got = pread(pages_, content + done, kPageBytes - done,
                              static_cast<off_t>(uint64_t{slot->second} * kPageBytes + done));
    if (got < 0 && errno == EINTR) continue;
    CHECK(got > 0);
    done += static_cast<uint64_t>(got);
  }
}

}  // namespace runtime
