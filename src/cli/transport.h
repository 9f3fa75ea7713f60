#ifndef GPT2IC_CLI_TRANSPORT_H_
#define GPT2IC_CLI_TRANSPORT_H_

#include "ic/http_certification.h"

namespace cli {

// The way to a network: HTTP, or a call of the same code in process.
class Transport {
 public:
  virtual ~Transport() = default;
  // An Error: no answer came.
  virtual base::Result<ic::HttpResponse> Send(const ic::HttpRequest& request) = 0;
};

}  // namespace cli

#endif  // GPT2IC_CLI_TRANSPORT_H_
