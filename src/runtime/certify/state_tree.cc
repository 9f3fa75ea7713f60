#include "runtime/certify/state_tree.h"

#include "base/check.h"

namespace runtime {
namespace {

base::Bytes Encoded(std::span<const Principal> principals) {
  std::vector<ic::Principal> list;
  for (const Principal& bytes : principals) {
    const auto principal = ic::Principal::FromBytes(bytes);
    CHECK(principal);
    list.push_back(*principal);
  }
  return ic::EncodePrincipals(list);
}

ic::HashTree CanisterTree(const Canister& canister) {
  ic::TreeBuilder tree;
  tree.Set(ic::TextPath({"certified_data"}), canister.certified_data);
  tree.Set(ic::TextPath({"controllers"}), Encoded(canister.settings.controllers));
  if (canister.module) {
    tree.Set(ic::TextPath({"module_hash"}), canister.module->hash);
    for (const auto& [name, section] : canister.module->info.metadata) {
      tree.Set(ic::TextPath({"metadata", name}), section.content);
    }
  }
  return tree.Build();
}

// What is below /subnet.
ic::HashTree SubnetTree(const NetworkKeys& keys, const base::Bytes& ranges, std::string_view type) {
  const ic::Principal id = keys.subnet_id();
  const ic::Path subnet = {{id.bytes().begin(), id.bytes().end()}};
  ic::TreeBuilder tree;
  const auto set = [&](std::initializer_list<std::string_view> below, base::ByteSpan value) {
    ic::Path path = subnet;
    for (base::Bytes& label : ic::TextPath(below)) path.push_back(std::move(label));
    tree.Set(path, value);
  };
  set({"canister_ranges"}, ranges);
  set({"node", base::AsText(keys.node_id().bytes()), "public_key"}, keys.node.public_key_der());
  set({"public_key"}, keys.root.public_key_der());
  set({"type"}, base::AsBytes(type));
  return tree.Build();
}

}  // namespace

StateTree::StateTree(NetworkKeys keys, std::span<const ic::CanisterRange> ranges,
                     std::string_view type)
    : keys_(std::move(keys)) {
  CHECK(!ranges.empty());
  const base::Bytes encoded = ic::EncodeCanisterRanges(ranges);
  subnet_ = SubnetTree(keys_, encoded, type);
  // One shard: agent-js reads the first one only.
  const ic::Principal& first = ranges[0].first;
  const ic::HashTree shard = ic::HashTree::Labeled(first.bytes(), ic::HashTree::Leaf(encoded));
  canister_ranges_ = ic::HashTree::Labeled(keys_.subnet_id().bytes(), shard);
}

void StateTree::Changed() {
  tree_.reset();
  signature_.clear();
}

void StateTree::SetTime(uint64_t time_ns) {
  time_ns_ = time_ns;
  Changed();
}

void StateTree::SetCanister(const Canister& canister) {
  canisters_.Set(canister.id, CanisterTree(canister));
  Changed();
}

void StateTree::EraseCanister(const Principal& id) {
  canisters_.Erase(id);
  Changed();
}

void StateTree::SetRequest(const ic::RequestId& id, const ic::RequestStatus& status) {
  requests_.Set(id, ic::RequestStatusTree(status));
  Changed();
}

void StateTree::EraseRequest(const ic::RequestId& id) {
  requests_.Erase(id);
  Changed();
}

const ic::HashTree& StateTree::tree() {
  if (!tree_) {
    const auto labeled = [](std::string_view label, ic::HashTree tree) {
      return ic::HashTree::Labeled(base::AsBytes(label), std::move(tree));
    };
    const std::vector<ic::HashTree> top = {
        labeled("canister", canisters_.tree()), labeled("canister_ranges", canister_ranges_),
        labeled("request_status", requests_.tree()), labeled("subnet", subnet_),
        labeled("time", ic::HashTree::Leaf(ic::EncodeLeb(time_ns_)))};
    tree_ = ic::HashTree::OfLabeled(top);
  }
  return *tree_;
}

base::Bytes StateTree::Certify(std::vector<ic::Path> paths) {
  paths.push_back(ic::TextPath({"time"}));
  ic::Certificate certificate;
  certificate.tree = tree().Witness(paths);
  if (signature_.empty()) signature_ = keys_.root.Sign(ic::SignedBytes(tree()));
  certificate.signature = signature_;
  return ic::EncodeCertificate(certificate);
}

base::Bytes StateTree::DataCertificate(const Principal& id) {
  const auto canister_id = ic::Principal::FromBytes(id);
  CHECK(canister_id);
  return Certify({ic::CanisterPath(*canister_id, "certified_data")});
}

}  // namespace runtime
