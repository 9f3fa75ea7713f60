#include "ic/labeled_level.h"

#include <algorithm>
#include <bit>

namespace ic {
namespace {

// A label as bits, nine for a byte: one that says that the byte is there, then its own from the
// highest. So a label comes before its continuations, and the order is that of the bytes.
int BitOf(base::ByteSpan label, size_t bit) {
  const size_t byte = bit / 9;
  const size_t position = bit % 9;
  if (byte >= label.size()) return 0;
  return position == 0 ? 1 : label[byte] >> (8 - position) & 1;
}

// The first bit in which two different labels differ.
size_t FirstDifference(base::ByteSpan a, base::ByteSpan b) {
  const size_t common = std::min(a.size(), b.size());
  size_t byte = 0;
  while (byte < common && a[byte] == b[byte]) ++byte;
  if (byte == common) return byte * 9;
  const auto difference = static_cast<uint8_t>(a[byte] ^ b[byte]);
  return byte * 9 + 1 + static_cast<size_t>(std::countl_zero(difference));
}

}  // namespace

// A label, or a fork by the bit in which the labels below it first differ.
struct LabeledLevel::Node {
  base::Bytes label;
  size_t bit = 0;
  NodePtr child[2];
  HashTree tree;
  bool stale = false;  // a fork: something below has changed since `tree` was made

  bool is_label() const { return child[0] == nullptr; }
  const HashTree& Tree() {
    if (stale) tree = HashTree::Fork(child[0]->Tree(), child[1]->Tree());
    stale = false;
    return tree;
  }
};

LabeledLevel::LabeledLevel() = default;
LabeledLevel::~LabeledLevel() = default;
LabeledLevel::LabeledLevel(LabeledLevel&&) noexcept = default;
LabeledLevel& LabeledLevel::operator=(LabeledLevel&&) noexcept = default;

HashTree LabeledLevel::tree() { return root_ ? root_->Tree() : HashTree::Empty(); }

const LabeledLevel::Node* LabeledLevel::Nearest(base::ByteSpan label) const {
  const Node* node = root_.get();
  while (!node->is_label()) node = node->child[BitOf(label, node->bit)].get();
  return node;
}

void LabeledLevel::Insert(NodePtr& at, base::ByteSpan label, size_t bit, NodePtr& leaf) {
  if (!at->is_label() && at->bit < bit) {
    Insert(at->child[BitOf(label, at->bit)], label, bit, leaf);
  } else {
    auto fork = std::make_unique<Node>();
    const int side = BitOf(label, bit);
    fork->bit = bit;
    fork->child[side] = std::move(leaf);
    fork->child[1 - side] = std::move(at);
    at = std::move(fork);
  }
  at->stale = true;
}

void LabeledLevel::Replace(Node& at, base::ByteSpan label, HashTree labeled) {
  if (at.is_label()) {
    at.tree = std::move(labeled);
    return;
  }
  Replace(*at.child[BitOf(label, at.bit)], label, std::move(labeled));
  at.stale = true;
}

void LabeledLevel::Set(base::ByteSpan label, HashTree subtree) {
  HashTree labeled = HashTree::Labeled(label, std::move(subtree));
  if (root_) {
    const Node* nearest = Nearest(label);
    if (std::ranges::equal(nearest->label, label)) {
      Replace(*root_, label, std::move(labeled));
      return;
    }
  }
  auto leaf = std::make_unique<Node>();
  leaf->label.assign(label.begin(), label.end());
  leaf->tree = std::move(labeled);
  ++size_;
  if (root_) {
    Insert(root_, label, FirstDifference(Nearest(label)->label, label), leaf);
  } else {
    root_ = std::move(leaf);
  }
}

bool LabeledLevel::Remove(NodePtr& at, base::ByteSpan label) {
  if (at->is_label()) {
    if (!std::ranges::equal(at->label, label)) return false;
    at.reset();
    return true;
  }
  const int side = BitOf(label, at->bit);
  if (!Remove(at->child[side], label)) return false;
  if (at->child[side] == nullptr) {
    NodePtr other = std::move(at->child[1 - side]);
    at = std::move(other);
  } else {
    at->stale = true;
  }
  return true;
}

void LabeledLevel::Erase(base::ByteSpan label) {
  if (root_ && Remove(root_, label)) --size_;
}

}  // namespace ic
