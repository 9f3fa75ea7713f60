#ifndef GPT2IC_IC_HTTP_EXPRESSION_H_
#define GPT2IC_IC_HTTP_EXPRESSION_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ic {

// What an IC-CertificateExpression header says: which parts of a request and its response are
// certified. The default is a response with no header but the expression itself.
struct CertificationExpression {
  enum class Kind {
    kSkip,          // nothing
    kResponseOnly,  // the response, for any method and query of its path
    kFull,          // the response to that method, body, those headers and query parameters
  };
  enum class Headers { kOnly, kAllBut };

  Kind kind = Kind::kResponseOnly;
  std::vector<std::string> request_headers;
  std::vector<std::string> query_parameters;
  Headers response_headers_are = Headers::kOnly;
  std::vector<std::string> response_headers;

  // One line without spaces. The tree holds the hash of the very text that the header has.
  std::string Text() const;
};

// Reads the part of CEL that the HTTP gateway protocol defines, with white space and a comma behind
// the last element allowed. At most 8 KiB. Unknown, missing and contradicting fields are an Error.
base::Result<CertificationExpression> ParseExpression(std::string_view text);

}  // namespace ic

#endif  // GPT2IC_IC_HTTP_EXPRESSION_H_
