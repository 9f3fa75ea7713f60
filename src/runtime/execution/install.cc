#include "runtime/execution/install.h"

#include <algorithm>

namespace runtime {
namespace {

class Installation {
 public:
  Installation(Canister& canister, const InstallArgs& args, const Surroundings& around)
      : old_(canister), args_(args), around_(around), left_(around.limits->install) {}

  InstallResult Run() {
    const bool upgrade = args_.mode == InstallMode::kUpgrade;
    const bool done = (!upgrade || args_.skip_pre_upgrade || PreUpgrade()) && Prepare() &&
                      (!args_.module->info.has_start || Execute("start", Entry::kStart)) &&
                      Execute(upgrade ? "post_upgrade" : "init", Entry::kInit);
    if (done) {
      Adopt();
    } else {
      GiveBack();
    }
    return std::move(result_);
  }

 private:
  bool Fail(ErrorCode code, std::string message) {
    result_.error = ExecutionError{code, std::move(message)};
    return false;
  }

  bool PreUpgrade() {
    if (!old_.module->info.HasSystemMethod("canister_pre_upgrade")) return true;
    return RunStep(old_, "pre_upgrade", "canister_pre_upgrade", Entry::kPreUpgrade);
  }

  // The new canister: fresh memories, except what the mode keeps.
  bool Prepare() {
    new_.id = old_.id;
    new_.settings = old_.settings;
    new_.status = old_.status;
    new_.version = old_.version + 1;
    new_.balance = pre_upgrade_balance_.value_or(old_.balance);
    new_.module = args_.module;
    const bool upgrade = args_.mode == InstallMode::kUpgrade;
    if (upgrade) new_.certified_data = pre_upgrade_certified_.value_or(old_.certified_data);
    return PrepareStable(upgrade) && PrepareHeap(upgrade && args_.keep_heap);
  }

  bool PrepareStable(bool keep) {
    if (keep) {
      new_.stable = std::move(old_.stable);
      stable_moved_ = true;
    }
    if (new_.stable) return true;
    auto region = PagedRegion::Create(around_.limits->stable_bytes_max, 0);
    if (!region) return Fail(ErrorCode::kCanisterOutOfMemory, region.error().message);
    new_.stable = std::move(*region);
    return true;
  }

  bool PrepareHeap(bool keep) {
    const ModuleInfo& info = args_.module->info;
    if (!info.has_memory) return true;
    if (keep && old_.heap) {
      new_.heap = std::move(old_.heap);
      heap_moved_ = true;
      return new_.heap->pages() >= info.heap_pages_min ||
             new_.heap->Grow(info.heap_pages_min - new_.heap->pages());
    }
    const uint64_t bytes =
        info.memory64 ? around_.limits->heap64_bytes_max : around_.limits->heap_bytes_max;
    auto region = PagedRegion::Create(bytes, kHeapGuardBytes);
    if (!region || !(*region)->Grow(info.heap_pages_min)) {
      return Fail(ErrorCode::kCanisterOutOfMemory, "Canister cannot have that much memory");
    }
    new_.heap = std::move(*region);
    for (const DataSegment& segment : info.active_data) {
      new_.heap->Write(segment.offset, segment.bytes);
    }
    return true;
  }

  bool Execute(const char* name, Entry entry) {
    const std::string export_name =
        entry == Entry::kStart ? kExportStart : base::StrCat("canister_", name);
    if (entry != Entry::kStart && !args_.module->info.HasSystemMethod(export_name)) return true;
    return RunStep(new_, name, export_name, entry);
  }

  bool RunStep(Canister& canister, const char* name, const std::string& export_name, Entry entry) {
    MessageInput input;
    input.entry = entry;
    input.caller = args_.sender;
    if (entry == Entry::kInit) input.argument = args_.argument;
    Execution execution(canister, input, around_, left_, around_.limits->install_slice);
    Outcome outcome = execution.RunExport(export_name);
    left_ -= std::min(left_, outcome.instructions);
    result_.instructions += outcome.instructions;
    result_.error = outcome.error;
    if (!outcome.error) Apply(canister, outcome);
    result_.steps.push_back({name, std::move(outcome)});
    return !result_.error;
  }

  // pre_upgrade's globals and memory are of no use any more, its certified data and cycles are.
  void Apply(Canister& canister, Outcome& outcome) {
    if (&canister == &old_) {
      pre_upgrade_certified_ = outcome.effects.certified_data;
      pre_upgrade_balance_ = outcome.effects.balance;
      return;
    }
    canister.globals = std::move(outcome.globals);
    if (outcome.effects.certified_data) canister.certified_data = *outcome.effects.certified_data;
    if (outcome.effects.global_timer_ns)
      canister.global_timer_ns = *outcome.effects.global_timer_ns;
    canister.balance = outcome.effects.balance;
  }

  void Adopt() {
    old_.module = new_.module;
    old_.heap = std::move(new_.heap);
    old_.stable = std::move(new_.stable);
    old_.globals = std::move(new_.globals);
    old_.certified_data = std::move(new_.certified_data);
    old_.global_timer_ns = new_.global_timer_ns;
    old_.version = new_.version;
    old_.balance = new_.balance;
  }

  void GiveBack() {
    if (stable_moved_) old_.stable = std::move(new_.stable);
    if (heap_moved_) old_.heap = std::move(new_.heap);
    if (old_.heap) old_.heap->Rollback();
    if (old_.stable) old_.stable->Rollback();
  }

  Canister& old_;
  Canister new_;
  const InstallArgs& args_;
  const Surroundings& around_;
  uint64_t left_;
  bool stable_moved_ = false, heap_moved_ = false;
  std::optional<base::Bytes> pre_upgrade_certified_;
  std::optional<Cycles> pre_upgrade_balance_;
  InstallResult result_;
};

}  // namespace

InstallResult Install(Canister& canister, const InstallArgs& args, const Surroundings& around) {
  return Installation(canister, args, around).Run();
}

}  // namespace runtime
