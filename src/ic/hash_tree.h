#ifndef GPT2IC_IC_HASH_TREE_H_
#define GPT2IC_IC_HASH_TREE_H_

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/sha256.h"
#include "ic/cbor.h"
#include "ic/envelope.h"

namespace ic {

// What a tree says about a path. Only a pruned node makes a difference between "it is not there"
// and "this tree does not tell".
enum class Lookup { kFound, kAbsent, kUnknown };

// A hash tree of the interface specification, some of it perhaps pruned: what certificates and HTTP
// certification are made of. An immutable value: copies share the nodes, and each node keeps its
// hash, so that a witness costs only what it reveals.
class HashTree {
 public:
  enum class Kind : uint8_t { kEmpty, kFork, kLabeled, kLeaf, kPruned };

  static HashTree Empty();
  // The labels of `left` are below those of `right` (CHECKed where they are known).
  static HashTree Fork(HashTree left, HashTree right);
  static HashTree Labeled(base::ByteSpan label, HashTree subtree);
  static HashTree Leaf(base::ByteSpan contents);
  static HashTree Pruned(const base::Sha256Digest& hash);
  // A balanced fork over subtrees by ascending label; Empty for none.
  static HashTree OfLabeled(std::span<const HashTree> labeled);

  HashTree() : HashTree(Empty()) {}

  Kind kind() const;
  const base::Sha256Digest& hash() const;  // the root hash; O(1)
  base::ByteSpan contents() const;         // of a leaf

  // The subtree at `path` into *found. Cost: logarithmic in the labels of each level for trees
  // without pruned nodes, else linear.
  Lookup Find(std::span<const base::Bytes> path, HashTree* found) const;
  // The contents of the leaf at `path`: nullopt if absent, unknown or not a leaf.
  std::optional<base::Bytes> Value(std::span<const base::Bytes> path) const;
  // The labels directly below, ascending; those behind pruned nodes are missing.
  std::vector<base::Bytes> Labels() const;
  // Whether anything in this tree is pruned.
  bool has_pruned() const;

  // The same tree with all pruned but what tells of `paths`: the whole subtree where one exists,
  // the labels on both sides (their subtrees pruned) where none does.
  HashTree Witness(std::span<const Path> paths) const;

  // Arrays of CBOR, without the self-describing tag.
  void Write(CborWriter& out) const;
  base::Bytes Encode() const;  // with the tag
  // Refuses what is not a well-formed tree: labels out of order, a leaf in a fork, hashes of other
  // sizes.
  static base::Result<HashTree> Read(CborItem item);
  static base::Result<HashTree> Decode(base::ByteSpan cbor);

 private:
  struct Node;
  struct Wanted;
  using NodePtr = std::shared_ptr<const Node>;

  explicit HashTree(NodePtr node) : node_(std::move(node)) {}
  static base::Sha256Digest HashOf(const Node& node);
  static NodePtr Child(const Node* level, base::ByteSpan label, Lookup* lookup);
  static NodePtr Below(const Node* level, base::ByteSpan label);  // greatest label < `label`
  static NodePtr Above(const Node* level, base::ByteSpan label);  // least label > `label`
  static void Collect(const Node* level, std::vector<const Node*>& out);
  static void WriteNode(CborWriter& out, const Node& node);
  static HashTree Reveal(const HashTree& tree, const Wanted& wanted);
  static HashTree Keep(const HashTree& level, const Wanted& wanted);
  static base::Status CheckOrder(const HashTree& left, const HashTree& right);

  NodePtr node_;
};

// A tree in the making: a map from paths to values.
class TreeBuilder {
 public:
  // Sets the leaf at `path`; the last one wins. No other path may go through it (CHECKed).
  void Set(std::span<const base::Bytes> path, base::ByteSpan value);
  // Puts a finished tree at `path`.
  void Set(std::span<const base::Bytes> path, HashTree tree);

  HashTree Build() const;

 private:
  std::map<base::Bytes, TreeBuilder> children_;
  std::optional<HashTree> tree_;
};

// A path of text labels: TextPath({"canister"}).
Path TextPath(std::initializer_list<std::string_view> labels);

}  // namespace ic

#endif  // GPT2IC_IC_HASH_TREE_H_
