#include "ic/labeled_level.h"

#include <random>

#include "ic/test_support.h"

namespace ic {
namespace {

TEST(LabeledLevelTest, IsTheMapAfterEveryChange) {
  std::mt19937 random(1);
  LabeledLevel level;
  std::map<base::Bytes, std::string> map;
  for (int step = 0; step < 5000; ++step) {
    base::Bytes label(random() % 4);
    for (uint8_t& byte : label) byte = static_cast<uint8_t>(random() % 3 * 127);
    if (random() % 3 == 0) {
      map.erase(label);
      level.Erase(label);
    } else {
      const std::string value = std::to_string(step);
      map[label] = value;
      level.Set(label, HashTree::Leaf(base::AsBytes(value)));
    }
    ASSERT_EQ(level.size(), map.size());
    std::vector<base::Bytes> labels;
    for (const auto& [key, value] : map) {
      labels.push_back(key);
      ASSERT_EQ(level.tree().Value(Path(1, key)), Text(value));
    }
    if (labels.empty()) continue;
    ASSERT_EQ(level.tree().Labels(), labels) << "ascending";
    const auto decoded = HashTree::Decode(level.tree().Encode());
    ASSERT_TRUE(decoded) << ErrorOf(decoded);
  }
}

TEST(LabeledLevelTest, TheTreeDoesNotDependOnTheOrderOfChanges) {
  LabeledLevel forwards, backwards;
  for (int i = 0; i < 200; ++i) {
    const auto label = [](int n) { return base::Sha256Of(base::AsBytes(std::to_string(n))); };
    forwards.Set(label(i), HashTree::Empty());
    backwards.Set(label(199 - i), HashTree::Empty());
  }
  EXPECT_EQ(forwards.tree().hash(), backwards.tree().hash());
  LabeledLevel empty = std::move(forwards);
  for (int i = 0; i < 200; ++i) empty.Erase(base::Sha256Of(base::AsBytes(std::to_string(i))));
  EXPECT_EQ(empty.tree().hash(), HashTree::Empty().hash());
}

}  // namespace
}  // namespace ic
