#ifndef GPT2IC_BASE_STR_CAT_H_
#define GPT2IC_BASE_STR_CAT_H_

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace base {

// Text building for both worlds: std::format alone would add 430 kB to a canister.
void AppendTo(std::string& out, std::string_view text);
void AppendTo(std::string& out, uint64_t value);
void AppendTo(std::string& out, int64_t value);

inline void AppendTo(std::string& out, const char* text) { AppendTo(out, std::string_view(text)); }
inline void AppendTo(std::string& out, const std::string& text) {
  AppendTo(out, std::string_view(text));
}
inline void AppendTo(std::string& out, char c) { out.push_back(c); }
inline void AppendTo(std::string& out, std::unsigned_integral auto value) {
  AppendTo(out, static_cast<uint64_t>(value));
}
inline void AppendTo(std::string& out, std::signed_integral auto value) {
  AppendTo(out, static_cast<int64_t>(value));
}

// StrCat("n_ctx is ", 1024, ", expected at most ", 512)
template <class... Parts>
std::string StrCat(const Parts&... parts) {
  std::string out;
  (AppendTo(out, parts), ...);
  return out;
}

// Text of outsiders, made fit for an error message: control characters and non-ASCII bytes as \xx,
// cut at `bytes_max` with "..." behind.
std::string Printable(std::string_view text, size_t bytes_max = 60);

}  // namespace base

#endif  // GPT2IC_BASE_STR_CAT_H_
