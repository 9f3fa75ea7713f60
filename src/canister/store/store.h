#ifndef GPT2IC_CANISTER_STORE_STORE_H_
#define GPT2IC_CANISTER_STORE_STORE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace store {

// A contiguous piece of a file: `pages` pages of 64 KiB from `first_page`, of which `bytes` are
// used.
struct Extent {
  uint64_t first_page, pages, bytes;
};

// Named files in stable memory (docs/stable-memory.md). Bytes are appended and stay where they are:
// nothing passes through the heap but the message that brings them. Extents of files that are gone
// are given to later ones. Files may share extents (a copy costs nothing), so an extent that
// another file has too is never appended to.
//
// The directory lies twice in stable memory, each with a generation and a checksum; a change writes
// the older slot and so becomes the newer one.
class Store {
 public:
  // Reads the directory, or makes an empty one where stable memory is. An Error when the memory
  // holds something else, or a version that this code does not know: then it is left untouched.
  static base::Result<Store> Open();

  // Length of a file in bytes; 0 when there is none.
  uint64_t Size(std::string_view name) const;
  bool Exists(std::string_view name) const { return Find(name) != nullptr; }

  base::Status Append(std::string_view name, base::ByteSpan bytes);
  // A file of `bytes` bytes whose content is whatever was there; an older one of this name is gone.
  base::Status Create(std::string_view name, uint64_t bytes);
  // Writes within the file; the directory stays as it is. Requires that no other file shares it.
  base::Status WriteAt(std::string_view name, uint64_t offset, base::ByteSpan bytes);
  // Replaces the content of a small file.
  base::Status Put(std::string_view name, base::ByteSpan bytes);
  base::Status Remove(std::string_view name);
  // `to` becomes what `from` is; `from` is gone (Move) or stays (Copy). A missing `from` removes
  // `to`.
  base::Status Move(std::string_view from, std::string_view to);
  base::Status Copy(std::string_view from, std::string_view to);

  // [offset, offset + out.size()) of a file; an Error beyond its end.
  base::Status Read(std::string_view name, uint64_t offset, std::span<uint8_t> out) const;

  uint64_t free_pages() const;
  uint64_t total_pages() const { return pages_; }

 private:
  struct File {
    std::string name;
    std::vector<Extent> extents;
    uint64_t Size() const;
  };

  const File* Find(std::string_view name) const;
  // Calls piece(offset in stable memory, begin, size) for each extent's part of a file's range.
  template <class Piece>
  base::Status ForRange(std::string_view name, uint64_t offset, uint64_t size, Piece piece) const;
  File& FindOrMake(std::string_view name);
  void Drop(std::string_view name);
  bool Shared(const Extent& extent) const;
  bool PageRangeFree(uint64_t first, uint64_t pages) const;
  base::Result<Extent> Allocate(uint64_t pages);
  uint64_t Extendable(const Extent& extent, uint64_t wanted) const;
  std::vector<Extent> Used() const;  // sorted, without doubles
  base::Status Save();
  base::Bytes Encode() const;
  static base::Result<std::vector<File>> Decode(base::ByteSpan payload);

  std::vector<File> files_;
  uint64_t generation_ = 0;
  uint64_t pages_ = 0;  // of stable memory that the store may use
};

}  // namespace store

#endif  // GPT2IC_CANISTER_STORE_STORE_H_
