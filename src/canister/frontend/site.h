#ifndef GPT2IC_CANISTER_FRONTEND_SITE_H_
#define GPT2IC_CANISTER_FRONTEND_SITE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "canister/frontend/assets.h"
#include "ic/http_certification.h"

namespace frontend {

// One response that is certified: all of its headers are, but for IC-Certificate.
struct Variant {
  uint16_t status_code = 200;
  std::vector<ic::HttpHeader> headers;
  base::ByteSpan body;
};

// All responses of the page, made once, with the tree that certifies them (version 2). A request is
// answered by what is at its path. Nothing there: a path whose last part has a dot is a missing
// file, 404; any other is the page itself, at the wildcard.
class Site {
 public:
  // `assets` must have /index.html and outlive the site. Cost: hashes all of them, in both
  // encodings.
  Site(std::span<const Asset> assets, std::string cookie);

  const base::Sha256Digest& root_hash() const { return tree_.hash(); }

  struct Answer {
    const Variant* variant = nullptr;
    ic::HttpCertificate certificate;  // but for the certificate itself, which queries have
  };
  // An Error when the URL cannot be read. Hashes nothing but the witness.
  base::Result<Answer> AnswerTo(const ic::HttpRequest& request) const;

 private:
  // What can be answered at one path.
  struct Place {
    ic::ExpressionPath path;
    Variant identity;
    std::optional<Variant> gzip;
    std::optional<Variant> not_modified;  // to requests whose If-None-Match is the ETag
    std::string etag;
  };
  using Segments = std::vector<std::string>;

  static Place PlaceOf(const Asset& asset, ic::ExpressionPath path, const std::string& cookie);
  static Place Missing();
  static void Certify(const Place& place, ic::TreeBuilder& tree);
  const Place& PlaceFor(const Segments& segments) const;

  std::map<Segments, Place> places_;
  Place page_, missing_;  // at the wildcard
  ic::HashTree tree_;
};

}  // namespace frontend

#endif  // GPT2IC_CANISTER_FRONTEND_SITE_H_
