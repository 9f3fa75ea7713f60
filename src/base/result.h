#ifndef GPT2IC_BASE_RESULT_H_
#define GPT2IC_BASE_RESULT_H_

#include <expected>
#include <string>
#include <utility>

#include "base/str_cat.h"

namespace base {

// Bad input or a missing thing: one sentence that says what was found, what was expected and where.
struct Error {
  std::string message;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

// return Err("n_head is ", n_head, ", expected a divisor of n_embd ", n_embd);
template <class... Parts>
std::unexpected<Error> Err(const Parts&... parts) {
  return std::unexpected(Error{StrCat(parts...)});
}

}  // namespace base

// TRY(f()) is the value of f(), or returns its error from the function it stands in.
#define TRY(...)                                                              \
  ({                                                                          \
    auto try_result_ = (__VA_ARGS__);                                         \
    if (!try_result_) return std::unexpected(std::move(try_result_).error()); \
    *std::move(try_result_);                                                  \
  })

// The same for a base::Status.
#define TRY_STATUS(...)                                       \
  do {                                                        \
    if (auto try_status_ = (__VA_ARGS__); !try_status_)       \
      return std::unexpected(std::move(try_status_).error()); \
  } while (false)

#endif  // GPT2IC_BASE_RESULT_H_
