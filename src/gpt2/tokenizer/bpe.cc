#include "gpt2/tokenizer/bpe.h"

#include <algorithm>

namespace gpt2 {
namespace {

constexpr uint32_t kEnd = ~uint32_t{0};

// A symbol of a long word; merged ones have token kGone.
struct Symbol {
  TokenId token;
  uint32_t previous, next;  // kEnd: none
};
constexpr TokenId kGone = ~TokenId{0};

// A pair that may be merged; stale when its left symbol or the token that it becomes has changed.
struct Candidate {
  uint32_t rank, left;
  TokenId result;
  TokenId left_token, right_token;
};

// The heap gives the lowest rank first, the leftmost of equals.
bool Later(const Candidate& a, const Candidate& b) {
  return a.rank != b.rank ? a.rank > b.rank : a.left > b.left;
}

}  // namespace

void Bpe::Encode(std::string_view word, std::vector<TokenId>& out) const {
  if (word.size() == 1) {
    out.push_back(IdOf(word[0]));
  } else if (word.size() <= kScanMax) {
    EncodeShort(word, out);
  } else {
    EncodeLong(word, out);
  }
}

void Bpe::EncodeShort(std::string_view word, std::vector<TokenId>& out) const {
  TokenId tokens[kScanMax];
  Merge merges[kScanMax];  // of the pair (i, i + 1)
  size_t n = word.size();
  for (size_t i = 0; i < n; ++i) tokens[i] = IdOf(word[i]);
  for (size_t i = 0; i + 1 < n; ++i) merges[i] = merges_.Find(tokens[i], tokens[i + 1]);
  while (n > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < n; ++i) {
      if (merges[i].rank < merges[best].rank) best = i;
    }
    if (merges[best].rank == MergeTable::kNoRank) break;
    tokens[best] = merges[best].result;
    --n;
    for (size_t i = best + 1; i < n; ++i) {
      tokens[i] = tokens[i + 1];
      merges[i - 1] = merges[i];
    }
    if (best > 0) merges[best - 1] = merges_.Find(tokens[best - 1], tokens[best]);
    if (best + 1 < n) merges[best] = merges_.Find(tokens[best], tokens[best + 1]);
  }
  out.insert(out.end(), tokens, tokens + n);
}

void Bpe::EncodeLong(std::string_view word, std::vector<TokenId>& out) const {
  std::vector<Symbol> symbols(word.size());
  for (uint32_t i = 0; i < symbols.size(); ++i) {
    symbols[i] = {IdOf(word[i]), i == 0 ? kEnd : i - 1, i + 1 == symbols.size() ? kEnd : i + 1};
  }
  std::vector<Candidate> heap;
  const auto consider = [&](uint32_t left) {
    const uint32_t right = left == kEnd ? kEnd : symbols[left].next;
    if (right == kEnd) return false;
    const Merge merge = merges_.Find(symbols[left].token, symbols[right].token);
    if (merge.rank == MergeTable::kNoRank) return false;
    heap.push_back({merge.rank, left, merge.result, symbols[left].token, symbols[right].token});
    return true;
  };
  for (uint32_t i = 0; i + 1 < symbols.size(); ++i) consider(i);
  std::ranges::make_heap(heap, Later);
  while (!heap.empty()) {
    std::ranges::pop_heap(heap, Later);
    const Candidate best = heap.back();
    heap.pop_back();
    Symbol& left = symbols[best.left];
    if (left.token != best.left_token || left.next == kEnd) continue;
    Symbol& right = symbols[left.next];
    if (right.token != best.right_token) continue;
    left.token = best.result;
    right.token = kGone;
    left.next = right.next;
    if (left.next != kEnd) symbols[left.next].previous = best.left;
    if (consider(left.previous)) std::ranges::push_heap(heap, Later);
    if (consider(best.left)) std::ranges::push_heap(heap, Later);
  }
  for (uint32_t i = 0; i != kEnd; i = symbols[i].next) out.push_back(symbols[i].token);
}

}  // namespace gpt2
