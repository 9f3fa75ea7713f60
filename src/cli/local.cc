#include "cli/local.h"

#include <fmt/core.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "cli/command.h"

namespace cli {
namespace {

constexpr size_t kChunkBytes = 2'000'000;  // what ic-file-uploader sends
const runtime::Principal kUser = {2};

runtime::NetworkOptions Options() {
  runtime::NetworkOptions options;
  options.cache_dir = CacheDir();
  return options;
}

// The time at which the embedded network stands: today, so that logs make sense, unless seeded runs
// want it fixed.
constexpr uint64_t kStartNs = 1'700'000'000'000'000'000;

}  // namespace

Local::Local(uint64_t seed) : env_(seed, kStartNs + seed), network_(env_, Options()) {
  network_.OnExecution([this](const runtime::ExecutionRecord& record) {
    ++usage_.messages;
    usage_.instructions += record.instructions;
    usage_.page_charges += record.page_charges;
  });
}

base::Result<std::unique_ptr<Local>> Local::Deploy(const std::string& wasm, uint64_t seed) {
  const std::string binary = TRY(ReadFile(wasm));
  std::unique_ptr<Local> out(new Local(seed));
  constexpr runtime::Cycles kCycles = 1'000'000'000'000'000;
  out->canister_ = TRY(out->network_.CreateCanister(kUser, kCycles));
  const auto error =
      out->network_.InstallCode(out->canister_, runtime::InstallMode::kInstall,
                                base::Bytes(binary.begin(), binary.end()), {}, kUser);
  if (error) return base::Err("installing ", wasm, ": ", error->message);
  return out;
}

base::Result<base::Bytes> Local::Update(const std::string& method, base::Bytes argument) {
  runtime::Canister& state = network_.Find(canister_)->state;
  const runtime::Cycles before = state.balance;
  runtime::Response response = network_.Call(kUser, canister_, method, std::move(argument));
  usage_.cycles += before - state.balance;
  if (response.reject) return base::Err(method, ": ", response.reject->message);
  return std::move(response.reply);
}

base::Result<base::Bytes> Local::Query(const std::string& method, base::Bytes argument) {
  runtime::Response response = network_.Query(kUser, canister_, method, std::move(argument));
  if (response.reject) return base::Err(method, ": ", response.reject->message);
  return std::move(response.reply);
}

base::Status Local::Upload(const std::string& method, const std::string& path) {
  const std::string content = TRY(ReadFile(path));
  Progress progress(base::StrCat("uploading ", std::filesystem::path(path).filename().string()),
                    content.size());
  for (size_t at = 0; at < content.size(); at += kChunkBytes) {
    const std::string_view chunk = std::string_view(content).substr(at, kChunkBytes);
    TRY(Update(method, candid::EncodeArgs(base::AsBytes(chunk))));
    progress.Set(at + chunk.size());
  }
  return {};
}

Usage Local::TakeUsage() { return std::exchange(usage_, {}); }

std::string RepositoryPath(const std::string& path) {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  // build/native/gpt2ic
  return (program.parent_path().parent_path().parent_path() / path).string();
}

base::Result<std::string> CanisterWasm(const std::string& name) {
  const char* dir = std::getenv("GPT2IC_WASM_DIR");
  const std::string path = dir != nullptr
                               ? base::StrCat(dir, "/", name, ".wasm")
                               : RepositoryPath(base::StrCat("build/wasm/", name, ".wasm"));
  if (!std::filesystem::exists(path)) {
    return base::Err("there is no ", path, "; build it with `make wasm`");
  }
  return path;
}

Progress::Progress(std::string label, uint64_t total)
    : label_(std::move(label)), total_(total), terminal_(isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (shown_ >= 0) fmt::print(stderr, "\r\033[K");
}

void Progress::Set(uint64_t done) {
  const int percent = total_ == 0 ? 100 : static_cast<int>(done * 100 / total_);
  if (!terminal_ || percent == shown_) return;
  shown_ = percent;
  fmt::print(stderr, "\r{} [{:<40}] {:3} %", label_,
             std::string(static_cast<size_t>(percent) * 2 / 5, '#'), percent);
}

std::string Grouped(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

double Dollars(runtime::Cycles cycles) {
  const runtime::Fees fees;
  return static_cast<double>(cycles) / 1e12 * static_cast<double>(fees.usd_per_trillion_e6) / 1e6;
}

}  // namespace cli
