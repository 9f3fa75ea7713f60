#ifndef GPT2IC_IC_CBOR_H_
#define GPT2IC_IC_CBOR_H_

#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"

// CBOR (RFC 8949) as the IC's HTTP interface speaks it. The reader is our own because a canister
// reads and writes it too (hash trees), and because it must refuse what general libraries accept:
// duplicate keys, bytes behind the item, depth and numbers of items without bound. What it accepts
// beyond the canonical form is what clients were seen to send (docs/ic-protocol.md).
namespace ic {

enum class CborKind : uint8_t { kNat, kNegative, kBytes, kText, kArray, kMap, kBool, kNull };

struct CborLimits {
  uint32_t depth_max = 400;      // nested arrays and maps
  uint32_t items_max = 200'000;  // 24 bytes of memory each; 1,000 paths of 127 labels fit
};

// One item in a document: a view, valid as long as the document and the bytes it was read from.
class CborItem {
 public:
  struct Node {
    const uint8_t* data;  // of strings
    uint64_t number;      // value; length of a string; elements of an array; pairs of a map
    uint32_t span;        // nodes of this item with all it contains
    CborKind kind;
  };

  explicit CborItem(const Node* node) : node_(node) {}

  CborKind kind() const { return node_->kind; }
  bool is(CborKind kind) const { return node_->kind == kind; }
  uint64_t number() const { return node_->number; }
  // The contents of a byte string or text (which is UTF-8).
  base::ByteSpan bytes() const { return {node_->data, static_cast<size_t>(node_->number)}; }
  std::string_view text() const { return base::AsText(bytes()); }

  // The elements of an array; keys and values in turn of a map; nothing of other items.
  class Iterator {
   public:
    explicit Iterator(const Node* node) : node_(node) {}
    CborItem operator*() const { return CborItem(node_); }
    Iterator& operator++() { return node_ += node_->span, *this; }
    bool operator==(const Iterator&) const = default;

   private:
    const Node* node_;
  };
  Iterator begin() const { return Iterator(node_ + 1); }
  Iterator end() const { return Iterator(node_ + node_->span); }

 private:
  const Node* node_;
};

// A whole document, read in one pass without recursion. Cost: linear in the bytes, and a sort of
// the keys of each map.
class CborDocument {
 public:
  // Reads exactly one item, with or without the self-describing tag 55799 in front. The bytes must
  // outlive the document.
  static base::Result<CborDocument> Parse(base::ByteSpan bytes, const CborLimits& limits = {});

  CborItem root() const { return CborItem(nodes_.data()); }

 private:
  explicit CborDocument(std::vector<CborItem::Node> nodes) : nodes_(std::move(nodes)) {}
  std::vector<CborItem::Node> nodes_;
};

// "a map", "text", ...
std::string_view CborKindName(CborKind kind);

// The item as one kind; `what` is its name in the error.
base::Result<uint64_t> CborNat(CborItem item, std::string_view what);
base::Result<base::ByteSpan> CborBytes(CborItem item, std::string_view what);
base::Result<std::string_view> CborText(CborItem item, std::string_view what);
base::Result<CborItem> CborArray(CborItem item, std::string_view what);

// The fields of a map with text keys, taken by name. A field that is null counts as absent.
class CborFields {
 public:
  static constexpr size_t kFieldsMax = 64;

  // `what` names the map in errors ("envelope").
  static base::Result<CborFields> Of(CborItem map, std::string_view what);

  std::optional<CborItem> Take(std::string_view name);
  base::Result<CborItem> Need(std::string_view name);  // absent: an Error
  base::Result<uint64_t> Nat(std::string_view name);
  base::Result<base::ByteSpan> Blob(std::string_view name);
  base::Result<std::string_view> Text(std::string_view name);
  base::Result<std::optional<base::ByteSpan>> OptionalBlob(std::string_view name);
  base::Result<std::optional<std::string_view>> OptionalText(std::string_view name);

  // Refuses a field that was not asked for.
  base::Status Finish() const;

 private:
  CborFields(CborItem map, std::string_view what) : map_(map), what_(what) {}
  CborItem map_;
  std::string_view what_;
  uint64_t taken_ = 0;  // bit i: field i was asked for
};

// Writes items of definite length with the shortest heads. The caller keeps the counts right.
class CborWriter {
 public:
  CborWriter& SelfDescribed();  // tag 55799
  CborWriter& Map(uint64_t pairs) { return Head(5, pairs); }
  CborWriter& Array(uint64_t elements) { return Head(4, elements); }
  CborWriter& Nat(uint64_t value) { return Head(0, value); }
  CborWriter& Text(std::string_view text);
  CborWriter& Blob(base::ByteSpan bytes);
  CborWriter& Raw(base::ByteSpan item);  // an item written elsewhere

  base::Bytes Take() { return std::move(out_); }

 private:
  CborWriter& Head(unsigned major, uint64_t argument);
  base::Bytes out_;
};

}  // namespace ic

#endif  // GPT2IC_IC_CBOR_H_
