#include "base/check.h"
#include "ic/http_certification.h"

// Any text as a certificate expression, as a certificate header and as a URL.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = base::AsText({data, size});
  if (const auto expression = ic::ParseExpression(text)) {
    const std::string written = expression->Text();
    const auto again = ic::ParseExpression(written);
    // Written without spaces it is shorter, but for commas and for lists that were left out.
    CHECK(again || written.size() > text.size());
    if (again) CHECK(again->Text() == written);
  }
  if (const auto certificate = ic::ParseCertificateHeader(text)) {
    const std::string written = ic::CertificateHeaderText(*certificate);
    const auto again = ic::ParseCertificateHeader(written);
    CHECK(again && again->expr_path == certificate->expr_path);
    CHECK(ic::CertificateHeaderText(*again) == written);
  }
  if (const auto segments = ic::UrlSegments(text)) {
    const ic::ExpressionPath wildcard = ic::WildcardPath({});
    ic::TreeBuilder builder;
    const ic::Sha256Digest hash = {};
    builder.Set(ic::EntryPath(wildcard, "", nullptr, &hash), base::ByteSpan());
    const auto paths = ic::WitnessPaths(wildcard, *segments);
    const ic::HashTree witness = builder.Build().Witness(paths);
    CHECK(ic::CheckExpressionPath(wildcard, *segments, witness));
  }
  return 0;
}
