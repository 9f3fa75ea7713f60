#include "ic/hash_tree.h"

#include <random>

#include "ic/test_support.h"

namespace ic {
namespace {

HashTree L(std::string_view label, HashTree subtree) {
  return HashTree::Labeled(base::AsBytes(label), std::move(subtree));
}
HashTree V(std::string_view contents) { return HashTree::Leaf(base::AsBytes(contents)); }
HashTree F(HashTree left, HashTree right) {
  return HashTree::Fork(std::move(left), std::move(right));
}

// The example of the interface specification.
HashTree SpecExample() {
  const HashTree a = L("a", F(F(L("x", V("hello")), HashTree::Empty()), L("y", V("world"))));
  return F(F(a, L("b", V("good"))), F(L("c", HashTree::Empty()), L("d", V("morning"))));
}

Lookup Find(const HashTree& tree, std::initializer_list<std::string_view> path) {
  HashTree unused;
  return tree.Find(TextPath(path), &unused);
}

std::string ValueAt(const HashTree& tree, std::initializer_list<std::string_view> path) {
  const auto value = tree.Value(TextPath(path));
  return value ? std::string(base::AsText(*value)) : "(none)";
}

TEST(HashTreeTest, RootHashOfTheSpecification) {
  EXPECT_EQ(base::ToHex(SpecExample().hash()),
            "eb5c5b2195e62d996b84c9bcc8259d19a83786a2f59e0878cec84c811f669aa0");
}

TEST(HashTreeTest, LooksUpInTheSpecificationsExample) {
  const HashTree tree = SpecExample();
  EXPECT_EQ(ValueAt(tree, {"a", "y"}), "world");
  EXPECT_EQ(ValueAt(tree, {"d"}), "morning");
  EXPECT_EQ(Find(tree, {"aa"}), Lookup::kAbsent);
  EXPECT_EQ(Find(tree, {"a", "z"}), Lookup::kAbsent);
  EXPECT_EQ(Find(tree, {"c", "z"}), Lookup::kAbsent);
  EXPECT_EQ(Find(tree, {"b", "z"}), Lookup::kAbsent) << "below a leaf";
}

TEST(HashTreeTest, ThePrunedExampleTellsSomeAndHidesSome) {
  // The specification's second example: a/y, c and the fork above b revealed.
  const HashTree full = SpecExample();
  const std::vector<Path> paths = {TextPath({"a", "y"}), TextPath({"ax"}), TextPath({"d"})};
  const HashTree tree = full.Witness(paths);
  EXPECT_EQ(tree.hash(), full.hash());
  EXPECT_EQ(ValueAt(tree, {"a", "y"}), "world");
  EXPECT_EQ(ValueAt(tree, {"d"}), "morning");
  EXPECT_EQ(Find(tree, {"a", "x"}), Lookup::kUnknown);
  EXPECT_EQ(Find(tree, {"ax"}), Lookup::kAbsent) << "between a and b, both revealed";
  EXPECT_EQ(Find(tree, {"b"}), Lookup::kUnknown) << "its label is there, its contents are not";
  EXPECT_EQ(Find(tree, {"bb"}), Lookup::kUnknown) << "c is pruned";
  EXPECT_EQ(Find(tree, {"e"}), Lookup::kAbsent) << "behind d";
}

TEST(HashTreeTest, RefusesTreesThatAreNotWellFormed) {
  const auto refusal = [](std::string_view hex) { return ErrorOf(HashTree::Decode(Hex(hex))); };
  EXPECT_EQ(refusal("8100"), "");
  EXPECT_EQ(refusal("80"), "hash tree node is an empty array");
  EXPECT_EQ(refusal("8105"), "hash tree node of kind 5 has 1 elements");
  EXPECT_EQ(refusal("820041"
                    "00"),
            "hash tree node of kind 0 has 2 elements");
  EXPECT_EQ(refusal("00"), "hash tree node is a natural number, expected an array");
  EXPECT_EQ(refusal("82044100"), "pruned hash tree node has a hash of 1 bytes, expected 32");
  EXPECT_EQ(refusal("8203616"
                    "1"),
            "label or contents of a hash tree node is text, expected a byte string");
  EXPECT_EQ(refusal("83018302416281008302416181"
                    "00"),
            "hash tree has the label \"a\" behind \"b\", expected ascending labels");
  EXPECT_EQ(refusal("83018302416181008302416181"
                    "00"),
            "hash tree has the label \"a\" behind \"a\", expected ascending labels");
  EXPECT_EQ(refusal("830182034161830241628100"), "hash tree has a leaf under a fork");
  std::string deep;
  for (int i = 0; i < 500; ++i) deep += "83024161";
  EXPECT_EQ(refusal(deep + "8100"), "CBOR is nested deeper than 400 levels at byte 1600");
}

// A random map with short labels, so that prefixes and neighbours are common.
class RandomTree {
 public:
  explicit RandomTree(uint32_t seed) : random_(seed) {
    const uint32_t size = random_() % 30;
    for (uint32_t i = 0; i < size; ++i) {
      const Path path = RandomPath();
      if (!Conflicts(path)) map_[path] = Text(std::to_string(random_()));
    }
    TreeBuilder builder;
    for (const auto& [path, value] : map_) builder.Set(path, value);
    tree_ = builder.Build();
  }

  Path RandomPath() {
    Path path(1 + random_() % 3);
    for (base::Bytes& label : path) {
      label.resize(random_() % 3);
      for (uint8_t& byte : label) byte = static_cast<uint8_t>('a' + random_() % 3);
    }
    return path;
  }

  // What the map says: found (also of inner nodes) or absent.
  Lookup Expected(const Path& path) const {
    return std::ranges::any_of(map_, [&](const auto& entry) { return IsPrefix(path, entry.first); })
               ? Lookup::kFound
               : Lookup::kAbsent;
  }

  static bool IsPrefix(const Path& prefix, const Path& path) {
    return prefix.size() <= path.size() && std::equal(prefix.begin(), prefix.end(), path.begin());
  }

  const std::map<Path, base::Bytes>& map() const { return map_; }
  const HashTree& tree() const { return tree_; }

 private:
  bool Conflicts(const Path& path) const {
    return std::ranges::any_of(map_, [&](const auto& entry) {
      return IsPrefix(path, entry.first) || IsPrefix(entry.first, path);
    });
  }

  std::mt19937 random_;
  std::map<Path, base::Bytes> map_;
  HashTree tree_;
};

TEST(HashTreeTest, AWitnessTellsWhatTheMapSays) {
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    RandomTree random(seed);
    std::vector<Path> asked(1 + seed % 4);
    for (Path& path : asked) path = random.RandomPath();
    const HashTree witness = random.tree().Witness(asked);
    ASSERT_EQ(witness.hash(), random.tree().hash()) << seed;
    const auto decoded = HashTree::Decode(witness.Encode());
    ASSERT_TRUE(decoded) << seed << ": " << ErrorOf(decoded);
    ASSERT_EQ(decoded->Encode(), witness.Encode()) << seed;
    ASSERT_EQ(decoded->hash(), witness.hash()) << seed;
    for (const Path& path : asked) {
      HashTree found;
      ASSERT_EQ(decoded->Find(path, &found), random.Expected(path)) << seed;
      if (random.Expected(path) == Lookup::kFound) ASSERT_FALSE(found.has_pruned()) << seed;
      const auto entry = random.map().find(path);
      if (entry != random.map().end()) ASSERT_EQ(decoded->Value(path), entry->second) << seed;
    }
    // Of other paths it tells the truth or nothing.
    for (int i = 0; i < 30; ++i) {
      const Path path = random.RandomPath();
      HashTree found;
      ASSERT_EQ(random.tree().Find(path, &found), random.Expected(path)) << seed;
      const Lookup lookup = decoded->Find(path, &found);
      if (lookup != Lookup::kUnknown) ASSERT_EQ(lookup, random.Expected(path)) << seed;
    }
    // A witness of a witness for the same paths is no smaller.
    ASSERT_EQ(decoded->Witness(asked).Encode(), witness.Encode()) << seed;
  }
}

TEST(HashTreeTest, AWitnessRevealsNoMoreThanItMust) {
  TreeBuilder builder;
  for (int i = 0; i < 1000; ++i) {
    builder.Set(TextPath({"n", std::to_string(1000 + i)}), Text("secret " + std::to_string(i)));
  }
  const HashTree tree = builder.Build();
  const std::vector<Path> paths = {TextPath({"n", "1500"}), TextPath({"n", "1700x"})};
  const HashTree witness = tree.Witness(paths);
  EXPECT_EQ(witness.Labels().size(), 1);
  HashTree below;
  ASSERT_EQ(witness.Find(TextPath({"n"}), &below), Lookup::kFound);
  EXPECT_EQ(below.Labels(), (std::vector<base::Bytes>{Text("1500"), Text("1700"), Text("1701")}));
  EXPECT_EQ(ValueAt(witness, {"n", "1500"}), "secret 500");
  EXPECT_EQ(ValueAt(witness, {"n", "1700"}), "(none)");
  EXPECT_LT(witness.Encode().size(), 1000) << "two ways down of 10 hashes each";
}

}  // namespace
}  // namespace ic
