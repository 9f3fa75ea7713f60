#ifndef GPT2IC_RUNTIME_INGRESS_READ_VIEW_H_
#define GPT2IC_RUNTIME_INGRESS_READ_VIEW_H_

#include "ic/read_state.h"
#include "runtime/ingress/ingress.h"

namespace runtime {

// The network as the rules of read_state ask about it. A view: both must outlive it.
class ReadView : public ic::ReadStateView {
 public:
  ReadView(Network& network, const runtime::Ingress& ingress)
      : network_(network), ingress_(ingress) {}

  std::optional<ic::ReadStateView::Ingress> FindIngress(const ic::RequestId& id) const override;
  bool IsPrivateSection(const ic::Principal& canister_id, std::string_view name,
                        const ic::Principal& user) const override;

 private:
  Network& network_;
  const runtime::Ingress& ingress_;
};

}  // namespace runtime

#endif  // GPT2IC_RUNTIME_INGRESS_READ_VIEW_H_
