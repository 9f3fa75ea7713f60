#include "ic/cbor.h"

#include <algorithm>

#include "candid/utf8.h"

namespace ic {
namespace {

using base::Err;
using Node = CborItem::Node;

constexpr uint64_t kSelfDescribedTag = 55799;
constexpr uint64_t kBignumTag = 2;
constexpr uint8_t kBreak = 0xff;

class Parser {
 public:
  Parser(base::ByteSpan bytes, const CborLimits& limits) : in_(bytes), limits_(limits) {}

  base::Result<std::vector<Node>> Run() {
    do {
      if (TRY(ReadItem()) == Step::kComplete) TRY_STATUS(Account());
    } while (!open_.empty());
    if (!in_.empty()) {
      return Err("CBOR item ends at byte ", in_.position(), ", but ", in_.remaining(),
                 " more bytes follow");
    }
    return std::move(nodes_);
  }

 private:
  static constexpr uint64_t kIndefinite = ~uint64_t{0};

  // Whether an item is complete, or the elements of a container follow.
  enum class Step { kComplete, kOpened };

  struct Open {
    uint32_t node;
    uint64_t items;  // kIndefinite: until a break
    uint64_t seen;
  };

  struct Head {
    size_t position;
    unsigned major;
    unsigned info;
    uint64_t argument;  // kIndefinite for info 31
  };

  base::Result<Head> ReadHead() {
    const size_t position = in_.position();
    const uint8_t first = TRY(in_.U8());
    const unsigned info = first & 31u;
    const unsigned major = unsigned{first} >> 5;
    if (info < 24) return Head{position, major, info, info};
    if (info == 31) return Head{position, major, info, kIndefinite};
    if (info > 27)
      return Err("CBOR byte ", position, " is ", unsigned{first}, ", which is no head");
    uint64_t argument = 0;
    for (const uint8_t byte : TRY(in_.Take(uint64_t{1} << (info - 24)))) {
      argument = argument << 8 | byte;
    }
    return Head{position, major, info, argument};
  }

  base::Result<Step> ReadItem() {
    if (!open_.empty() && open_.back().items == kIndefinite && in_.Peek(0) == kBreak) {
      return Break();
    }
    Head head = TRY(ReadHead());
    if (head.major == 6 && head.argument == kSelfDescribedTag && nodes_.empty() && !tagged_) {
      tagged_ = true;
      head = TRY(ReadHead());
    }
    if (nodes_.size() >= limits_.items_max) {
      return Err("CBOR has more than ", limits_.items_max, " items");
    }
    if (AtKey() && head.major != 0 && head.major != 3) {
      return Err("CBOR map key at byte ", head.position, " is neither text nor a natural number");
    }
    if (head.info == 31 && head.major != 4 && head.major != 5) {
      return Err("CBOR item at byte ", head.position,
                 " has indefinite length, expected that of arrays and maps only");
    }
    return Content(head);
  }

  base::Result<Step> Content(const Head& head) {
    switch (head.major) {
      case 0:
        return Leaf(CborKind::kNat, head.argument);
      case 1:
        return Leaf(CborKind::kNegative, head.argument);
      case 2:
      case 3:
        return String(head);
      case 4:
      case 5:
        return Container(head);
      case 6:
        return Bignum(head);
      default:
        return Simple(head);
    }
  }

  Step Leaf(CborKind kind, uint64_t number, const uint8_t* data = nullptr) {
    nodes_.push_back({data, number, 1, kind});
    return Step::kComplete;
  }

  base::Result<Step> String(const Head& head) {
    const base::ByteSpan bytes = TRY(in_.Take(head.argument));
    if (head.major == 2) return Leaf(CborKind::kBytes, bytes.size(), bytes.data());
    if (!candid::IsUtf8(bytes)) return Err("CBOR text at byte ", head.position, " is not UTF-8");
    return Leaf(CborKind::kText, bytes.size(), bytes.data());
  }

  base::Result<Step> Container(const Head& head) {
    const bool map = head.major == 5;
    const bool indefinite = head.info == 31;
    // Each item takes a byte: a longer count is a lie, refused before anything is allocated.
    if (!indefinite && head.argument > in_.remaining() / (map ? 2 : 1)) {
      return Err("CBOR item at byte ", head.position, " has ", head.argument,
                 " elements, but only ", in_.remaining(), " bytes follow");
    }
    if (open_.size() >= limits_.depth_max) {
      return Err("CBOR is nested deeper than ", limits_.depth_max, " levels at byte ",
                 head.position);
    }
    const auto index = static_cast<uint32_t>(nodes_.size());
    const uint64_t items = indefinite ? kIndefinite : head.argument * (map ? 2 : 1);
    Leaf(map ? CborKind::kMap : CborKind::kArray, indefinite ? 0 : head.argument);
    if (items == 0) return Step::kComplete;
    open_.push_back({index, items, 0});
    return Step::kOpened;
  }

  base::Result<Step> Bignum(const Head& tag) {
    if (tag.argument != kBignumTag) {
      return Err("CBOR tag ", tag.argument, " at byte ", tag.position,
                 ", expected none but 55799 in front and 2 for big numbers");
    }
    const Head head = TRY(ReadHead());
    if (head.major != 2 || head.info == 31) {
      return Err("CBOR big number at byte ", tag.position, " is not a byte string");
    }
    uint64_t value = 0;
    for (const uint8_t byte : TRY(in_.Take(head.argument))) {
      if (value >> 56 != 0) {
        return Err("CBOR big number at byte ", tag.position, " does not fit 64 bits");
      }
      value = value << 8 | byte;
    }
    return Leaf(CborKind::kNat, value);
  }

  base::Result<Step> Simple(const Head& head) {
    switch (head.info) {
      case 20:
      case 21:
        return Leaf(CborKind::kBool, head.info - 20);
      case 22:
      case 23:  // undefined: what JavaScript makes of a field that is not set
        return Leaf(CborKind::kNull, 0);
      default:
        return Err("CBOR item at byte ", head.position,
                   " is a float or an unknown simple value, which the interface does not use");
    }
  }

  // The next item is the key of a map.
  bool AtKey() const {
    return !open_.empty() && nodes_[open_.back().node].kind == CborKind::kMap &&
           open_.back().seen % 2 == 0;
  }

  base::Result<Step> Break() {
    const Open& top = open_.back();
    Node& node = nodes_[top.node];
    if (node.kind == CborKind::kMap && top.seen % 2 != 0) {
      return Err("CBOR map ends at byte ", in_.position(), " behind a key, expected its value");
    }
    static_cast<void>(in_.U8());
    node.number = node.kind == CborKind::kMap ? top.seen / 2 : top.seen;
    TRY_STATUS(Close());
    return Step::kComplete;
  }

  // Counts a complete item in its container, and closes the containers that are full by it.
  base::Status Account() {
    while (!open_.empty()) {
      Open& top = open_.back();
      if (++top.seen != top.items) return {};
      TRY_STATUS(Close());
    }
    return {};
  }

  base::Status Close() {
    const uint32_t index = open_.back().node;
    open_.pop_back();
    nodes_[index].span = static_cast<uint32_t>(nodes_.size() - index);
    if (nodes_[index].kind != CborKind::kMap) return {};
    keys_.clear();
    const CborItem map(&nodes_[index]);
    for (auto it = map.begin(); it != map.end(); ++it, ++it) keys_.push_back(*it);
    const auto order = [](CborItem a, CborItem b) {
      if (a.kind() != b.kind()) return a.kind() < b.kind();
      return a.is(CborKind::kText) ? a.text() < b.text() : a.number() < b.number();
    };
    std::sort(keys_.begin(), keys_.end(), order);
    for (size_t i = 1; i < keys_.size(); ++i) {
      if (order(keys_[i - 1], keys_[i])) continue;
      return Err("CBOR map has the key ", KeyName(keys_[i]), " twice");
    }
    return {};
  }

  static std::string KeyName(CborItem key) {
    return key.is(CborKind::kText) ? base::StrCat("\"", base::Printable(key.text()), "\"")
                                   : base::StrCat(key.number());
  }

  base::ByteReader in_;
  const CborLimits limits_;
  std::vector<Node> nodes_;
  std::vector<Open> open_;
  std::vector<CborItem> keys_;  // of the map being closed
  bool tagged_ = false;
};

// Whether `item` is of `kind`, said as an error with what it is.
base::Status Expect(CborItem item, CborKind kind, std::string_view what) {
  if (item.is(kind)) return {};
  return Err(what, " is ", CborKindName(item.kind()), ", expected ", CborKindName(kind));
}

}  // namespace

base::Result<CborDocument> CborDocument::Parse(base::ByteSpan bytes, const CborLimits& limits) {
  return CborDocument(TRY(Parser(bytes, limits).Run()));
}

std::string_view CborKindName(CborKind kind) {
  switch (kind) {
    case CborKind::kNat:
      return "a natural number";
    case CborKind::kNegative:
      return "a negative number";
    case CborKind::kBytes:
      return "a byte string";
    case CborKind::kText:
      return "text";
    case CborKind::kArray:
      return "an array";
    case CborKind::kMap:
      return "a map";
    case CborKind::kBool:
      return "a boolean";
    case CborKind::kNull:
      return "null";
  }
  return "";
}

base::Result<uint64_t> CborNat(CborItem item, std::string_view what) {
  TRY_STATUS(Expect(item, CborKind::kNat, what));
  return item.number();
}

base::Result<base::ByteSpan> CborBytes(CborItem item, std::string_view what) {
  TRY_STATUS(Expect(item, CborKind::kBytes, what));
  return item.bytes();
}

base::Result<std::string_view> CborText(CborItem item, std::string_view what) {
  TRY_STATUS(Expect(item, CborKind::kText, what));
  return item.text();
}

base::Result<CborItem> CborArray(CborItem item, std::string_view what) {
  TRY_STATUS(Expect(item, CborKind::kArray, what));
  return item;
}

base::Result<CborFields> CborFields::Of(CborItem map, std::string_view what) {
  TRY_STATUS(Expect(map, CborKind::kMap, what));
  if (map.number() > kFieldsMax) {
    return Err(what, " has ", map.number(), " fields, expected at most ", kFieldsMax);
  }
  return CborFields(map, what);
}

std::optional<CborItem> CborFields::Take(std::string_view name) {
  unsigned field = 0;
  for (auto it = map_.begin(); it != map_.end(); ++it, ++field) {
    const CborItem key = *it;
    const CborItem value = *++it;
    if (!key.is(CborKind::kText) || key.text() != name) continue;
    taken_ |= uint64_t{1} << field;
    if (value.is(CborKind::kNull)) return std::nullopt;
    return value;
  }
  return std::nullopt;
}

base::Result<CborItem> CborFields::Need(std::string_view name) {
  if (const auto item = Take(name)) return *item;
  return Err(what_, " has no field ", name);
}

base::Result<uint64_t> CborFields::Nat(std::string_view name) {
  return CborNat(TRY(Need(name)), name);
}

base::Result<base::ByteSpan> CborFields::Blob(std::string_view name) {
  return CborBytes(TRY(Need(name)), name);
}

base::Result<std::string_view> CborFields::Text(std::string_view name) {
  return CborText(TRY(Need(name)), name);
}

base::Result<std::optional<base::ByteSpan>> CborFields::OptionalBlob(std::string_view name) {
  const auto item = Take(name);
  if (!item) return std::nullopt;
  return TRY(CborBytes(*item, name));
}

base::Result<std::optional<std::string_view>> CborFields::OptionalText(std::string_view name) {
  const auto item = Take(name);
  if (!item) return std::nullopt;
  return TRY(CborText(*item, name));
}

base::Status CborFields::Finish() const {
  unsigned field = 0;
  for (auto it = map_.begin(); it != map_.end(); ++it, ++it, ++field) {
    if ((taken_ >> field & 1) != 0) continue;
    const CborItem key = *it;
    if (!key.is(CborKind::kText)) return Err(what_, " has a field that is not named by text");
    return Err(what_, " has an unknown field \"", base::Printable(key.text()), "\"");
  }
  return {};
}

CborWriter& CborWriter::SelfDescribed() { return Head(6, kSelfDescribedTag); }

CborWriter& CborWriter::Text(std::string_view text) {
  Head(3, text.size());
  base::Append(out_, text);
  return *this;
}

CborWriter& CborWriter::Blob(base::ByteSpan bytes) {
  Head(2, bytes.size());
  base::Append(out_, bytes);
  return *this;
}

CborWriter& CborWriter::Raw(base::ByteSpan item) {
  base::Append(out_, item);
  return *this;
}

CborWriter& CborWriter::Head(unsigned major, uint64_t argument) {
  const auto push = [&](unsigned info, int bytes) {
    out_.push_back(static_cast<uint8_t>(major << 5 | info));
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
      out_.push_back(static_cast<uint8_t>(argument >> shift));
    }
  };
  if (argument < 24) {
    push(static_cast<unsigned>(argument), 0);
  } else if (argument <= 0xff) {
    push(24, 1);
  } else if (argument <= 0xffff) {
    push(25, 2);
  } else if (argument <= 0xffffffff) {
    push(26, 4);
  } else {
    push(27, 8);
  }
  return *this;
}

}  // namespace ic
