#ifndef GPT2IC_IC_LABELED_LEVEL_H_
#define GPT2IC_IC_LABELED_LEVEL_H_

#include <memory>

#include "ic/hash_tree.h"

namespace ic {

// One level of a hash tree that changes all the time: labels with their subtrees. A balanced tree
// over all labels would be hashed anew for each change; here the forks follow the bits of the
// labels, so that a change costs as many hashes as the label has bits in common with its nearest
// neighbour (about log2 of the number of labels for hashes, as request ids are). They are made when
// the tree is asked for: what several changes have in common is hashed once.
class LabeledLevel {
 public:
  void Set(base::ByteSpan label, HashTree subtree);
  void Erase(base::ByteSpan label);  // nothing if it is not there
  size_t size() const { return size_; }
  HashTree tree();  // Empty for no labels; O(1) when nothing has changed

 private:
  struct Node;
  using NodePtr = std::unique_ptr<Node>;

  static void Insert(NodePtr& at, base::ByteSpan label, size_t bit, NodePtr& leaf);
  static void Replace(Node& at, base::ByteSpan label, HashTree labeled);
  static bool Remove(NodePtr& at, base::ByteSpan label);
  const Node* Nearest(base::ByteSpan label) const;

 public:
  LabeledLevel();
  ~LabeledLevel();
  LabeledLevel(LabeledLevel&&) noexcept;
  LabeledLevel& operator=(LabeledLevel&&) noexcept;

 private:
  NodePtr root_;
  size_t size_ = 0;
};

}  // namespace ic

#endif  // GPT2IC_IC_LABELED_LEVEL_H_
