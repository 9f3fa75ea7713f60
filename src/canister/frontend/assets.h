#ifndef GPT2IC_CANISTER_FRONTEND_ASSETS_H_
#define GPT2IC_CANISTER_FRONTEND_ASSETS_H_

#include <span>
#include <string_view>

#include "base/bytes.h"

namespace frontend {

// A file of the built page. Everything lies in the module's data and lives as long as it.
struct Asset {
  std::string_view path;  // "/index.html"
  std::string_view content_type;
  bool hashed = false;  // its name has the hash of its content: it never changes
  base::ByteSpan identity;
  base::ByteSpan gzip;  // empty: compressing does not make it smaller
};

// By ascending path. Defined by what tools/build-page writes.
std::span<const Asset> Assets();

}  // namespace frontend

#endif  // GPT2IC_CANISTER_FRONTEND_ASSETS_H_
