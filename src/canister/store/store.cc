#include "canister/store/store.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/sha256.h"
#include "canister/sdk/stable.h"

namespace store {
namespace {

using base::Bytes;
using base::Err;
using base::Result;
using base::Status;
using sdk::kStablePageBytes;

// Page 0: magic and version, then the two slots. A slot: generation u64, length u64, SHA-256 of
// both and the payload, payload.
constexpr char kMagic[8] = {'g', 'p', 't', '2', 'i', 'c', 's', 't'};
constexpr uint32_t kVersion = 1;
constexpr uint64_t kHeaderBytes = 64;
constexpr uint64_t kSlotBytes = 32'000;
constexpr uint64_t kSlotHeaderBytes = 48;
constexpr uint64_t kSlotOffset[2] = {kHeaderBytes, kHeaderBytes + kSlotBytes};
static_assert(kSlotOffset[1] + kSlotBytes <= kStablePageBytes);
constexpr uint64_t kFirstDataPage = 1;

constexpr size_t kNameBytesMax = 100;

struct Slot {
  uint64_t generation = 0;
  Bytes payload;
};

base::Sha256Digest Checksum(uint64_t generation, base::ByteSpan payload) {
  Bytes head;
  base::AppendFixed(head, generation);
  base::AppendFixed(head, uint64_t{payload.size()});
  base::Sha256 hash;
  hash.Update(head);
  hash.Update(payload);
  return hash.Finish();
}

// A slot that does not check is as good as none: the other one counts.
std::optional<Slot> ReadSlot(uint64_t offset) {
  uint8_t head[kSlotHeaderBytes];
  sdk::StableRead(offset, head);
  uint64_t words[2];
  std::memcpy(words, head, sizeof(words));
  if (words[1] > kSlotBytes - kSlotHeaderBytes) return std::nullopt;
  Slot slot{words[0], Bytes(static_cast<size_t>(words[1]))};
  sdk::StableRead(offset + kSlotHeaderBytes, slot.payload);
  const base::Sha256Digest sum = Checksum(slot.generation, slot.payload);
  if (std::memcmp(sum.data(), head + 16, sum.size()) != 0) return std::nullopt;
  return slot;
}

Status WriteHeader() {
  TRY_STATUS(sdk::StableReserve(kFirstDataPage));
  Bytes header(kMagic, kMagic + sizeof(kMagic));
  base::AppendFixed(header, kVersion);
  sdk::StableWrite(0, header);
  return {};
}

Status CheckHeader() {
  uint8_t header[12];
  sdk::StableRead(0, header);
  uint32_t version;
  std::memcpy(&version, header + 8, 4);
  if (std::memcmp(header, kMagic, sizeof(kMagic)) != 0) {
    return Err(
        "stable memory begins with other bytes than those of this store; nothing was changed");
  }
  if (version != kVersion) {
    return Err("stable memory has layout version ", version, ", this canister knows ", kVersion,
               "; nothing was changed");
  }
  return {};
}

}  // namespace

uint64_t Store::File::Size() const {
  uint64_t size = 0;
  for (const Extent& extent : extents) size += extent.bytes;
  return size;
}

Result<Store> Store::Open() {
  Store out;
  if (sdk::StablePages() == 0) {
    TRY_STATUS(WriteHeader());
    TRY_STATUS(out.Save());
    return out;
  }
  TRY_STATUS(CheckHeader());
  out.pages_ = sdk::StablePages();
  std::optional<Slot> best;
  for (const uint64_t offset : kSlotOffset) {
    std::optional<Slot> slot = ReadSlot(offset);
    if (slot && (!best || slot->generation > best->generation)) best = std::move(slot);
  }
  if (!best) return Err("both directories in stable memory are damaged; nothing was changed");
  out.generation_ = best->generation;
  out.files_ = TRY(Decode(best->payload));
  return out;
}

const Store::File* Store::Find(std::string_view name) const {
  const auto it = std::ranges::find(files_, name, &File::name);
  return it == files_.end() ? nullptr : &*it;
}

Store::File& Store::FindOrMake(std::string_view name) {
  CHECK(!name.empty() && name.size() <= kNameBytesMax);
  const auto it = std::ranges::find(files_, name, &File::name);
  if (it != files_.end()) return *it;
  return files_.emplace_back(File{std::string(name), {}});
}

uint64_t Store::Size(std::string_view name) const {
  const File* file = Find(name);
  return file == nullptr ? 0 : file->Size();
}

void Store::Drop(std::string_view name) {
  std::erase_if(files_, [&](const File& file) { return file.name == name; });
}

Status Store::Remove(std::string_view name) {
  if (!Exists(name)) return {};
  Drop(name);
  return Save();
}

Status Store::Move(std::string_view from, std::string_view to) {
  Drop(to);
  const auto it = std::ranges::find(files_, from, &File::name);
  if (it != files_.end()) it->name = to;
  return Save();
}

Status Store::Copy(std::string_view from, std::string_view to) {
  Drop(to);
  if (const File* file = Find(from)) {
    File copy{std::string(to), file->extents};
    files_.push_back(std::move(copy));
  }
  return Save();
}

Status Store::Put(std::string_view name, base::ByteSpan bytes) {
  Drop(name);
  FindOrMake(name);
  return Append(name, bytes);
}

// ---- space
// ---------------------------------------------------------------------------------------

std::vector<Extent> Store::Used() const {
  std::vector<Extent> used;
  for (const File& file : files_) used.insert(used.end(), file.extents.begin(), file.extents.end());
  std::ranges::sort(used, {}, &Extent::first_page);
  const auto doubles = std::ranges::unique(used, {}, &Extent::first_page);
  used.erase(doubles.begin(), doubles.end());
  return used;
}

bool Store::Shared(const Extent& extent) const {
  int users = 0;
  for (const File& file : files_) {
    users += std::ranges::count(file.extents, extent.first_page, &Extent::first_page);
  }
  return users > 1;
}

bool Store::PageRangeFree(uint64_t first, uint64_t pages) const {
  return std::ranges::none_of(Used(), [&](const Extent& e) {
    return e.first_page < first + pages && first < e.first_page + e.pages;
  });
}

// The first gap that is large enough, else the end of stable memory, which grows.
Result<Extent> Store::Allocate(uint64_t pages) {
  uint64_t first = kFirstDataPage;
  for (const Extent& extent : Used()) {
    if (extent.first_page - first >= pages) break;
    first = extent.first_page + extent.pages;
  }
  if (first + pages > pages_) {
    TRY_STATUS(sdk::StableReserve(first + pages));
    pages_ = sdk::StablePages();
  }
  return Extent{first, pages, 0};
}

uint64_t Store::free_pages() const {
  uint64_t used = kFirstDataPage;
  for (const Extent& extent : Used()) used += extent.pages;
  return pages_ - std::min(pages_, used);
}

// ---- content
// -------------------------------------------------------------------------------------

Status Store::Append(std::string_view name, base::ByteSpan bytes) {
  File& file = FindOrMake(name);
  if (!file.extents.empty() && !Shared(file.extents.back())) {
    Extent& last = file.extents.back();
    const uint64_t needed = (last.bytes + bytes.size() + kStablePageBytes - 1) / kStablePageBytes;
    const uint64_t end = last.first_page + last.pages;
    if (needed > last.pages && PageRangeFree(end, needed - last.pages)) {
      TRY_STATUS(sdk::StableReserve(last.first_page + needed));
      pages_ = sdk::StablePages();
      last.pages = needed;
    }
    const uint64_t room = last.pages * kStablePageBytes - last.bytes;
    const auto n = static_cast<size_t>(std::min<uint64_t>(room, bytes.size()));
    sdk::StableWrite(last.first_page * kStablePageBytes + last.bytes, bytes.subspan(0, n));
    last.bytes += n;
    bytes = bytes.subspan(n);
  }
  if (!bytes.empty()) {
    Extent extent = TRY(Allocate((bytes.size() + kStablePageBytes - 1) / kStablePageBytes));
    sdk::StableWrite(extent.first_page * kStablePageBytes, bytes);
    extent.bytes = bytes.size();
    file.extents.push_back(extent);
  }
  return Save();
}

Status Store::Create(std::string_view name, uint64_t bytes) {
  Drop(name);
  Extent extent = TRY(Allocate((bytes + kStablePageBytes - 1) / kStablePageBytes));
  extent.bytes = bytes;
  FindOrMake(name).extents = {extent};
  return Save();
}

template <class Piece>
Status Store::ForRange(std::string_view name, uint64_t offset, uint64_t size, Piece piece) const {
  const File* file = Find(name);
  const uint64_t have = file == nullptr ? 0 : file->Size();
  if (offset > have || size > have - offset) {
    return Err("file ", name, " has ", have, " bytes, expected ", size, " at ", offset);
  }
  uint64_t done = 0;
  for (size_t i = 0; done < size; ++i) {
    const Extent& extent = file->extents[i];
    if (offset >= extent.bytes) {
      offset -= extent.bytes;
      continue;
    }
    const uint64_t n = std::min(extent.bytes - offset, size - done);
    piece(extent.first_page * kStablePageBytes + offset, static_cast<size_t>(done),
          static_cast<size_t>(n));
    done += n;
    offset = 0;
  }
  return {};
}

Status Store::Read(std::string_view name, uint64_t offset, std::span<uint8_t> out) const {
  return ForRange(name, offset, out.size(), [&](uint64_t at, size_t begin, size_t n) {
    sdk::StableRead(at, out.subspan(begin, n));
  });
}

Status Store::WriteAt(std::string_view name, uint64_t offset, base::ByteSpan bytes) {
  return ForRange(name, offset, bytes.size(), [&](uint64_t at, size_t begin, size_t n) {
    sdk::StableWrite(at, bytes.subspan(begin, n));
  });
}

// ---- directory
// -----------------------------------------------------------------------------------

Bytes Store::Encode() const {
  Bytes out;
  base::AppendFixed(out, static_cast<uint32_t>(files_.size()));
  for (const File& file : files_) {
    out.push_back(static_cast<uint8_t>(file.name.size()));
    base::Append(out, file.name);
    base::AppendFixed(out, static_cast<uint32_t>(file.extents.size()));
    for (const Extent& extent : file.extents) {
      base::AppendFixed(out, extent.first_page);
      base::AppendFixed(out, extent.pages);
      base::AppendFixed(out, extent.bytes);
    }
  }
  return out;
}

Result<std::vector<Store::File>> Store::Decode(base::ByteSpan payload) {
  base::ByteReader in(payload);
  std::vector<File> files;
  for (uint32_t left = TRY(in.Fixed<uint32_t>()); left > 0; --left) {
    File file;
    const uint8_t size = TRY(in.U8());
    file.name = base::AsText(TRY(in.Take(size)));
    for (uint32_t extents = TRY(in.Fixed<uint32_t>()); extents > 0; --extents) {
      Extent extent;
      extent.first_page = TRY(in.Fixed<uint64_t>());
      extent.pages = TRY(in.Fixed<uint64_t>());
      extent.bytes = TRY(in.Fixed<uint64_t>());
      file.extents.push_back(extent);
    }
    files.push_back(std::move(file));
  }
  return files;
}

Status Store::Save() {
  const Bytes payload = Encode();
  if (payload.size() > kSlotBytes - kSlotHeaderBytes) {
    return Err("the directory of stable memory is full: ", payload.size(), " bytes, at most ",
               kSlotBytes - kSlotHeaderBytes, " fit");
  }
  ++generation_;
  Bytes slot;
  base::AppendFixed(slot, generation_);
  base::AppendFixed(slot, uint64_t{payload.size()});
  base::Append(slot, Checksum(generation_, payload));
  base::Append(slot, payload);
  sdk::StableWrite(kSlotOffset[generation_ % 2], slot);
  return {};
}

}  // namespace store
