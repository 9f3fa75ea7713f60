#include "ic/request_id.h"

#include <algorithm>

#include "base/check.h"
#include "base/leb128.h"

namespace ic {

MapHash& MapHash::Blob(std::string_view name, base::ByteSpan value) {
  return Digest(name, base::Sha256Of(value));
}

MapHash& MapHash::Text(std::string_view name, std::string_view value) {
  return Blob(name, base::AsBytes(value));
}

MapHash& MapHash::Nat(std::string_view name, uint64_t value) {
  base::Bytes leb;
  base::AppendUleb(leb, value);
  return Blob(name, leb);
}

MapHash& MapHash::Digest(std::string_view name, const Sha256Digest& value) {
  auto& field = fields_.emplace_back();
  const Sha256Digest key = base::Sha256Of(base::AsBytes(name));
  std::ranges::copy(value, std::ranges::copy(key, field.begin()).out);
  return *this;
}

Sha256Digest MapHash::Finish() const {
  auto sorted = fields_;
  std::ranges::sort(sorted);
  base::Sha256 hash;
  for (const auto& field : sorted) hash.Update(field);
  return hash.Finish();
}

Sha256Digest HashOfArray(std::span<const Sha256Digest> elements) {
  base::Sha256 hash;
  for (const auto& element : elements) hash.Update(element);
  return hash.Finish();
}

base::Bytes WithDomain(std::string_view domain, base::ByteSpan payload) {
  CHECK(domain.size() < 256);
  base::Bytes out = {static_cast<uint8_t>(domain.size())};
  base::Append(out, domain);
  base::Append(out, payload);
  return out;
}

}  // namespace ic
