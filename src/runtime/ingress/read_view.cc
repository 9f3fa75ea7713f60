#include "runtime/ingress/read_view.h"

namespace runtime {
namespace {

Principal BytesOf(const ic::Principal& principal) {
  return {principal.bytes().begin(), principal.bytes().end()};
}

}  // namespace

std::optional<ic::ReadStateView::Ingress> ReadView::FindIngress(const ic::RequestId& id) const {
  const runtime::Ingress::Entry* entry = ingress_.Find(id);
  if (entry == nullptr) return std::nullopt;
  return Ingress{.sender = entry->sender, .receiver = entry->receiver};
}

bool ReadView::IsPrivateSection(const ic::Principal& canister_id, std::string_view name,
                                const ic::Principal& user) const {
  const Slot* slot = network_.Find(BytesOf(canister_id));
  if (slot == nullptr || !slot->state.module) return false;
  const auto& metadata = slot->state.module->info.metadata;
  const auto section = metadata.find(std::string(name));
  if (section == metadata.end() || section->second.is_public) return false;
  return !slot->state.IsController(BytesOf(user));
}

}  // namespace runtime
