#ifndef GPT2IC_RUNTIME_STATE_CODEC_H_
#define GPT2IC_RUNTIME_STATE_CODEC_H_

#include <array>
#include <concepts>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"

namespace runtime {

// How records become bytes on disk. A record names its fields once, in
//   template <class A> void Fields(A& archive, T& record) { archive(record.a, record.b); }
// which an Encoder writes and a Decoder reads. Numbers are little-endian and of fixed size, strings
// and lists have a 64-bit count in front, an option or a variant one byte that says which.
class Encoder {
 public:
  static constexpr bool kReading = false;
  template <class... Ts>
  void operator()(Ts&... fields) {
    (Field(fields), ...);
  }
  base::Bytes Take() { return std::move(out_); }

  template <class T>
    requires(std::is_arithmetic_v<T> || std::is_enum_v<T> || std::same_as<T, unsigned __int128>)
  void Field(T& value) {
    uint8_t raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    out_.insert(out_.end(), raw, raw + sizeof(T));
  }
  void Field(base::Bytes& bytes) {
    Count(bytes.size());
    base::Append(out_, bytes);
  }
  void Field(std::string& text) {
    Count(text.size());
    base::Append(out_, std::string_view(text));
  }
  template <size_t N>
  void Field(std::array<uint8_t, N>& bytes) {
    base::Append(out_, base::ByteSpan(bytes));
  }
  template <class T>
  void Field(std::optional<T>& value) {
    out_.push_back(value.has_value());
    if (value) Field(*value);
  }
  template <class A, class B>
  void Field(std::pair<A, B>& pair) {
    Field(pair.first);
    Field(pair.second);
  }
  template <class T>
  void Field(std::vector<T>& list) {
    Count(list.size());
    for (T& item : list) Field(item);
  }
  template <class T>
  void Field(std::deque<T>& list) {
    Count(list.size());
    for (T& item : list) Field(item);
  }
  template <class K, class V>
  void Field(std::map<K, V>& map) {
    Count(map.size());
    for (auto& [key, value] : map) {
      K copy = key;
      Field(copy);
      Field(value);
    }
  }
  template <class... Ts>
  void Field(std::variant<Ts...>& value) {
    out_.push_back(static_cast<uint8_t>(value.index()));
    std::visit([this](auto& alternative) { this->Field(alternative); }, value);
  }
  template <class T>
  void Field(T& record) {
    Fields(*this, record);
  }

 private:
  void Count(uint64_t count) { base::AppendFixed(out_, count); }
  base::Bytes out_;
};

// Reads what an Encoder wrote. After the first thing that does not fit, ok() is false and every
// field reads as zero or empty.
class Decoder {
 public:
  static constexpr bool kReading = true;
  explicit Decoder(base::ByteSpan in) : in_(in) {}
  template <class... Ts>
  void operator()(Ts&... fields) {
    (Field(fields), ...);
  }
  bool ok() const { return ok_; }
  bool done() const { return ok_ && in_.empty(); }

  template <class T>
    requires(std::is_arithmetic_v<T> || std::is_enum_v<T> || std::same_as<T, unsigned __int128>)
  void Field(T& value) {
    const base::ByteSpan raw = Take(sizeof(T));
    if (ok_) std::memcpy(&value, raw.data(), sizeof(T));
  }
  void Field(base::Bytes& bytes) {
    const base::ByteSpan raw = Take(Number());
    bytes.assign(raw.begin(), raw.end());
  }
  void Field(std::string& text) { text = base::AsText(Take(Number())); }
  template <size_t N>
  void Field(std::array<uint8_t, N>& bytes) {
    const base::ByteSpan raw = Take(N);
    if (ok_) std::memcpy(bytes.data(), raw.data(), N);
  }
  template <class T>
  void Field(std::optional<T>& value) {
    uint8_t present = 0;
    Field(present);
    value.reset();
    if (present) Field(value.emplace());
  }
  template <class A, class B>
  void Field(std::pair<A, B>& pair) {
    Field(pair.first);
    Field(pair.second);
  }
  template <class T>
  void Field(std::vector<T>& list) {
    list.clear();
    for (uint64_t left = Number(); left > 0 && ok_; --left) Field(list.emplace_back());
  }
  template <class T>
  void Field(std::deque<T>& list) {
    list.clear();
    for (uint64_t left = Number(); left > 0 && ok_; --left) Field(list.emplace_back());
  }
  template <class K, class V>
  void Field(std::map<K, V>& map) {
    map.clear();
    for (uint64_t left = Number(); left > 0 && ok_; --left) {
      K key{};
      Field(key);
      Field(map[key]);
    }
  }
  template <class... Ts>
  void Field(std::variant<Ts...>& value) {
    uint8_t index = 0;
    Field(index);
    if (index >= sizeof...(Ts)) {
      ok_ = false;
      return;
    }
    size_t i = 0;
    ((i++ == index ? (void)(value = Ts{}) : (void)0), ...);
    std::visit([this](auto& alternative) { this->Field(alternative); }, value);
  }
  template <class T>
  void Field(T& record) {
    Fields(*this, record);
  }

 private:
  uint64_t Number() {
    uint64_t value = 0;
    Field(value);
    return value;
  }
  base::ByteSpan Take(uint64_t size) {
    if (ok_) {
      if (const auto taken = in_.Take(size)) return *taken;
    }
    ok_ = false;
    return {};
  }
  base::ByteReader in_;
  bool ok_ = true;
};

template <class T>
base::Bytes Encode(T& record) {
  Encoder encoder;
  encoder(record);
  return encoder.Take();
}

// False when the bytes are not those of such a record.
template <class T>
bool Decode(base::ByteSpan bytes, T& record) {
  Decoder decoder(bytes);
  decoder(record);
  return decoder.done();
}

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_STATE_CODEC_H_
