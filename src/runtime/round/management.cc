#include "runtime/round/management.h"

namespace runtime {

base::Bytes EmptyCandid() { return {'D', 'I', 'D', 'L', 0, 0}; }

void Management::Execute(Request request) {
  network_.Respond(
      request.origin, {},
      Response{Reject{RejectCode::kDestinationInvalid, ErrorCode::kCanisterMethodNotFound,
                      base::StrCat("Management canister has no method '",
                                   base::Printable(request.method), "' on this network")},
               {}},
      request.cycles);
}

}  // namespace runtime
