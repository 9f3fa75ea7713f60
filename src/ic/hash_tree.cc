#include "ic/hash_tree.h"

#include <algorithm>

#include "base/check.h"

namespace ic {
namespace {

using base::Err;
using base::Sha256Digest;

// SHA-256 over the domain, its length in front, and the parts.
Sha256Digest DomainHash(std::string_view domain, std::initializer_list<base::ByteSpan> parts) {
  base::Sha256 hash;
  hash.Update(base::AsBytes(domain));
  for (const base::ByteSpan part : parts) hash.Update(part);
  return hash.Finish();
}

// The hash of most nodes: the domain and two hashes, in one piece.
Sha256Digest ForkHash(const Sha256Digest& left, const Sha256Digest& right) {
  constexpr std::string_view kDomain = "\x10ic-hashtree-fork";
  std::array<uint8_t, kDomain.size() + 64> bytes;
  std::memcpy(bytes.data(), kDomain.data(), kDomain.size());
  std::memcpy(bytes.data() + kDomain.size(), left.data(), 32);
  std::memcpy(bytes.data() + kDomain.size() + 32, right.data(), 32);
  return base::Sha256Of(bytes);
}

bool Less(base::ByteSpan a, base::ByteSpan b) { return std::ranges::lexicographical_compare(a, b); }
bool Equal(base::ByteSpan a, base::ByteSpan b) { return std::ranges::equal(a, b); }

}  // namespace

// A level is what hangs below one label: a leaf, nothing, or labeled and pruned nodes under forks.
struct HashTree::Node {
  Kind kind = Kind::kEmpty;
  bool level_complete = true;          // nothing pruned among the labels of this level
  bool complete = true;                // nothing pruned at all
  base::Bytes bytes;                   // label or contents
  HashTree::NodePtr left, right;       // of a fork; left: what is below a label
  const base::Bytes* first = nullptr;  // least and greatest label of this level that are known
  const base::Bytes* last = nullptr;
  Sha256Digest hash = {};
};

Sha256Digest HashTree::HashOf(const Node& node) {
  switch (node.kind) {
    case Kind::kEmpty:
      return DomainHash("\x11ic-hashtree-empty", {});
    case Kind::kFork:
      return ForkHash(node.left->hash, node.right->hash);
    case Kind::kLabeled:
      return DomainHash("\x13ic-hashtree-labeled", {node.bytes, node.left->hash});
    case Kind::kLeaf:
      return DomainHash("\x10ic-hashtree-leaf", {node.bytes});
    case Kind::kPruned:
      break;
  }
  return node.hash;
}

HashTree HashTree::Empty() {
  static const NodePtr empty = [] {
    auto node = std::make_shared<Node>();
    node->hash = HashOf(*node);
    return node;
  }();
  return HashTree(empty);
}

HashTree HashTree::Fork(HashTree left, HashTree right) {
  CHECK(CheckOrder(left, right));
  auto node = std::make_shared<Node>();
  node->kind = Kind::kFork;
  node->left = std::move(left.node_);
  node->right = std::move(right.node_);
  node->level_complete = node->left->level_complete && node->right->level_complete;
  node->complete = node->left->complete && node->right->complete;
  node->first = node->left->first ? node->left->first : node->right->first;
  node->last = node->right->last ? node->right->last : node->left->last;
  node->hash = HashOf(*node);
  return HashTree(std::move(node));
}

HashTree HashTree::Labeled(base::ByteSpan label, HashTree subtree) {
  auto node = std::make_shared<Node>();
  node->kind = Kind::kLabeled;
  node->bytes.assign(label.begin(), label.end());
  node->left = std::move(subtree.node_);
  node->complete = node->left->complete;
  node->first = node->last = &node->bytes;
  node->hash = HashOf(*node);
  return HashTree(std::move(node));
}

HashTree HashTree::Leaf(base::ByteSpan contents) {
  auto node = std::make_shared<Node>();
  node->kind = Kind::kLeaf;
  node->bytes.assign(contents.begin(), contents.end());
  node->hash = HashOf(*node);
  return HashTree(std::move(node));
}

HashTree HashTree::Pruned(const Sha256Digest& hash) {
  auto node = std::make_shared<Node>();
  node->kind = Kind::kPruned;
  node->level_complete = node->complete = false;
  node->hash = hash;
  return HashTree(std::move(node));
}

HashTree HashTree::OfLabeled(std::span<const HashTree> labeled) {
  if (labeled.empty()) return Empty();
  if (labeled.size() == 1) return labeled[0];
  const size_t half = (labeled.size() + 1) / 2;
  return Fork(OfLabeled(labeled.first(half)), OfLabeled(labeled.subspan(half)));
}

HashTree::Kind HashTree::kind() const { return node_->kind; }
const Sha256Digest& HashTree::hash() const { return node_->hash; }
bool HashTree::has_pruned() const { return !node_->complete; }
base::ByteSpan HashTree::contents() const {
  return node_->kind == Kind::kLeaf ? base::ByteSpan(node_->bytes) : base::ByteSpan();
}

base::Status HashTree::CheckOrder(const HashTree& left, const HashTree& right) {
  for (const HashTree* side : {&left, &right}) {
    if (side->kind() == Kind::kLeaf) return Err("hash tree has a leaf under a fork");
  }
  const base::Bytes* last = left.node_->last;
  const base::Bytes* first = right.node_->first;
  if (last == nullptr || first == nullptr || Less(*last, *first)) return {};
  return Err("hash tree has the label \"", base::Printable(base::AsText(*first)), "\" behind \"",
             base::Printable(base::AsText(*last)), "\", expected ascending labels");
}

void HashTree::Collect(const Node* level, std::vector<const Node*>& out) {
  if (level->kind == Kind::kFork) {
    Collect(level->left.get(), out);
    Collect(level->right.get(), out);
  } else {
    out.push_back(level);
  }
}

HashTree::NodePtr HashTree::Child(const Node* level, base::ByteSpan label, Lookup* lookup) {
  *lookup = Lookup::kAbsent;
  if (level->level_complete) {
    while (level->kind == Kind::kFork) {
      const base::Bytes* first = level->right->first;
      level = (first != nullptr && !Less(label, *first) ? level->right : level->left).get();
    }
    if (level->kind != Kind::kLabeled || !Equal(level->bytes, label)) return nullptr;
    *lookup = Lookup::kFound;
    return level->left;
  }
  // The label is absent only if nothing is pruned between the labels on its two sides.
  std::vector<const Node*> nodes;
  Collect(level, nodes);
  for (const Node* node : nodes) {
    if (node->kind == Kind::kPruned) *lookup = Lookup::kUnknown;
    if (node->kind != Kind::kLabeled) continue;
    if (Equal(node->bytes, label)) {
      *lookup = Lookup::kFound;
      return node->left;
    }
    if (Less(label, node->bytes)) return nullptr;
    *lookup = Lookup::kAbsent;
  }
  return nullptr;
}

Lookup HashTree::Find(std::span<const base::Bytes> path, HashTree* found) const {
  NodePtr node = node_;
  for (const base::Bytes& label : path) {
    Lookup lookup;
    node = Child(node.get(), label, &lookup);
    if (lookup != Lookup::kFound) return lookup;
  }
  if (node->kind == Kind::kPruned) return Lookup::kUnknown;
  *found = HashTree(std::move(node));
  return Lookup::kFound;
}

std::optional<base::Bytes> HashTree::Value(std::span<const base::Bytes> path) const {
  HashTree found;
  if (Find(path, &found) != Lookup::kFound || found.kind() != Kind::kLeaf) return std::nullopt;
  return base::Bytes(found.contents().begin(), found.contents().end());
}

std::vector<base::Bytes> HashTree::Labels() const {
  std::vector<const Node*> nodes;
  Collect(node_.get(), nodes);
  std::vector<base::Bytes> labels;
  for (const Node* node : nodes) {
    if (node->kind == Kind::kLabeled) labels.push_back(node->bytes);
  }
  return labels;
}

HashTree::NodePtr HashTree::Below(const Node* level, base::ByteSpan label) {
  NodePtr best;
  while (level->kind == Kind::kFork) {
    const base::Bytes* first = level->right->first;
    const bool right = first != nullptr && Less(*first, label);
    const NodePtr& next = right ? level->right : level->left;
    best = next;
    level = next.get();
  }
  if (level->kind != Kind::kLabeled || !Less(level->bytes, label)) return nullptr;
  return best;  // null when the level is one labeled node: the caller has it
}

HashTree::NodePtr HashTree::Above(const Node* level, base::ByteSpan label) {
  NodePtr best;
  while (level->kind == Kind::kFork) {
    const base::Bytes* last = level->left->last;
    const bool left = last != nullptr && Less(label, *last);
    const NodePtr& next = left ? level->left : level->right;
    best = next;
    level = next.get();
  }
  if (level->kind != Kind::kLabeled || !Less(label, level->bytes)) return nullptr;
  return best;
}

// What a witness has to reveal below a node.
struct HashTree::Wanted {
  bool whole = false;
  std::map<base::Bytes, Wanted> labels;  // none: the label is there, what is below stays pruned

  void Add(std::span<const base::Bytes> path) {
    if (whole) return;
    if (path.empty()) {
      whole = true;
      labels.clear();
      return;
    }
    labels[path[0]].Add(path.subspan(1));
  }
};

HashTree HashTree::Keep(const HashTree& level, const Wanted& wanted) {
  const Node& node = *level.node_;
  switch (node.kind) {
    case Kind::kFork: {
      const auto from = wanted.labels.lower_bound(node.first ? *node.first : base::Bytes());
      const bool touched =
          node.first != nullptr && from != wanted.labels.end() && !Less(*node.last, from->first);
      if (!touched) return Pruned(node.hash);
      return Fork(Keep(HashTree(node.left), wanted), Keep(HashTree(node.right), wanted));
    }
    case Kind::kLabeled: {
      const auto found = wanted.labels.find(node.bytes);
      if (found == wanted.labels.end()) return Pruned(node.hash);
      return Labeled(node.bytes, Reveal(HashTree(node.left), found->second));
    }
    default:
      return level;  // nothing to hide: a leaf where a path would go on is what proves it absent
  }
}

HashTree HashTree::Reveal(const HashTree& tree, const Wanted& wanted) {
  if (wanted.whole) return tree;
  if (wanted.labels.empty()) {
    return tree.kind() == Kind::kEmpty ? tree : Pruned(tree.hash());
  }
  // Labels that exist stay as they are; one that does not is replaced by its neighbours.
  Wanted exact;
  const Node* level = tree.node_.get();
  const auto reveal_label = [&](const Node* node) { exact.labels[node->bytes]; };
  for (const auto& [label, below] : wanted.labels) {
    Lookup lookup;
    if (Child(level, label, &lookup) != nullptr) {
      exact.labels[label] = below;
      continue;
    }
    if (level->kind == Kind::kLabeled) reveal_label(level);
    if (const NodePtr node = Below(level, label)) reveal_label(node.get());
    if (const NodePtr node = Above(level, label)) reveal_label(node.get());
  }
  return Keep(tree, exact);
}

HashTree HashTree::Witness(std::span<const Path> paths) const {
  Wanted wanted;
  for (const Path& path : paths) wanted.Add(path);
  return Reveal(*this, wanted);
}

void HashTree::WriteNode(CborWriter& out, const Node& node) {
  switch (node.kind) {
    case Kind::kEmpty:
      out.Array(1).Nat(0);
      return;
    case Kind::kFork:
      out.Array(3).Nat(1);
      WriteNode(out, *node.left);
      WriteNode(out, *node.right);
      return;
    case Kind::kLabeled:
      out.Array(3).Nat(2).Blob(node.bytes);
      WriteNode(out, *node.left);
      return;
    case Kind::kLeaf:
      out.Array(2).Nat(3).Blob(node.bytes);
      return;
    case Kind::kPruned:
      out.Array(2).Nat(4).Blob(node.hash);
      return;
  }
}

void HashTree::Write(CborWriter& out) const { WriteNode(out, *node_); }

base::Bytes HashTree::Encode() const {
  CborWriter out;
  out.SelfDescribed();
  Write(out);
  return out.Take();
}

base::Result<HashTree> HashTree::Read(CborItem item) {
  static constexpr uint64_t kSizes[] = {1, 3, 3, 2, 2};  // of the array, by kind
  item = TRY(CborArray(item, "hash tree node"));
  if (item.number() == 0) return Err("hash tree node is an empty array");
  auto it = item.begin();
  const uint64_t kind = TRY(CborNat(*it, "kind of a hash tree node"));
  if (kind >= std::size(kSizes) || item.number() != kSizes[kind]) {
    return Err("hash tree node of kind ", kind, " has ", item.number(), " elements");
  }
  if (kind == 0) return Empty();
  const CborItem second = *++it;
  if (kind == 1) {
    HashTree left = TRY(Read(second));
    HashTree right = TRY(Read(*++it));
    TRY_STATUS(CheckOrder(left, right));
    return Fork(std::move(left), std::move(right));
  }
  const base::ByteSpan bytes = TRY(CborBytes(second, "label or contents of a hash tree node"));
  if (kind == 2) return Labeled(bytes, TRY(Read(*++it)));
  if (kind == 3) return Leaf(bytes);
  Sha256Digest hash;
  if (bytes.size() != hash.size()) {
    return Err("pruned hash tree node has a hash of ", bytes.size(), " bytes, expected 32");
  }
  std::ranges::copy(bytes, hash.begin());
  return Pruned(hash);
}

base::Result<HashTree> HashTree::Decode(base::ByteSpan cbor) {
  const CborDocument document = TRY(CborDocument::Parse(cbor));
  return Read(document.root());
}

void TreeBuilder::Set(std::span<const base::Bytes> path, base::ByteSpan value) {
  Set(path, HashTree::Leaf(value));
}

void TreeBuilder::Set(std::span<const base::Bytes> path, HashTree tree) {
  TreeBuilder* at = this;
  for (const base::Bytes& label : path) {
    CHECK(!at->tree_);
    at = &at->children_[label];
  }
  CHECK(at->children_.empty());
  at->tree_ = std::move(tree);
}

HashTree TreeBuilder::Build() const {
  if (tree_) return *tree_;
  std::vector<HashTree> labeled;
  labeled.reserve(children_.size());
  for (const auto& [label, child] : children_) {
    labeled.push_back(HashTree::Labeled(label, child.Build()));
  }
  return HashTree::OfLabeled(labeled);
}

Path TextPath(std::initializer_list<std::string_view> labels) {
  Path path;
  for (const std::string_view label : labels) {
    const base::ByteSpan bytes = base::AsBytes(label);
    path.emplace_back(bytes.begin(), bytes.end());
  }
  return path;
}

}  // namespace ic
